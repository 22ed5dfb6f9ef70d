"""Makes the draws of a round and lets anybody recompute them. Owns nonces and items; knows no person but the lead.

The nonce comes from the operating system after the candidate was frozen. A second draw about the same bytes needs a
reason, also under another candidate, and both stay on record.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from mhds import audit
from mhds.errors import Conflict, InvalidInput, ObjectDamaged
from mhds.models import User
from releases.lifecycle import State
from reviews import population, sampling
from reviews.guards import lead_of, locked
from reviews.models import Assignment, Draw, Item, Round, Score
from reviews.population import Record
from reviews.sampling import HEADLINE, NONCE_BYTES
from reviews.states import LIVE, AssignmentState, RoundState


@dataclass(frozen=True, slots=True)
class DrawCheck:
    """One stored draw recomputed; ``difference`` is empty, or the first difference in words."""

    attempt: int
    label: str
    difference: str


def draw(round_: Round, *, actor: User | None, reason: str = "") -> Round:
    """Draw the headline sample and the targeted looks under one fresh nonce.

    Raises Conflict for a repeat without a reason, and for any repeat once somebody has submitted a score: nobody
    draws again after looking.
    """
    lead = lead_of(actor, round_.candidate, "drawing a sample")
    found = list(population.records(population.load(round_.candidate), list(round_.families)))
    if len(found) != round_.population:
        raise ObjectDamaged(
            f"round {round_.kind} is of {round_.population:,} records, the facts now hold {len(found):,}.",
            hint="Run the gates again.",
        )
    with transaction.atomic():
        candidate = locked(round_.candidate, State.IN_REVIEW)
        seen = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
        attempt = _next_attempt(seen, reason)
        now, frozen = timezone.now(), candidate.frozen_at
        if frozen is None or now <= frozen:
            raise Conflict("the draw must follow the freeze", hint="Check the clock of this machine.")
        made = _store(seen, _take(seen, found), attempt, reason.strip(), lead, now)
        Assignment.objects.filter(item__round=seen, state__in=LIVE).update(state=AssignmentState.REPLACED)
        _items(made, {one.record_id: one for one in found})
        Round.objects.filter(pk=seen.pk).update(state=RoundState.DRAWN, scoring_at=None)
        digests = {one.label or "headline": one.population_sum for one in made}
        audit.record(lead, "round.drawn", f"round:{seen.pk}", attempt=attempt, reason=reason.strip(), sums=digests)
    round_.refresh_from_db()
    return round_


def _next_attempt(round_: Round, reason: str) -> int:
    if round_.state == RoundState.EVALUATED:
        raise Conflict("this round is evaluated", hint="Look at its verdict.")
    if Score.objects.filter(assignment__item__round=round_).exists():
        raise Conflict("scores of this draw are in: nobody draws again after looking", hint="Finish this sample.")
    # Also draws of a rejected or abandoned candidate of the very same bytes count.
    earlier = Draw.objects.filter(round__kind=round_.kind, round__content_digest=round_.content_digest, label=HEADLINE)
    attempts = earlier.count()
    if attempts and not reason.strip():
        raise InvalidInput(
            f"These bytes were drawn from {attempts} times already for this round.",
            hint="Say why they are drawn from again; the reason is shown for ever.",
        )
    return attempts + 1


def _take(round_: Round, found: list[Record]) -> list[sampling.Draw]:
    nonce = secrets.token_bytes(NONCE_BYTES)
    headline = sampling.take(nonce, ((one.record_id, one.content_hash) for one in found), round_.plan.size)
    looks: Mapping[str, sampling.Draw] = {}
    if round_.strata:
        looks = sampling.draw_strata(nonce, (one.ticketed for one in found), round_.strata)
    return [headline, *(looks[label] for label in sorted(looks))]


def _store(
    round_: Round, draws: Iterable[sampling.Draw], attempt: int, reason: str, lead: User, now: datetime
) -> list[Draw]:
    made = []
    for one in draws:
        row = Draw(
            round=round_,
            attempt=attempt,
            label=one.label,
            nonce=one.nonce,
            wanted=one.wanted,
            population=one.population,
            population_sum=one.population_sum,
            drawn=[[drawn.ticket, drawn.record_id, drawn.digest] for drawn in one.drawn],
            reason=reason,
            by=lead,
            at=now,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise Conflict("somebody else drew at the same time", hint="Reload and look again.") from None
        made.append(row)
    return made


def _items(draws: Iterable[Draw], by_id: Mapping[str, Record]) -> None:
    """One item for each drawn record. A record of the headline is not handed out again for a targeted look."""
    headline: set[str] = set()
    for draw_ in draws:
        ids = [record_id for _ticket, record_id, _digest in draw_.drawn]
        if draw_.label == HEADLINE:
            headline = set(ids)
        else:
            ids = [record_id for record_id in ids if record_id not in headline]
        Item.objects.bulk_create(
            [_item(draw_, by_id[record_id], ordinal) for ordinal, record_id in enumerate(ids, start=1)],
            batch_size=500,
        )


def _item(draw_: Draw, record: Record, ordinal: int) -> Item:
    return Item(
        round=draw_.round,
        draw=draw_,
        stratum=draw_.label,
        ordinal=ordinal,
        record_id=record.record_id,
        content_hash=record.content_hash,
        family=record.family,
        shard=record.shard,
        offset=record.offset,
        length=record.length,
        turns=record.turns,
        language=record.language,
        tags=sorted(record.tags),
        is_critical=record.is_critical,
    )


def current_items(round_: Round) -> list[Item]:
    """The items of the newest draw, headline first, in the draw's order."""
    newest = round_.draw
    if newest is None:
        return []
    return list(Item.objects.filter(round=round_, draw__attempt=newest.attempt).order_by("stratum", "ordinal"))


def verify(round_: Round) -> list[DrawCheck]:
    """Recompute every draw of the round from the frozen candidate, oldest first."""
    found = list(population.records(population.load(round_.candidate), list(round_.families)))
    checks = []
    for stored in round_.draws.order_by("attempt", "label"):
        members = found if stored.label == HEADLINE else [one for one in found if stored.label in one.strata]
        difference = sampling.verify(stored.value, ((one.record_id, one.content_hash) for one in members))
        checks.append(DrawCheck(stored.attempt, stored.label, difference or _item_difference(stored)))
    return checks


def _item_difference(stored: Draw) -> str:
    """The items handed out must be the drawn records; the ledger of the draw alone would prove little."""
    drawn = {record_id: digest for _ticket, record_id, digest in stored.drawn}
    items = dict(stored.items.values_list("record_id", "content_hash"))
    strangers = sorted(one for one in items if drawn.get(one) != items[one])
    if strangers:
        return f"{strangers[0]} was handed out and is not drawn so"
    if stored.label == HEADLINE and len(items) != len(drawn):
        return f"{len(drawn):,} records were drawn, {len(items):,} were handed out"
    if stored.round.candidate.frozen_at is None or stored.at <= stored.round.candidate.frozen_at:
        return "the draw does not follow the freeze"
    return ""
