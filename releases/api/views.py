"""The endpoints under ``/api/v1/``: HTTP in and out, conditional answers. What is told comes from ``reading``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mhds.client.canonical import encode_canonical
from releases import stores
from releases.api import consumptions, reading, shapes
from releases.api.access import BearerToken, CanConsume, CanRead, token_of
from releases.api.urls_signed import LIFETIME_S, listed, sign
from releases.channels import POLL_AFTER_S

# Kept by the asker, and asked about again each time: a withdrawal must not wait for a cache.
REVALIDATE = "private, no-cache"
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="the ETag of the last answer"
)
NOT_MODIFIED = OpenApiResponse(description="nothing changed since that ETag")


class _Endpoint(APIView):
    authentication_classes: Sequence[type[BaseAuthentication]] = [BearerToken]
    permission_classes: Sequence[type[BasePermission]] = [CanRead]


def conditional(request: Request, response: HttpResponseBase, digest: str) -> HttpResponseBase:
    """The response with a strong ETag, or 304 when the asker has exactly that."""
    etag = f'"{digest}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if known == ["*"] or etag in known or f"W/{etag}" in known:
        response = HttpResponse(status=304)
        del response["Content-Type"]
    response["ETag"] = etag
    response["Cache-Control"] = REVALIDATE
    return response


class ChannelView(_Endpoint):
    """The poll."""

    @extend_schema(
        operation_id="channel",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.ChannelState, 304: NOT_MODIFIED, **shapes.refusals(404, 410)},
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Which release the channel means. Ask with the last ETag, no sooner than `poll_after_s` seconds."""
        told = reading.channel_state(name)
        digest = hashlib.sha256(encode_canonical(told)).hexdigest()
        return conditional(request, Response(told), digest)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code in (200, 304, 404):
            response["Retry-After"] = str(POLL_AFTER_S)
        return response


class NewestFirst(CursorPagination):
    ordering = "-sequence"
    page_size = 50


class ReleasesView(_Endpoint):
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="releases",
        parameters=[OpenApiParameter("cursor", str, description="from `next` or `previous` of another page")],
        responses={200: shapes.ReleasePage, **shapes.refusals(404)},
    )
    def get(self, request: Request) -> Response:
        """Every published release, newest first."""
        pages = NewestFirst()
        rows = pages.paginate_queryset(reading.published().defer("manifest", "files"), request, view=self)
        return pages.get_paginated_response([reading.summary(one) for one in rows or []])


class ReleaseView(_Endpoint):
    @extend_schema(operation_id="release", responses={200: shapes.ReleaseDetail, **shapes.refusals(404, 410)})
    def get(self, request: Request, version: str) -> Response:  # noqa: ARG002  the signature is DRF's
        """State, digests, gates, sign-off and waivers of one release, as its manifest has them."""
        return Response(reading.detail(reading.publication(version)), headers={"Cache-Control": REVALIDATE})


class ManifestView(_Endpoint):
    @extend_schema(
        operation_id="manifest",
        parameters=[IF_NONE_MATCH],
        responses={
            (200, "application/json"): OpenApiResponse({"type": "object"}, "the exact bytes of manifest.json"),
            304: NOT_MODIFIED,
            **shapes.refusals(404, 410),
        },
    )
    def get(self, request: Request, version: str) -> HttpResponseBase:
        """The exact bytes that the digest and the signature are about."""
        found = reading.publication(version)
        response = HttpResponse(bytes(found.manifest), content_type="application/json")
        return conditional(request, response, found.manifest_sha256)


class FileView(_Endpoint):
    @extend_schema(operation_id="file_url", responses={200: shapes.FileUrl, **shapes.refusals(404, 410)})
    def get(self, request: Request, version: str, path: str) -> Response:
        """A URL to read one file of the release by, without the token, for five minutes."""
        found = reading.publication(version)
        row = listed(found, path)
        expires = timezone.now() + timedelta(seconds=LIFETIME_S)
        url = stores.bucket().presign(found.prefix + path, expires_s=LIFETIME_S)
        if url is None:
            url = request.build_absolute_uri(f"/api/v1/files/{sign(found, path)}")
        told = {"url": url, "expires_at": reading.utc(expires), "bytes": row["bytes"], "sha256": row["sha256"]}
        return Response(told, headers={"Cache-Control": "no-store"})


class EventsView(_Endpoint):
    @extend_schema(operation_id="events", responses={200: shapes.Events, **shapes.refusals(404)})
    def get(self, request: Request, version: str) -> Response:  # noqa: ARG002  the signature is DRF's
        """When the release was published, and withdrawn if it was."""
        found = reading.publication(version, withdrawn_too=True)
        return Response({"version": version, "events": reading.events(found)}, headers={"Cache-Control": REVALIDATE})


class UnknownView(_Endpoint):
    """Any other address: a problem document like every refusal, and for a token only."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str) -> Response:  # noqa: ARG002  the signature is DRF's
        raise Http404

    post = put = patch = delete = get


class ConsumptionsView(_Endpoint):
    permission_classes: Sequence[type[BasePermission]] = [CanConsume]

    @extend_schema(
        operation_id="report_consumption",
        request=shapes.ConsumptionReport,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)],
        responses={
            201: shapes.ConsumptionAnswer,
            200: OpenApiResponse(shapes.ConsumptionAnswer, "the same report was recorded before"),
            **shapes.refusals(400, 404, 409),
        },
    )
    def post(self, request: Request) -> Response:
        """Report what a run read. The same key and body again count once; another body under the key is refused."""
        key = consumptions.check_key(request.headers.get("Idempotency-Key"))
        report = shapes.ConsumptionReport(data=request.data)
        report.is_valid(raise_exception=True)
        row, new = consumptions.record(token_of(request), key, report.validated_data)
        return Response(consumptions.answer(row), status=201 if new else 200, headers={"Cache-Control": "no-store"})
