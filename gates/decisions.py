"""What people decide about findings: waivers, explanations, exclusions, sources. One audited transaction each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from gates.models import Explanation, GateResult, Waiver
from gates.rules.base import UNWAIVABLE
from gates.rules.registry import GATES, rules_of
from mhds import audit
from mhds.access import require
from mhds.errors import Conflict, InvalidInput, NotAllowed
from mhds.models import User
from mhds.roles import Role
from releases import services as releases
from releases.build.plan import NOT_APPROVED
from releases.catalog.types import Catalog
from releases.models import Candidate, Contribution, ExclusionDecision, ObjectIssue, SourceDecision

MOST_DAYS = 366


@transaction.atomic
def ask_waiver(
    actor: User | None, candidate: Candidate, gate: str, ids: Sequence[str], *, reason: str, days: int
) -> Waiver:
    """A lead asks that these findings or rules (each written out) do not count against this content for ``days``."""
    lead = require(actor, Role.LEAD, doing="asking for a waiver")
    _no_contributor(lead, _frozen(candidate).content_digest)
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"A waiver holds for 1 to {MOST_DAYS} days.", hint="Say for how many.")
    now = timezone.now()
    waiver = Waiver.objects.create(
        content_digest=candidate.content_digest,
        gate=gate,
        ids=_waivable_ids(candidate, gate, ids),
        reason=_said(reason, "a reason"),
        expires_at=now + timedelta(days=days),
        asked_by=lead,
        asked_at=now,
    )
    audit.record(lead, "waiver.asked", f"candidate:{candidate.pk}", waiver=str(waiver.pk), gate=gate, ids=waiver.ids)
    return waiver


@transaction.atomic
def grant_waiver(actor: User | None, waiver: Waiver) -> Waiver:
    """Compliance, another person than the lead who asked, grants it. Neither may have contributed to the content."""
    person = require(actor, Role.COMPLIANCE, doing="granting a waiver")
    if waiver.asked_by_id == person.pk:
        raise NotAllowed("Who asked for a waiver does not grant it.", hint="Ask a colleague of compliance.")
    for one in (person, waiver.asked_by):
        _no_contributor(one, waiver.content_digest)
    now = timezone.now()
    changed = Waiver.objects.filter(pk=waiver.pk, granted_by=None, expires_at__gt=now).update(
        granted_by=person, granted_at=now
    )
    if not changed:
        raise Conflict("this waiver is granted already, or expired", hint="Reload and look again.")
    waiver.refresh_from_db()
    audit.record(person, "waiver.granted", f"content:{waiver.content_digest}", waiver=str(waiver.pk), gate=waiver.gate)
    return waiver


@transaction.atomic
def explain_figure(actor: User | None, candidate: Candidate, figure: str, text: str) -> Explanation:
    """A lead says why a figure that distribution found out of range or moved is right all the same."""
    lead = require(actor, Role.LEAD, doing="explaining a figure")
    found = _findings(candidate, "distribution")
    if figure not in {one["subject"] for one in found if one["explainable"]}:
        raise InvalidInput(f"No finding about {figure} asks for an explanation.", hint="Name a figure of the report.")
    explanation = Explanation.objects.create(
        content_digest=_frozen(candidate).content_digest,
        figure=figure,
        text=_said(text, "an explanation"),
        by=lead,
    )
    audit.record(lead, "figure.explained", f"candidate:{candidate.pk}", figure=figure, explanation=str(explanation.pk))
    return explanation


def decide_exclusion(actor: User | None, issue: ObjectIssue, because: str) -> ExclusionDecision:
    """The engineer's *exclude, because ...* about one refused object or bad record."""
    return decide_exclusions(actor, issue.candidate, [issue], because)[0]


