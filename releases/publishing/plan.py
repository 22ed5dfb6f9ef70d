"""The plan of a publication: every file with its hash, the exact manifest, one row, before anything is written.

Bytes made here (documents, attachments) are kept in staging under their hash, so that a rerun writes the same ones.
Knows no order of writing.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from mhds import audit
from mhds.client.checksums import encode_sha256sums, index_path
from mhds.client.errors import ClientError
from mhds.client.manifest import encode_manifest, parse_manifest
from mhds.client.routing import parse_routing
from mhds.client.verify import check_gates, check_signoffs
from mhds.errors import Blocked, Conflict, ObjectDamaged
from mhds.models import User
from mhds.storage.base import ObjectStore
from releases import accounts, stores
from releases.build.record import decode_record
from releases.build.strict import StrictError
from releases.build.types import ObjectStatus
from releases.lifecycle import State
from releases.models import Candidate, Publication
from releases.publishing import attachments, documents
from releases.publishing.attachments import Figures
from releases.publishing.manifest import Parts, manifest
from releases.publishing.telling import about
from releases.storage_level import level_of

RELEASES = "exports/releases/"
SUMS = "SHA256SUMS"
SOURCES = "provenance/sources.jsonl.gz"
MEDIA = {
    ".jsonl": "application/jsonl",
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".gz": "application/gzip",
}
OFFSET = struct.Struct("<Q")
Row = dict[str, Any]


def make(candidate: Candidate, actor: User) -> Publication:
    """The plan of this candidate; the one that exists, if it does. Blocked where anything it needs is absent."""
    existing = Publication.objects.filter(candidate=candidate).first()
    if existing is not None:
        return existing
    work_root = settings.DATA_DIR / "work"
    work_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=work_root, prefix="plan-") as folder:
        return _save(_Plan(candidate, stores.bucket(), Path(folder)).complete(), actor)


@dataclass
class _Plan:
    """Collects the files of one release; ``complete`` fixes documents and checksums over them."""

    candidate: Candidate
    bucket: ObjectStore
    folder: Path
    files: list[Row] = field(default_factory=list)
    sources: int = 0
    used: set[str] = field(default_factory=set)

    def complete(self) -> _Plan:
        candidate = self.candidate
        self.figures = attachments.figures_of(candidate)
        given = attachments.attached(candidate)
        self.files = list(frozen_files(candidate, self.figures, self.bucket))
        for one in given:
            self.add(one.path, one.role, one.body)
        matrix = documents.with_waivers(candidate.coverage, self.figures.waived)
        for path, body in documents.coverage_files(matrix).items():
            self.add(path, "coverage", body)
        sources = self.folder / "sources"
        self.sources = documents.write_sources(self.source_rows(), sources)
        self.add(SOURCES, "provenance", sources)
        self.about = about(candidate, matrix, given, self.files, self.figures, self.used)
        self.add("docs/README.md", "doc", documents.dataset_card(self.about))
        self.add("docs/RELEASE_NOTES.md", "doc", documents.release_notes(self.about))
        self.files.sort(key=lambda row: row["path"].encode())
        self.listed = list(self.files)
        self.add(SUMS, "sums", encode_sha256sums({row["path"]: row["sha256"] for row in self.listed}))
        return self

    def source_rows(self) -> Iterator[Row]:
        """The account of every object under a family; notes which sources gave records on the way."""
        for row in accounts.read_lines(self.bucket, self.candidate.objects_key):
            if row["records_out"]:
                self.used.add(row["source"])
            if row["status"] != ObjectStatus.OUTSIDE:
                yield row

    def add(self, path: str, role: str, body: bytes | Path) -> None:
        digest, size = _measured(body)
        staged = f"{self.candidate.staging}publication/{digest}"
        self.bucket.put_if_absent(staged, body)
        about: Row = dict.fromkeys(("split", "family", "records", "tokens", "first_id", "last_id"))
        self.files.append(
            {"path": path, "role": role, "bytes": size, "sha256": digest, "media_type": media(path), **about}
            | {"staged": staged}
        )


def _measured(body: bytes | Path) -> tuple[str, int]:
    data = body if isinstance(body, bytes) else body.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)


def media(path: str) -> str:
    return MEDIA.get(Path(path).suffix, "application/octet-stream")


def frozen_files(candidate: Candidate, figures: Figures, bucket: ObjectStore) -> Iterator[Row]:
    """Data, index and config as they were frozen, with what the manifest tells of a shard."""
    for row in candidate.files:
        data = row["role"] == "data"
        first, last = _ends(candidate, row, bucket) if data else (None, None)
        yield {
            "path": row["path"],
            "role": row["role"],
            "bytes": row["bytes"],
            "sha256": row["sha256"],
            "media_type": media(row["path"]),
            "split": row["split"] or None,
            "family": row["family"] or None,
            "records": row["records"] if data else None,
            "tokens": figures.shards[row["path"]].tokens if data else None,
            "first_id": first,
            "last_id": last,
            "staged": candidate.staging + row["path"],
        }


def _ends(candidate: Candidate, row: Row, bucket: ObjectStore) -> tuple[str, str]:
    """Record ids of the first and last line of a shard, found by its index."""
    key, index = candidate.staging + row["path"], candidate.staging + index_path(row["path"])
    count = row["records"]

    def offset(number: int) -> int:
        return int(OFFSET.unpack(bucket.read_range(index, number * OFFSET.size, OFFSET.size))[0])

    def record_id(number: int) -> str:
        start, end = offset(number), offset(number + 1)
        try:
            return decode_record(bucket.read_range(key, start, end - start - 1)).metadata.record_id
        except StrictError as error:
            raise ObjectDamaged(
                f"{row['path']}, record {number} at byte {start}: {error.reason}",
                hint="The staged shard was changed. Build a new candidate.",
            ) from None

    return record_id(0), record_id(count - 1)


def _parts(plan: _Plan, published_at: str, sequence: int) -> Parts:
    candidate, figures = plan.candidate, plan.figures
    # A plan whose candidate was abandoned keeps its number, and no release names it as the one before.
    last = Publication.objects.exclude(candidate__state=State.ABANDONED).order_by("sequence").last()
    pii: Counter[str] = Counter()
    for shard in figures.shards.values():
        pii.update(shard.pii)
    return Parts(
        about=plan.about,
        sequence=sequence,
        previous={"version": last.version, "manifest_sha256": last.manifest_sha256} if last else None,
        files=plan.listed,
        tokenizer_sha256=figures.tokenizer_sha256,
        prefixes=[one["prefix"] for row in candidate.coverage["families"] for one in row["prefixes"] if one["objects"]],
        sources=plan.sources,
        pii=pii,
        build_facts=candidate.build_facts,
        catalog_digest=candidate.catalog_version.digest,
        snapshot_digest=candidate.snapshot.digest if candidate.snapshot else "",
        published_at=published_at,
        software=_software(),
        storage_level=level_of(stores.bucket().url),
    )


def _software() -> str:
    try:
        return version("mhds")
    except PackageNotFoundError:
        return "unpackaged"


def _save(plan: _Plan, actor: User) -> Publication:
    """Number the plan after the last publication, encode the manifest, hold it to the client's own checks, keep it."""
    candidate, now = plan.candidate, timezone.now().replace(microsecond=0)
    try:
        with transaction.atomic():
            # Abandoned meanwhile, a candidate has no plan: the lock is the one that every move takes.
            state = Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk).state
            if state != State.PUBLISHING:
                raise Conflict(f"the candidate is {state}", hint="Nothing was planned.")
            last = Publication.objects.select_related("candidate").order_by("sequence").last()
            if last is not None and last.candidate.state == State.PUBLISHING:
                raise Conflict(f"{last.version} is being published", hint="Let it finish first.")
            sequence = last.sequence + 1 if last else 1
            parts = _parts(plan, now.strftime("%Y-%m-%dT%H:%M:%SZ"), sequence)
            body = _checked(plan, encode_manifest(manifest(parts)))
            publication = Publication.objects.create(
                candidate=candidate,
                version=candidate.release.version,
                sequence=sequence,
                prefix=f"{RELEASES}{candidate.release.version}/",
                content_digest=candidate.content_digest,
                demo=plan.about.demo,
                files=plan.files,
                manifest=body,
                manifest_sha256=hashlib.sha256(body).hexdigest(),
                published_at=now,
                by=actor,
            )
            audit.record(
                actor, "publication.planned", f"candidate:{candidate.pk}", manifest_sha256=publication.manifest_sha256
            )
    except ClientError as error:
        raise Blocked(f"publish: {error.message}.", blockers=[error.message], hint=error.hint) from None
    except IntegrityError:
        raise Conflict("another publication was planned at the same time", hint="Run it again.") from None
    return publication


def _checked(plan: _Plan, body: bytes) -> bytes:
    """What would make every reader refuse the release is refused here, before a byte of it is written."""
    found = parse_manifest(body)
    check_gates(found)
    check_signoffs(found)
    parse_routing(plan.bucket.read_bytes(plan.candidate.staging + found.routing.path), found)
    return body
