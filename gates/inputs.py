"""From rows and the bucket to what the gates look at, and the digest that binds a verdict to it. Writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
from django.utils import timezone

from gates.models import Explanation, GateResult, Waiver
from gates.policy import Policy
from gates.rules.base import (
    EarlierRelease,
    FrozenFile,
    GateInputs,
    Issue,
    Listed,
    ObjectAccount,
    Verdict,
    WaiverInForce,
)
from gates.scan.facts import Facts, facts_from_bytes
from gates.scan.fingerprints import FINGERPRINT_VERSION
from gates.scanning import data_files, facts_keys, text_reader
from mhds.errors import ObjectMissing
from mhds.reading import once
from mhds.storage.base import ObjectStore
from releases import accounts, inventory
from releases.models import Candidate, ExclusionDecision, SourceDecision

CONFIGS = ("config/routing.json", "config/curriculum.json")
CHUNK = 1 << 20


def gate_inputs(
    candidate: Candidate,
    facts: Facts | None,
    *,
    bucket: ObjectStore,
    policy: Policy,
    scanner_digest: str,
    now: datetime,
) -> GateInputs:
    """Raises StorageError (and ValueError for damaged lines) where something of it cannot be read."""
    catalog = candidate.catalog_version.catalog
    snapshot = candidate.snapshot
    if snapshot is None:
        raise ObjectMissing("the candidate has no inventory snapshot", hint="Build a new candidate.")
    listed = list(issues(candidate))
    configs = {path: _read(bucket, candidate.staging + path) for path in CONFIGS}
    return GateInputs(
        version=candidate.release.version,
        content_digest=candidate.content_digest,
        files=tuple(frozen_file(row) for row in candidate.files),
        coverage=candidate.coverage,
        objects_by_status=candidate.objects_by_status,
        records_in=candidate.records_in,
        records_out=candidate.records_out,
        records_excluded=candidate.records_excluded,
        exclusions=candidate.exclusions,
        build_facts=candidate.build_facts,
        catalog=catalog,
        source_name=snapshot.source_name,
        listing={one.key: Listed(one.size, one.etag) for one in inventory.read_listing(bucket, snapshot.listing)},
        accounts=tuple(account(row) for row in accounts.read_lines(bucket, candidate.objects_key)),
        issues=tuple(listed),
        excluded_by_decision=excluded_by_decision(listed),
        source_decisions=source_decisions(candidate),
        facts=facts,
        scanner_digest=scanner_digest,
        text_of=text_reader(candidate, facts, bucket) if facts is not None else _no_text,
        routing=configs[CONFIGS[0]],
        curriculum=configs[CONFIGS[1]],
        measured={row["path"]: found for row, found in _measured(candidate, bucket) if found is not None},
        earlier=tuple(earlier_releases(candidate, bucket, policy)),
        published=tuple(one.release.version for one in published(candidate)),
        waivers=tuple(waivers(candidate, now)),
        explanations=explanations(candidate),
    )


def inputs_digest(candidate: Candidate, now: datetime | None = None) -> str:
    """``sha256:`` over everything but facts, policy and code that a verdict rests on, from rows alone."""
    snapshot, listed = candidate.snapshot, list(issues(candidate))
    about = {
        "version": candidate.release.version,
        "files": candidate.files,
        "coverage": candidate.coverage,
        "objects": candidate.objects_by_status,
        "records": [candidate.records_in, candidate.records_out, candidate.records_excluded],
        "exclusions": candidate.exclusions,
        "build": candidate.build_facts,
        "catalog": candidate.catalog_version.digest,
        "snapshot": [snapshot.digest, snapshot.listing, snapshot.source_name] if snapshot else None,
        "accounts": candidate.objects_key,
        "issues": sorted(json.dumps([*one.decided_as, one.offset, one.detail]) for one in listed),
        "excluded": sorted(excluded_by_decision(listed)),
        "sources": sorted([*key, kind] for key, kind in source_decisions(candidate).items()),
        "waivers": sorted([one.id, one.gate, *sorted(one.ids)] for one in waivers(candidate, now)),
        "explanations": explanations(candidate),
        "earlier": [[one.release.version, one.content_digest] for one in published(candidate)],
    }
    body = json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return "sha256:" + hashlib.sha256(body.encode()).hexdigest()


def frozen_file(row: Mapping[str, Any]) -> FrozenFile:
    given = {name: row[name] for name in ("path", "role", "bytes", "sha256")}
    return FrozenFile(
        **given,
        split=row.get("split") or "",
        family=row.get("family") or "",
        records=row.get("records") or 0,
    )


def account(row: Mapping[str, Any]) -> ObjectAccount:
    return ObjectAccount(**{name: row[name] for name in ObjectAccount.__slots__})


def issues(candidate: Candidate) -> Iterator[Issue]:
    for row in candidate.issues.order_by("key", "source_record", "pk"):
        yield Issue(row.key, row.etag, row.family, row.source_id, row.source_record, row.reason, row.offset, row.detail)


def excluded_by_decision(listed: Sequence[Issue]) -> frozenset[tuple[str, str, str, str]]:
    """Decisions about a candidate's issues, matched by key, etag, record and reason."""
    if not listed:
        return frozenset()
    decided = ExclusionDecision.objects.filter(reason__in={one.reason for one in listed})
    made = set(decided.values_list("key", "etag", "source_record", "reason"))
    return frozenset(made & {one.decided_as for one in listed})


