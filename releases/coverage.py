"""The coverage matrix: which required family has its evidence, by which keys. Pure; knows no store and no gate."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from releases.catalog.types import Catalog, Family

KEYS_SHOWN = 50
PRESENT, PARTIAL, MISSING, WAIVED = "present", "partial", "missing", "waived"


@dataclass(frozen=True, slots=True)
class Seen:
    """One object under a family's prefix: what it proved (``conversations``, ``personas``) or why it was refused."""

    key: str
    size: int
    prefix: str
    conversations: int = 0
    personas: int = 0
    refused: str = ""  # reason id; empty for an object that was read or not yet looked at


@dataclass
class FamilyTally:
    """What was seen for one family, added up object by object; keys are kept up to ``KEYS_SHOWN``."""

    objects: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    personas: int = 0
    records: int = 0
    counted: int = 0
    counted_keys: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refused_keys: list[dict[str, str]] = field(default_factory=list)

    def add(self, seen: Seen) -> None:
        self.objects[seen.prefix] += 1
        self.bytes[seen.prefix] += seen.size
        if seen.refused:
            self.refused[seen.refused] += 1
            if len(self.refused_keys) < KEYS_SHOWN:
                self.refused_keys.append({"key": seen.key, "reason": seen.refused})
            return
        self.records += seen.conversations
        self.conversations += seen.conversations > 0
        self.personas += seen.personas > 0
        if seen.conversations or seen.personas:
            self.counted += 1
            if len(self.counted_keys) < KEYS_SHOWN:
                self.counted_keys.append(seen.key)

    def found(self, kind: str) -> int:
        return {"conversations": self.conversations, "persona_profile": self.personas}[kind]


def status(family: Family, tally: FamilyTally) -> str:
    """present: every rule holds; partial: some rule holds, or objects exist; missing: no object."""
    held = [tally.found(rule.kind) >= rule.min_objects for rule in family.evidence]
    if held and all(held):
        return PRESENT
    return PARTIAL if any(held) or tally.objects.total() else MISSING


def matrix(catalog: Catalog, tallies: Mapping[str, FamilyTally], outside: int) -> dict[str, Any]:
    """The matrix as JSON-able values; families in catalog order, prefixes named even where nothing lies."""
    return {
        "checklist": catalog.checklist,
        "families": [_row(family, tallies.get(family.id, FamilyTally())) for family in catalog.families],
        "outside": outside,
    }


def _row(family: Family, tally: FamilyTally) -> dict[str, Any]:
    return {
        "id": family.id,
        "stage": family.stage,
        "required": family.required,
        "status": status(family, tally),
        "prefixes": [
            {"prefix": prefix, "objects": tally.objects[prefix], "bytes": tally.bytes[prefix]}
            for prefix in family.prefixes
        ],
        "rules": [
            {
                "kind": rule.kind,
                "min_objects": rule.min_objects,
                "found": tally.found(rule.kind),
                "holds": tally.found(rule.kind) >= rule.min_objects,
            }
            for rule in family.evidence
        ],
        "counted": {"objects": tally.counted, "keys": tally.counted_keys},
        "refused": {
            "objects": sum(tally.refused.values()),
            "reasons": dict(sorted(tally.refused.items())),
            "keys": tally.refused_keys,
        },
        "records": tally.records,
    }


def tally(seen: Iterable[tuple[str, Seen]]) -> dict[str, FamilyTally]:
    tallies: dict[str, FamilyTally] = {}
    for family, one in seen:
        tallies.setdefault(family, FamilyTally()).add(one)
    return tallies


def statuses(coverage: Mapping[str, Any]) -> dict[str, str]:
    return {row["id"]: row["status"] for row in coverage.get("families", [])}


COLUMNS = ("family", "stage", "required", "status", "prefix", "objects", "bytes", "counted", "refused", "reasons")


def _flat(coverage: Mapping[str, Any]) -> Iterable[dict[str, object]]:
    for row in coverage["families"]:
        for prefix in row["prefixes"]:
            yield {
                "family": row["id"],
                "stage": row["stage"],
                "required": "yes" if row["required"] else "no",
                "status": row["status"],
                "prefix": prefix["prefix"],
                "objects": prefix["objects"],
                "bytes": prefix["bytes"],
                "counted": row["counted"]["objects"],
                "refused": row["refused"]["objects"],
                "reasons": " ".join(f"{name}:{count}" for name, count in row["refused"]["reasons"].items()),
            }


def as_csv(coverage: Mapping[str, Any]) -> str:
    """One row per family and prefix. Cells that a spreadsheet would run are made text (ASVS 1.2.10)."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in _flat(coverage):
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return out.getvalue()


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r\uff1d" else value


def _code(key: str) -> str:
    """A key as a code span that nothing in it can leave: keys hold whatever their makers typed."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in key)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def as_markdown(coverage: Mapping[str, Any]) -> str:
    """The matrix, then the keys counted and refused, for a person without the tool."""
    lines = ["# Coverage", "", "| family | required | status | prefix | objects | bytes |", "|---|---|---|---|---|---|"]
    for row in _flat(coverage):
        prefix = _code(str(row["prefix"])).replace("|", "\\|")
        cells = (row["family"], row["required"], row["status"], prefix, row["objects"], row["bytes"])
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    for family in coverage["families"]:
        lines += ["", f"## {family['id']}", "", f"Counted: {family['counted']['objects']} objects."]
        lines += [f"- {_code(key)}" for key in family["counted"]["keys"]]
        if family["refused"]["objects"]:
            lines += ["", f"Refused: {family['refused']['objects']} objects."]
            lines += [f"- {_code(one['key'])}: {one['reason']}" for one in family["refused"]["keys"]]
    return "\n".join(lines) + "\n"
