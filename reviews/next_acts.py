"""What the reviews ask people to do next, for a page or a whole board: one query for the rounds of all candidates.

Counts by round only: how many assignments are in is known, whose they are is not, but to the person asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import reverse

from mhds.roles import Role
from releases.evidence import Act, Missing
from releases.lifecycle import State
from releases.models import Candidate
from releases.next_acts import link
from reviews.assignment import REQUIREMENTS
from reviews.models import Round
from reviews.plans import RoundKind
from reviews.states import LIVE, ROLE_OF, AssignmentState, Meaning, RoundState

ALARM = re.compile(r"([\d,]+) escalations? (?:are|is) open")


@dataclass
class _Progress:
    """One round as the acts need it; ``left``: who has something to score."""

    kind: RoundKind
    state: str
    complete: int = 0
    handed: int = 0
    left: set[UUID] = field(default_factory=set)

    @property
    def words(self) -> str:
        return self.kind.value.replace("_", " ")


def acts(candidates: Sequence[Candidate], missing: Missing) -> Mapping[UUID, list[Act]]:
    reviewed = [one for one in candidates if one.state == State.IN_REVIEW]
    rounds = _rounds(reviewed) if reviewed else {}
    found = {one.pk: list(_in_review(one, rounds.get(one.pk, []), missing.get(one.pk, {}))) for one in reviewed}
    signing = [one for one in candidates if one.state in {State.IN_SIGNOFF, State.APPROVED}]
    return found | {one.pk: list(_in_signoff(one, missing.get(one.pk, {}))) for one in signing}


def _rounds(candidates: Sequence[Candidate]) -> dict[UUID, list[_Progress]]:
    rows = (
        Round.objects.filter(candidate__in=[one.pk for one in candidates])
        .order_by("candidate", "kind")
        .values_list("pk", "candidate", "kind", "state", "items__assignments__reviewer", "items__assignments__state")
        .annotate(count=Count("items__assignments"))
    )
    return _folded(rows)


def _folded(rows: Any) -> dict[UUID, list[_Progress]]:
    rounds: dict[UUID, _Progress] = {}
    found: dict[UUID, list[_Progress]] = defaultdict(list)
    for pk, candidate, kind, state, reviewer, assignment, count in rows:
        if pk not in rounds:
            rounds[pk] = _Progress(RoundKind(kind), state)
            found[candidate].append(rounds[pk])
        one = rounds[pk]
        if assignment in {*LIVE, AssignmentState.PASSED_ON}:
            one.handed += count
            one.complete += count if assignment != AssignmentState.ASSIGNED else 0
        if assignment == AssignmentState.ASSIGNED:
            one.left.add(reviewer)
    return found


def _in_review(
    candidate: Candidate, rounds: Sequence[_Progress], missing: Mapping[str, Sequence[str]]
) -> Iterator[Act]:
    page = link("reviews", candidate)
    if not rounds:
        yield Act(Role.LEAD, "Open the four rounds", page)
        return
    yield from _alarms(page, missing)
    for state, words in ((RoundState.PLANNED, "Draw"), (RoundState.DRAWN, "Hand out")):
        waiting = [one.words for one in rounds if one.state == state]
        if waiting:
            yield Act(Role.LEAD, f"{words} {', '.join(waiting)}", page)
    for one in rounds:
        if one.state == RoundState.SCORING:
            yield _scoring(one, page)
    if all(one.state == RoundState.EVALUATED for one in rounds):
        undecided = [words for words in missing.get("rounds", ()) if words.startswith("the round")]
        yield Act(Role.LEAD, "Open a round again" if undecided else "Open sign-off", page)


def _alarms(page: str, missing: Mapping[str, Sequence[str]]) -> Iterator[Act]:
    for words in missing.get("rounds", ()):
        if match := ALARM.match(words):
            many = "" if match[1] == "1" else "s"
            yield Act(Role.COMPLIANCE, f"Close {match[1]} escalation{many}", page, also=(Role.LEAD,))


def _scoring(one: _Progress, page: str) -> Act:
    if one.left:
        words = f"Score {one.words}: {one.complete:,} of {one.handed:,} scored"
        return Act(REQUIREMENTS[one.kind].role, words, reverse("my-work"), people=frozenset(one.left))
    return Act(Role.LEAD, f"Close {one.words}: {one.complete:,} of {one.handed:,} scored", page)


def _in_signoff(candidate: Candidate, missing: Mapping[str, Sequence[str]]) -> Iterator[Act]:
    """Where gates or rounds are not in order nobody signs: the gates say what to do, a round is opened again."""
    if missing.get("rounds"):
        yield Act(Role.LEAD, "Look at the rounds", link("reviews", candidate))
    if missing.get("rounds") or missing.get("gates"):
        return
    for meaning in Meaning:
        name = meaning.value.replace("_", " ")
        mine = [words for words in missing.get("signatures", ()) if _about(words, name)]
        if mine:
            again = "again " if "is outdated" in mine[0] else ""
            page = link("sign", candidate, meaning=meaning.value) or link("reviews", candidate)
            yield Act(ROLE_OF[meaning], f"Sign {again}as {name}", page)


def _about(words: str, name: str) -> bool:
    """As ``reviews.standing.Standing.words`` begins, or for a refusal ends."""
    return words.startswith(f"the signature of the {name} is ") or words.endswith(f"declined to sign as {name}")
