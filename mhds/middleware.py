"""What wraps every request: headers, the reader's time zone, deny by default, errors in words. Knows no app."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from mhds import audit
from mhds.access import ACCESS
from mhds.errors import MhdsError, NotAllowed
from mhds.models import User
from mhds.problems import prefers_json, problem_details
from mhds.work.run import crash_site

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SafeHeaders:
    """Pages are never cached: a shared computer shows nothing after sign-out. Static files keep their header."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


class ReadersTimeZone:
    """Times are stored in UTC and shown in the reader's own zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        zone = request.user.time_zone if isinstance(request.user, User) else "UTC"
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.activate(zoneinfo.ZoneInfo("UTC"))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


class DenyByDefault:
    """A view without a rule is closed to everyone, and a person without a named role does not get in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        rule = getattr(view, ACCESS, None)
        if rule == "public" or hasattr(view, "cls"):  # DRF views are closed by their own permission class
            return None
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        if rule is None or not request.user.roles.intersection(rule):
            audit.record(request.user, "refused.page", request.path[:200], method=request.method)
            return problem_page(request, NotAllowed("This page is not for your role.", hint="Ask an administrator."))
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = "/sign-in/"
        return response
    target = request.get_full_path() if request.method == "GET" else "/"
    return redirect(f"/sign-in/?next={quote(target)}")


class ErrorPages:
    """An error of the tree becomes a page with what happened and what to do; any other becomes a plain 500."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, MhdsError):
            if isinstance(error, NotAllowed):
                who = request.user if isinstance(request.user, User) else None
                audit.record(who, "refused.act", request.path[:200], method=request.method, why=error.message[:300])
            return problem_page(request, error)
        if isinstance(error, ValueError | TypeError | LookupError | ArithmeticError | RuntimeError):
            # One line without the message: it may quote a conversation.
            log.error("500 at %s: %s", request.resolver_match and request.resolver_match.view_name, crash_site(error))
            return render(request, "500.html", status=500)
        return None


def problem_page(request: HttpRequest, error: MhdsError) -> HttpResponse:
    """The same refusal for whoever asks: a page, a fragment of one, or problem details where JSON is preferred."""
    if prefers_json(request):
        return problem_details(error)
    template = "_problem.html" if request.headers.get("HX-Request") else "problem.html"
    return render(request, template, {"error": error}, status=error.status)
