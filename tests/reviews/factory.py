"""A real candidate in review, built and gated from a small invented source, and the people who review it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhds import workflow
from mhds.models import User
from mhds.roles import Role
from releases.models import Candidate
from reviews import assigning, closing, drawing, rounds, scoring, signing
from reviews.models import Assignment, Evaluation, Round, Score, Signature
from reviews.plans import RoundKind
from reviews.rubrics import Rubric
from reviews.states import AssignmentState, Meaning
from tests.factories import (
    PASSWORD,
    PREFIXES,
    VERSION,
    catalog_toml,
    conversation,
    jsonl,
    person,
    source_row,
    write_source,
)

COT = "gdrive/processed/cot_reasoning/"
KINDS = tuple(RoundKind)
CRISIS = "I think about suicide and want to end my life."


def records(seed: str, count: int, *, crisis: int = 0) -> bytes:
    rows = [conversation(f"{seed} {number}", turns=4, words=40) for number in range(count)]
    for row in rows[:crisis]:
        row["messages"][0]["content"] += f" {CRISIS}"
    return jsonl(rows)


def fill_source(root: Path, *, extra: int = 0) -> None:
    """All five families; 17 records, of which two of the edge family speak of suicide. ``extra`` adds to *priority*."""
    write_source(
        root,
        {
            f"{PREFIXES['professional_therapeutic']}a.jsonl": records("foundation", 4),
            f"{PREFIXES['priority']}a.jsonl": records("priority", 4 + extra),
            f"{COT}a.jsonl": records("reasoning", 2),
            f"{PREFIXES['edge_cases']}a.jsonl": records("edge", 5, crisis=2),
            f"{PREFIXES['voice']}talk.jsonl": records("voice", 2),
            f"{PREFIXES['voice']}persona.jsonl": jsonl(
                [{"persona": ["I am calm.", "I live by the sea."], "name": "Calm"}]
            ),
        },
    )


def catalog() -> str:
    rows = [source_row(family) for family in PREFIXES]
    return catalog_toml(*rows, source_row("cot_reasoning", prefix=COT))


CLINICIAN = {
    "languages": ["en"], "licence": "L-1", "years_experience": 8, "training_experience": True, "crisis_training": True,
}  # fmt: skip
READER = {"languages": ["en"]}


@dataclass
class World:
    """The candidate, and everyone by a short name."""

    candidate: Candidate
    people: dict[str, User]

    def __getitem__(self, name: str) -> User:
        return self.people[name]

    @property
    def lead(self) -> User:
        return self.people["lead"]

    def refresh(self) -> Candidate:
        """As the database has it, for whoever moved it."""
        self.candidate = Candidate.objects.select_related("release", "catalog_version").get(pk=self.candidate.pk)
        return self.candidate

    def round(self, kind: RoundKind) -> Round:
        return Round.objects.select_related("candidate").get(candidate=self.candidate, kind=kind)

    def rounds(self) -> list[Round]:
        return [self.round(kind) for kind in KINDS]


def make_people() -> dict[str, User]:
    made = {"engineer": person("engineer", Role.ENGINEER), "lead": person("lead", Role.LEAD)}
    for number in (1, 2, 3):
        made[f"clinician{number}"] = person(f"clinician{number}", Role.CLINICIAN, **CLINICIAN)
        made[f"bias{number}"] = person(f"bias{number}", Role.BIAS, **READER)
        made[f"compliance{number}"] = person(f"compliance{number}", Role.COMPLIANCE, **READER)
    return {**made, "admin": person("admin", Role.ADMIN)}


def build(engineer: User, version: str = VERSION) -> Candidate:
    run = workflow.run(version, until="gates", actor=engineer)
    assert run.candidate is not None
    return Candidate.objects.select_related("release", "catalog_version").get(pk=run.candidate.pk)


def open_all(world: World, **given: Any) -> list[Round]:
    """All rounds under the pilot plan: 17 records are fewer than 59, so that every record is read."""
    given.setdefault("plans", dict.fromkeys(KINDS, "pilot"))
    return rounds.open_rounds(world.candidate, actor=world.lead, **given)


def start(world: World, *kinds: RoundKind) -> None:
    """Open, draw and hand out."""
    if not Round.objects.filter(candidate=world.candidate).exists():
        open_all(world)
    for kind in kinds or KINDS:
        drawing.draw(world.round(kind), actor=world.lead)
        assigning.assign(world.round(kind), actor=world.lead)


def good(rubric: Rubric, **changed: Any) -> dict[str, Any]:
    """A complete score without a fault under any of the shipped rubrics."""
    payload: dict[str, Any] = {"scores": {one.id: one.high for one in rubric.dimensions}}
    if rubric.criticals:
        payload["criticals"] = []
    if rubric.finding_kinds:
        payload["findings"] = []
    return {**payload, **changed}


def bad(rubric: Rubric) -> dict[str, Any]:
    """Complete, and unacceptable in its last dimension."""
    last = rubric.dimensions[-1]
    found = [{"kind": rubric.finding_kinds[0].id, "turn": 1}] if rubric.finding_kinds else None
    payload = good(rubric, scores={**good(rubric)["scores"], last.id: last.low})
    if found is not None:
        return {**payload, "findings": found}
    return {**payload, "note": "Unusable."}


def submit(assignment: Assignment, payload: Mapping[str, Any] | None = None) -> Score:
    rubric = assignment.item.round.rubric
    version = assignment.draft.version if hasattr(assignment, "draft") else 0
    return scoring.submit(assignment.reviewer, assignment, payload or good(rubric), expected_version=version)


def waiting(round_: Round, reviewer: User | None = None) -> list[Assignment]:
    rows = Assignment.objects.filter(item__round=round_, state=AssignmentState.ASSIGNED)
    if reviewer is not None:
        rows = rows.filter(reviewer=reviewer)
    return list(rows.select_related("item__round__candidate", "reviewer").order_by("item__ordinal", "reviewer__email"))


def score_all(round_: Round, except_: Iterable[Assignment] = (), payload: Mapping[str, Any] | None = None) -> None:
    skipped = {one.pk for one in except_}
    for assignment in waiting(round_):
        if assignment.pk not in skipped:
            submit(assignment, payload)


def pass_round(world: World, kind: RoundKind) -> Evaluation:
    score_all(world.round(kind))
    return closing.close_round(world.round(kind), actor=world.lead)


def pass_all(world: World) -> World:
    """Every round of the candidate read and passed; it waits for its signatures."""
    start(world)
    for kind in KINDS:
        pass_round(world, kind)
    world.refresh()
    return world


def sign(world: World, who: str, meaning: Meaning, **given: Any) -> Signature:
    given = {
        "password": PASSWORD, "expected_digest": world.candidate.content_digest, "capacity": "as myself", **given,
    }  # fmt: skip
    return signing.sign(world[who], world.candidate, meaning, **given)


def sign_all(world: World) -> list[Signature]:
    return [
        sign(world, "clinician1", Meaning.CLINICIAN),
        sign(world, "bias1", Meaning.BIAS_REVIEWER),
        sign(world, "lead", Meaning.LEAD),
    ]


def as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
