"""Reads objects by explicit key from S3 or a directory: the only module of the client that speaks S3. Never lists."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from mhds.client.errors import (
    DigestMismatch,
    IntegrityError,
    StorageForbidden,
    StorageMissing,
    StorageUnavailable,
    StorageUnreadable,
    UsageError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK = 1 << 20
TRIES = 4
FIRST_WAIT_S = 0.2
_MISSING = {"NoSuchKey", "404", "NotFound"}
_FORBIDDEN = {"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
_MOVED = {"PreconditionFailed", "412", "InvalidRange", "416"}
_LEAST_PRIVILEGE = (
    "Check the credentials. Without s3:ListBucket on the bucket, S3 answers 403 for keys that do not exist."
)


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of one object from the asked offset to its end. ``etag`` pins a resumed read to the same object."""

    chunks: Iterator[bytes]
    etag: str | None


class Transport(Protocol):
    """``url`` ends in ``/``; keys are relative to it. ``open`` and its chunks raise ``StorageMissing``,
    ``StorageForbidden``, ``StorageUnreadable``, or ``StorageUnavailable`` (worth another try)."""

    url: str

    def open(self, key: str, *, start: int = 0, etag: str | None = None) -> Body: ...


def read_small(transport: Transport, key: str, *, limit: int) -> bytes:
    """The whole object; ``IntegrityError`` if it is longer than ``limit`` bytes (read no further than that)."""
    failures = 0
    while True:
        try:
            return collect(transport.open(key), f"{transport.url}{key}", limit)
        except StorageUnavailable:
            failures += 1
            if failures >= TRIES:
                raise
            time.sleep(FIRST_WAIT_S * 2**failures)


def collect(body: Body, name: str, limit: int) -> bytes:
    """All bytes of ``body``; ``IntegrityError`` as soon as there are more than ``limit``."""
    parts, total = [], 0
    for chunk in body.chunks:
        total += len(chunk)
        if total > limit:
            raise IntegrityError(f"{name} is longer than {limit} bytes, the most that such a file may have")
        parts.append(chunk)
    return b"".join(parts)


def stream(transport: Transport, key: str, size: int) -> Iterator[bytes]:
    """Exactly ``size`` bytes of the object. A cut connection resumes where it stopped, pinned to the first ETag.

    Raises ``DigestMismatch`` if the object is longer or ends sooner, and what ``Transport`` raises after ``TRIES``
    tries without progress.
    """
    received, failures, etag = 0, 0, None
    while received < size or size == 0:
        before = received
        try:
            body = transport.open(key, start=received, etag=etag)
            etag = etag or body.etag
            for chunk in body.chunks:
                received += len(chunk)
                if received > size:
                    raise DigestMismatch(f"bytes of {key}", expected=size, actual=f"at least {received}")
                yield chunk
            if received < size:
                raise DigestMismatch(f"bytes of {key}", expected=size, actual=received)
        except StorageUnavailable:
            failures = 1 if received > before else failures + 1
            if failures >= TRIES:
                raise
            time.sleep(FIRST_WAIT_S * 2**failures)
            continue
        return


class DirectoryTransport:
    """A directory tree with the layout of the bucket."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri().rstrip("/") + "/"

    def open(self, key: str, *, start: int = 0, etag: str | None = None) -> Body:
        path = self.root / key
        try:
            if not path.is_file():
                self._explain(path, key)
            return Body(_file_chunks(path, start), etag)
        except PermissionError:
            raise StorageForbidden(f"{self.url}{key} may not be read by this user") from None

    def _explain(self, path: Path, key: str) -> None:
        """Absent, or in the way? Only a clean absence (each parent a directory, or absent too) is *missing*."""
        nearest = next(parent for parent in path.parents if parent.exists() or parent.is_symlink())
        if path.exists() or path.is_symlink() or not nearest.is_dir():
            raise StorageUnreadable(f"{self.url}{key} is there, but is no readable file")
        raise StorageMissing(f"{self.url}{key} does not exist")


def _file_chunks(path: Path, start: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(start)
            while chunk := file.read(CHUNK):
                yield chunk
    except PermissionError:
        raise StorageForbidden(f"{path} may not be read by this user") from None
    except OSError as error:
        raise StorageUnreadable(f"{path} cannot be read: {error.strerror}") from None


class S3Transport:
    """A prefix of a bucket, by boto3's default credentials; ``AWS_ENDPOINT_URL`` and ``AWS_REGION`` are honoured."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.url = f"s3://{bucket}/{prefix}"
        self._client, self._client_error, self._failures = _connect()

    def open(self, key: str, *, start: int = 0, etag: str | None = None) -> Body:
        asked: dict[str, Any] = {"Range": f"bytes={start}-"} if start else {}
        if etag:
            asked["IfMatch"] = etag
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key, **asked)
        except self._client_error as error:
            raise self._translate(error.response["Error"]["Code"], key) from None
        except self._failures as error:
            raise _unreachable(error, f"{self.url}{key}") from None
        return Body(self._chunks(answer["Body"], key), answer["ETag"])

    def _chunks(self, body: Any, key: str) -> Iterator[bytes]:
        with closing(body):
            try:
                while chunk := body.read(CHUNK):
                    yield chunk
            except self._failures as error:
                raise _unreachable(error, f"{self.url}{key}") from None

    def _translate(self, code: str, key: str) -> Exception:
        name = f"{self.url}{key}"
        if code in _MISSING:
            return StorageMissing(f"{name} does not exist")
        if code in _FORBIDDEN:
            return StorageForbidden(f"{name} may not be read ({code})", hint=_LEAST_PRIVILEGE)
        if code in _MOVED:
            return IntegrityError(f"{name} changed while it was read, or is shorter than it was")
        if code == "NoSuchBucket":
            return StorageForbidden(f"there is no bucket {self.bucket} for these credentials at this endpoint")
        return StorageUnavailable(f"{name} could not be read ({code})")


def _unreachable(error: BaseException, name: str) -> Exception:
    kind = type(error).__name__
    if "Credential" in kind or "Token" in kind or "Profile" in kind:
        return StorageForbidden(f"{name}: no usable credentials ({kind})", hint=_LEAST_PRIVILEGE)
    return StorageUnavailable(f"{name} could not be read ({kind})")


def _connect() -> tuple[S3Client, type[Any], tuple[type[BaseException], ...]]:
    # boto3 takes a third of a second to import, and a reader of a directory never needs it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    config = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 2},  # times TRIES of our own
        max_pool_connections=16,
        # Newer defaults send and expect checksums that many S3-compatible stores do not know; sha256 is checked here.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    failures = (BotoCoreError, HTTPError, OSError)
    try:
        return boto3.Session().client("s3", config=config), ClientError, failures
    except failures as error:
        raise _unreachable(error, "s3") from None
    except ValueError as error:
        raise UsageError(f"the S3 endpoint cannot be used: {error}") from None


def connect(root: str) -> Transport:
    """A transport for ``s3://bucket/prefix/``, ``file:///dir/`` or a plain path; raises ``UsageError``."""
    parts = urlsplit(root)
    if parts.scheme == "s3":
        if not parts.netloc or parts.query or parts.fragment:
            raise UsageError("an S3 prefix is s3://bucket/prefix/, without ? or #")
        return S3Transport(parts.netloc, parts.path.lstrip("/"))
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise UsageError("a file URL names no host: file:///dir/")
        return DirectoryTransport(Path(unquote(parts.path)))
    if "://" in root:
        raise UsageError(f"{parts.scheme}:// is no prefix; use s3://, file:// or a path, or open through the API")
    return DirectoryTransport(Path(root).absolute())
