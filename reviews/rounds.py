"""Opening the four rounds of a candidate: which families, which plan, which rubric. Draws nothing, knows no score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from mhds import audit
from mhds.errors import Conflict, InvalidInput
from mhds.models import User
from releases.lifecycle import State
from releases.models import Candidate
from reviews import closing, plans, population, rubrics
from reviews.assignment import FULL_OVERLAP, LEAST_OVERLAP
from reviews.guards import lead_of, locked
from reviews.models import Round
from reviews.plans import DEFAULT_PLAN, PLANS, Plan, RoundKind
from reviews.standing import family_sizes
from reviews.statements import planned_sentence
from reviews.states import RoundState

BASIS = 10_000
DEFAULT_RUBRICS = {
    RoundKind.CLINICIAN_FOUNDATION: "clinician_qa",
    RoundKind.CLINICIAN_EDGE: "clinician_qa",
    RoundKind.BIAS_FOUNDATION: "bias_culture",
    RoundKind.PRIVACY: "privacy",
}
# The programme's own weighted rubric may stand in for the shipped one; privacy has no alternative.
RUBRIC_CHOICES = {
    RoundKind.CLINICIAN_FOUNDATION: ("clinician_qa", "programme_weighted_foundation"),
    RoundKind.CLINICIAN_EDGE: ("clinician_qa", "programme_weighted_edge"),
    RoundKind.BIAS_FOUNDATION: ("bias_culture", "programme_weighted_bias"),
    RoundKind.PRIVACY: ("privacy",),
}


@dataclass(frozen=True, slots=True)
class RoundPreview:
    """What a round would be, before it is opened. ``refusals`` empty means that the plan may be used."""

    kind: RoundKind
    families: list[str]
    population: int
    plan: Plan
    rubric: rubrics.Rubric
    refusals: list[str]
    sentence: str
    scorings: int


def preview(candidate: Candidate, plans_of: Mapping[RoundKind, str] | None = None) -> list[RoundPreview]:
    """The four rounds as they would be opened with these plans; counts the frozen files, changes nothing."""
    sizes = family_sizes(candidate)
    return [_preview(candidate, kind, _plan(plans_of, kind), sizes) for kind in RoundKind]


def _preview(candidate: Candidate, kind: RoundKind, plan: Plan, sizes: Mapping[str, int]) -> RoundPreview:
    families = population.families_of(kind, candidate.catalog_version.catalog)
    size = sum(sizes.get(family, 0) for family in families)
    return RoundPreview(
        kind=kind,
        families=families,
        population=size,
        plan=plan,
        rubric=rubrics.load(DEFAULT_RUBRICS[kind]),
        refusals=plans.refusals(plan, size, kind),
        sentence=planned_sentence(kind, families, size, plan),
        scorings=plans.scorings(min(plan.size, size), BASIS),
    )


def _plan(chosen: Mapping[RoundKind, str] | None, kind: RoundKind) -> Plan:
    plan_id = (chosen or {}).get(kind, DEFAULT_PLAN.id)
    if plan_id not in PLANS:
        raise InvalidInput(f"There is no plan {plan_id!r}.", hint=f"Plans: {', '.join(PLANS)}.")
    return PLANS[plan_id]


def _rubric(chosen: Mapping[RoundKind, str] | None, kind: RoundKind) -> rubrics.Rubric:
    rubric_id = (chosen or {}).get(kind, DEFAULT_RUBRICS[kind])
    if rubric_id not in RUBRIC_CHOICES[kind]:
        allowed = ", ".join(RUBRIC_CHOICES[kind])
        raise InvalidInput(f"The rubric {rubric_id!r} is not for {kind}.", hint=f"It takes one of: {allowed}.")
    return rubrics.load(rubric_id)


def open_rounds(
    candidate: Candidate,
    *,
    actor: User | None,
    plans: Mapping[RoundKind, str] | None = None,
    rubrics: Mapping[RoundKind, str] | None = None,
    overlap_bp: int = BASIS,
    strata: Mapping[RoundKind, Mapping[str, int | None]] | None = None,
) -> list[Round]:
    """All four rounds at once, each with its plan chosen before any draw. The candidate must be in review.

    A round without a record to draw from is evaluated at once: *inconclusive*, or, where no family of the catalog
    asks for it, a pass that says that nobody asked.
    """
    lead = lead_of(actor, candidate, "opening rounds")
    check_overlap(overlap_bp)
    sizes = population.sizes(population.load(candidate))
    drafts = [
        _draft(candidate, _preview(candidate, kind, _plan(plans, kind), sizes), _rubric(rubrics, kind), lead)
        for kind in RoundKind
    ]
    for round_ in drafts:
        round_.overlap_bp = overlap_bp
        round_.strata = _strata(round_, (strata or {}).get(round_.round_kind, {}))
    return _save(candidate, drafts, lead)


def check_overlap(overlap_bp: int) -> None:
    if not int(LEAST_OVERLAP * BASIS) <= overlap_bp <= int(FULL_OVERLAP * BASIS):
        raise InvalidInput("The overlap must lie between 5,000 and 10,000 basis points.")


def _strata(round_: Round, wanted: Mapping[str, int | None]) -> dict[str, int | None]:
    for label, size in wanted.items():
        known = label in (population.CRISIS, population.FLAGGED) or label.startswith(population.LANGUAGE)
        if not known or (size is not None and size < 1):
            raise InvalidInput(f"Round {round_.kind}: {label!r} is no targeted look of one record or more.")
    return dict(wanted)


def _draft(candidate: Candidate, shown: RoundPreview, rubric: rubrics.Rubric, lead: User) -> Round:
    if shown.population and shown.refusals:
        raise InvalidInput(
            f"Round {shown.kind}: the plan {shown.plan.title} cannot be used: {'; '.join(shown.refusals)}.",
            hint="Choose another plan.",
        )
    return Round(
        candidate=candidate,
        kind=shown.kind,
        content_digest=candidate.content_digest,
        plan_data=asdict(shown.plan),
        plan_digest=shown.plan.digest,
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        rubric_digest=rubric.digest,
        families=shown.families,
        population=shown.population,
        opened_by=lead,
        opened_at=timezone.now(),
    )


@transaction.atomic
def _save(candidate: Candidate, drafts: Iterable[Round], lead: User) -> list[Round]:
    locked(candidate, State.IN_REVIEW)
    opened = list(drafts)
    try:
        with transaction.atomic():
            for round_ in opened:
                round_.save(force_insert=True)
    except IntegrityError:
        raise Conflict("the rounds of this candidate are open already", hint="Reload and look again.") from None
    summary: dict[str, Any] = {one.kind: [one.plan_data["id"], one.rubric_digest, one.population] for one in opened}
    audit.record(lead, "rounds.opened", f"candidate:{candidate.pk}", rounds=summary, digest=candidate.content_digest)
    for round_ in opened:
        if round_.population == 0:
            closing.evaluate(round_, lead)
    return opened


def tighten(round_: Round, plan_id: str, *, actor: User | None) -> Round:
    """Another plan for a round not yet drawn; only a stricter one."""
    lead = lead_of(actor, round_.candidate, "tightening a plan")
    with transaction.atomic():
        locked(round_.candidate, State.IN_REVIEW)
        seen = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
        if seen.state != RoundState.PLANNED:
            raise Conflict("this round is drawn already", hint="A plan is chosen before the draw.")
        before, plan = seen.plan_digest, plans.tighten(seen.plan, _plan({seen.round_kind: plan_id}, seen.round_kind))
        refused = plans.refusals(plan, seen.population, seen.round_kind)
        if refused:
            raise InvalidInput(f"The plan {plan.title} cannot be used: {'; '.join(refused)}.")
        seen.plan_data, seen.plan_digest = asdict(plan), plan.digest
        seen.save(update_fields=["plan_data", "plan_digest"])
        audit.record(lead, "round.tightened", f"round:{seen.pk}", before=before, after=plan.digest)
    return seen
