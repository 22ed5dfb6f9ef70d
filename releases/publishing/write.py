"""Writes a planned release, in the order that makes it visible wholly or not at all. Owns that order; decides nothing.

``SHA256SUMS`` comes first and is the claim: it names every byte that will follow, so a second publisher with other
bytes is refused before a shard travels. ``manifest.json`` comes last and is the commit point. Every object is
create-once, and what is found with other bytes stops the publication. Killed anywhere, a rerun goes on to the same
bytes: the plan holds them all.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from mhds.client.errors import ClientError
from mhds.client.errors import StorageUnavailable as ClientStorageUnavailable
from mhds.client.release import Release
from mhds.errors import Blocked, Conflict, ObjectConflict, ObjectDamaged, ObjectMissing, StorageUnavailable
from mhds.failpoints import failpoint
from mhds.storage.base import ObjectStore
from mhds.storage.streams import chunks, digest_and_size
from releases import channels, evidence, stores
from releases.lifecycle import Action, Facts, State
from releases.models import Candidate, Publication, PublicationMark
from releases.publishing.plan import SUMS
from releases.services import transition

MANIFEST = "manifest.json"
STILL_NEEDED = ("frozen", "gates", "rounds", "signatures", "storage")
BULK = {"data", "index"}
WRITERS = 4
Row = dict[str, Any]


def write(publication: Publication) -> None:
    """From the plan to the channel. Each step finds what is done and goes on; raises what stops it."""
    bucket = stores.bucket()
    candidate = Candidate.objects.select_related("release", "catalog_version").get(pk=publication.candidate_id)
    if candidate.state not in {State.PUBLISHING, State.PUBLISHED}:
        raise _stopped(candidate)
    if candidate.state == State.PUBLISHING:
        write_files(publication, bucket)
        check_listing(publication, bucket)
        commit(publication, bucket)
        check_with_fresh_client(publication, bucket)
        failpoint("publish.verified")
        publish_row(publication, candidate)
    failpoint("publish.before_pointer")
    channels.write_pointer(channels.LATEST, bucket)
    failpoint("publish.after_pointer")
    mark(publication, PublicationMark.Name.POINTED)


def _stopped(candidate: Candidate) -> Conflict:
    return Conflict(f"the candidate is {candidate.state}", hint="Nothing of it can be read. Build a new candidate.")


def write_files(publication: Publication, bucket: ObjectStore) -> None:
    """The claim, then shards and indexes side by side, then everything else."""
    put(publication, _row(publication, SUMS), bucket)
    failpoint("publish.after_claim")
    rest = [row for row in publication.files if row["path"] != SUMS]

    def put_bulk(row: Row) -> None:
        put(publication, row, bucket)
        failpoint("publish.after_shard")

    with ThreadPoolExecutor(WRITERS) as pool:
        tasks = [pool.submit(put_bulk, row) for row in rest if row["role"] in BULK]
        try:
            for task in tasks:
                task.result()
        finally:
            pool.shutdown(cancel_futures=True)
    for row in rest:
        if row["role"] not in BULK:
            put(publication, row, bucket)
            failpoint("publish.after_file")


def _row(publication: Publication, path: str) -> Row:
    row = publication.file(path)
    if row is None:
        raise ObjectMissing(f"the plan of {publication.version} has no {path}")
    return row


def put(publication: Publication, row: Row, bucket: ObjectStore) -> None:
    """Create one file from its staged bytes, read it back and hash it. What is whole already is only read."""
    key, wanted = publication.prefix + row["path"], (row["sha256"], row["bytes"])
    found = stored(bucket, key)
    if found is None:
        work_root = settings.DATA_DIR / "work"
        work_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=work_root, prefix="publish-") as folder:
            body = Path(folder) / "body"
            if fetch(bucket, row["staged"], body) != wanted:
                raise ObjectDamaged(
                    f"the staged bytes of {row['path']} are not those that were frozen", hint="Build a new candidate."
                )
            bucket.put_if_absent(key, body)
        found = stored(bucket, key)
    if found != wanted:
        raise ObjectConflict(
            f"{key}: expected {wanted[1]} bytes with sha256 {wanted[0]}, found "
            + (f"{found[1]} with {found[0]}" if found else "nothing"),
            hint="Nothing was overwritten. Find who wrote it, and build under a new version.",
        )


def stored(bucket: ObjectStore, key: str) -> tuple[str, int] | None:
    """(sha256 in hex, bytes) of an object, read to its end; None where there is none."""
    try:
        with bucket.read(key) as stream:
            digest, size = digest_and_size(stream)
    except ObjectMissing:
        return None
    return digest.hex(), size


def fetch(bucket: ObjectStore, key: str, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with bucket.read(key) as stream, target.open("wb") as out:
        for piece in chunks(stream):
            digest.update(piece)
            size += out.write(piece)
    return digest.hexdigest(), size


def check_listing(publication: Publication, bucket: ObjectStore) -> None:
    """Exactly the planned keys with the planned sizes lie under the prefix: none is missing, none left over."""
    planned = {row["path"]: row["bytes"] for row in publication.files}
    listed = {one.key.removeprefix(publication.prefix): one.size for one in bucket.list(publication.prefix)}
    if MANIFEST in listed:  # a rerun after the commit point; its bytes are compared when it is put again
        planned[MANIFEST] = len(publication.manifest)
    odd = {path for path, _size in planned.items() ^ listed.items()}
    if odd:
        first = min(odd, key=str.encode)
        raise ObjectConflict(
            f"{publication.prefix}{first}: planned {planned.get(first, 'nothing')}, listed "
            f"{listed.get(first, 'nothing')} (bytes); {len(odd)} keys differ in all",
            hint="Nothing was overwritten. Find who wrote it, and build under a new version.",
        )


def commit(publication: Publication, bucket: ObjectStore) -> None:
    """Look at state and evidence once more, then write the manifest: from here on readers see the release.

    The manifest is written under the lock that every move of the candidate takes: it is abandoned before, and nothing
    is written, or after, and the guard of *abandon* finds the manifest.
    """
    key = publication.manifest_key
    with transaction.atomic():
        candidate = Candidate.objects.select_for_update(no_key=True).get(pk=publication.candidate_id)
        if candidate.state != State.PUBLISHING:
            raise _stopped(candidate)
        blockers = Facts(evidence.collect(candidate)).blockers(*STILL_NEEDED)
        if blockers:
            raise Blocked(f"publish: {blockers[0]}.", blockers=blockers)
        failpoint("publish.before_manifest")
        bucket.put_if_absent(key, bytes(publication.manifest))
    failpoint("publish.after_manifest")
    if stored(bucket, key) != (publication.manifest_sha256, len(publication.manifest)):
        raise ObjectConflict(f"{key} is not the planned manifest", hint="Nothing was overwritten. Find who wrote it.")


def check_with_fresh_client(publication: Publication, bucket: ObjectStore) -> None:
    """Open and verify the release as training will, every file hashed, with nothing but the bucket's address."""
    url = f"{bucket.url.rstrip('/')}/{publication.prefix}"
    try:
        with Release.open(url, allow_demo=publication.demo, manifest_sha256=publication.manifest_sha256) as release:
            release.verify(full=True)
    except ClientStorageUnavailable as error:
        raise StorageUnavailable(error.message, hint=error.hint) from None
    except ClientError as error:
        raise ObjectDamaged(f"a client refuses {publication.version}: {error.message}", hint=error.hint) from None
    mark(publication, PublicationMark.Name.VERIFIED)


@transaction.atomic
def publish_row(publication: Publication, candidate: Candidate) -> None:
    transition(candidate, Action.PUBLISHED, actor=publication.by)
    channels.move(channels.LATEST, publication, at=publication.published_at)
    Candidate.objects.filter(pk=candidate.pk).update(error={})


def mark(publication: Publication, *names: PublicationMark.Name) -> None:
    for name in names:
        PublicationMark.objects.get_or_create(publication=publication, name=name)


def keys_of(publication: Publication) -> Iterable[str]:
    """Every key of the release in the bucket."""
    return (publication.prefix + path for path in (*(row["path"] for row in publication.files), MANIFEST))
