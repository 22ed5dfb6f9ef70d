"""The audit log: append-only, hash-chained, written in the transaction of what it records. The only writer of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from mhds.models import AuditEvent, User

GENESIS = "0" * 64
LOCK = 0x6D686473  # "mhds": one appender at a time on PostgreSQL; SQLite's IMMEDIATE transaction does the same


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def event_hash(event: AuditEvent) -> str:
    """SHA-256 over every column and the hash before; a changed, removed or moved row breaks the chain."""
    body = [
        event.seq,
        event.at.isoformat(),
        str(event.actor_id or ""),
        event.actor_name,
        event.action,
        event.subject,
        event.data,
        event.prev_hash,
    ]
    return hashlib.sha256(b"mhds.audit/1\n" + canonical(body)).hexdigest()


@transaction.atomic
def record(actor: User | None, action: str, subject: str, **data: Any) -> AuditEvent:
    """Append one event. ``data`` holds ids, counts and digests only; the caller never passes text of a record."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = AuditEvent.objects.order_by("-seq").only("seq", "hash").first()
    event = AuditEvent(
        seq=(last.seq if last else 0) + 1,
        at=timezone.now(),
        actor=actor,
        actor_name=str(actor) if actor else "system",
        action=action,
        subject=subject,
        data=json.loads(canonical(data)),
        prev_hash=last.hash if last else GENESIS,
    )
    event.hash = event_hash(event)
    event.save(force_insert=True)
    return event


def broken_links() -> Iterator[tuple[int, str]]:
    """(seq, why) of every event that does not follow from the one before. Empty when the log is whole."""
    expected_seq, previous = 1, GENESIS
    for event in AuditEvent.objects.order_by("seq").iterator():
        if event.seq != expected_seq:
            yield event.seq, f"expected number {expected_seq}"
        if event.prev_hash != previous:
            yield event.seq, "does not follow the event before it"
        if event.hash != event_hash(event):
            yield event.seq, "was changed after it was written"
        expected_seq, previous = event.seq + 1, event.hash
