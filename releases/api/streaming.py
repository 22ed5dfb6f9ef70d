"""Serves one file of a published release by a signed URL of our own, whole or in part. For stores without URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from mhds.storage.base import ObjectStore
from mhds.storage.streams import CHUNK
from releases import stores
from releases.api.errors import Changed, RangeRefused
from releases.api.urls_signed import opened

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class SignedFileView(APIView):
    """The signed URL is the permission; nothing else is looked at."""

    authentication_classes: Sequence[type[BaseAuthentication]] = []
    permission_classes: Sequence[type[BasePermission]] = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request, token: str) -> HttpResponseBase:
        found, row = opened(token)
        etag = f'"{row["sha256"]}"'
        if request.headers.get("If-Match", etag) not in (etag, "*"):
            raise Changed("The file is not the one that was read before.", hint="Start again from the manifest.")
        start, end = wanted(request.headers.get("Range"), row["bytes"])
        pieces = stream(stores.bucket(), found.prefix + row["path"], start, end)
        response = StreamingHttpResponse(pieces, content_type="application/octet-stream")
        response["Content-Length"] = str(end - start)
        if request.headers.get("Range"):
            response.status_code = 206
            response["Content-Range"] = f"bytes {start}-{end - 1}/{row['bytes']}"
        response["ETag"], response["Accept-Ranges"], response["Cache-Control"] = etag, "bytes", "no-store"
        response["Content-Disposition"] = "attachment"
        return response


def wanted(header: str | None, size: int) -> tuple[int, int]:
    """(first byte, byte after the last) of a single range; RangeRefused for any other."""
    if not header:
        return 0, size
    found = _RANGE.fullmatch(header)
    start, last = (int(found[1]), int(found[2] or size - 1)) if found else (size, 0)
    if start >= size or last < start:
        raise RangeRefused("The file has no such range.", hint="One range is served: bytes=N- or bytes=N-M.")
    return start, min(last + 1, size)


def stream(bucket: ObjectStore, key: str, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield bucket.read_range(key, at, min(CHUNK, end - at))