def source_decisions(candidate: Candidate) -> dict[tuple[str, str], str]:
    """(source id, row digest) -> the newest decision, for the rows of the candidate's catalog."""
    rows = {(source.id, source.digest) for source in candidate.catalog_version.catalog.sources}
    made = SourceDecision.objects.filter(row_digest__in=[digest for _id, digest in rows]).order_by("at", "pk")
    found = {(one.source_id, one.row_digest): str(one.kind) for one in made}
    return {key: kind for key, kind in sorted(found.items()) if key in rows}


@once
def waivers_in_force(candidate: Candidate, now: datetime | None = None) -> list[Waiver]:
    """As of ``now``, or of this moment; with who asked and who granted."""
    rows = Waiver.objects.in_force(candidate, now or timezone.now())
    return list(rows.select_related("asked_by", "granted_by"))


def waivers(candidate: Candidate, now: datetime | None) -> Iterator[WaiverInForce]:
    for row in waivers_in_force(candidate, now) if now else waivers_in_force(candidate):
        yield WaiverInForce(str(row.pk), row.gate, frozenset(row.ids))


def explanations(candidate: Candidate) -> dict[str, str]:
    """Figure -> id of its newest explanation."""
    made = Explanation.objects.filter(content_digest=candidate.content_digest).order_by("at", "pk")
    return {one.figure: str(one.pk) for one in made}


def published(candidate: Candidate) -> list[Candidate]:
    """Every other release that was ever published, in the order of publication."""
    others = Candidate.objects.ever_published().exclude(release=candidate.release).select_related("release")
    return list(others.order_by("frozen_at", "release__version"))


def earlier_releases(candidate: Candidate, bucket: ObjectStore, policy: Policy) -> Iterator[EarlierRelease]:
    """One that lacks the figures or message hashes it passed with is left out, which the gates report as doubt."""
    for one in published(candidate):
        by_gate = {row.gate: row for row in GateResult.objects.of(one).filter(verdict=Verdict.PASS.value)}
        distribution, leakage = by_gate.get("distribution"), by_gate.get("leakage")
        if distribution is None or leakage is None or leakage.figures.get("fingerprints") != FINGERPRINT_VERSION:
            continue
        splits: dict[str, str] = {}
        for row in accounts.read_lines(bucket, one.released_key):
            splits[row["content_hash"]] = row["split"]
        messages = _long_messages(one, bucket, leakage.scanner_digest, policy.leakage.message_words)
        yield EarlierRelease(one.release.version, splits, messages, distribution.figures["values"])


def _long_messages(one: Candidate, bucket: ObjectStore, scanner_digest: str, words: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in data_files(one):
        keys = facts_keys(file["sha256"], file["path"], scanner_digest)
        records, messages = (bucket.read_bytes(key) for key in keys)
        _shard, _records, table = facts_from_bytes(
            records, messages, path=file["path"], shard_sha256=file["sha256"], scanner_digest=scanner_digest
        )
        long = pc.and_(pc.greater_equal(table["words"], words), pc.not_equal(table["role"], "system"))
        for message in table.filter(long)["message_hash"].to_pylist():
            before = found.setdefault(message.hex(), file["split"])
            if before != file["split"]:
                found[message.hex()] = "train"
    return found


def _no_text(_index: int) -> Any:
    raise LookupError("there are no facts to find a text by")


def _read(bucket: ObjectStore, key: str) -> bytes | None:
    try:
        return bucket.read_bytes(key)
    except ObjectMissing:
        return None


def _measured(candidate: Candidate, bucket: ObjectStore) -> Iterator[tuple[Mapping[str, Any], tuple[int, str] | None]]:
    """(bytes, sha256) of each staged file that is no shard; None where it is missing."""
    for row in candidate.files:
        if row["role"] == "data":
            continue
        digest, size = hashlib.sha256(), 0
        try:
            with bucket.read(candidate.staging + row["path"]) as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except ObjectMissing:
            yield row, None
            continue
        yield row, (size, digest.hexdigest())
