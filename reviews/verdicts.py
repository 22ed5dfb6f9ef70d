"""What scores amount to: one score's grade, where two scores split, and a round's verdict. Knows no person and no text.

Agreement coefficients and the third person's settling of splits are not here: until something is settled, a split or a
critical keeps its round inconclusive, and inconclusive is not a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import combinations
from typing import Any

from mhds.errors import InvalidInput
from reviews.plans import Plan, RoundKind, major_accept, refusals
from reviews.rubrics import NOT_APPLICABLE, UNSURE, Dimension, Rubric, validate_score


class Verdict(StrEnum):
    PASS = auto()
    FAIL = auto()
    INCONCLUSIVE = auto()


class Outcome(StrEnum):
    """What one person's score says of one record, gravest first."""

    CRITICAL = "critical"
    CANNOT_JUDGE = "cannot_judge"
    UNSURE = "unsure"
    UNACCEPTABLE = "unacceptable"
    ACCEPTABLE = "acceptable"


class Standing(StrEnum):
    """How one drawn record stands. Only CLEAR, UNCONFIRMED and FAILED are conclusions.

    UNCONFIRMED: the one person asked found it unacceptable; it counts against a pass, and is not enough for a fail.
    """

    CLEAR = "clear"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    CRITICAL = "critical"
    SPLIT = "split"
    UNSURE = "unsure"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Grade:
    outcome: Outcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submitted score: who gave it, under which rubric text, and the payload that ``validate_score`` accepts."""

    scorer: str
    rubric_digest: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReviewedItem:
    """One drawn record: how many people were to score it, and what came in.

    ``unreadable`` is the record's language where no eligible person reads it, else empty.
    """

    record_id: str
    wanted: int
    scores: tuple[Submitted, ...] = ()
    escalated: bool = False
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    record_id: str
    standing: Standing
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundVerdict:
    """``failed`` are agreed by two people; ``allowed`` is how many unacceptable records the plan passes."""

    verdict: Verdict
    reasons: tuple[str, ...]
    items: tuple[ItemVerdict, ...]
    failed: int
    unconfirmed: int
    allowed: int

    def count(self, standing: Standing) -> int:
        return sum(item.standing is standing for item in self.items)


def grade(rubric: Rubric, payload: Mapping[str, Any]) -> Grade:
    """Grade a complete score; InvalidInput for one that could not have been submitted."""
    if validate_score(rubric, payload):
        raise InvalidInput(f"This score is not complete under {rubric.title}, version {rubric.version}.")
    if payload.get("cannot_judge"):
        return Grade(Outcome.CANNOT_JUDGE, (rubric.cannot_judge,))
    criticals = tuple(f"{mark['id']} at turn {mark['turn']}" for mark in payload.get("criticals") or ())
    if criticals:
        return Grade(Outcome.CRITICAL, criticals)
    unsure = tuple(f"{key} unsure" for key, value in payload["scores"].items() if value == UNSURE)
    if unsure:
        return Grade(Outcome.UNSURE, unsure)
    faults = _faults(rubric, payload)
    return Grade(Outcome.UNACCEPTABLE if faults else Outcome.ACCEPTABLE, faults)


def _faults(rubric: Rubric, payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Every reason for which a score without criticals and without *unsure* is unacceptable."""
    numbers = {dimension.id: _number(dimension, payload) for dimension in rubric.dimensions}
    scored = [(dimension, number) for dimension in rubric.dimensions if (number := numbers[dimension.id]) is not None]
    if not scored:
        return ("nothing was judged",)
    faults = [
        f"{dimension.id} is {number}, at least {dimension.minimum} is asked"
        for dimension, number in scored
        if number < dimension.minimum
    ]
    weak = [dimension.id for dimension, number in scored if number == rubric.weak_score]
    if rubric.weak_limit and len(weak) >= rubric.weak_limit:
        faults.append(f"{' and '.join(weak)} are {rubric.weak_score}; {rubric.weak_limit} such scores are too many")
    # Weights are per cent and scores whole numbers, so this is exact, in hundredths.
    overall = sum(dimension.weight * number for dimension, number in scored)
    if overall < rubric.overall_minimum_tenths * 10:
        faults.append(f"overall {overall / 100:.2f}, at least {rubric.overall_minimum_tenths / 10:.1f} is asked")
    return tuple(faults)


