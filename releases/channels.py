"""Which release a channel means: the row that a poll reads and the pointer object beside the releases.

Owns the rule that a sequence only rises; knows no HTTP and not why a channel moves.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from mhds.client.canonical import encode_canonical
from mhds.client.errors import ClientError
from mhds.client.pointer import POINTER_SCHEMA, parse_pointer
from mhds.errors import ObjectConflict, ObjectMissing
from mhds.storage.base import ObjectStore
from releases import evidence
from releases.models import Candidate, Channel, ChannelMove, Publication

LATEST = "latest"
FOLDER = "exports/channels/"
POLL_AFTER_S = 60


def key_of(name: str) -> str:
    return f"{FOLDER}{name}.json"


def lock(name: str) -> Channel:
    """The row of the channel, held to the end of the transaction: whoever publishes does so one after the other."""
    Channel.objects.get_or_create(name=name)
    return Channel.objects.select_for_update().get(name=name)


@transaction.atomic
def move(name: str, publication: Publication, *, at: datetime) -> ChannelMove:
    """Point the channel at ``publication`` under the next sequence, and fix the bytes that will say so."""
    channel = lock(name)
    sequence = channel.sequence + 1
    body = {
        "schema": POINTER_SCHEMA,
        "channel": name,
        "sequence": sequence,
        "version": publication.version,
        "content_digest": publication.content_digest,
        "manifest_sha256": publication.manifest_sha256,
        "issued_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    made = ChannelMove.objects.create(
        channel=channel, sequence=sequence, publication=publication, body=encode_canonical(body), issued_at=at
    )
    current = signoff_current(publication.candidate)
    Channel.objects.filter(pk=name).update(sequence=sequence, publication=publication, signoff_current=current)
    return made


def signoff_current(candidate: Candidate) -> bool:
    """True when the collector of signatures finds nothing missing now; without a collector nobody can say so."""
    collector = evidence.COLLECTORS.get("signatures")
    return collector is not None and not collector(candidate).missing


def refresh_signoff(candidate: Candidate) -> None:
    """To be called when a signature of a published candidate was withdrawn or renewed: the poll says it next time."""
    Channel.objects.filter(publication__candidate=candidate).update(signoff_current=signoff_current(candidate))


def refresh_signoffs() -> int:
    """Say of every channel what holds now, and how many changed: a policy, a waiver or a rubric outdates in silence."""
    changed = 0
    for channel in Channel.objects.filter(publication__isnull=False).select_related("publication__candidate"):
        current = channel.publication is not None and signoff_current(channel.publication.candidate)
        if current != channel.signoff_current:
            same = Channel.objects.filter(pk=channel.pk, publication=channel.publication)
            changed += same.update(signoff_current=current)
    return changed


def write_pointer(name: str, bucket: ObjectStore) -> None:
    """Make the object say what the newest move says. Repeatable; a newer object is left alone, an equal one kept.

    Raises ObjectConflict when somebody else's bytes hold our sequence, or another writer was faster (run it again).
    """
    newest = ChannelMove.objects.filter(channel_id=name).order_by("sequence").last()
    if newest is None:
        return
    body, key = bytes(newest.body), key_of(name)
    try:
        etag = bucket.head(key).etag
        stored = bucket.read_bytes(key)
    except ObjectMissing:
        bucket.compare_and_swap(key, body, expected_etag=None)
        return
    if stored == body:
        return
    if _sequence(stored, key) >= newest.sequence:
        raise ObjectConflict(
            f"{key} holds sequence {_sequence(stored, key)}, and ours is {newest.sequence}",
            hint="Another installation writes this channel. Find it; nothing was overwritten.",
        )
    bucket.compare_and_swap(key, body, expected_etag=etag)


def _sequence(stored: bytes, key: str) -> int:
    try:
        return parse_pointer(stored).sequence
    except ClientError as error:
        raise ObjectConflict(f"{key} is no pointer: {error.message}", hint="It was not touched.") from None
