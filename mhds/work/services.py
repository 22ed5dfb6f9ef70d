"""The verbs of a work row: enqueue, claim, heartbeat, finish, fail, and the reconciler's sweep. The only writer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from mhds.errors import Conflict
from mhds.models import WorkItem, WorkState
from mhds.work import bell


def lease() -> timedelta:
    return timedelta(seconds=settings.MHDS_LEASE_SECONDS)


@transaction.atomic
def enqueue(kind: str, key: str, payload: Mapping[str, Any], *, group: str = "", max_attempts: int = 3) -> WorkItem:
    """Ask for work. The same key again is the same work: nothing is added, the bell is rung once more."""
    item, _created = WorkItem.objects.get_or_create(
        key=key,
        defaults={"kind": kind, "payload": dict(payload), "group": group, "max_attempts": max_attempts},
    )
    transaction.on_commit(lambda: bell.ring(item.pk))
    return item


def claimable(now: datetime) -> QuerySet[WorkItem]:
    """Waiting and due, or running under a lease that ran out (its worker died or was cut off)."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    return WorkItem.objects.filter(
        Q(due, state=WorkState.WAITING) | Q(state=WorkState.RUNNING, lease_until__lt=now),
        attempt__lt=F("max_attempts"),
    )


def claim(item_id: UUID, owner: str) -> WorkItem | None:
    """Take the row by one conditional update, or None when somebody else has it or it is done."""
    now = timezone.now()
    taken = (
        claimable(now)
        .filter(pk=item_id)
        .update(
            state=WorkState.RUNNING,
            attempt=F("attempt") + 1,
            lease_owner=owner,
            lease_until=now + lease(),
            started_at=now,
            error_code="",
            error_message="",
        )
    )
    return WorkItem.objects.get(pk=item_id) if taken else None


def _mine(item: WorkItem) -> QuerySet[WorkItem]:
    return WorkItem.objects.filter(
        pk=item.pk, state=WorkState.RUNNING, attempt=item.attempt, lease_owner=item.lease_owner
    )


def heartbeat(item: WorkItem, progress: Mapping[str, int] | None = None) -> None:
    """Extend the lease and show progress. Raises Conflict when the lease was lost: the worker must stop."""
    fields: dict[str, Any] = {"lease_until": timezone.now() + lease()}
    if progress is not None:
        fields["progress"] = dict(progress)
    if not _mine(item).update(**fields):
        raise Conflict("the lease on this work was lost; another worker has it")


def finish(item: WorkItem) -> None:
    """Mark done; to be called inside the transaction that writes the result, so that both or neither happen.

    A worker that lost its lease (paused, cut off) is refused here and its transaction rolls back.
    """
    done = _mine(item).update(state=WorkState.DONE, finished_at=timezone.now(), lease_until=None)
    if not done:
        raise Conflict("the lease on this work was lost; its result is not accepted")


def fail(item: WorkItem, code: str, message: str, *, retry: bool, delay_s: int = 5) -> bool:
    """Record a failed attempt; True when it will be tried again."""
    again = retry and item.attempt < item.max_attempts
    _mine(item).update(
        state=WorkState.WAITING if again else WorkState.FAILED,
        not_before=timezone.now() + timedelta(seconds=delay_s) if again else None,
        lease_until=None,
        error_code=code,
        error_message=message,
        finished_at=None if again else timezone.now(),
    )
    return again


def exhausted(now: datetime) -> QuerySet[WorkItem]:
    """Rows whose last allowed attempt died without a word."""
    return WorkItem.objects.filter(state=WorkState.RUNNING, lease_until__lt=now, attempt__gte=F("max_attempts"))


def is_last_out(group: str) -> bool:
    """True when every piece of the group is done. Ask it inside the transaction that finished one of them."""
    return not WorkItem.objects.filter(group=group).exclude(state=WorkState.DONE).exists()
