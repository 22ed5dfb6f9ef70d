"""What a round's scores amount to, and what that verdict is bound to. The only reader of everybody's open scores.

Writes nothing. A verdict is bound by digest to plan, rubric, draw, scores and people (``binding``); ``recheck`` says in
words what no longer holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from mhds.errors import Conflict
from reviews.drawing import current_items
from reviews.models import Assignment, Escalation, Item, Round, Score
from reviews.people import contributions
from reviews.statements import RoundFacts
from reviews.states import LIVE, RoundState
from reviews.verdicts import ItemVerdict, ReviewedItem, RoundVerdict, Standing, Submitted, Verdict, judge_item
from reviews.verdicts import judge_round as judge

NOT_ASKED = "no family of the catalog asks for this round"


def judged(round_: Round) -> tuple[RoundVerdict, RoundFacts]:
    """The verdict of the scores that count now, and the facts that its sentence is made of."""
    items = current_items(round_)
    headline = [item for item in items if not item.stratum]
    scores = counting_scores(round_)
    reviewed = _reviewed_items(round_, items, scores)
    if not round_.families:
        verdict = RoundVerdict(Verdict.PASS, (NOT_ASKED,), (), 0, 0, 0)
    else:
        drawn = [item.record_id for item in headline]
        looked_at = [reviewed[item.pk] for item in headline]
        verdict = judge(round_.round_kind, round_.rubric, round_.plan, round_.population, drawn, looked_at)
        verdict = _with_looks(round_, verdict, [reviewed[item.pk] for item in items if item.stratum])
    return verdict, _facts(round_, verdict, [scores[item.pk] for item in headline])


def _with_looks(round_: Round, verdict: RoundVerdict, looks: list[ReviewedItem]) -> RoundVerdict:
    """Targeted looks carry no claim, but nothing bad or open that they show may pass either."""
    held = [one for item in looks if (one := judge_item(round_.rubric, item)).standing is not Standing.CLEAR]
    if not held or verdict.verdict is Verdict.FAIL:
        return verdict
    reason = f"{len(held):,} of {len(looks):,} records of the targeted looks are not clear"
    reasons = (*verdict.reasons, reason)
    return RoundVerdict(
        Verdict.INCONCLUSIVE, reasons, verdict.items, verdict.failed, verdict.unconfirmed, verdict.allowed
    )


def counting_scores(round_: Round) -> dict[UUID, list[Score]]:
    """Item -> the scores that count: newest, not undone, by people who have no hand in the candidate."""
    hands = contributions(round_.candidate)
    found: dict[UUID, list[Score]] = defaultdict(list)
    rows = Score.objects.counting().filter(assignment__item__round=round_).select_related("assignment")
    for score in rows.order_by("submitted_at", "pk"):
        if score.assignment.reviewer_id not in hands:
            found[score.assignment.item_id].append(score)
    return found


def _reviewed_items(round_: Round, items: Iterable[Item], scores: dict[UUID, list[Score]]) -> dict[UUID, ReviewedItem]:
    held = Escalation.objects.filter(Q(closed_at=None) | Q(is_confirmed=True), item__round=round_)
    escalated = set(held.values_list("item_id", flat=True))
    in_hand = set(Assignment.objects.filter(item__round=round_, state__in=LIVE).values_list("item_id", flat=True))
    return {
        item.pk: ReviewedItem(
            record_id=item.record_id,
            wanted=item.wanted,
            scores=tuple(_submitted(one) for one in scores[item.pk] if one.content_hash == item.content_hash),
            escalated=item.pk in escalated,
            unreadable=item.language if item.shortage and item.pk not in in_hand else "",
        )
        for item in items
    }


def _submitted(score: Score) -> Submitted:
    return Submitted(str(score.assignment.reviewer_id), score.rubric_digest, score.payload)


def _facts(round_: Round, verdict: RoundVerdict, scored: list[list[Score]]) -> RoundFacts:
    return RoundFacts(
        kind=round_.round_kind,
        families=tuple(round_.families),
        population=round_.population,
        plan=round_.plan,
        drawn=len(scored),
        people=len({one.assignment.reviewer_id for scores in scored for one in scores}),
        by_two=sum(len(scores) > 1 for scores in scored),
        verdict=verdict.verdict,
        criticals=verdict.count(Standing.CRITICAL),
        majors=verdict.failed + verdict.unconfirmed,
        reasons=verdict.reasons,
    )


def figures(round_: Round, verdict: RoundVerdict, facts: RoundFacts) -> dict[str, Any]:
    """Counts for pages and reports; no float."""
    flagged = Assignment.objects.filter(item__round=round_, is_flagged=True).values("item").distinct().count()
    return {
        "drawn": facts.drawn,
        "people": facts.people,
        "by_two": facts.by_two,
        "by_standing": {one.value: verdict.count(one) for one in Standing if verdict.count(one)},
        "failed": verdict.failed,
        "unconfirmed": verdict.unconfirmed,
        "allowed": verdict.allowed,
        "flagged": flagged,
    }


def facts_of(round_: Round) -> RoundFacts:
    """What the stored verdict in force says, for the sentence to sign. Conflict while the round is open."""
    evaluation = round_.evaluation
    if evaluation is None:
        raise Conflict(f"round {round_.kind} is not evaluated", hint="Close it first.")
    shown = evaluation.figures
    return RoundFacts(
        kind=round_.round_kind,
        families=tuple(round_.families),
        population=round_.population,
        plan=round_.plan,
        drawn=shown["drawn"],
        people=shown["people"],
        by_two=shown["by_two"],
        verdict=Verdict(evaluation.verdict),
        criticals=shown["by_standing"].get(Standing.CRITICAL.value, 0),
        majors=shown["failed"] + shown["unconfirmed"],
        reasons=tuple(evaluation.reasons),
    )


def recheck(round_: Round, bound: str) -> list[str]:
    """Why the verdict in force no longer stands; empty when it does. ``bound``: the digest of what there is now."""
    evaluation = round_.evaluation
    if evaluation is None:
        return [f"is {round_.state}, not evaluated"]
    found = []
    if round_.content_digest != round_.candidate.content_digest:
        found.append("is about other content")
    if round_.plan.digest != round_.plan_digest:
        found.append("has another plan than it was judged by")
    if round_.rubric_digest_now != round_.rubric_digest:
        found.append("has a rubric whose text changed since")
    if bound != evaluation.digest:
        found.append("has other scores than were judged, or a reviewer who contributed to the candidate since")
    return found


def item_verdicts(round_: Round) -> tuple[ItemVerdict, ...]:
    """How each drawn record stands; for an evaluated round only, so that nothing open shows."""
    if round_.state != RoundState.EVALUATED:
        raise Conflict("this round is open: its scores are nobody's yet", hint="Close it first.")
    return judged(round_)[0].items
