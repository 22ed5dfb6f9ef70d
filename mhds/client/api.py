"""Speaks to the REST API with a service token: the poll, a release's files by presigned URL, the consumption report."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from mhds.client.errors import (
    ClientError,
    IntegrityError,
    NotPublished,
    ReleaseWithdrawn,
    StorageForbidden,
    StorageMissing,
    StorageUnavailable,
    UsageError,
)
from mhds.client.fields import CONTENT_DIGEST, SHA256, VERSION, Fields
from mhds.client.transport import CHUNK, Body, collect

TIMEOUT_S = 60
LARGEST_ANSWER = 1 << 20


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would carry the bearer token along to wherever it is sent."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What the poll says. Ask again no sooner than ``poll_after_s`` seconds, with ``etag``."""

    channel: str
    sequence: int
    version: str
    prefix: str
    content_digest: str
    manifest_sha256: str
    state: str
    poll_after_s: int
    etag: str


class Api:
    """``base`` is the server's root, as in ``https://mhds.example``; to report, the token needs ``consume`` too."""

    def __init__(self, base: str, token: str) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("the API is named by its root URL, http(s)://host")
        if not token or not token.isascii() or not token.isprintable():
            raise UsageError("the API needs a token", hint="manage.py create_token NAME --scope read --scope consume")
        self.base = base.rstrip("/") + "/api/v1/"
        self._bearer = {"Authorization": f"Bearer {token}"}

    def channel(self, name: str, etag: str | None = None) -> ChannelState | None:
        """The channel now, or None for 304: nothing changed since ``etag``."""
        known = {"If-None-Match": etag} if etag else {}
        path = f"channels/{quote(name, safe='')}"
        try:
            with closing(self._call(path, headers=known)) as answer:
                return _channel_state(_limited(answer, path), answer.headers.get("ETag", ""))
        except _NotModified:
            return None
        except StorageMissing as error:
            raise NotPublished(f"channel {name} has no release: {error.message}") from None

    def release(self, version: str) -> dict[str, Any]:
        return self._get(f"releases/{version}")

    def report_consumption(self, report: Mapping[str, Any], idempotency_key: str) -> None:
        """POST what a run read. The same key again is the same report, so a retry counts once."""
        body = json.dumps(report, sort_keys=True).encode("utf-8")
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        self._call("consumptions", headers=headers, body=body).close()

    def open(self, path: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        return self._call(path, headers=headers or {})

    def _get(self, path: str) -> dict[str, Any]:
        with closing(self._call(path, headers={})) as answer:
            return _object(_limited(answer, path), path)

    def _call(self, path: str, *, headers: Mapping[str, str], body: bytes | None = None) -> http.client.HTTPResponse:
        return request(self.base + path, {**self._bearer, "Accept": "application/json", **headers}, body)


class ApiTransport:
    """One release through the API, without storage credentials. Keys as in the bucket: ``releases/<version>/...``."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.url = api.base

    def open(self, key: str, *, start: int = 0, etag: str | None = None) -> Body:
        folder, _, rest = key.partition("/")
        if folder == "withdrawals":
            return self._withdrawal(rest.removesuffix(".json"))
        version, _, path = rest.partition("/")
        if path == "manifest.json":
            return _body(self.api.open(f"releases/{version}/manifest"), start)
        told = self.api.open(f"releases/{version}/files/{quote(path)}")
        with closing(told):
            url = Fields(_object(_limited(told, path), path), "files").text("url")
        headers = {"Range": f"bytes={start}-"} if start else {}
        if etag:
            headers["If-Match"] = etag
        return _body(request(url, headers, None, presigned=True), start)

    def _withdrawal(self, version: str) -> Body:
        """The API answers 410 for a withdrawn release, which raises; any other state than published is doubt."""
        state = self.api.release(version).get("state")
        if state != "published":
            raise ReleaseWithdrawn(f"the API says that {version} is not published any more")
        raise StorageMissing(f"{version} is not withdrawn")


class _NotModified(ClientError):
    """304, on its way from ``request`` to ``Api.channel``."""


def request(
    url: str, headers: Mapping[str, str], body: bytes | None, *, presigned: bool = False
) -> http.client.HTTPResponse:
    """One HTTP exchange without redirects; every failure raises a ``ClientError`` that names no query string."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise IntegrityError("the API named a URL that is neither http nor https")
    asked = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310 - the scheme is checked above
    name = url.partition("?")[0]
    try:
        answer: http.client.HTTPResponse = _OPENER.open(asked, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error, name, presigned) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise StorageUnavailable(f"{name} cannot be reached ({type(error).__name__})") from None
    return answer


def _refusal(error: urllib.error.HTTPError, name: str, presigned: bool) -> ClientError:
    status = error.code
    if status == 304:
        return _NotModified("not modified")
    if status == 410:
        return ReleaseWithdrawn(f"the API answers 410 Gone: {_detail(error)}")
    if status in (412, 416):
        return IntegrityError(f"{name} changed while it was read, or is shorter than it was")
    if status in (401, 403):
        hint = "The presigned URL has expired." if presigned else "Check the token: scope, expiry, revocation."
        # A presigned URL lives for minutes; asking the API for a new one is the cure, and that is what a retry does.
        return (StorageUnavailable if presigned else StorageForbidden)(f"{name} answers {status}", hint=hint)
    if status == 404:
        return StorageMissing(f"{name} answers 404: {_detail(error)}")
    if status in (408, 425, 429) or status >= 500:
        return StorageUnavailable(f"{name} answers {status}")
    return UsageError(f"{name} answers {status}: {_detail(error)}")


def _detail(error: urllib.error.HTTPError) -> str:
    """The problem document's own words (RFC 9457), if it is one."""
    try:
        problem = json.loads(error.read(LARGEST_ANSWER))
        words = [str(problem[key])[:200] for key in ("title", "detail") if problem.get(key)]
    except (ValueError, AttributeError, OSError, http.client.HTTPException):
        return "no explanation"
    return ": ".join(words) or "no explanation"


def _body(answer: http.client.HTTPResponse, start: int) -> Body:
    if start and answer.status != 206:
        answer.close()
        raise IntegrityError("the server does not honour ranges; the file cannot be resumed")
    return Body(_chunks(answer), answer.headers.get("ETag"))


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    with closing(answer):
        try:
            while chunk := answer.read(CHUNK):
                yield chunk
            if answer.length:  # http.client ends a cut body like a whole one
                raise StorageUnavailable(f"the connection ended {answer.length} bytes early")
        except (http.client.HTTPException, OSError) as error:
            raise StorageUnavailable(f"the connection broke ({type(error).__name__})") from None


def _limited(answer: http.client.HTTPResponse, what: str) -> bytes:
    return collect(Body(_chunks(answer), None), f"the API's answer for {what}", LARGEST_ANSWER)


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise IntegrityError(f"the API's answer for {what} is not JSON") from None
    return Fields(value, what).value


def _channel_state(data: bytes, etag: str) -> ChannelState:
    told = Fields(_object(data, "channel"), "channel")
    return ChannelState(
        channel=told.text("channel"),
        sequence=told.count("sequence", least=1),
        version=told.text("version", VERSION),
        prefix=told.text("prefix"),
        content_digest=told.text("content_digest", CONTENT_DIGEST),
        manifest_sha256=told.text("manifest_sha256", SHA256),
        state=told.text("state"),
        poll_after_s=told.count("poll_after_s"),
        etag=etag,
    )
