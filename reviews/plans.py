"""Sampling plans as data, and exactly what each can claim. Knows no records, people or scores; integers throughout.

A plan is chosen before the draw. It accepts on few failures because its claim is about a *limiting* rate: if more than
that share of the population failed, the plan would accept with a chance under 5 %. All figures are one-sided and exact:
hypergeometric for a population (the sample is drawn without replacement), binomial only for the curve of "any size".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import comb

from mhds.errors import Conflict, InvalidInput

# Consumer's risk: the chance that a population at the limiting rate is accepted stays under this.
RISK = Fraction(1, 20)
CONFIDENCE_PERCENT = 95
# True rates of the table beside the curve, in basis points (1 bp = 0.01 %).
TABLE_RATES_BP = (5, 10, 20, 50, 100, 200, 500)


class RoundKind(StrEnum):
    """The four rounds; all of them must pass before anyone signs."""

    CLINICIAN_FOUNDATION = "clinician_foundation"
    CLINICIAN_EDGE = "clinician_edge"
    BIAS_FOUNDATION = "bias_foundation"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class Stage:
    """Draw ``size`` more; accept at ``accept`` or fewer failures so far, reject at ``reject`` or more, else go on."""

    size: int
    accept: int
    reject: int


@dataclass(frozen=True, slots=True)
class Plan:
    """``limit_bp`` is the rate of critical failures that acceptance rules out; ``major_*``, of unacceptable records."""

    id: str
    title: str
    use: str
    limit_bp: int
    stages: tuple[Stage, ...]
    major_accept: int
    major_limit_bp: int
    minimum_population: int = 1

    def __post_init__(self) -> None:
        if not self.stages or any(stage.size < 1 or not 0 <= stage.accept < stage.reject for stage in self.stages):
            raise InvalidInput(f"Plan {self.id}: a stage draws at least one and rejects above what it accepts.")
        if self.stages[-1].reject != self.stages[-1].accept + 1:
            raise InvalidInput(f"Plan {self.id}: its last stage must decide.")
        if not (0 < self.limit_bp < 10_000 and 0 < self.major_limit_bp < 10_000 and self.major_accept >= 0):
            raise InvalidInput(f"Plan {self.id}: limits lie between 0 and 100 %, acceptance numbers are not negative.")

    @property
    def size(self) -> int:
        """Records of the first stage."""
        return self.stages[0].size

    @property
    def total_size(self) -> int:
        return sum(stage.size for stage in self.stages)

    @property
    def accept(self) -> int:
        """Most critical failures with which the plan can still accept."""
        return self.stages[-1].accept

    @property
    def digest(self) -> str:
        """What a signature names: any change of the plan is another digest."""
        body = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(body.encode("utf-8")).hexdigest()


PILOT = Plan("pilot", "Pilot", "internal experiments", 500, (Stage(59, 0, 1),), 1, 1000)
STANDARD = Plan("standard", "Standard", "ordinary fine-tuning", 200, (Stage(149, 0, 1),), 2, 500)
HIGH = Plan("high", "High", "crisis content, anything that meets patients", 100, (Stage(299, 0, 1),), 8, 500)
HIGH_TWO_STAGE = Plan(
    id="high_two_stage",
    title="High, two stages",
    use="as High, for large populations: fewer false alarms, more work in the first stage",
    limit_bp=100,
    stages=(Stage(350, 0, 2), Stage(164, 1, 2)),
    major_accept=8,
    major_limit_bp=500,
    minimum_population=3000,
)
PLANS = {plan.id: plan for plan in (PILOT, STANDARD, HIGH, HIGH_TWO_STAGE)}
DEFAULT_PLAN = STANDARD


@dataclass(frozen=True, slots=True)
class Claim:
    """What acceptance says: at most ``at_most`` of the population fail (at 95 %, or for sure where ``all_read``)."""

    population: int
    drawn: int
    all_read: bool
    at_most: int
    limit_bp: int

    @property
    def holds(self) -> bool:
        """Whether the rate is really below the limit; a claim of nothing about nobody does not hold."""
        return self.population > 0 and self.at_most * 10_000 < self.limit_bp * self.population


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """``chance`` of acceptance at a true rate; ``failing`` is that rate in records, None for any size."""

    rate_bp: int
    failing: int | None
    chance: float


def acceptance_chance(stages: tuple[Stage, ...], population: int, failing: int) -> Fraction:
    """Chance that a population with ``failing`` failures is accepted: hypergeometric, stage after stage."""
    if not 0 <= failing <= population:
        raise InvalidInput("Failures must lie between none and all of the population.")
    return _accept_finite(stages, population, failing, 0)


def _accept_finite(stages: tuple[Stage, ...], left: int, failing: int, found: int) -> Fraction:
    stage, later = stages[0], stages[1:]
    size = min(stage.size, left)
    chance = Fraction(0)
    for more in range(min(failing, size, stage.reject - 1 - found) + 1):
        ways = comb(failing, more) * comb(left - failing, size - more)
        if ways == 0:
            continue
        share = Fraction(ways, comb(left, size))
        if found + more <= stage.accept:
            chance += share
        elif later:
            chance += share * _accept_finite(later, left - size, failing - more, found + more)
    return chance


def acceptance_chance_any_size(stages: tuple[Stage, ...], rate: Fraction, found: int = 0) -> Fraction:
    """The same for a population without end: binomial."""
    stage, later = stages[0], stages[1:]
    chance = Fraction(0)
    for more in range(min(stage.size, stage.reject - 1 - found) + 1):
        share = comb(stage.size, more) * rate**more * (1 - rate) ** (stage.size - more)
        if found + more <= stage.accept:
            chance += share
        elif later:
            chance += share * acceptance_chance_any_size(later, rate, found + more)
    return chance


@lru_cache(maxsize=256)
def most_failures(stages: tuple[Stage, ...], population: int) -> int:
    """The largest number of failures in the population with which acceptance still has a chance of 5 % or more.

    Found by bisection: the chance falls as failures rise.
    """
    low, high = 0, population
    while low < high:
        middle = (low + high + 1) // 2
        if acceptance_chance(stages, population, middle) >= RISK:
            low = middle
        else:
            high = middle - 1
    return low


def claim(plan: Plan, population: int) -> Claim:
    """What the plan, once it accepts, says about critical failures in a population of that size."""
    _check_population(population)
    return _claim(plan.stages, population, plan.limit_bp)


def major_claim(plan: Plan, population: int) -> Claim:
    """The same for unacceptable records, with the acceptance number in force at that size."""
    _check_population(population)
    return _claim(_major_stages(plan, major_accept(plan, population)), population, plan.major_limit_bp)


def major_accept(plan: Plan, population: int) -> int:
    """How many unacceptable records the sample may hold: the plan's number, lowered until its claim holds here."""
    for number in range(plan.major_accept, 0, -1):
        if _claim(_major_stages(plan, number), population, plan.major_limit_bp).holds:
            return number
    return 0


