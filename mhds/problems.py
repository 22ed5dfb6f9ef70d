"""RFC 9457 problem details: how the API says what went wrong. Owns the body; knows no endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from mhds.errors import Blocked, MhdsError

TYPE = "/api/v1/problems/"
JSON = ("application/problem+json", "application/json")


def prefers_json(request: HttpRequest) -> bool:
    """Whoever says so gets JSON; a browser, ``*/*`` and silence get the page."""
    return request.get_preferred_type(["text/html", *JSON]) in JSON


def problem(code: str, status: int, title: str, detail: str = "", **extra: Any) -> dict[str, Any]:
    body = {"type": TYPE + code, "code": code, "title": title, "status": status, "detail": detail, **extra}
    return {key: value for key, value in body.items() if value not in ("", None)}


def respond(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JsonResponse:
    return JsonResponse(
        dict(body), status=int(body["status"]), content_type="application/problem+json", headers=dict(headers or {})
    )


def problem_details(error: MhdsError) -> JsonResponse:
    extra = {"blockers": error.blockers} if isinstance(error, Blocked) else {}
    return respond(problem(error.code, error.status, error.message, error.hint, **extra))


def problem_response(error: Exception, _context: Mapping[str, Any]) -> JsonResponse | Response | None:
    """DRF's exception handler: every error of the tree, and DRF's own, in one shape."""
    if isinstance(error, MhdsError):
        return problem_details(error)
    if isinstance(error, Http404):
        return respond(problem("not-found", 404, "There is no such thing."))
    if isinstance(error, APIException):
        headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
        code = str(error.default_code).replace("_", "-")
        return respond(problem(code, error.status_code, str(error.default_detail), **_fields(error)), headers)
    return None


def _fields(error: APIException) -> dict[str, Any]:
    return {"fields": error.detail} if isinstance(error.detail, dict) else {}
