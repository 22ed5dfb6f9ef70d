"""The pages of compliance and of the engineer for what the privacy scan found. The rules are ``text_access``'s.

An address holds a version, a candidate's number and a record id; the text is in the body of one answer and nowhere
else.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from gates.policy import current_policy
from mhds.access import allow, current_user
from mhds.roles import Role
from releases.addressing import candidate_of
from releases.models import Candidate
from reviews import text_access
from reviews.excerpts import AROUND
from reviews.findings import Filters

LOOKERS = allow(Role.COMPLIANCE, Role.ENGINEER)
ROWS = 50


@LOOKERS
@require_GET
def findings(request: HttpRequest, version: str) -> HttpResponse:
    candidate, user = candidate_of(request, version), current_user(request)
    chosen = Filters(**{name: request.GET.get(name, "")[:120] for name in ("kind", "family", "split")})
    found = text_access.list_findings(user, candidate, chosen)
    page = Paginator(range(len(found)), ROWS).get_page(request.GET.get("page"))
    context = {
        "found": found,
        "chosen": chosen,
        "page": page,
        "rows": found[page.start_index() - 1 : page.end_index()] if len(found) else [],
        "threshold_bp": current_policy().threshold_bp,
        "is_compliance": user.holds(Role.COMPLIANCE),
    }
    return _shown(request, "reviews/findings.html", candidate, context)


@LOOKERS
@require_GET
def record(request: HttpRequest, version: str, record_id: str) -> HttpResponse:
    """What stands around the findings of one record, each of them masked."""
    candidate, user = candidate_of(request, version), current_user(request)
    context = {
        "record_id": record_id,
        "excerpts": text_access.read_around_findings(user, candidate, record_id),
        "can_reveal": user.holds(Role.COMPLIANCE),
        "around": AROUND,
    }
    return _shown(request, "reviews/excerpts.html", candidate, context)


@allow(Role.COMPLIANCE)
@require_POST
def reveal(request: HttpRequest, version: str, record_id: str) -> HttpResponse:
    """The whole record, in the answer to the reason and under no address of its own."""
    candidate = candidate_of(request, version)
    reason = request.POST.get("reason", "").strip()
    turns = text_access.reveal(current_user(request), candidate, record_id, reason)
    context = {"record_id": record_id, "turns": list(enumerate(turns, start=1)), "reason": reason}
    return _shown(request, "reviews/excerpts.html", candidate, context)


def _shown(request: HttpRequest, template: str, candidate: Candidate, context: dict[str, Any]) -> HttpResponse:
    about = {"section": "home", "release": candidate.release, "candidate": candidate}
    response = render(request, template, {**about, **context})
    response["Cache-Control"] = "no-store"
    return response