def _major_stages(plan: Plan, number: int) -> tuple[Stage, ...]:
    return (Stage(plan.size, number, number + 1),)


def _claim(stages: tuple[Stage, ...], population: int, limit_bp: int) -> Claim:
    drawn = min(stages[0].size, population)
    return Claim(population, drawn, drawn == population, most_failures(stages, population), limit_bp)


def _check_population(population: int) -> None:
    if population < 0:
        raise InvalidInput("A population cannot be negative.")


def refusals(plan: Plan, population: int, kind: RoundKind | None = None) -> list[str]:
    """Why this plan cannot be used for this population, in words; empty means it can."""
    if population <= 0:
        return ["there is no conversation to draw from, so nothing could be claimed"]
    reasons = []
    if population < plan.minimum_population:
        reasons.append(
            f"{plan.title} is for {plan.minimum_population:,} conversations or more, here are {population:,}"
        )
    if kind is RoundKind.PRIVACY and plan.accept > 0:
        reasons.append("the privacy round accepts on zero only")
    stated = claim(plan, population)
    if not stated.holds:
        reasons.append(
            f"accepting {plan.accept} of {stated.drawn:,} cannot show fewer than {percent(plan.limit_bp)} among "
            f"{population:,}: up to {stated.at_most:,} ({percent(_rate_bp(stated))}) could fail unseen"
        )
    return reasons


def _rate_bp(stated: Claim) -> int:
    """Rounded up, so that a figure is never flattered."""
    return -(-stated.at_most * 10_000 // stated.population)


def percent(basis_points: int) -> str:
    """``150`` -> ``1.5 %``; no locale, no float."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}{f'.{rest:02d}'.rstrip('0') if rest else ''} %"


def curve(plan: Plan, population: int | None, rates_bp: Iterable[int] = TABLE_RATES_BP) -> list[CurvePoint]:
    """Chance of acceptance against the true rate; ``population`` None gives the curve of any size.

    In a population, a rate stands for the nearest whole number of failing records (half rounds up).
    """
    points = []
    for rate_bp in rates_bp:
        if population is None:
            chance = acceptance_chance_any_size(plan.stages, Fraction(rate_bp, 10_000))
            points.append(CurvePoint(rate_bp, None, float(chance)))
        else:
            failing = (2 * rate_bp * population + 10_000) // 20_000
            points.append(CurvePoint(rate_bp, failing, float(acceptance_chance(plan.stages, population, failing))))
    return points


def tightens(old: Plan, new: Plan) -> bool:
    """Whether ``new`` is stricter: whatever the old plan rejects on critical failures, the new one rejects too.

    Draws nest (the old sample is the beginning of the new one), so that is: no larger limit, no smaller sample, no
    larger acceptance number at any point, and something strictly stricter. Standard to High is; Standard to the two
    stages is not, because those forgive one failure that Standard does not.
    """
    if new.limit_bp > old.limit_bp or new.size < old.size or new.total_size < old.total_size:
        return False
    if new.accept > old.accept or new.stages[0].accept > old.stages[0].accept:
        return False
    if len(new.stages) > 1 and new.stages[0].reject > old.stages[0].reject:
        return False
    return (new.limit_bp, -new.size, new.accept) < (old.limit_bp, -old.size, old.accept)


def tighten(old: Plan, new: Plan) -> Plan:
    """The plan in force after a change; Conflict if that would loosen anything.

    The smaller number of unacceptable records stays in force: a larger sample must not forgive what the old one
    did not.
    """
    if not tightens(old, new):
        raise Conflict(f"{old.title} cannot become {new.title}: a plan can only be tightened once it is chosen.")
    return replace(
        new,
        major_accept=min(old.major_accept, new.major_accept),
        major_limit_bp=min(old.major_limit_bp, new.major_limit_bp),
    )


def scorings(drawn: int, overlap_bp: int) -> int:
    """How many times a record is scored in all, if ``overlap_bp`` of them are scored by two."""
    return drawn + -(-drawn * overlap_bp // 10_000)


def hours(records: int, minutes_per_record: Fraction | int) -> float:
    """Hours of reading, to a tenth."""
    return round(float(Fraction(records) * Fraction(minutes_per_record) / 60), 1)
