"""Owns an object store in an S3 bucket, the only server module that speaks to boto3; knows no release.

Every release object is one ``PutObject`` with ``If-None-Match: *`` and its SHA-256: no multipart, no copy. A 412 may
be our own lost answer, so the object is read and compared: the same bytes are a success. Bounds: 5 s to connect, 15 s
for each read or answer, 3 attempts: about a minute for an operation on an endpoint that answers nothing.
"""

from __future__ import annotations

import os
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mhds.errors import ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused, StorageUnavailable
from mhds.storage.base import ObjectInfo, PutResult
from mhds.storage.keys import check_deletable, check_key, shown
from mhds.storage.s3errors import status_of, translated
from mhds.storage.streams import CountedReader, Readable, buffered, digest_and_size, open_body, same_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 15
ATTEMPTS = 3
_RACES = 4  # requests in all where each is answered 409: another writer is in flight
_WAIT_MS = 70
_PRESIGN_MAX_S = 7 * 24 * 3600  # the limit of SigV4


def make_client(*, strict_checksums: bool | None = None) -> S3Client:
    """A client for ``AWS_ENDPOINT_URL`` (the operator's environment and nothing else; default AWS).

    ``strict_checksums`` lets botocore add and verify checksums on every request; many stores that are not AWS
    break on that, so by default it is on for AWS only. Our own SHA-256 goes with every object either way.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    strict = _is_aws(endpoint) if strict_checksums is None else strict_checksums
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        request_checksum_calculation="when_supported" if strict else "when_required",
        response_checksum_validation="when_supported" if strict else "when_required",
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # botocore has it; its stubs do not yet
        max_pool_connections=32,
        signature_version="s3v4",
        s3={} if _is_aws(endpoint) else {"addressing_style": "path"},
    )
    with translated("(new client)"):
        return boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)


class S3Store:
    """An ``ObjectStore`` in a bucket, below ``prefix``. Safe for threads; a forked child makes its own client."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        name: str | None = None,
        read_only: bool = False,
        client: S3Client | None = None,
        strict_checksums: bool | None = None,
    ) -> None:
        self.bucket = bucket
        self.prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        self.name = name or bucket
        self.read_only = read_only
        self.url = f"s3://{bucket}/{self.prefix}"
        self._strict = strict_checksums
        self._given = client
        self._own: tuple[int, S3Client] | None = None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """1,000 keys a request. A listing out of order (a repeated page) raises ``StorageUnavailable``."""
        last = b""
        pages = self._client().get_paginator("list_objects_v2")
        with translated(prefix):
            # botocore itself asks for EncodingType=url and decodes: keys may hold what XML cannot.
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
                for item in page.get("Contents", ()):
                    key = item["Key"].removeprefix(self.prefix)
                    if key.encode() <= last:
                        if not key:  # the empty object that consoles make to show the prefix as a folder
                            continue
                        raise StorageUnavailable(f"the listing is out of order at {shown(key)}", hint="list again")
                    last = key.encode()
                    yield ObjectInfo(key, item["Size"], item["ETag"], item["LastModified"])

    def head(self, key: str) -> ObjectInfo:
        with translated(key):
            found = self._client().head_object(Bucket=self.bucket, Key=self._full(key))
        return ObjectInfo(key, found["ContentLength"], found["ETag"], found["LastModified"])

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        with self._opened(key) as (stream, _):
            yield stream

    def read_bytes(self, key: str) -> bytes:
        with self.read(key) as stream:
            return stream.read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        if start < 0 or length < 0:
            raise ValueError("a range has a start and a length of at least 0")
        if length == 0:  # HTTP has no empty range
            self.head(key)
            return b""
        wanted = f"bytes={start}-{start + length - 1}"
        with translated(key):
            answer = self._client().get_object(Bucket=self.bucket, Key=self._full(key), Range=wanted)
            if not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                answer["Body"].close()
                raise StorageRefused(f"{shown(key)}: the store ignores ranges", hint="run doctor")
            piece = answer["Body"].read()
        if len(piece) != length:
            raise ObjectDamaged(f"{shown(key)}: {len(piece)} bytes at {start} where {length} were asked for")
        return piece

    def put_if_absent(self, key: str, body: bytes | Path) -> PutResult:
        self._check_writable(key)
        return self._put(key, body, IfNoneMatch="*")

    def compare_and_swap(self, key: str, body: bytes, *, expected_etag: str | None) -> PutResult:
        """Losing to a writer of the same bytes is a success with ``created=False``, as after a lost response."""
        self._check_writable(key)
        if expected_etag is None:
            return self._put(key, body, IfNoneMatch="*")
        try:
            return self._put(key, body, IfMatch=expected_etag)
        except ObjectMissing:
            raise ObjectConflict(f"{shown(key)} is gone", hint="read it again and decide anew") from None

    def delete(self, key: str) -> None:
        self._check_writable(key)
        check_deletable(key)
        with translated(key):
            self._client().delete_object(Bucket=self.bucket, Key=self._full(key))

    def presign(self, key: str, *, expires_s: int) -> str | None:
        if not 0 < expires_s <= _PRESIGN_MAX_S:
            raise ValueError("a signed URL lives from 1 second to 7 days")
        where = {"Bucket": self.bucket, "Key": self._full(key)}
        with translated(key):
            return self._client().generate_presigned_url("get_object", Params=where, ExpiresIn=expires_s)

    def rejects_wrong_checksum(self, key: str) -> bool:
        """For ``examine``: True if the store refuses a body that is not what its SHA-256 says, storing nothing."""
        wrong = b64encode(bytes(32)).decode()
        try:
            with translated(key):
                self._client().put_object(Bucket=self.bucket, Key=self._full(key), Body=b"body", ChecksumSHA256=wrong)
        except (StorageRefused, StorageUnavailable):
            return not any(self.list(key))
        return False

    def endpoint_class(self) -> str:
        return "aws" if _is_aws(self._client().meta.endpoint_url) else "s3-compatible"

    def another_client(self) -> S3Store:
        return S3Store(self.bucket, self.prefix, name=self.name, strict_checksums=self._strict, client=self._given)

    # How it is done

    def _client(self) -> S3Client:
        if self._given is not None:
            return self._given
        if self._own is None or self._own[0] != os.getpid():  # sockets must not be shared across a fork
            self._own = os.getpid(), make_client(strict_checksums=self._strict)
        return self._own[1]

    def _full(self, key: str) -> str:
        return check_key(self.prefix + check_key(key))

    def _check_writable(self, key: str) -> None:
        if self.read_only:
            raise StorageRefused(f"{self.name} is read-only; {shown(key)} was not touched")
        check_key(key)

    def _put(self, key: str, body: bytes | Path, **condition: str) -> PutResult:
        with open_body(body) as stream:
            digest, size = digest_and_size(stream)

            def send() -> str:
                stream.seek(0)
                return self._client().put_object(
                    Bucket=self.bucket,
                    Key=self._full(key),
                    Body=stream,
                    ContentLength=size,
                    ChecksumSHA256=b64encode(digest).decode(),
                    **condition,  # type: ignore[arg-type]  # IfMatch or IfNoneMatch
                )["ETag"]

            try:
                with translated(key):
                    return PutResult(_through_races(send), created=True)
            except ObjectConflict:
                return self._compared(key, body)

    def _compared(self, key: str, body: bytes | Path) -> PutResult:
        with self._opened(key) as (stored, etag):
            if same_bytes(body, stored):
                return PutResult(etag, created=False)
        raise ObjectConflict(f"{shown(key)} exists with other bytes", hint="it was not touched; find its writer")

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[BinaryIO, str]]:
        with translated(key):
            answer = self._client().get_object(Bucket=self.bucket, Key=self._full(key))
        with _closing(answer):
            reader = CountedReader(_Body(answer, key), key=key, size=self._size(answer, key), at_end=lambda: None)
            with buffered(reader) as stream:
                yield stream, answer["ETag"]

    def _size(self, answer: GetObjectOutputTypeDef, key: str) -> int:
        """How many bytes must come. Without Content-Length a cut body looks complete, so the head is asked."""
        if "content-length" in answer["ResponseMetadata"]["HTTPHeaders"]:
            return answer["ContentLength"]
        found = self.head(key)
        if found.etag != answer["ETag"]:
            raise StorageUnavailable(f"{shown(key)} changed while it was read", hint="read it again")
        return found.size


class _Body(Readable):
    """A response body whose failures are the project's errors."""

    def __init__(self, answer: GetObjectOutputTypeDef, key: str) -> None:
        self._body, self._key = answer["Body"], key

    def readinto(self, buffer: memoryview, /) -> int:
        with translated(self._key):
            piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _closing(answer: GetObjectOutputTypeDef) -> Iterator[None]:
    try:
        yield
    finally:
        answer["Body"].close()


def _through_races(send: Callable[[], str]) -> str:
    """Send until the answer is not 409; the last 409 is raised. Waits at random, doubling from about 0.1 s."""
    for attempt in range(_RACES - 1):
        try:
            return send()
        except ClientError as error:
            if status_of(error) != 409:
                raise
        time.sleep((_WAIT_MS + secrets.randbelow(_WAIT_MS)) / 1000 * 2**attempt)
    return send()


def _is_aws(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "https://s3.amazonaws.com").hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
