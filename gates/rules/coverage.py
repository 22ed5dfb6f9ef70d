"""The coverage gate: every family that the pinned checklist requires has its evidence, or a waiver in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gates.policy import Policy
from gates.rules.base import Finding, Gate, GateInputs, Outcome, conclude, doubtful
from releases.catalog.types import EvidenceRule

STATUSES = ("present", "partial", "missing")
RULES = {
    "coverage.C001": "a required family is present",
    "coverage.C002": "the catalog still names every family of the pinned checklist",
    "coverage.C003": "the catalog still requires every family of the pinned checklist",
    "coverage.C004": "a family counted as present has records in the compiled export",
    "coverage.C005": "the matrix is about this catalog, and agrees with the account of the source objects",
}


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: required families found in the matrix."""
    pinned = policy.coverage.checklists.get(inputs.catalog.checklist, ())
    asked = [family.id for family in inputs.catalog.families if family.required]
    required = sorted({*pinned, *asked}, key=str.encode)
    rows = {str(row["id"]): row for row in inputs.coverage.get("families", ())}
    findings = [*_pinned(inputs, pinned), *_about_matrix(inputs, rows)]
    for family in required:
        if family in rows:
            findings += _family(family, rows[family], inputs, policy)
        elif family in inputs.catalog.family_by_id:
            findings.append(doubtful("coverage.C005", f"The matrix lacks {family}. Build again.", subject=family))
    figures = {
        "families": {name: str(row["status"]) for name, row in sorted(rows.items())},
        "required": required,
        "outside": inputs.coverage.get("outside", 0),
        "checklist": inputs.catalog.checklist,
    }
    examined = expected = len(required) if pinned else 0
    return conclude("coverage", inputs, examined=examined, expected=expected, findings=findings, figures=figures)


def _pinned(inputs: GateInputs, pinned: tuple[str, ...]) -> Iterator[Finding]:
    checklist = inputs.catalog.checklist
    if not pinned:
        yield doubtful("coverage.C005", f"The policy pins no checklist {checklist}. Name one that it pins.")
    for family in pinned:
        known = inputs.catalog.family_by_id.get(family)
        if known is None:
            words = f"{family} of checklist {checklist} is not in the catalog. Put it back, or ask for a waiver."
            yield Finding("coverage.C002", words, family, waivable=True)
        elif not known.required:
            words = f"{family} of checklist {checklist} is no longer required. Require it, or ask for a waiver."
            yield Finding("coverage.C003", words, family, waivable=True)


def _about_matrix(inputs: GateInputs, rows: Mapping[str, Any]) -> Iterator[Finding]:
    if inputs.coverage.get("checklist") != inputs.catalog.checklist:
        yield doubtful("coverage.C005", "The matrix is about another checklist. Build again.")
    if len(rows) != len(inputs.coverage.get("families", ())):
        yield doubtful("coverage.C005", "The matrix names a family twice. Build again.")


def _family(name: str, row: Mapping[str, Any], inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    wrong = list(_contradictions(name, row, inputs))
    for words in wrong:
        yield doubtful("coverage.C005", f"{name}: {words}. Build again.", subject=name)
    if wrong:
        return
    if row["status"] != "present":
        lacking = [f"{rule['kind']} {rule['found']} of {rule['min_objects']}" for rule in row["rules"]]
        words = (
            f"{name} is {row['status']} ({', '.join(lacking)}). Bring evidence and build again, or ask for a waiver."
        )
        yield Finding("coverage.C001", words, name, evidence={"rules": list(row["rules"])}, waivable=True)
    elif inputs.records_by_family.get(name, 0) < policy.coverage.min_records:
        words = f"{name} is present, but too few of its records ship. See its exclusions, or ask for a waiver."
        yield Finding("coverage.C004", words, name, waivable=True)


def _contradictions(name: str, row: Mapping[str, Any], inputs: GateInputs) -> Iterator[str]:
    """What the row says against the catalog, the accounts or itself: no status is taken on its word."""
    family = inputs.catalog.family_by_id.get(name)
    if row["status"] not in STATUSES:
        yield f"the status {row['status']!r} is unknown"
    stated = tuple(EvidenceRule(rule["kind"], rule["min_objects"]) for rule in row["rules"])
    if family is not None and stated != family.evidence:
        yield "the evidence rules are not those of the catalog"
    held = [rule["found"] >= rule["min_objects"] for rule in row["rules"]]
    if held != [rule["holds"] for rule in row["rules"]] or (row["status"] == "present") != (all(held) and bool(held)):
        yield "the status does not follow from the evidence"
    if row["status"] == "present" and not row["counted"]["objects"]:
        yield "it is called present and counts no object"
    yield from _overstated(name, row, inputs)


def _overstated(name: str, row: Mapping[str, Any], inputs: GateInputs) -> Iterator[str]:
    mine = [account for account in inputs.accounts if account.family == name]
    there = {
        "conversations": sum(one.status == "read" and one.records_in > 0 for one in mine),
        "persona_profile": sum(one.status in {"read", "not_conversation"} and one.personas > 0 for one in mine),
    }
    for rule in row["rules"]:
        if rule["found"] > there.get(rule["kind"], 0):
            yield f"{rule['found']} objects are counted as {rule['kind']}, the account has {there.get(rule['kind'], 0)}"


GATE = Gate("coverage", "C", "Every required family has its evidence", RULES, judge, needs_facts=False)
