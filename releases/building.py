"""From a snapshot to a frozen candidate: feeds the pure build with stores and rows, and keeps what it gives.

The detectors and the cluster definition belong to a higher app and come in as ports (``Ports``).
"""

from __future__ import annotations

import hmac
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from mhds import audit
from mhds.client.checksums import content_digest
from mhds.errors import InvalidInput
from mhds.models import User
from mhds.storage.base import ObjectStore
from releases import accounts, coverage, inventory, services, stores
from releases.build.pipeline import build
from releases.build.plan import NOT_APPROVED, Account, BuildPlan, BuildResult, BuiltFile, Clusterer, Said
from releases.build.splits import EARLIER_SPLIT, HOLDOUT_OVERLAP
from releases.build.types import LanguageDetector, ObjectStatus, Redactor
from releases.catalog.types import Catalog
from releases.models import Candidate, ObjectIssue, Snapshot

BLOCKING_RECORD_REASONS = ("bad_record",)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Ports:
    """What a build needs from above. ``identifies(key)`` is True when the key itself holds an identifier.

    ``history(candidate)`` tells in which splits earlier releases had the long messages of a conversation: what a long
    message is belongs to the leakage gate.
    """

    redactor: Redactor
    language: LanguageDetector
    clusterer: Clusterer
    identifies: Callable[[str], bool]
    history: Callable[[Candidate], Said]


def take_snapshot(actor: User | None) -> Snapshot:
    """List the source now and keep the listing; the dated row names its digest."""
    actor = services.builder(actor, "taking an inventory")
    source, bucket = stores.source(), stores.bucket()
    listing = inventory.take(source, bucket)
    with transaction.atomic():
        snapshot = Snapshot.objects.create(
            digest=listing.digest,
            listing=listing.location,
            source_name=source.name,
            objects_count=listing.objects,
            total_bytes=listing.bytes,
            taken_by=actor,
        )
        audit.record(
            actor, "inventory.taken", f"snapshot:{snapshot.pk}", digest=listing.digest, objects=listing.objects
        )
    return snapshot


def alias_of(identifies: Callable[[str], bool]) -> Callable[[str], str]:
    """Keys as they may be shown: themselves, or ``k_`` + HMAC where the key holds a person's identifier."""

    @lru_cache(maxsize=1 << 16)
    def alias(key: str) -> str:
        if not identifies(key):
            return key
        return "k_" + hmac.digest(settings.MHDS_PEPPER.encode(), key.encode(), "sha256").hex()[:32]

    return alias


def earlier_splits(bucket: ObjectStore, candidate: Candidate) -> dict[str, frozenset[str]]:
    """Content hash -> the splits that it was in, over all other releases ever published."""
    alone = {split: frozenset({split}) for split in ("train", "val", "test")}
    found: dict[str, frozenset[str]] = {}
    for published in Candidate.objects.ever_published().exclude(release=candidate.release):
        for row in accounts.read_lines(bucket, published.released_key):
            was = alone[row["split"]]
            before = found.get(row["content_hash"])
            found[row["content_hash"]] = was if before is None else before | was
    return found


def build_candidate(
    candidate: Candidate, snapshot: Snapshot, ports: Ports, *, progress: Progress = lambda _r, _b: None
) -> Candidate:
    """Build and freeze; the candidate that holds the bytes is returned (an earlier one of the same digest, if any)."""
    source, bucket = stores.source(), stores.bucket()
    catalog = candidate.catalog_version.catalog
    work_root = settings.DATA_DIR / "work"
    work_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=work_root, prefix=f"build-{candidate.pk}-") as work_dir:
        result = build(
            BuildPlan(
                version=candidate.release.version,
                date=candidate.release.date,
                catalog=catalog,
                source_name=source.name,
                objects=inventory.read_listing(bucket, snapshot.listing),
                open_object=source.read,
                standing=services.standing,
                alias=alias_of(ports.identifies),
                redactor=ports.redactor,
                language=ports.language,
                clusterer=ports.clusterer,
                earlier=earlier_splits(bucket, candidate),
                said=ports.history(candidate),
                work_dir=Path(work_dir),
                shard_bytes=settings.MHDS_SHARD_BYTES,
                progress=progress,
            )
        )
        _check_account(result, snapshot)
        digest = content_digest(result.files)
        for file in result.files:
            bucket.put_if_absent(candidate.staging + file.path, file.local)
    return _keep(candidate, snapshot, catalog, result, digest)


