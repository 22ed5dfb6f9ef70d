"""Who may read which record text: the one table, asked at every read, and every read and refusal audited.

    assigned reviewer   own open items, while no escalation holds them
    compliance          around a finding, 40 characters each side, findings masked; the whole record with a reason
    engineer            flagged records of their own candidate until it is in review, masked the same way
    anyone else         never: lead, administrator, API, exports, mails

The text comes from the bucket, one record by byte range, and is shown only if it is the record that was frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.utils import timezone

from mhds import audit
from mhds.errors import InvalidInput, NotAllowed, NotFound, ObjectDamaged
from mhds.models import User
from mhds.roles import Role
from releases import stores
from releases.build.record import content_hash, decode_record
from releases.build.strict import StrictError
from releases.build.types import Messages
from releases.lifecycle import State
from releases.models import Candidate, Contribution
from reviews import population
from reviews.assignment import REQUIREMENTS
from reviews.excerpts import Excerpt, excerpts
from reviews.findings import Filters, Listing, listing
from reviews.models import Assignment, Escalation, Item
from reviews.people import contributions
from reviews.states import AssignmentState, RoundState

BEFORE_REVIEW = frozenset({State.DRAFT, State.BUILDING, State.GATING, State.BLOCKED})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies in the frozen bytes, and what it must be."""

    record_id: str
    content_hash: str
    shard: str
    offset: int
    length: int


def may_read_item(user: User, item: Item) -> str:
    """Empty if this person may read the item now, else why not, in words."""
    round_ = item.round
    role = REQUIREMENTS[round_.round_kind].role
    if round_.state != RoundState.SCORING:
        return "the round is not open"
    if not user.holds(role) or user.pk in contributions(round_.candidate):
        return "only reviewers of this round read its records"
    if not Assignment.objects.filter(item=item, reviewer=user, state=AssignmentState.ASSIGNED).exists():
        return "this is not one of your open items"
    if Escalation.objects.filter(item=item, closed_at=None).exists():
        return "the record is held up by an escalation"
    return ""


def read_item(user: User, item: Item, *, ahead: bool = False) -> Messages:
    """The whole conversation for who scores it. ``ahead`` reads it before its turn: the clock does not start."""
    why = may_read_item(user, item)
    if why:
        _refuse(user, f"item:{item.pk}", why)
    with transaction.atomic():
        audit.record(user, "text.read", f"item:{item.pk}", record_id=item.record_id, round=str(item.round_id))
        if not ahead:
            mine = Assignment.objects.filter(item=item, reviewer=user, state=AssignmentState.ASSIGNED)
            mine.update(opened_at=timezone.now())
    place = Place(item.record_id, item.content_hash, item.shard, item.offset, item.length)
    return read_record(item.round.candidate, place)


def may_read_findings(user: User, candidate: Candidate) -> str:
    """Empty if this person may see the surroundings of findings in this candidate, else why not."""
    if user.holds(Role.COMPLIANCE):
        return ""
    if not user.holds(Role.ENGINEER):
        return "only compliance and the engineer who built it look at findings"
    built = Contribution.objects.filter(candidate=candidate, user=user, how="built").exists()
    if not built and candidate.built_by_id != user.pk:
        return "this candidate is not yours"
    if State(candidate.state) not in BEFORE_REVIEW:
        return "an engineer looks at findings only until the candidate is in review"
    return ""


def list_findings(user: User, candidate: Candidate, chosen: Filters) -> Listing:
    """Where the findings of this candidate lie. No text is read; who may see the list may read around its rows."""
    why = may_read_findings(user, candidate)
    if why:
        _refuse(user, f"candidate:{candidate.pk}", why)
    return listing(population.load(candidate).records, chosen)


def read_around_findings(user: User, candidate: Candidate, record_id: str) -> list[Excerpt]:
    """The findings of one flagged record, each masked, with 40 characters on either side.

    An escalated record without a finding has none: compliance is told so, and may reveal it.
    """
    why = may_read_findings(user, candidate)
    subject = f"candidate:{candidate.pk}"
    if why:
        _refuse(user, subject, why)
    row = _row(candidate, record_id)
    if not row["findings"] and not (user.holds(Role.COMPLIANCE) and _was_escalated(candidate, record_id)):
        _refuse(user, subject, "nothing was found in this record")
    audit.record(user, "text.excerpt", subject, record_id=record_id, findings=len(row["findings"]))
    return excerpts(read_record(candidate, _place(row)), row["findings"])


def reveal(user: User, candidate: Candidate, record_id: str, reason: str) -> Messages:
    """The whole of one flagged or escalated record, for compliance, with a reason that goes into the audit log."""
    subject = f"candidate:{candidate.pk}"
    if not user.holds(Role.COMPLIANCE):
        _refuse(user, subject, "only compliance reveals a record")
    if not reason.strip():
        raise InvalidInput("Say why this record must be read in whole.")
    row = _row(candidate, record_id)
    if not row["findings"] and not _was_escalated(candidate, record_id):
        _refuse(user, subject, "nothing was found in this record, and nobody escalated it")
    audit.record(user, "text.revealed", subject, record_id=record_id, why=reason.strip()[:500])
    return read_record(candidate, _place(row))


def _was_escalated(candidate: Candidate, record_id: str) -> bool:
    return Escalation.objects.filter(item__round__candidate=candidate, item__record_id=record_id).exists()


def read_record(candidate: Candidate, place: Place) -> Messages:
    """One record by byte range; ObjectDamaged unless id and recomputed hash are those that were drawn or found."""
    line = stores.bucket().read_range(candidate.staging + place.shard, place.offset, place.length)
    try:
        record = decode_record(line)
    except StrictError as error:
        # The class and reason of the error only: the line itself is conversation.
        raise _damaged(place, error.reason) from None
    messages = record.conversation()
    if record.metadata.record_id != place.record_id:
        raise _damaged(place, "another record lies there")
    if not content_hash(messages) == record.metadata.content_hash == place.content_hash:
        raise _damaged(place, "its text is not the one that was frozen")
    return messages


def _damaged(place: Place, why: str) -> ObjectDamaged:
    where = f"{place.shard}, byte {place.offset:,}, record {place.record_id}"
    return ObjectDamaged(f"{where}: {why}.", hint="The staged shard was changed. Build a new candidate.")


def _row(candidate: Candidate, record_id: str) -> dict[str, Any]:
    table = population.load(candidate).records
    found = table.filter(pc.equal(table["record_id"], pa.scalar(record_id)))
    if found.num_rows != 1:
        raise NotFound("There is no such record in this candidate.")
    columns = ["record_id", "content_hash", "shard", "offset", "length", "findings"]
    row: dict[str, Any] = found.select(columns).to_pylist()[0]
    return row


def _place(row: dict[str, Any]) -> Place:
    return Place(row["record_id"], row["content_hash"], row["shard"], row["offset"], row["length"])


def _refuse(user: User, subject: str, why: str) -> NoReturn:
    audit.record(user, "text.refused", subject, why=why)
    raise NotAllowed(f"You may not read this text: {why}.")
