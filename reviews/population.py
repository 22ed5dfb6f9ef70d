"""What a round draws from: the frozen candidate's records as its facts list them. Holds ids and offsets, no text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gates import scanning
from gates.scan.facts import Facts
from gates.standing import scanner_in_use
from mhds.errors import Conflict, ObjectDamaged
from releases import stores
from releases.catalog.types import Catalog
from releases.models import Candidate
from releases.services import require_frozen
from reviews.plans import RoundKind
from reviews.sampling import Candidate as Ticketed

CRISIS_TAG = "crisis_"
CRISIS, FLAGGED, LANGUAGE = "crisis", "flagged", "language:"
COLUMNS = ("record_id", "content_hash", "family", "shard", "offset", "length", "language", "tags", "turns")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the frozen export; ``turns`` counts all of its messages."""

    record_id: str
    content_hash: str
    family: str
    shard: str
    offset: int
    length: int
    language: str
    turns: int
    tags: tuple[str, ...]
    flagged: bool

    @property
    def is_critical(self) -> bool:
        return any(tag.startswith(CRISIS_TAG) for tag in self.tags)

    @property
    def strata(self) -> frozenset[str]:
        """The targeted looks that this record belongs to."""
        found = {f"{LANGUAGE}{self.language}"}
        return frozenset(found | ({CRISIS} if self.is_critical else set()) | ({FLAGGED} if self.flagged else set()))

    @property
    def ticketed(self) -> Ticketed:
        return Ticketed(self.record_id, self.content_hash, self.strata)


def families_of(kind: RoundKind, catalog: Catalog) -> list[str]:
    """The families that a round is about: all of them for privacy, else those whose row of the catalog asks for it.

    None at all means that the catalog has nothing reviewed in this way: the round is then *not asked for*, and says
    so in its report and in the sentence that people sign.
    """
    asked = [one.id for one in catalog.families if kind is RoundKind.PRIVACY or kind.value in one.reviews]
    return sorted(asked, key=str.encode)


def load(candidate: Candidate) -> Facts:
    """The facts of the candidate by the scanner in use, and whole. Stale where the gates must run again.

    Only the scanner's digest is asked for: a process that shows pages does not build it.
    """
    require_frozen(candidate)
    return whole(scanning.load_facts(candidate, stores.bucket(), scanner_in_use()), candidate)


def whole(facts: Facts, candidate: Candidate) -> Facts:
    """The same facts, if they are about every record of exactly this candidate."""
    if facts.content_digest != candidate.content_digest:
        raise Conflict("the facts are about other content", hint="Run the gates again.")
    if facts.records.num_rows != candidate.records_out:
        raise ObjectDamaged(
            f"the facts hold {facts.records.num_rows:,} records, the candidate {candidate.records_out:,}.",
            hint="Run the gates again.",
        )
    return facts


def sizes(facts: Facts) -> dict[str, int]:
    """Family -> number of records."""
    counted = pc.value_counts(facts.records["family"]).to_pylist()
    return {one["values"]: one["counts"] for one in counted}


def records(facts: Facts, families: list[str]) -> Iterator[Record]:
    """The records of these families, batch by batch: a release may hold a million."""
    table = facts.records.filter(pc.is_in(facts.records["family"], pa.array(families, pa.string())))
    flagged = pc.greater(pc.list_value_length(table["findings"]), 0)
    chosen = table.select([*COLUMNS, "system_turns"]).append_column("flagged", flagged)
    for batch in chosen.to_batches():
        for row in batch.to_pylist():
            turns = row.pop("turns") + row.pop("system_turns")
            yield Record(**{**row, "turns": turns, "tags": tuple(row["tags"]), "flagged": bool(row["flagged"])})
