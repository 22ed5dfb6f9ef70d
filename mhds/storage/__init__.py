"""Owns the choice of an object store by its URL; must not know what is kept in one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote_to_bytes

from mhds.errors import ConfigurationError
from mhds.storage.base import ObjectInfo, ObjectStore, PutResult
from mhds.storage.directory import DirectoryStore

__all__ = ["ObjectInfo", "ObjectStore", "PutResult", "open_store"]

_FILE, _S3 = "file://", "s3://"


def open_store(url: str, *, name: str | None = None, read_only: bool = False) -> ObjectStore:
    """The store at ``file:///absolute/path`` (percent-decoded) or ``s3://bucket/prefix`` (taken literally).

    Nothing is written and no request is made yet. ``ConfigurationError`` for any other URL.
    """
    if url.startswith(_FILE):
        return DirectoryStore(_directory(url), name=name or "local", read_only=read_only)
    if url.startswith(_S3):
        bucket, _, prefix = url.removeprefix(_S3).partition("/")
        if not bucket or "@" in bucket or ":" in bucket:
            raise ConfigurationError("a bucket URL is s3://bucket/prefix, without credentials or port")
        # boto3 takes 0.3 s and 30 MB to import: only processes that speak to S3 pay for it.
        from mhds.storage.s3 import S3Store  # noqa: PLC0415

        return S3Store(bucket, prefix, name=name, read_only=read_only)
    # Only the scheme is shown: a mistyped URL may hold credentials.
    scheme = url.partition("://")[0] if "://" in url else "(none)"
    raise ConfigurationError(f"a store is file:///path or s3://bucket/prefix, not {scheme!r}", hint="check the setting")


def _directory(url: str) -> Path:
    path = unquote_to_bytes(url.removeprefix(_FILE)).decode("utf-8", "surrogateescape")
    if not path.startswith("/") or path.strip("/") == "" or "\0" in path:
        raise ConfigurationError("a directory URL is file:/// and an absolute path, not the root of the machine")
    return Path(path)