@transaction.atomic
def decide_exclusions(
    actor: User | None, candidate: Candidate, issues: Iterable[ObjectIssue], because: str
) -> list[ExclusionDecision]:
    """The same decision about many issues of a candidate at once. Whoever decides has contributed to it."""
    engineer = require(actor, Role.ENGINEER, doing="excluding an object or a record")
    chosen = list(issues)
    if not chosen or any(one.candidate_id != candidate.pk for one in chosen):
        raise InvalidInput("Nothing to decide, or of another candidate.", hint="Choose issues of this candidate.")
    if any(one.reason == NOT_APPROVED for one in chosen):
        raise InvalidInput("Whether a source may be used is for compliance.", hint="Have compliance decide the source.")
    reason = _said(because, "a reason")
    made = ExclusionDecision.objects.bulk_create(
        [
            ExclusionDecision(
                key=one.key,
                etag=one.etag,
                source_record=one.source_record,
                reason=one.reason,
                because=reason,
                by=engineer,
            )
            for one in chosen
        ],
        batch_size=500,
    )
    releases.contributed(candidate, engineer, "exclusion")
    ids = [str(one.pk) for one in made[:100]]
    audit.record(engineer, "exclusion.decided", f"candidate:{candidate.pk}", decisions=len(made), first=ids)
    return made


@transaction.atomic
def decide_source(
    actor: User | None, source_id: str, kind: str, because: str, *, catalog: Catalog | None = None
) -> SourceDecision:
    """Compliance approves a source or records it as excluded; the decision is about the very row of the catalog."""
    person = require(actor, Role.COMPLIANCE, doing="deciding about a source")
    source = (catalog or releases.current_catalog()).source_by_id.get(source_id)
    if source is None:
        raise InvalidInput(f"The catalog has no source {source_id}.", hint="Have the engineer add its row first.")
    if kind not in SourceDecision.Kind.values:
        raise InvalidInput(f"{kind!r} is no decision.", hint="Decide approved or excluded.")
    never = source.forbidden
    if kind == SourceDecision.Kind.APPROVED and never:
        raise InvalidInput(f"{source_id} cannot be approved: {never}.", hint="Mend the row, or exclude the source.")
    decision = SourceDecision.objects.create(
        source_id=source_id, row_digest=source.digest, kind=kind, because=_said(because, "a reason"), by=person
    )
    audit.record(person, "source.decided", f"source:{source_id}", kind=kind, row=source.digest)
    return decision


def _said(text: str, what: str) -> str:
    words = text.strip()
    if not words:
        raise InvalidInput(f"Give {what}.")
    return words


def _frozen(candidate: Candidate) -> Candidate:
    if not candidate.content_digest:
        raise Conflict("the candidate is not built yet", hint="Build it first.")
    return candidate


def _no_contributor(person: User, content_digest: str) -> None:
    if Contribution.objects.filter(candidate__content_digest=content_digest, user=person).exists():
        raise NotAllowed(
            f"{person} contributed to this candidate and has no say in its waivers.",
            hint="Ask a colleague who had no hand in it.",
        )


def _findings(candidate: Candidate, gate: str) -> list[dict[str, object]]:
    """Findings of the gate's newest result about this content."""
    row = GateResult.objects.newest(candidate, gate)
    return list(row.findings) if row is not None else []


def _waivable_ids(candidate: Candidate, gate: str, ids: Sequence[str]) -> list[str]:
    """Sorted ids, each a rule of the gate or a finding of its newest result. A wildcard is neither."""
    if gate in UNWAIVABLE or gate not in GATES:
        raise InvalidInput(f"The gate {gate} cannot be waived.", hint="Mend what it found.")
    waivable = [one for one in _findings(candidate, gate) if one["waivable"]]
    known = {str(one[name]) for one in waivable for name in ("id", "rule")}
    wrong = sorted(set(ids) - known)
    if wrong or not ids:
        listed = ", ".join(sorted(known & set(rules_of(GATES[gate])))) or "nothing"
        raise InvalidInput(
            f"Not a finding or rule that can be waived: {', '.join(wrong) or 'none was named'}.",
            hint=f"The newest result of {gate} has findings under {listed}.",
        )
    return sorted(set(ids))
