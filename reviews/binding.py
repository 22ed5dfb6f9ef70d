"""What a round's verdict is bound to, for all rounds of a candidate at once. Reads only; judges nothing.

The digest is over everything that the verdict follows from: plan, rubric, draw, and the scores that count.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from mhds.client.canonical import encode_canonical
from mhds.reading import once
from releases.models import Candidate
from reviews.models import Draw, Round, Score
from reviews.people import contributions
from reviews.sampling import HEADLINE

ALARMS = ("waiting", "confirmed")
DrawKey = list[Any]  # [attempt, nonce, population sum] of the headline draw in force
ScoredItem = list[Any]  # [record id, stratum, wanted, ids of its counting scores]


def digest_of(value: object) -> str:
    return "sha256:" + hashlib.sha256(encode_canonical(value)).hexdigest()


@once
def rounds_of(candidate: Candidate) -> list[Round]:
    """The candidate's rounds with their evaluations, and ``waiting`` and ``confirmed`` escalations counted."""
    alarm = Q(items__escalations__isnull=False)
    told = Round.objects.of(candidate).annotate(
        waiting=Count("items__escalations", filter=alarm & Q(items__escalations__closed_at=None)),
        confirmed=Count("items__escalations", filter=alarm & Q(items__escalations__is_confirmed=True)),
    )
    return list(told.select_related("candidate").prefetch_related("evaluations"))


def alarms(candidate: Candidate) -> tuple[int, int]:
    """Escalations of the candidate's rounds: (open, confirmed)."""
    waiting, confirmed = (sum(getattr(one, name) for one in rounds_of(candidate)) for name in ALARMS)
    return waiting, confirmed


def bound_digest(round_: Round) -> str:
    """Another score, plan, rubric text or draw is another digest."""
    return bound_digests(round_.candidate, [round_])[round_.pk]


def bound_digests(candidate: Candidate, rounds: Sequence[Round]) -> dict[UUID, str]:
    """By round, in three queries however many rounds there are."""
    scores = _scores(candidate, rounds)
    draws: dict[UUID, DrawKey] = {}
    items: dict[tuple[UUID, int], list[ScoredItem]] = defaultdict(list)
    for row in _drawn(rounds):
        round_id, attempt, label, nonce, total, item, *named = row
        if label == HEADLINE:
            draws[round_id] = [attempt, nonce, total]  # by rising attempt: the newest stays
        if item is not None:
            items[round_id, attempt].append([*named, sorted(scores[item])])
    return {one.pk: _digest(one, draws.get(one.pk), items) for one in rounds}


def _digest(round_: Round, draw: DrawKey | None, items: Mapping[tuple[UUID, int], list[ScoredItem]]) -> str:
    scored = items.get((round_.pk, draw[0]), []) if draw else []
    return digest_of(
        {
            "kind": round_.kind,
            "content_digest": round_.content_digest,
            "families": round_.families,
            "population": round_.population,
            "plan": round_.plan_digest,
            "rubric": round_.rubric_digest,
            "draw": draw or [],
            "scores": sorted(scored),
        }
    )


def _drawn(rounds: Sequence[Round]) -> Iterable[tuple[Any, ...]]:
    """Every draw of the rounds with each of its items; one without an item has None there."""
    rows = Draw.objects.filter(round__in=rounds).order_by("attempt")
    of_item = ("items__pk", "items__record_id", "items__stratum", "items__wanted")
    return rows.values_list("round_id", "attempt", "label", "nonce", "population_sum", *of_item)


def _scores(candidate: Candidate, rounds: Sequence[Round]) -> dict[UUID, list[str]]:
    """Item -> the scores that count: newest, not undone, by people who have no hand in the candidate."""
    hands = contributions(candidate)
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = Score.objects.counting().filter(assignment__item__round__in=rounds)
    for item, score, reviewer in rows.values_list("assignment__item_id", "pk", "assignment__reviewer_id"):
        if reviewer not in hands:
            found[item].append(str(score))
    return found
