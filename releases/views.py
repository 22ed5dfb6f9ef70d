"""The pages of releases, coverage, inventory and catalog. Reads and renders; every write is a service call."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from mhds.access import allow, current_user, signed_in
from mhds.models import User, WorkState
from mhds.roles import DATA_ROLES, Role
from releases import accounts, board, coverage, history, next_acts, services, starting, stores
from releases.abandoning import may_abandon
from releases.catalog.export import export_catalog
from releases.lifecycle import State
from releases.models import Candidate, CatalogVersion, Consumption, Release, Snapshot, SourceDecision

EVERYONE = allow(*DATA_ROLES)
RUNS_SHOWN = 50


@signed_in
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The board of releases; search and filter live in the address, so a view of it can be shared."""
    if not current_user(request).holds(*DATA_ROLES):
        return render(request, "home_admin.html", {"section": "home"})
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    releases = Release.objects.newest_first()
    if query:
        releases = releases.filter(
            Q(version__icontains=query) | Q(candidates__content_digest__icontains=query)
        ).distinct()
    if state in set(State):
        releases = releases.filter(candidates__state=state).distinct()
    page = Paginator(releases, 50).get_page(request.GET.get("page"))
    lines = board.lines(page, current_user(request))
    groups = [(name, [one for one in lines if board.group_of(one) == name]) for name in board.GROUPS]
    context = {
        "section": "home",
        "page": page,
        "groups": [(name, found) for name, found in groups if found],
        "query": query,
        "state": state,
        "states": list(State),
        "waiting": [one for one in lines if board.group_of(one) == board.GROUPS[0]],
        "others_wait": sum(board.group_of(one) == board.GROUPS[1] for one in lines),
        "can_build": current_user(request).holds(Role.ENGINEER),
    }
    return render(request, "releases/board.html", context)


def _release(version: str, request: HttpRequest) -> tuple[Release, Candidate | None]:
    """The release and the candidate meant: ``?candidate=2``, else the one the release shows."""
    return _chosen(version, request, _candidates(version))


def _chosen(version: str, request: HttpRequest, candidates: list[Candidate]) -> tuple[Release, Candidate | None]:
    number = request.GET.get("candidate", "")
    if number:
        chosen = next((one for one in candidates if str(one.number) == number), None)
        if chosen is None:
            raise Http404
        return chosen.release, chosen
    shown = board.shown(candidates)
    return (shown.release, shown) if shown else (get_object_or_404(Release, version=version), None)


def _candidates(version: str) -> list[Candidate]:
    related = Candidate.objects.select_related("release", "catalog_version", "snapshot", "built_by")
    return list(related.filter(release__version=version).order_by("number"))


@EVERYONE
@require_GET
def release(request: HttpRequest, version: str) -> HttpResponse:
    """The page of a release; asked by itself, only what moves, and the whole again once nothing does."""
    candidates = _candidates(version)
    found, candidate = _chosen(version, request, candidates)
    by_itself = bool(request.headers.get("HX-Request"))
    if by_itself and "line" in request.GET:
        one = board.line(found, candidate, current_user(request))
        shown = {"one": one, "fresh": True, "was": request.GET["line"]}
        return render(request, "releases/_line.html", shown)
    context: dict[str, Any] = {"section": "home", "release": found, "candidate": candidate}
    if candidate is not None:
        context |= _release_context(candidate, current_user(request))
        context["others"] = [one for one in reversed(candidates) if one != candidate]
    response = render(request, "releases/_live.html" if by_itself else "releases/release.html", context)
    if by_itself and not context.get("moving"):
        response["HX-Refresh"] = "true"
    return response


def _release_context(candidate: Candidate, user: User) -> dict[str, Any]:
    collected = board.collected(candidate)
    answer = board.answer(candidate, collected)
    work = list(board.work_of(candidate))
    events, contributors = history.of(candidate)
    catalog = candidate.catalog_version.catalog
    return {
        "answer": answer,
        "stations": board.stations(candidate, answer),
        "moving": board.is_moving(candidate, work),
        "work": [one for one in work if one.state != WorkState.DONE or one.progress],
        "exclusions": sorted(candidate.exclusions.items(), key=lambda pair: -pair[1]),
        "matrix": candidate.coverage,
        "weights": {family.id: family.weight_bp for family in catalog.families},
        "events": events[:12],
        "can_build": user.holds(Role.ENGINEER),
        "contributors": contributors,
        "steps": next_acts.steps_of(
            candidate, collected, user, contributed=any(one.user == user.pk for one in contributors)
        ),
        "can_abandon": may_abandon(candidate, user),
        "consumptions": _consumptions(candidate),
    }


def _consumptions(candidate: Candidate) -> list[Consumption]:
    """Which runs read a release that could be read, newest first."""
    if State(candidate.state) not in {State.PUBLISHED, State.WITHDRAWN}:
        return []
    rows = Consumption.objects.filter(publication__candidate=candidate).select_related("token")
    return list(rows.order_by("-at", "-id")[:RUNS_SHOWN])


