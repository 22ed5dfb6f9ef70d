"""The findings of the privacy scan as rows to look through: kind, place, length. Pure tables in, rows out; no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ("record_id", "shard", "ordinal", "family", "split", "language")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``number`` counts the record's findings in the order of its text, from 1; ``turn`` counts from 1.

    ``turn`` 0 is a finding that only shows across turns.
    """

    kind: str
    record_id: str
    shard: str
    family: str
    split: str
    number: int
    turn: int
    length: int
    score_bp: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; an empty word narrows nothing."""

    kind: str = ""
    family: str = ""
    split: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.family or self.split)


@dataclass(frozen=True, slots=True)
class Listing:
    """The findings of a candidate, counted; ``page`` makes rows of a stretch of them only."""

    table: pa.Table
    total: int
    kinds: list[tuple[str, int]]
    families: list[str]
    splits: list[str]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def records(self) -> int:
        return int(pc.count_distinct(self.table["record_id"]).as_py())

    def __getitem__(self, stretch: slice) -> Sequence[Finding]:
        start, stop, _step = stretch.indices(len(self))
        return [_finding(row) for row in self.table.slice(start, max(stop - start, 0)).to_pylist()]


def listing(records: pa.Table, chosen: Filters) -> Listing:
    """Every finding of ``records`` that ``chosen`` leaves, by shard, record and place in the text."""
    every = _flat(records)
    counted = pc.value_counts(every["entity"]).to_pylist()
    shown = every
    for column, word in (("entity", chosen.kind), ("family", chosen.family), ("split", chosen.split)):
        if word:
            shown = shown.filter(pc.equal(shown[column], word))
    return Listing(
        table=shown,
        total=every.num_rows,
        kinds=sorted((one["values"], one["counts"]) for one in counted),
        families=sorted(pc.unique(every["family"]).to_pylist()),
        splits=sorted(pc.unique(every["split"]).to_pylist()),
    )


def _flat(records: pa.Table) -> pa.Table:
    """One row for each finding, in the order of the text, with its number among the record's excerpts."""
    flagged = records.filter(pc.greater(pc.list_value_length(records["findings"]), 0)).combine_chunks()
    parents = pc.list_parent_indices(flagged["findings"]).combine_chunks()
    flat = pc.list_flatten(flagged["findings"]).combine_chunks()
    table = flagged.select(list(COLUMNS)).take(parents)
    for name in ("entity", "turn", "start", "end", "score_bp"):
        table = table.append_column(name, pc.struct_field(flat, name))
    ordered = [(name, "ascending") for name in ("shard", "ordinal", "turn", "start", "end", "entity")]
    table = table.sort_by(ordered)
    return table.append_column("number", pa.array(_numbers(table), pa.int32()))


def _numbers(ordered: pa.Table) -> list[int]:
    """Two rules that found the same are two rows of one number, as they are one excerpt."""
    numbers: list[int] = []
    before: dict[str, object] = {}
    for row in ordered.select(["record_id", "turn", "start", "end", "entity"]).to_pylist():
        same = bool(before) and row["record_id"] == before["record_id"]
        numbers.append(numbers[-1] + (row != before) if same else 1)
        before = row
    return numbers


def _finding(row: dict[str, object]) -> Finding:
    turn, start, end = (int(str(row[name])) for name in ("turn", "start", "end"))
    return Finding(
        kind=str(row["entity"]),
        record_id=str(row["record_id"]),
        shard=str(row["shard"]),
        family=str(row["family"]),
        split=str(row["split"]),
        number=int(str(row["number"])),
        turn=max(turn + 1, 0),
        length=end - start,
        score_bp=int(str(row["score_bp"])),
    )