def _number(dimension: Dimension, payload: Mapping[str, Any]) -> int | None:
    """The score as a number; not applicable is none, unless the follow-up's *yes* stands for one."""
    value = payload["scores"][dimension.id]
    if value != NOT_APPLICABLE:
        return int(value)
    asked = dimension.follow_up
    return asked.yes_counts_as if asked and payload["answers"][asked.id] == "yes" else None


def splits(rubric: Rubric, first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, ...]:
    """Where two scores of one record disagree, in words; empty means they agree.

    A split is another outcome, another set of criticals, scores ``split_distance`` or more apart, or *not applicable*
    against a score. *Unsure* splits by its outcome, also where both are unsure: nobody has decided.
    """
    one, two = grade(rubric, first), grade(rubric, second)
    if Outcome.CANNOT_JUDGE in (one.outcome, two.outcome):
        return ("one cannot judge this record; another reviewer is needed",)
    found = [f"{one.outcome} against {two.outcome}"] if one.outcome != two.outcome else []
    if _marked(first) != _marked(second):
        found.append("not the same criticals")
    if Outcome.UNSURE in (one.outcome, two.outcome) and not found:
        found.append("both are unsure")
    for dimension in rubric.dimensions:
        apart = _apart(rubric, first["scores"][dimension.id], second["scores"][dimension.id])
        if apart:
            found.append(f"{dimension.id}: {apart}")
    return tuple(found)


def _marked(payload: Mapping[str, Any]) -> set[str]:
    """Ids only: two people may hang the same failure on neighbouring turns."""
    return {mark["id"] for mark in payload.get("criticals") or ()}


def _apart(rubric: Rubric, one: int | str, two: int | str) -> str:
    if one == two or UNSURE in (one, two):
        return ""
    if isinstance(one, int) and isinstance(two, int) and abs(one - two) < rubric.split_distance:
        return ""
    return f"{one} against {two}"


def majors_allowed(kind: RoundKind, plan: Plan, population: int) -> int:
    """Unacceptable records that the sample may hold: none in the privacy round, else the plan's number at that size."""
    return 0 if kind is RoundKind.PRIVACY else major_accept(plan, population)


def judge_item(rubric: Rubric, item: ReviewedItem) -> ItemVerdict:
    """How one drawn record stands."""
    if item.wanted < 1:
        raise InvalidInput(f"Record {item.record_id}: at least one person must score it.")
    standing, reasons = _stand(rubric, item)
    return ItemVerdict(item.record_id, standing, tuple(reasons))


def _stand(rubric: Rubric, item: ReviewedItem) -> tuple[Standing, Sequence[str]]:
    if item.escalated:
        return Standing.ESCALATED, ["an escalation is open"]
    usable, refused = _usable(rubric, item.scores)
    grades = [grade(rubric, score.payload) for score in usable]
    criticals = [reason for each in grades if each.outcome is Outcome.CRITICAL for reason in each.reasons]
    if criticals:
        return Standing.CRITICAL, [*criticals, "a third person must settle it"]
    if item.unreadable:
        return Standing.UNREADABLE, [f"nobody who may score it reads {item.unreadable}"]
    judged = [score for score, each in zip(usable, grades, strict=True) if each.outcome is not Outcome.CANNOT_JUDGE]
    disagreed = _disagreements(rubric, judged)
    if disagreed:
        return Standing.SPLIT, disagreed
    unsure = [reason for each in grades if each.outcome is Outcome.UNSURE for reason in each.reasons]
    if unsure:
        return Standing.UNSURE, unsure
    if len(judged) < item.wanted:
        waiting = [f"{len(judged)} of {item.wanted} scores are in"]
        passed_on = len(usable) - len(judged)
        return Standing.MISSING, waiting + refused + [f"{passed_on} could not judge it"] * bool(passed_on)
    return _conclude(rubric, judged)


def _disagreements(rubric: Rubric, judged: Sequence[Submitted]) -> list[str]:
    pairs = combinations(judged, 2)
    return list(dict.fromkeys(where for one, two in pairs for where in splits(rubric, one.payload, two.payload)))


def _conclude(rubric: Rubric, judged: Sequence[Submitted]) -> tuple[Standing, Sequence[str]]:
    """All scores wanted are in and agree."""
    agreed = grade(rubric, judged[0].payload)
    if agreed.outcome is Outcome.ACCEPTABLE:
        return Standing.CLEAR, ()
    return (Standing.FAILED if len(judged) > 1 else Standing.UNCONFIRMED), agreed.reasons


