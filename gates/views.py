"""The pages of gates: the panel of a release, one page per gate, the policy, and the decisions asked for there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from gates import decisions, figures, standing
from gates.models import GateResult, Waiver
from gates.policy import current_policy
from gates.rules.registry import GATES
from mhds.access import allow, current_user
from mhds.errors import InvalidInput
from mhds.models import User
from mhds.roles import DATA_ROLES, Role
from releases.addressing import candidate_of
from releases.lifecycle import State
from releases.models import Candidate, ExclusionDecision, ObjectIssue

EVERYONE = allow(*DATA_ROLES)
ISSUES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Tile:
    """One gate of the panel: its current result, or the outdated one with the reason, or nothing yet."""

    gate: str
    title: str
    result: GateResult | None
    outdated: str

    @property
    def style(self) -> str:
        if self.result is None or self.outdated:
            return "waiting"
        return {"PASS": "pass", "FAIL": "fail"}.get(self.result.verdict, "error")

    @property
    def order(self) -> int:
        return {"error": 0, "fail": 0, "waiting": 1, "pass": 2}[self.style]

    @property
    def summary(self) -> str:
        if self.result is None:
            return "Not evaluated yet."
        findings = [one for one in self.result.findings if not one.get("settled_by")]
        if findings:
            more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
            return f"{findings[0]['message']}{more}"
        settled = len(self.result.findings)
        return f"{self.title}{f', with {settled} findings answered' if settled else ''}."


def tiles(candidate: Candidate) -> list[Tile]:
    """Failing first; a gate of the policy without a current verdict is shown as waiting, never left out."""
    return sorted(map(tile_of, standing.standing_results(candidate).values()), key=lambda tile: tile.order)


def tile_of(state: standing.Standing) -> Tile:
    title = GATES[state.gate].title if state.gate in GATES else state.gate
    return Tile(state.gate, title, state.result, state.outdated)


def _can_run(candidate: Candidate, user: User, shown: Sequence[Tile]) -> bool:
    """Offered where it changes something: what is blocked, and what is further on with a verdict that is outdated."""
    further = candidate.state in {State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED}
    useful = candidate.state == State.BLOCKED or (further and any(tile.outdated for tile in shown))
    return useful and user.holds(Role.ENGINEER, Role.LEAD)


@EVERYONE
@require_GET
def panel(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    found = tiles(candidate)
    context = {
        "section": "home",
        "release": candidate.release,
        "candidate": candidate,
        "tiles": found,
        "policy": current_policy(),
        "can_run": _can_run(candidate, current_user(request), found),
    }
    template = "gates/_panel.html" if request.headers.get("HX-Request") else "gates/panel.html"
    return render(request, template, context)


@EVERYONE
@require_GET
def gate(request: HttpRequest, version: str, gate: str) -> HttpResponse:
    """What was checked, the figures, the findings with evidence, and what to do next."""
    candidate = candidate_of(request, version)
    policy = current_policy()
    if gate not in policy.gates:
        raise Http404
    tile = tile_of(standing.standing_results(candidate)[gate])
    user = current_user(request)
    issues = _issues(candidate, gate)
    result = tile.result
    context: dict[str, Any] = {
        "section": "home",
        "release": candidate.release,
        "candidate": candidate,
        "gate": gate,
        "rules": GATES[gate],
        "gates": policy.gates,
        "result": tile.result,
        "outdated": tile.outdated,
        "tile": tile,
        "issues": issues,
        "undecided": sum(decision is None for _issue, decision in issues),
        "findings": sorted(result.findings, key=lambda one: bool(one.get("settled_by"))) if result else [],
        "figures": result.figures if result else {},
        "shown": figures.shown(gate, result.figures, result.findings, policy, request.GET) if result else {},
        "figure_templates": figures.templates(gate),
        "can_run": _can_run(candidate, user, [tile]),
        "can_decide": user.holds(Role.ENGINEER),
        "can_explain": user.holds(Role.LEAD),
        "can_grant": user.holds(Role.COMPLIANCE),
        "waivers": list(
            Waiver.objects.filter(content_digest=candidate.content_digest, gate=gate)
            .select_related("asked_by", "granted_by")
            .order_by("-asked_at")
        ),
    }
    return render(request, "gates/gate.html", context)


def _issues(candidate: Candidate, gate: str) -> list[tuple[ObjectIssue, ExclusionDecision | None]]:
    """What integrity asks the engineer to decide, undecided first."""
    if gate != "integrity":
        return []
    issues = list(candidate.issues.exclude(reason="source_not_approved").order_by("key")[:ISSUES_SHOWN])
    decided = {
        (one.key, one.etag, one.source_record, one.reason): one
        for one in ExclusionDecision.objects.filter(key__in={issue.key for issue in issues}).select_related("by")
    }
    pairs = [(one, decided.get((one.key, one.etag, one.source_record, one.reason))) for one in issues]
    return sorted(pairs, key=lambda pair: pair[1] is not None)


@EVERYONE
@require_GET
def policy(request: HttpRequest) -> HttpResponse:
    found = current_policy()
    return render(request, "gates/policy.html", {"section": "policy", "policy": found, "gates": GATES})


def _because(request: HttpRequest) -> str:
    because = request.POST.get("because", "").strip()
    if not because:
        raise InvalidInput("A reason is required.", hint="Say why in one sentence; it goes into the release.")
    return because


@allow(Role.ENGINEER)
@require_POST
def decide_exclusion(request: HttpRequest, version: str, issue_id: int) -> HttpResponse:
    candidate = candidate_of(request, version)
    issue = get_object_or_404(ObjectIssue, pk=issue_id, candidate=candidate)
    decisions.decide_exclusion(current_user(request), issue, _because(request))
    messages.success(request, "Recorded. Run the gates again when all is decided.")
    return redirect("gate", version=version, gate="integrity")


@allow(Role.COMPLIANCE)
@require_POST
def decide_source(request: HttpRequest, source_id: str) -> HttpResponse:
    kind = request.POST.get("kind", "")
    decisions.decide_source(current_user(request), source_id, kind, _because(request))
    messages.success(request, f"{source_id} is recorded as {kind}.")
    return redirect("catalog")


@allow(Role.LEAD)
@require_POST
def explain(request: HttpRequest, version: str, gate: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    decisions.explain_figure(current_user(request), candidate, request.POST.get("figure", ""), _because(request))
    messages.success(request, "Recorded. Run the gates again for it to count.")
    return redirect("gate", version=version, gate=gate)


@allow(Role.LEAD)
@require_POST
def ask_waiver(request: HttpRequest, version: str, gate: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    days = request.POST.get("days", "")
    if not days.isdigit() or not 1 <= int(days) <= 365:
        raise InvalidInput("Say for how many days, 1 to 365.")
    finding = request.POST.get("finding", "")
    decisions.ask_waiver(current_user(request), candidate, gate, [finding], reason=_because(request), days=int(days))
    messages.success(request, "Asked for. Compliance grants it on this page.")
    return redirect("gate", version=version, gate=gate)


@allow(Role.COMPLIANCE)
@require_POST
def grant_waiver(request: HttpRequest, version: str, gate: str, waiver_id: UUID) -> HttpResponse:
    decisions.grant_waiver(current_user(request), get_object_or_404(Waiver, pk=waiver_id, gate=gate))
    messages.success(request, "Granted. Run the gates again for it to count.")
    return redirect("gate", version=version, gate=gate)