@EVERYONE
@require_GET
def coverage_page(request: HttpRequest, version: str, form: str = "") -> HttpResponse:
    """The matrix of a candidate as page, JSON, CSV or Markdown."""
    found, candidate = _release(version, request)
    if candidate is None or not candidate.coverage:
        raise Http404
    return _coverage(request, candidate.coverage, form, name=version, release=found, candidate=candidate)


@EVERYONE
@require_GET
def inventory_page(request: HttpRequest, form: str = "") -> HttpResponse:
    """The newest snapshot with its provisional matrix; older ones by ``?snapshot=``."""
    wanted = request.GET.get("snapshot", "")
    snapshots = Snapshot.objects.order_by("-taken_at")
    chosen = snapshots.filter(digest=f"sha256:{wanted}").first() if wanted else snapshots.first()
    if chosen is None or not chosen.coverage:
        return render(request, "releases/inventory.html", {"section": "inventory", "snapshot": chosen})
    context = {"section": "inventory", "snapshot": chosen, "snapshots": snapshots[:20]}
    return _coverage(request, chosen.coverage, form, name="inventory", **context)


def _coverage(request: HttpRequest, matrix: dict[str, Any], form: str, *, name: str, **context: Any) -> HttpResponse:
    if form == "json":
        return JsonResponse(matrix, json_dumps_params={"indent": 1, "ensure_ascii": False})
    if form in {"csv", "md"}:
        body = coverage.as_csv(matrix) if form == "csv" else coverage.as_markdown(matrix)
        kind = "text/csv" if form == "csv" else "text/markdown"
        response = HttpResponse(body, content_type=f"{kind}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="coverage-{name}.{form}"'
        return response
    template = "releases/inventory.html" if name == "inventory" else "releases/coverage.html"
    statuses = coverage.statuses(matrix)
    present = sum(status == coverage.PRESENT for status in statuses.values())
    return render(request, template, {"matrix": matrix, "present": present, "section": "home", **context})


@EVERYONE
@require_GET
def objects_page(request: HttpRequest, version: str) -> HttpResponse:
    """Every object of the snapshot and how it ended, read from the account in the bucket."""
    found, candidate = _release(version, request)
    if candidate is None or not candidate.objects_key:
        raise Http404
    status, family, query = (request.GET.get(name, "") for name in ("status", "family", "q"))
    rows = [
        row
        for row in accounts.read_lines(stores.bucket(), candidate.objects_key)
        if (not status or row["status"] == status)
        and (not family or row["family"] == family)
        and (not query or query.casefold() in row["key"].casefold())
    ]
    context = {
        "section": "home",
        "release": found,
        "candidate": candidate,
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
        "status": status,
        "family": family,
        "query": query,
        "statuses": sorted(candidate.objects_by_status),
        "families": [row["id"] for row in candidate.coverage.get("families", [])],
    }
    return render(request, "releases/objects.html", context)


@EVERYONE
@require_GET
def catalog_page(request: HttpRequest) -> HttpResponse:
    """Families, sources and who approved what."""
    version = CatalogVersion.objects.filter(is_current=True).select_related("created_by").first()
    if version is None:
        return render(request, "releases/catalog.html", {"section": "catalog"})
    catalog = version.catalog
    decisions = {row.row_digest: row for row in SourceDecision.objects.select_related("by").order_by("at")}
    sources = [
        (source, board.source_doubt(source, decisions.get(source.digest)), decisions.get(source.digest))
        for source in catalog.sources
    ]
    waiting = [one for one in sources if one[1] and (one[2] is None or one[2].kind == SourceDecision.Kind.APPROVED)]
    context = {
        "section": "catalog",
        "version": version,
        "catalog": catalog,
        "sources": sorted(sources, key=lambda one: (not one[1], one[0].family)),
        "waiting": waiting,
        "can_decide": current_user(request).holds(Role.COMPLIANCE),
    }
    return render(request, "releases/catalog.html", context)


@EVERYONE
@require_GET
def catalog_toml(_request: HttpRequest) -> HttpResponse:
    version = get_object_or_404(CatalogVersion, is_current=True)
    response = HttpResponse(export_catalog(version.catalog), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="catalog.toml"'
    return response


@allow(Role.ENGINEER)
@require_POST
def new_release(request: HttpRequest) -> HttpResponse:
    """Start a candidate: of the version named, or of a new release of today."""
    version = request.POST.get("version", "").strip() or services.next_version(timezone.now())
    candidate = starting.start(version, actor=current_user(request))
    messages.success(request, f"Candidate {candidate.number} of {version} is on its way.")
    return redirect("release", version=version)


@allow(Role.ENGINEER, Role.LEAD)
@require_POST
def run_gates_again(request: HttpRequest, version: str) -> HttpResponse:
    _found, candidate = _release(version, request)
    if candidate is None:
        raise Http404
    starting.start_gates(candidate, actor=current_user(request))
    messages.success(request, "The gates run again.")
    return redirect("release", version=version)