def _check_account(result: BuildResult, snapshot: Snapshot) -> None:
    """Every object and record is accounted for, or nothing is kept."""
    if len(result.accounts) != snapshot.objects_count:
        raise InvalidInput(f"{len(result.accounts)} objects accounted for, {snapshot.objects_count} listed")
    if result.records_in != result.records_out + len(result.exclusions):
        raise InvalidInput(
            f"{result.records_in} records in, {result.records_out} out, {len(result.exclusions)} excluded"
        )


def _keep(candidate: Candidate, snapshot: Snapshot, catalog: Catalog, result: BuildResult, digest: str) -> Candidate:
    bucket = stores.bucket()
    fields: dict[str, Any] = {
        "snapshot": snapshot,
        "content_digest": digest,
        "files": [file_row(file) for file in result.files],
        "coverage": matrix(catalog, result.accounts),
        "objects_by_status": result.objects_by_status(),
        "objects_key": accounts.write_lines(bucket, "objects", accounts.object_rows(result.accounts)),
        "exclusions_key": accounts.write_lines(bucket, "exclusions", accounts.exclusion_rows(result.exclusions)),
        "released_key": accounts.write_lines(bucket, "released", accounts.released_rows(result.released)),
        "records_in": result.records_in,
        "records_out": result.records_out,
        "records_excluded": len(result.exclusions),
        "exclusions": result.excluded_by_reason(),
        "build_facts": result.facts,
    }
    with transaction.atomic():
        held_by = services.freeze(candidate, fields)
        held_by.issues.all().delete()
        ObjectIssue.objects.bulk_create(issues(held_by, result), batch_size=500)
    return held_by


def file_row(file: BuiltFile) -> dict[str, Any]:
    names = ("path", "role", "bytes", "sha256", "split", "family", "records")
    return {name: getattr(file, name) for name in names}


def issues(candidate: Candidate, result: BuildResult) -> Iterator[ObjectIssue]:
    """What a person must decide: refused objects, and records that could not be read."""
    by_key = {account.key: account for account in result.accounts}
    for account in result.accounts:
        if account.status == ObjectStatus.REFUSED:
            yield ObjectIssue(
                candidate=candidate,
                key=account.key,
                etag=account.etag,
                family=account.family,
                source_id=account.source,
                reason=account.reason,
                detail=account.detail[:300],
                offset=account.offset,
            )
    for exclusion in result.exclusions:
        if exclusion.reason in BLOCKING_RECORD_REASONS:
            account = by_key[exclusion.key]
            yield ObjectIssue(
                candidate=candidate,
                key=exclusion.key,
                etag=account.etag,
                family=account.family,
                source_id=account.source,
                source_record=exclusion.source_record,
                reason=exclusion.reason,
                detail=exclusion.detail[:300],
                offset=exclusion.offset,
            )


def matrix(catalog: Catalog, found: list[Account]) -> dict[str, Any]:
    """The coverage matrix of what was read: only objects that gave a conversation or a persona profile count."""

    def seen() -> Iterator[tuple[str, coverage.Seen]]:
        for account in found:
            if account.status == ObjectStatus.OUTSIDE:
                continue
            family = catalog.family_by_id[account.family]
            prefix = next((p for p in family.prefixes if account.key.startswith(p)), family.prefixes[0])
            given = account.records_in - _never_conversations(account)
            refused = account.reason if account.status == ObjectStatus.REFUSED else ""
            if account.status == ObjectStatus.NOT_CONVERSATION and not account.personas:
                refused = account.reason or "not_conversation"
            elif account.status == ObjectStatus.READ and not given and not account.personas:
                refused = "no_conversation"
            yield account.family, coverage.Seen(account.key, account.size, prefix, given, account.personas, refused)

    outside = sum(account.status == ObjectStatus.OUTSIDE for account in found)
    return coverage.matrix(catalog, coverage.tally(seen()), outside)


# An exact duplicate was a conversation; a prompt without an answer, or a line that could not be read, was none.
STILL_CONVERSATIONS = (
    "exact_duplicate",
    "near_duplicate",
    HOLDOUT_OVERLAP,
    EARLIER_SPLIT,
    "requires_review",
    "language_not_listed",
)


def _never_conversations(account: Account) -> int:
    return sum(count for reason, count in account.excluded.items() if reason not in STILL_CONVERSATIONS)


__all__ = ["NOT_APPROVED", "Ports", "build_candidate", "matrix", "take_snapshot"]
