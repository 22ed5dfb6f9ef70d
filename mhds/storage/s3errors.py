"""Owns the meaning of what S3 and botocore answer, in the project's own errors; must not make a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from mhds.errors import ObjectConflict, ObjectDamaged, ObjectMissing, StorageError, StorageRefused, StorageUnavailable
from mhds.storage.keys import shown

# The body that arrived is not the one that was sent, or came too slowly: the same request may do better.
_TRY_AGAIN = {"BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody", "RequestTimeout", "SlowDown"}


def status_of(error: ClientError) -> int:
    """The HTTP status of an answer, 0 if there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Raise what happens inside as ``StorageError`` or ``ObjectConflict``: the key, the code, and what to do."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, key) from None
    except FlexibleChecksumError:
        raise ObjectDamaged(f"{shown(key)}: the bytes differ from the store's own checksum of them") from None
    except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
        raise StorageUnavailable(
            f"{shown(key)}: {type(error).__name__}", hint="try again; is the endpoint up?"
        ) from None
    except BotoCoreError as error:
        hint = "check the credentials, the region, the bucket's name and AWS_ENDPOINT_URL"
        raise StorageRefused(f"{shown(key)}: {type(error).__name__}", hint=hint) from None


def _from_answer(error: ClientError, key: str) -> StorageError | ObjectConflict:
    status, code = status_of(error), error.response.get("Error", {}).get("Code", "")
    message = f"{shown(key)}: {code} (HTTP {status})"
    if code == "NoSuchBucket":
        return StorageRefused(message, hint="the bucket does not exist; check the URL")
    if status == 404:
        return ObjectMissing(message)
    if status == 412:
        return ObjectConflict(message, hint="the object is not the one expected; read it again")
    if status == 416:
        return ObjectDamaged(message, hint="the object is shorter than the range asked for")
    if code in _TRY_AGAIN or status in (409, 429) or (status >= 500 and status != 501):
        return StorageUnavailable(message, hint="try again later")
    if status == 501:
        return StorageRefused(message, hint="this store cannot do what is asked; run doctor")
    return StorageRefused(message, hint="check the credentials and the bucket's policy")
