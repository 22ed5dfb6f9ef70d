"""The collectors ``storage`` (may this candidate be written to this bucket), ``written`` and ``unwritten``. Reads only.

``written`` is what *published* needs; ``unwritten``, that readers see nothing yet, is what *abandon* needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import QuerySet
from django.utils import timezone

from mhds.errors import MhdsError, ObjectMissing
from mhds.storage.base import ObjectStore
from releases import accounts, storage_level, stores
from releases.channels import FOLDER
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Publication, PublicationMark, SourceDecision
from releases.publishing.telling import is_demo

# The bucket is asked only where its answer counts: every page and every move collects all evidence.
ASKED = {State.APPROVED, State.PUBLISHING, State.PUBLISHED}
VISIBLE = {State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN}


def storage(candidate: Candidate) -> Evidence:
    if candidate.state not in ASKED:
        return Evidence("storage", ("the bucket is looked at when the candidate is approved",))
    bucket = stores.bucket()
    try:
        return Evidence("storage", (*_taken(candidate), *_doubts(candidate, bucket)))
    except MhdsError as error:
        return Evidence("storage", (f"the bucket could not be asked: {error.message}",))


def _taken(candidate: Candidate) -> Iterator[str]:
    """A plan is for ever, and so are the objects that were written by it: the version belongs to its candidate."""
    other = Publication.objects.filter(version=candidate.release.version).exclude(candidate=candidate)
    if other.exists():
        yield f"objects of another candidate may lie under {candidate.release.version}: build under a new version"


def _doubts(candidate: Candidate, bucket: ObjectStore) -> Iterator[str]:
    next(bucket.list(FOLDER), None)
    yield from storage_level.doubts(bucket.url, timezone.now())
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
    newest = {
        (one.source_id, one.row_digest): one for one in _decisions(by_id[name].digest for name in used & set(by_id))
    }
    return {name for name in used if name not in by_id or not _confirmed(newest.get((name, by_id[name].digest)))}


def _decisions(row_digests: Iterable[str]) -> QuerySet[SourceDecision]:
    return SourceDecision.objects.filter(row_digest__in=set(row_digests)).order_by("at", "pk")


def _confirmed(decision: SourceDecision | None) -> bool:
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


def unwritten(candidate: Candidate) -> Evidence:
    """Our manifest does not lie at the commit point: no reader has seen the release. Other bytes there are not ours."""
    publication = Publication.objects.filter(candidate=candidate).first() if candidate.state in VISIBLE else None
    if publication is None:
        return Evidence("unwritten")
    try:
        lies_there = stores.bucket().read_bytes(publication.manifest_key) == bytes(publication.manifest)
    except ObjectMissing:
        return Evidence("unwritten")
    except MhdsError as error:
        return Evidence("unwritten", (f"the bucket could not be asked whether readers see it: {error.message}",))
    seen = ("the manifest is written, so readers see the release: let it be published, then withdraw it",)
    return Evidence("unwritten", seen if lies_there else ())
