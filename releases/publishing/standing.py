"""The collectors ``storage`` (may this candidate be written to this bucket) and ``written`` (was it). Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from mhds.errors import MhdsError
from mhds.storage.base import ObjectStore
from releases import accounts, stores
from releases.channels import FOLDER
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Publication, PublicationMark, SourceDecision
from releases.publishing.telling import is_demo

# The bucket is asked only where its answer counts: every page and every move collects all evidence.
ASKED = {State.APPROVED, State.PUBLISHING, State.PUBLISHED}


def storage(candidate: Candidate) -> Evidence:
    if candidate.state not in ASKED:
        return Evidence("storage", ("the bucket is looked at when the candidate is approved",))
    bucket = stores.bucket()
    try:
        return Evidence("storage", tuple(_doubts(candidate, bucket)))
    except MhdsError as error:
        return Evidence("storage", (f"the bucket could not be asked: {error.message}",))


def _doubts(candidate: Candidate, bucket: ObjectStore) -> Iterator[str]:
    next(bucket.list(FOLDER), None)
    if not bucket.url.startswith("s3://"):
        return
    if is_demo(candidate):
        yield "demo data is never published to s3://"
    for source in sorted(unconfirmed_sources(candidate, bucket), key=str.encode):
        yield f"the approval of the source {source} came by file; compliance confirms it in the browser first"


def unconfirmed_sources(candidate: Candidate, bucket: ObjectStore) -> set[str]:
    """Sources with records in the candidate whose newest decision is no approval by a person on the row as it is."""
    rows = accounts.read_lines(bucket, candidate.objects_key)
    used = {row["source"] for row in rows if row["records_out"]}
    by_id = candidate.catalog_version.catalog.source_by_id
    return {name for name in used if name not in by_id or not _confirmed(name, by_id[name].digest)}


def _confirmed(source_id: str, digest: str) -> bool:
    decision = SourceDecision.objects.filter(source_id=source_id, row_digest=digest).order_by("at", "pk").last()
    return decision is not None and decision.kind == SourceDecision.Kind.APPROVED and decision.by_id is not None


def written(candidate: Candidate) -> Evidence:
    publication = Publication.objects.filter(candidate=candidate).first()
    if publication is None:
        return Evidence("written", ("nothing was written yet",))
    missing = []
    if publication.content_digest != candidate.content_digest:
        missing.append("what was written is not what is frozen")
    if not publication.reached(PublicationMark.Name.VERIFIED):
        missing.append("the written release was not verified yet")
    return Evidence("written", tuple(missing))
