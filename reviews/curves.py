"""The curve of acceptance against the true rate, as SVG geometry and as a table. Numbers in, coordinates out.

Exact for the population at hand: each point is a whole number of failing records, hypergeometric. A plan that reads
every record has no curve, since nothing is left to chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reviews.plans import RISK, Plan, acceptance_chance, curve, percent

LEFT, RIGHT, TOP, BASE = 58, 620, 30, 280  # of the plot, in a box of 640 x 330
MOST_BP = 500  # the widest rate on the axis
POINTS = 80
GOOD_BP = 20  # a release that is good enough and may still be refused
# Where a line's name stands: at the chance given, right of the line, so that no two names meet.
LABEL_AT = {"pilot": 0.62, "standard": 0.42, "high": 0.24, "high_two_stage": 0.12}


@dataclass(frozen=True, slots=True)
class Line:
    plan: Plan
    path: str
    label_x: str
    label_y: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One plan of the table: the chance of acceptance at each rate of the heading."""

    plan: Plan
    chances: list[str]


@dataclass(frozen=True, slots=True)
class Chart:
    words: str
    lines: list[Line]
    y_ticks: list[tuple[str, str]]
    x_ticks: list[tuple[str, str]]
    floor_y: str
    rates: list[tuple[str, int]]  # rate in words, and in failing records of this population
    rows: list[Row]
    both_ways: str


def chart(usable: Sequence[Plan], population: int, chosen: Plan) -> Chart | None:
    """The curves of these plans; None where each of them reads all of the population."""
    drawn = [plan for plan in usable if plan.size < population]
    if not drawn:
        return None
    shown = chosen if chosen in drawn else drawn[-1]
    return Chart(
        words=f"Chance of acceptance by the true rate among {population:,} records; {_both_ways(shown, population)}",
        lines=sorted((_line(plan, population, plan == shown) for plan in drawn), key=lambda line: line.is_chosen),
        y_ticks=[(f"{_y(share / 100):.1f}", f"{share} %") for share in (0, 25, 50, 75, 100)],
        x_ticks=[(f"{_x(rate):.1f}", percent(rate)) for rate in range(0, MOST_BP + 1, 100)],
        floor_y=f"{_y(float(RISK)):.1f}",
        rates=[(percent(point.rate_bp), point.failing or 0) for point in curve(shown, population)],
        rows=[Row(plan, [chance_words(point.chance) for point in curve(plan, population)]) for plan in drawn],
        both_ways=_both_ways(shown, population),
    )


def _line(plan: Plan, population: int, is_chosen: bool) -> Line:
    points = [(failing, float(acceptance_chance(plan.stages, population, failing))) for failing in _steps(population)]
    places = [(_x(10_000 * failing / population), accepted) for failing, accepted in points]
    path = "M" + "L".join(f"{x:.1f} {_y(accepted):.1f}" for x, accepted in places)
    chance = LABEL_AT.get(plan.id, 0.5)
    return Line(plan, path, f"{min(_crossing(places, chance) + 8, RIGHT - 90):.1f}", f"{_y(chance):.1f}", is_chosen)


def _crossing(places: Sequence[tuple[float, float]], chance: float) -> float:
    """Where the falling line passes that chance; its end, where it never does."""
    for (x, before), (x_after, after) in pairwise(places):
        if after <= chance < before:
            return x + (x_after - x) * (before - chance) / (before - after)
    return places[-1][0]


def _steps(population: int) -> list[int]:
    """Whole numbers of failing records, evenly over the axis."""
    most = population * MOST_BP // 10_000
    return sorted({most * step // POINTS for step in range(POINTS + 1)})


def _x(rate_bp: float) -> float:
    return LEFT + (RIGHT - LEFT) * rate_bp / MOST_BP


def _y(chance: float) -> float:
    return BASE - (BASE - TOP) * chance


def chance_words(chance: float) -> str:
    """Two decimals; what is not nothing is not shown as nothing, nor what is not sure as sure."""
    if 0 < chance < 0.005:
        return "< 0.01"
    if 0.995 <= chance < 1:
        return "> 0.99"
    return f"{chance:.2f}"


def _both_ways(plan: Plan, population: int) -> str:
    """What a good and a bad release meet, in whole records of this population."""
    good = max(1, GOOD_BP * population // 10_000)
    bad = -(-plan.limit_bp * population // 10_000)
    refused = 1 - acceptance_chance(plan.stages, population, good)
    accepted = acceptance_chance(plan.stages, population, bad)
    return (
        f"if {good:,} of the {population:,} truly fail{'s' if good == 1 else ''}, {plan.title} refuses the release "
        f"{_in_100(float(refused))}; if {bad:,} do, which is {percent(plan.limit_bp)} or more, it accepts it "
        f"{_in_100(float(accepted))}"
    )


def _in_100(chance: float) -> str:
    times = round(100 * chance)
    return "less than once in 100" if times == 0 and chance > 0 else f"{times} times in 100"
