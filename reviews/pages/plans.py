"""What the plans offer before the rounds are opened: what each claims, its hours, its curve. Reads, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from gates.standing import blockers
from mhds.errors import Blocked, Conflict
from releases.models import Candidate
from reviews import curves, pace, plans, rounds
from reviews.pace import Pace
from reviews.plans import DEFAULT_PLAN, PLANS, Plan
from reviews.rounds import BASIS, RoundPreview


@dataclass(frozen=True, slots=True)
class Tier:
    """One plan for one round: what it would claim there and cost, or why it cannot be used."""

    plan: Plan
    refusals: list[str]
    claim: str
    drawn: int
    scorings: int
    hours: float
    is_default: bool

    @property
    def work(self) -> str:
        """``149 drawn, 0 allowed``; ``all 24 read, 0 allowed``."""
        reads_all = 0 < self.drawn < self.plan.size
        drawn = f"all {self.drawn:,} read" if reads_all else f"{self.plan.size:,} drawn"
        later = self.plan.stages[1:]
        if later and not reads_all:
            return f"{drawn}; on {later[0].accept} failure {later[0].size:,} more"
        return f"{drawn}, {self.plan.accept} allowed"


@dataclass(frozen=True, slots=True)
class Choice:
    preview: RoundPreview
    tiers: list[Tier]
    pace: Pace
    chart: curves.Chart | None

    @property
    def default(self) -> Tier:
        """The default plan where it can be used, else the first that can."""
        return next((tier for tier in self.tiers if tier.is_default), self.tiers[0])


@dataclass(frozen=True, slots=True)
class Offer:
    """The four rounds as they could be opened; ``held`` says why none can be now."""

    choices: list[Choice]
    held: str = ""

    @property
    def population(self) -> int:
        return max((one.preview.population for one in self.choices), default=0)

    @property
    def scorings(self) -> int:
        return sum(one.default.scorings for one in self.choices)

    @property
    def hours(self) -> float:
        return round(sum(one.default.hours for one in self.choices), 1)


def claim_words(plan: Plan, population: int) -> str:
    if not population:
        return "nothing: no record to draw from"
    stated = plans.claim(plan, population)
    if stated.all_read:
        return f"all {population:,} are read: a count, not an estimate"
    return f"fewer than {plans.percent(plan.limit_bp)}, at most {stated.at_most:,} of {population:,}"


def tiers(shown: RoundPreview, own: Pace) -> list[Tier]:
    """Every plan; of those that can be used here, the default is chosen, or the first where it cannot."""
    refused = {
        plan.id: plans.refusals(plan, shown.population, shown.kind) if shown.population else []
        for plan in PLANS.values()
    }
    usable = [plan for plan in PLANS.values() if not refused[plan.id]]
    chosen = DEFAULT_PLAN if DEFAULT_PLAN in usable or not usable else usable[0]
    found = []
    for plan in PLANS.values():
        drawn = min(plan.size, shown.population)
        scorings = plans.scorings(drawn, BASIS)
        found.append(
            Tier(
                plan=plan,
                refusals=refused[plan.id],
                claim="" if refused[plan.id] else claim_words(plan, shown.population),
                drawn=drawn,
                scorings=scorings,
                hours=plans.hours(scorings, own.minutes),
                is_default=plan == chosen,
            )
        )
    return found


def offer(candidate: Candidate) -> Offer:
    """The plans on offer, or why there are none now: the gates have to run again, for one."""
    waiting = blockers(candidate)
    if waiting:
        return Offer([], f"{waiting[0]}. Run the gates again.")
    try:
        shown = rounds.preview(candidate)
    except (Conflict, Blocked) as error:
        return Offer([], f"{error.message}. {error.hint}")
    known = pace.paces()
    return Offer([_choice(one, known[one.kind]) for one in shown])


def _choice(shown: RoundPreview, own: Pace) -> Choice:
    found = tiers(shown, own)
    usable = [tier.plan for tier in found if not tier.refusals]
    chosen = next((tier.plan for tier in found if tier.is_default), DEFAULT_PLAN)
    return Choice(shown, found, own, curves.chart(usable, shown.population, chosen) if shown.population else None)


def tighter(old: Plan, shown_kind: plans.RoundKind, population: int) -> list[Plan]:
    """The plans that an undrawn round could still be tightened to."""
    return [
        plan
        for plan in PLANS.values()
        if plans.tightens(old, plan) and not plans.refusals(plan, population, shown_kind)
    ]