def _usable(rubric: Rubric, scores: Sequence[Submitted]) -> tuple[list[Submitted], list[str]]:
    """Scores that count, and why the others do not. A second score of one person makes both of theirs void."""
    by_person = Counter(score.scorer for score in scores)
    usable, refused = [], []
    for score in scores:
        if by_person[score.scorer] > 1:
            refused.append("one person scored it twice; neither counts")
        elif score.rubric_digest != rubric.digest:
            refused.append("a score was given under another text of the rubric")
        elif validate_score(rubric, score.payload):
            refused.append("a score is not complete under the rubric")
        else:
            usable.append(score)
    return usable, list(dict.fromkeys(refused))


def judge_round(
    kind: RoundKind, rubric: Rubric, plan: Plan, population: int, drawn: Sequence[str], items: Sequence[ReviewedItem]
) -> RoundVerdict:
    """The verdict of a round over its headline sample; targeted strata are never passed in here.

    ``drawn`` are the record ids of the draw; each needs exactly one item. The round fails as soon as more agreed
    failures stand than the plan allows, since nothing that is still open can undo them. It passes only if nothing at
    all is open. Everything else is inconclusive, with every reason in words.
    """
    by_id = _by_id(drawn, items)
    verdicts = tuple(
        judge_item(rubric, by_id[record_id])
        if record_id in by_id
        else ItemVerdict(record_id, Standing.MISSING, ("it was drawn and never handed out",))
        for record_id in drawn
    )
    counts = Counter(item.standing for item in verdicts)
    failed, unconfirmed = counts[Standing.FAILED], counts[Standing.UNCONFIRMED]
    allowed = majors_allowed(kind, plan, population)
    if failed > allowed:
        words = f"{_records(failed, 'was', 'were')} found unacceptable by two people, {allowed} would have passed"
        return RoundVerdict(Verdict.FAIL, (words,), verdicts, failed, unconfirmed, allowed)
    reasons = [*_plan_reasons(kind, plan, population, len(drawn)), *_open_reasons(verdicts, counts)]
    if failed + unconfirmed > allowed:
        reasons.append(
            f"{_records(failed + unconfirmed, 'was', 'were')} found unacceptable, {unconfirmed} of them by one person "
            f"only, and {allowed} would pass"
        )
    verdict = Verdict.INCONCLUSIVE if reasons else Verdict.PASS
    return RoundVerdict(verdict, tuple(reasons), verdicts, failed, unconfirmed, allowed)


def _by_id(drawn: Sequence[str], items: Sequence[ReviewedItem]) -> dict[str, ReviewedItem]:
    by_id = {item.record_id: item for item in items}
    if len(by_id) < len(items) or len(set(drawn)) < len(drawn):
        raise InvalidInput("A record stands twice in the draw or among its items.")
    strangers = sorted(by_id.keys() - set(drawn))
    if strangers:
        raise InvalidInput(f"{len(strangers)} items are not of this draw, the first is {strangers[0]}.")
    return by_id


def _plan_reasons(kind: RoundKind, plan: Plan, population: int, drawn: int) -> list[str]:
    reasons = refusals(plan, population, kind)
    due = min(plan.size, max(population, 0))
    if drawn < due:
        reasons.append(f"{drawn:,} records were drawn, the plan asks for {due:,}")
    if drawn > population:
        reasons.append(f"{drawn:,} records were drawn from a population of {population:,}")
    return reasons


_OPEN_WORDS = {
    Standing.ESCALATED: ("has an open escalation", "have open escalations"),
    Standing.CRITICAL: (
        "is flagged critical and waits for a third person",
        "are flagged critical and wait for a third person",
    ),
    Standing.SPLIT: ("is split between its reviewers", "are split between their reviewers"),
    Standing.UNSURE: ("has an unsure score", "have an unsure score"),
    Standing.MISSING: ("lacks a score", "lack a score"),
}


def _open_reasons(verdicts: Sequence[ItemVerdict], counts: Mapping[Standing, int]) -> list[str]:
    reasons = [_records(counts[standing], *words) for standing, words in _OPEN_WORDS.items() if counts[standing]]
    unreadable = Counter(item.reasons[0] for item in verdicts if item.standing is Standing.UNREADABLE)
    return reasons + [f"{_records(count, 'waits', 'wait')}: {reason}" for reason, count in sorted(unreadable.items())]


def _records(count: int, one: str, many: str) -> str:
    return f"{count:,} record {one}" if count == 1 else f"{count:,} records {many}"
