"""Puts the drawn records into people's hands, by the pure planner, and fills gaps. Owns assignments; reads no score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from mhds import audit
from mhds.errors import Conflict, InvalidInput
from mhds.models import User
from releases.lifecycle import State
from reviews import people
from reviews.assignment import AssignmentPlan, plan_assignments
from reviews.assignment import Item as PlannedItem
from reviews.drawing import current_items
from reviews.guards import lead_of, locked
from reviews.models import Assignment, Item, Round
from reviews.states import DECLINED, LIVE, AssignmentState, RoundState

SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a hand-out gave: how many assignments, where people are missing, who was left out and why."""

    assigned: int
    shortages: tuple[str, ...]
    refused: dict[str, list[str]]


def assign(round_: Round, *, actor: User | None) -> Outcome:
    """Hand out what is not in enough hands, and open the round for scoring. Again after people changed: fills gaps.

    A record that nobody eligible reads opens the round all the same, and keeps it from ever passing.
    """
    lead = lead_of(actor, round_.candidate, "assigning reviewers")
    with transaction.atomic():
        locked(round_.candidate, State.IN_REVIEW)
        seen = _open(round_, RoundState.DRAWN, RoundState.SCORING)
        _void(seen)
        outcome = hand_out(seen)
        if seen.state == RoundState.DRAWN:
            Round.objects.filter(pk=seen.pk).update(state=RoundState.SCORING, scoring_at=timezone.now())
        audit.record(
            lead, "round.assigned", f"round:{seen.pk}", assigned=outcome.assigned, shortages=len(outcome.shortages)
        )
    round_.refresh_from_db()
    return outcome


def replace_reviewer(round_: Round, reviewer: User, *, actor: User | None, reason: str) -> Outcome:
    """Take back what a person has not scored yet (they left, or are away) and give it to others."""
    lead = lead_of(actor, round_.candidate, "replacing a reviewer")
    if not reason.strip():
        raise InvalidInput("Say why this reviewer is replaced.")
    with transaction.atomic():
        locked(round_.candidate, State.IN_REVIEW)
        seen = _open(round_, RoundState.SCORING)
        taken = Assignment.objects.filter(item__round=seen, reviewer=reviewer, state=AssignmentState.ASSIGNED).update(
            state=AssignmentState.REPLACED
        )
        if not taken:
            raise Conflict("this person has nothing left to score here", hint="Reload and look again.")
        outcome = hand_out(seen)
        audit.record(
            lead, "reviewer.replaced", f"round:{seen.pk}", reviewer=str(reviewer.pk), items=taken, why=reason.strip()
        )
    return outcome


def _open(round_: Round, *states: RoundState) -> Round:
    seen = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
    if seen.state not in states:
        raise Conflict(f"this round is {seen.state}", hint="Reload and look again.")
    return seen


def _void(round_: Round) -> None:
    """Who left, or has contributed since, scores no more: their open work goes back."""
    planned, users = people.persons(round_.candidate, round_.round_kind)
    able = [users[one.id].pk for one in planned if one.active and not one.contributor]
    Assignment.objects.filter(item__round=round_, state=AssignmentState.ASSIGNED).exclude(reviewer__in=able).update(
        state=AssignmentState.REPLACED
    )


def hand_out(round_: Round) -> Outcome:
    """Plan over all items of the draw in force, so that who is wanted twice never depends on what happened since."""
    items = {_planned_id(item): item for item in current_items(round_)}
    planned, users = people.persons(round_.candidate, round_.round_kind)
    overlap = Fraction(round_.overlap_bp, 10_000)
    plan = plan_assignments(_planned(round_, items), planned, round_.round_kind, overlap=overlap)
    made = _store(round_, plan, items, users)
    shortages = _note_shortages(items, plan)
    refused = {str(users[person_id]): reasons for person_id, reasons in plan.refused.items()}
    return Outcome(made, shortages, refused)


def _planned_id(item: Item) -> str:
    return f"{item.stratum}{SEPARATOR}{item.record_id}" if item.stratum else item.record_id


def _planned(round_: Round, items: dict[str, Item]) -> list[PlannedItem]:
    """Whoever skipped an item, passed it on, or had it taken back does not get it again."""
    holders: dict[object, set[str]] = {}
    declined: dict[object, set[str]] = {}
    rows = Assignment.objects.filter(item__round=round_).values_list("item_id", "reviewer_id", "state")
    for item_id, reviewer_id, state in rows:
        if state in LIVE:
            holders.setdefault(item_id, set()).add(str(reviewer_id))
        elif state in DECLINED:
            declined.setdefault(item_id, set()).add(str(reviewer_id))
    return [
        PlannedItem(
            id=planned_id,
            language=item.language,
            critical=item.is_critical,
            stratum=item.stratum,
            holders=frozenset(holders.get(item.pk, ())),
            declined=frozenset(declined.get(item.pk, ())),
        )
        for planned_id, item in items.items()
    ]


def _store(round_: Round, plan: AssignmentPlan, items: dict[str, Item], users: dict[str, User]) -> int:
    last = dict(
        Assignment.objects.filter(item__round=round_)
        .values_list("reviewer_id")
        .annotate(last=Max("position"))
        .values_list("reviewer_id", "last")
    )
    now = timezone.now()
    rows = [
        Assignment(
            item=items[one.item_id],
            reviewer=users[one.person_id],
            position=last.get(users[one.person_id].pk, 0) + one.position,
            assigned_at=now,
        )
        for one in plan.assignments
    ]
    Assignment.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _note_shortages(items: dict[str, Item], plan: AssignmentPlan) -> tuple[str, ...]:
    """Kept with the item, so that the verdict can name the language."""
    short = {one.item_id: one for one in plan.shortages}
    changed: list[Item] = []
    for planned_id, item in items.items():
        reason = short[planned_id].reason if planned_id in short else ""
        wanted = plan.wanted[planned_id]
        if (item.wanted, item.shortage) != (wanted, reason):
            item.wanted, item.shortage = wanted, reason
            changed.append(item)
    Item.objects.bulk_update(changed, ["wanted", "shortage"], batch_size=200)
    return _words(short[one].reason for one in short)


def _words(reasons: Iterable[str]) -> tuple[str, ...]:
    counted: dict[str, int] = {}
    for reason in reasons:
        counted[reason] = counted.get(reason, 0) + 1
    return tuple(f"{count:,} {'record' if count == 1 else 'records'}: {why}" for why, count in sorted(counted.items()))
