"""The dated inventory of the source: LIST to a snapshot with a digest. Reads the listing only, never an object."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from mhds.errors import ObjectMissing
from mhds.storage.base import ObjectInfo, ObjectStore

# What this product itself keeps in its bucket, where the source is the same bucket.
OWN_PREFIXES = ("exports/", "staging/", "facts/", ".mhds~private/")  # the last is a directory store's own


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a snapshot; ``etag`` as the store gave it."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A stored listing: ``digest`` is over its sorted lines, ``location`` its key in the bucket."""

    digest: str
    location: str
    objects: int
    bytes: int


def line(info: ObjectInfo | Listed) -> bytes:
    row = {"key": info.key, "size": info.size, "etag": info.etag}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def own_prefixes(source: ObjectStore, bucket: ObjectStore) -> tuple[str, ...]:
    """Where the product's own objects lie in a listing of the source: nowhere unless the bucket is it, or inside it."""
    outer, inner = (f"{store.url.rstrip('/')}/" for store in (source, bucket))
    if not inner.startswith(outer):
        return ()
    below = inner.removeprefix(outer)
    if inner.startswith("file://"):  # quoted there, taken literally in an S3 URL
        below = unquote(below, errors="surrogateescape")
    return tuple(below + prefix for prefix in OWN_PREFIXES)


def take(source: ObjectStore, bucket: ObjectStore) -> Listing:
    """List the source and keep the listing under its digest. Memory is bounded whatever the number of keys."""
    digest, count, total = hashlib.sha256(), 0, 0
    own = own_prefixes(source, bucket)
    with tempfile.NamedTemporaryFile(suffix=".jsonl.gz") as file:
        with gzip.GzipFile("", fileobj=file, mode="wb", mtime=0, compresslevel=6) as out:
            for info in source.list():
                if own and info.key.startswith(own):
                    continue
                body = line(info)
                digest.update(body)
                out.write(body)
                count, total = count + 1, total + info.size
        file.flush()
        location = f"facts/inventory/{digest.hexdigest()}.jsonl.gz"
        if not exists(bucket, location):
            bucket.put_if_absent(location, Path(file.name))
    return Listing("sha256:" + digest.hexdigest(), location, count, total)


def exists(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except ObjectMissing:
        return False
    return True


def read_listing(bucket: ObjectStore, location: str) -> Iterator[Listed]:
    """The listing again, in UTF-8 byte order of the keys, as it was taken."""
    with bucket.read(location) as raw, gzip.GzipFile(fileobj=raw, mode="rb") as lines:
        for body in lines:
            yield Listed(**json.loads(body))
