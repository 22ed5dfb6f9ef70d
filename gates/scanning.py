"""The scan of a candidate against the bucket: which shards have facts already, scanning the rest, reading them all.

Facts lie under the digest of the scanner and of the shard, so nothing is ever scanned twice; the shard's row in the
candidate decides what bytes are meant, and bytes that differ are refused before any fact of them is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from gates.scan.facts import Facts, facts_from_bytes, facts_to_bytes
from gates.scan.scan import Scanner, ShardScan, assemble, scan_shard
from gates.scan.texts import FactsCache, cache_from
from mhds.errors import ObjectDamaged, ObjectMissing, Stale
from mhds.storage.base import ObjectStore
from releases.build.record import decode_record
from releases.build.types import Messages
from releases.models import Candidate

Progress = Callable[[int, int], None]
Row = Mapping[str, Any]


def data_files(candidate: Candidate) -> list[dict[str, Any]]:
    return [file for file in candidate.files if file["role"] == "data"]


def facts_keys(shard_sha256: str, path: str, scanner_digest: str) -> tuple[str, str]:
    """(records, messages): where the facts of a shard lie. The path is in them too, so it is in their name."""
    folder = f"facts/{scanner_digest.removeprefix('sha256:')[:16]}"
    name = path.replace("/", "~")
    return f"{folder}/{shard_sha256}.{name}.records.parquet", f"{folder}/{shard_sha256}.{name}.messages.parquet"


def stored_scan(bucket: ObjectStore, file: Row, scanner: Scanner | str) -> ShardScan | None:
    """The facts of a shard as kept, or None where it was never scanned. Damaged facts raise, they are no absence.

    ``scanner`` may be its digest alone, which is all that finding facts takes: what it is made of stays unnamed then.
    """
    digest = scanner if isinstance(scanner, str) else scanner.digest
    records_key, messages_key = facts_keys(file["sha256"], file["path"], digest)
    try:
        records, messages = bucket.read_bytes(records_key), bucket.read_bytes(messages_key)
    except ObjectMissing:
        return None
    shard, record_table, message_table = facts_from_bytes(
        records, messages, path=file["path"], shard_sha256=file["sha256"], scanner_digest=digest
    )
    components, tokenizer = ({}, "") if isinstance(scanner, str) else (scanner.components, scanner.tokenizer.name)
    return ShardScan(shard, record_table, message_table, digest, components, tokenizer)


def scan_file(
    candidate: Candidate,
    file: Row,
    bucket: ObjectStore,
    scanner: Scanner,
    *,
    cache: FactsCache | None = None,
    progress: Progress = lambda _records, _bytes: None,
) -> ShardScan:
    """Scan one frozen shard and keep its facts. Raises ObjectDamaged when the bytes are not those that were frozen."""
    with bucket.read(candidate.staging + file["path"]) as lines:
        found = scan_shard(file["path"], lines, scanner, cache=cache, progress=progress)
    if (found.shard.sha256, found.shard.bytes) != (file["sha256"], file["bytes"]):
        raise ObjectDamaged(
            f"{file['path']}: {found.shard.bytes} bytes with sha256 {found.shard.sha256} were read, frozen are "
            f"{file['bytes']} bytes with {file['sha256']}.",
            hint="The staged shard was changed. Build a new candidate.",
        )
    records, messages = facts_to_bytes(found.shard, found.records, found.messages, scanner_digest=scanner.digest)
    records_key, messages_key = facts_keys(file["sha256"], file["path"], scanner.digest)
    bucket.put_if_absent(messages_key, messages)
    bucket.put_if_absent(records_key, records)
    return found


def earlier_texts(candidate: Candidate, bucket: ObjectStore, scanner: Scanner) -> FactsCache | None:
    """Facts of texts that the newest other candidate was scanned for: what is unchanged is not scanned again."""
    others = Candidate.objects.frozen().exclude(pk=candidate.pk).order_by("-frozen_at")[:3]
    for other in others:
        scans = [stored_scan(bucket, file, scanner) for file in data_files(other)]
        if scans and all(scans):
            whole = [scan for scan in scans if scan is not None]
            return cache_from(
                pa.concat_tables([scan.records for scan in whole]), pa.concat_tables([scan.messages for scan in whole])
            )
    return None


def scan_candidate(
    candidate: Candidate, bucket: ObjectStore, scanner: Scanner, *, progress: Progress = lambda _records, _bytes: None
) -> Facts:
    """All shards, one after the other in this process; facts that exist are not computed again."""
    return assemble(list(_scans(candidate, bucket, scanner, progress)), candidate.content_digest)


def _scans(candidate: Candidate, bucket: ObjectStore, scanner: Scanner, progress: Progress) -> Iterator[ShardScan]:
    cache: FactsCache | None = None
    asked, records, size = False, 0, 0
    for file in data_files(candidate):
        found = stored_scan(bucket, file, scanner)
        if found is None:
            if not asked:
                cache, asked = earlier_texts(candidate, bucket, scanner), True
            found = scan_file(candidate, file, bucket, scanner, cache=cache)
        records, size = records + found.shard.records, size + found.shard.bytes
        progress(records, size)
        yield found


def load_facts(candidate: Candidate, bucket: ObjectStore, scanner: Scanner | str) -> Facts:
    """The facts of a candidate that was scanned. Raises Stale where a shard has none by this scanner.

    By a digest alone, nothing of the scanner is built; the facts then do not name its components and tokenizer.
    """
    scans = []
    for file in data_files(candidate):
        found = stored_scan(bucket, file, scanner)
        if found is None:
            raise Stale(f"{file['path']} was not scanned by the scanner in use", hint="Run the gates again.")
        scans.append(found)
    return assemble(scans, candidate.content_digest)


def text_reader(candidate: Candidate, facts: Facts, bucket: ObjectStore) -> Callable[[int], Messages]:
    """``text_of(i)``: the conversation of the i-th row of ``facts.records``, read by byte range."""
    shards = facts.records["shard"]
    offsets = facts.records["offset"].to_numpy()
    lengths = facts.records["length"].to_numpy()

    def text_of(index: int) -> Messages:
        key = candidate.staging + shards[index].as_py()
        return decode_record(bucket.read_range(key, int(offsets[index]), int(lengths[index]))).conversation()

    return text_of
