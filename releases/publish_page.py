"""The pages of publishing and giving up a candidate: what will be written, whether it may be, how far it is.

Reads and renders; the rules and the writes are in ``publishing.services`` and ``abandoning``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from mhds.access import allow, current_user
from mhds.errors import MhdsError
from mhds.models import User, WorkItem, WorkState
from mhds.roles import DATA_ROLES, Role
from releases import evidence, stores
from releases.abandoning import abandon
from releases.addressing import candidate_of
from releases.lifecycle import State
from releases.models import Candidate, ChannelMove, Publication, PublicationMark
from releases.publishing import asking, preview, services
from releases.starting import group_of

WRITING = {State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN}


@allow(*DATA_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, version: str) -> HttpResponse:
    """GET: how it stands. POST: a lead publishes what they saw; the service checks everything again."""
    candidate, user = candidate_of(request, version), current_user(request)
    if request.method == "POST":
        services.start_publish(candidate, user, request.POST.get("expected_digest", ""))
        return redirect(_address(candidate))
    publication = Publication.objects.filter(candidate=candidate).first()
    context: dict[str, Any] = {
        "section": "home",
        "release": candidate.release,
        "candidate": candidate,
        "publication": publication,
        "address": _address(candidate),
        "prefix": asking.prefix_of(candidate),
    }
    if State(candidate.state) in WRITING:
        context |= _progress(candidate, publication, user)
    context |= _standing(candidate, publication, user)
    if request.headers.get("HX-Request") and State(candidate.state) in WRITING:
        return render(request, "releases/_publishing.html", {**context, "fresh": True})
    return render(request, "releases/publish.html", context)


def _address(candidate: Candidate) -> str:
    return f"{reverse('publish', args=[candidate.release.version])}?{urlencode({'candidate': candidate.number})}"


def _standing(candidate: Candidate, publication: Publication | None, user: User) -> dict[str, Any]:
    """What will be written (or was), the checks, and for a lead for whom all holds the button."""
    if publication is not None:
        folders = preview.planned(publication.files, len(publication.manifest))
    else:
        folders = preview.frozen(candidate.files, candidate.records_out)
    context: dict[str, Any] = {"folders": folders, "total": preview.total(folders), "now": timezone.now()}
    if State(candidate.state) in WRITING:
        return context
    collected, written = evidence.collect(candidate), _written(candidate)
    others = asking.other_signers(candidate, user)
    reasons = asking.reasons(candidate, user, collected, others)
    if written:
        lie = "object lies" if written == 1 else "objects lie"
        reasons.append(asking.Reason(f"{written:,} {lie} under its prefix already", "build under a new version"))
    checks = asking.checks(candidate, user, collected, others=others, written=written)
    return context | {
        "reasons": reasons,
        "checks": checks,
        "held": sum(one.holds is True for one in checks),
        "channel": asking.channel(),
    }


def _written(candidate: Candidate) -> int | None:
    """How many objects lie under the prefix; None where the bucket does not say."""
    try:
        return sum(1 for _one in stores.bucket().list(asking.prefix_of(candidate)))
    except MhdsError:
        return None


def _progress(candidate: Candidate, publication: Publication | None, user: User) -> dict[str, Any]:
    work = WorkItem.objects.filter(kind=services.PUBLISH, group=group_of(candidate)).order_by("created_at").last()
    marks = set(publication.marks.values_list("name", flat=True)) if publication else set()
    published = candidate.state != State.PUBLISHING
    pointed = PublicationMark.Name.POINTED in marks
    failed = not pointed and (bool(candidate.error) or (work is not None and work.state == WorkState.FAILED))
    return {
        "work": work,
        "failed": failed,
        "writing": not failed and not pointed and candidate.state in {State.PUBLISHING, State.PUBLISHED},
        "written": _written(candidate) if not published else None,
        "expected": len(publication.files) + 1 if publication else None,
        "verified": PublicationMark.Name.VERIFIED in marks,
        "published": published,
        "pointed": pointed,
        "can_retry": failed and user.holds(Role.LEAD),
        "url": f"{stores.bucket().url.rstrip('/')}/{asking.prefix_of(candidate)}",
        "move": ChannelMove.objects.filter(publication=publication).order_by("sequence").first()
        if publication
        else None,
        "consumed": publication.consumptions.count() if publication and published else 0,
    }


@allow(Role.LEAD)
@require_POST
def retry(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    services.retry_publish(candidate, current_user(request))
    return redirect(_address(candidate))


@allow(Role.LEAD, Role.ENGINEER)
@require_POST
def abandon_candidate(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    abandon(candidate, current_user(request), request.POST.get("reason", ""))
    messages.success(request, f"Candidate {candidate.number} of {version} is abandoned.")
    return redirect(f"{reverse('release', args=[version])}?{urlencode({'candidate': candidate.number})}")
