"""The accounts of a build in the bucket: every object, exclusion and released record, as gzipped JSON lines.

Named by content, so that a repeated build writes nothing new. Holds keys, hashes and counts; never text.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mhds.storage.base import ObjectStore
from releases.build.plan import Account, Exclusion
from releases.inventory import exists


def write_lines(bucket: ObjectStore, folder: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The key that the rows lie under; memory is bounded whatever their number."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(suffix=".jsonl.gz") as file:
        with gzip.GzipFile("", fileobj=file, mode="wb", mtime=0, compresslevel=6) as out:
            for row in rows:
                body = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
                digest.update(body)
                out.write(body)
        file.flush()
        key = f"facts/{folder}/{digest.hexdigest()}.jsonl.gz"
        if not exists(bucket, key):
            bucket.put_if_absent(key, Path(file.name))
    return key


def read_lines(bucket: ObjectStore, key: str) -> Iterator[dict[str, Any]]:
    with bucket.read(key) as raw, gzip.GzipFile(fileobj=raw, mode="rb") as lines:
        for body in lines:
            yield json.loads(body)


def object_rows(accounts: Iterable[Account]) -> Iterator[dict[str, Any]]:
    for account in accounts:
        yield {**asdict(account), "excluded": dict(sorted(account.excluded.items()))}


def exclusion_rows(exclusions: Iterable[Exclusion]) -> Iterator[dict[str, Any]]:
    for exclusion in exclusions:
        yield asdict(exclusion)


def released_rows(released: Iterable[tuple[str, str, str, str]]) -> Iterator[dict[str, Any]]:
    for record_id, content_hash, split, cluster in released:
        yield {"record_id": record_id, "content_hash": content_hash, "split": split, "cluster": cluster}
