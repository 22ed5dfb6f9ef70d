from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest

from mhds.errors import Conflict, InvalidInput
from reviews.plans import (
    HIGH,
    HIGH_TWO_STAGE,
    PILOT,
    PLANS,
    STANDARD,
    RoundKind,
    Stage,
    acceptance_chance,
    acceptance_chance_any_size,
    claim,
    curve,
    hours,
    major_accept,
    major_claim,
    most_failures,
    percent,
    refusals,
    scorings,
    tighten,
    tightens,
)

pytestmark = pytest.mark.review


@pytest.mark.parametrize(("plan", "size", "rate"), [(PILOT, 59, "5 %"), (STANDARD, 149, "2 %"), (HIGH, 299, "1 %")])
def test_the_published_constants_are_the_smallest_samples_for_their_limit(plan, size, rate):
    limit = Fraction(plan.limit_bp, 10_000)
    assert (plan.size, plan.accept, percent(plan.limit_bp)) == (size, 0, rate)
    assert acceptance_chance_any_size(plan.stages, limit) < Fraction(1, 20)
    assert acceptance_chance_any_size((Stage(size - 1, 0, 1),), limit) >= Fraction(1, 20)


def test_the_two_stage_plan_rules_out_one_per_cent():
    assert HIGH_TWO_STAGE.stages == (Stage(350, 0, 2), Stage(164, 1, 2))
    assert acceptance_chance_any_size(HIGH_TWO_STAGE.stages, Fraction(1, 100)) < Fraction(1, 20)


@pytest.mark.parametrize(
    ("plan", "chances"),
    [
        (PILOT, [0.97, 0.94, 0.89, 0.74, 0.55, 0.30, 0.05]),
        (STANDARD, [0.93, 0.86, 0.74, 0.47, 0.22, 0.05, 0.00]),
        (HIGH, [0.86, 0.74, 0.55, 0.22, 0.05, 0.00, 0.00]),
        (HIGH_TWO_STAGE, [0.975, 0.91, 0.75, 0.31, 0.05, 0.00, 0.00]),
    ],
)
def test_the_curve_of_any_size_is_the_published_one(plan, chances):
    assert [point.chance for point in curve(plan, None)] == pytest.approx(chances, abs=0.0051)


@pytest.mark.parametrize(
    ("population", "size", "limit_bp"),
    [(500, 225, 100), (1000, 258, 100), (5000, 290, 100), (10_000, 294, 100), (1000, 138, 200), (2000, 58, 500)],
)
def test_the_smallest_sample_of_a_finite_population_is_the_published_one(population, size, limit_bp):
    def holds(number):
        return most_failures((Stage(number, 0, 1),), population) * 10_000 < limit_bp * population

    assert holds(size)
    assert not holds(size - 1)


@pytest.mark.parametrize(("accept", "at_most"), [(0, 48), (1, 76)])
def test_the_bound_for_five_thousand_is_the_published_one(accept, at_most):
    assert most_failures((Stage(299, accept, accept + 1),), 5000) == at_most


def _by_counting(stages: tuple[Stage, ...], population: int, failing: int) -> Fraction:
    """Go through every ordered outcome of the draw: which records come first, and which come next."""
    everyone = range(population)
    first = list(combinations(everyone, min(stages[0].size, population)))
    total = Fraction(0)
    for sample in first:
        found = sum(record < failing for record in sample)
        if found <= stages[0].accept:
            total += 1
        elif found < stages[0].reject and len(stages) > 1:
            rest = [record for record in everyone if record not in sample]
            second = list(combinations(rest, min(stages[1].size, len(rest))))
            good = sum(found + sum(record < failing for record in more) <= stages[1].accept for more in second)
            total += Fraction(good, len(second))
    return total / len(first)


@pytest.mark.parametrize(
    "stages",
    [(Stage(3, 0, 1),), (Stage(4, 1, 2),), (Stage(3, 0, 2), Stage(2, 1, 2)), (Stage(2, 0, 3), Stage(9, 1, 2))],
)
@pytest.mark.parametrize("population", [1, 2, 5, 7])
def test_the_chance_of_acceptance_is_what_counting_every_draw_gives(stages, population):
    for failing in range(population + 1):
        assert acceptance_chance(stages, population, failing) == _by_counting(stages, population, failing)


@pytest.mark.parametrize("stages", [(Stage(19, 0, 1),), (Stage(19, 1, 2),), (Stage(15, 0, 2), Stage(10, 1, 2))])
@pytest.mark.parametrize("population", [1, 18, 19, 20, 21, 40, 77])
def test_the_bound_is_the_last_count_that_keeps_a_five_per_cent_chance(stages, population):
    chances = [acceptance_chance(stages, population, failing) for failing in range(population + 1)]
    assert chances == sorted(chances, reverse=True)
    assert most_failures(stages, population) == max(
        failing for failing, chance in enumerate(chances) if chance >= Fraction(1, 20)
    )


@pytest.mark.parametrize("plan", [PILOT, STANDARD, HIGH], ids=lambda plan: plan.id)
@pytest.mark.parametrize("population", [1, 58, 59, 60, 148, 149, 150, 298, 299, 300, 2999, 12_480, 213_430])
def test_every_single_stage_plan_claims_less_than_its_limit_at_every_size(plan, population):
    stated = claim(plan, population)
    assert stated.holds
    assert stated.drawn == min(plan.size, population)
    assert stated.all_read == (population <= plan.size)
    assert stated.at_most == 0 if stated.all_read else stated.at_most >= 0
    assert refusals(plan, population) == []
    assert major_claim(plan, population).holds


def test_the_figure_of_the_example_population():
    assert (claim(HIGH, 12_480).at_most, claim(STANDARD, 30_871).at_most) == (122, 613)


def test_nothing_can_be_claimed_about_nobody():
    assert not claim(STANDARD, 0).holds
    assert "no conversation" in refusals(STANDARD, 0)[0]
    with pytest.raises(InvalidInput):
        claim(STANDARD, -1)


def test_an_acceptance_number_that_cannot_show_the_limit_is_refused_with_the_figures():
    greedy = replace(STANDARD, id="greedy", stages=(Stage(149, 1, 2),))
    [reason] = refusals(greedy, 30_871)
    assert reason.startswith("accepting 1 of 149 cannot show fewer than 2 % among 30,871")
    assert "up to 968 (3.14 %)" in reason
    assert (
        acceptance_chance(greedy.stages, 30_871, 968) >= Fraction(1, 20) > acceptance_chance(greedy.stages, 30_871, 969)
    )


def test_the_two_stages_are_refused_for_small_populations_and_for_privacy():
    assert refusals(HIGH_TWO_STAGE, 3000) == []
    assert "3,000 conversations or more" in refusals(HIGH_TWO_STAGE, 2999)[0]
    assert refusals(HIGH_TWO_STAGE, 5000, RoundKind.PRIVACY) == ["the privacy round accepts on zero only"]
    assert any("accepting 1 of 60" in reason for reason in refusals(HIGH_TWO_STAGE, 60))


def test_small_populations_forgive_fewer_unacceptable_records():
    assert [major_accept(STANDARD, size) for size in (0, 20, 21, 40, 41, 149, 150, 5000)] == [0, 0, 1, 1, 2, 2, 2, 2]
    assert major_accept(HIGH, 12_480) == 8


def test_the_curve_of_a_population_counts_whole_records():
    points = curve(STANDARD, 1000, (0, 14, 15, 100, 10_000))
    assert [point.failing for point in points] == [0, 1, 2, 10, 1000]
    assert points[0].chance == 1.0
    assert points[-1].chance == 0.0
    assert points[3].chance == pytest.approx(float(acceptance_chance(STANDARD.stages, 1000, 10)))


@pytest.mark.parametrize(
    ("old", "new", "tighter"),
    [
        (PILOT, STANDARD, True),
        (STANDARD, HIGH, True),
        (PILOT, HIGH, True),
        (HIGH_TWO_STAGE, replace(HIGH, stages=(Stage(514, 0, 1),)), True),
        (STANDARD, STANDARD, False),
        (HIGH, STANDARD, False),
        (STANDARD, HIGH_TWO_STAGE, False),
        (HIGH, HIGH_TWO_STAGE, False),
        (HIGH_TWO_STAGE, HIGH, False),
        (HIGH_TWO_STAGE, replace(HIGH_TWO_STAGE, stages=(Stage(350, 0, 2), Stage(300, 2, 3))), False),
        (STANDARD, replace(STANDARD, stages=(Stage(200, 1, 2),), limit_bp=150), False),
    ],
)
def test_a_plan_can_only_be_tightened(old, new, tighter):
    assert tightens(old, new) is tighter
    if not tighter:
        with pytest.raises(Conflict):
            tighten(old, new)


def test_tightening_keeps_the_smaller_number_of_unacceptable_records():
    assert tighten(STANDARD, HIGH) == replace(HIGH, major_accept=2)
    assert tighten(PILOT, STANDARD).major_accept == 1


def test_every_change_of_a_plan_changes_its_digest():
    assert len({plan.digest for plan in PLANS.values()}) == len(PLANS)
    assert replace(HIGH, major_accept=7).digest != HIGH.digest
    assert replace(HIGH, stages=(Stage(299, 0, 1), Stage(1, 0, 1))).digest != HIGH.digest


@pytest.mark.parametrize(
    "changes",
    [
        {"stages": ()},
        {"stages": (Stage(0, 0, 1),)},
        {"stages": (Stage(9, 0, 2),)},
        {"limit_bp": 0},
        {"major_accept": -1},
    ],
)
def test_a_plan_that_decides_nothing_cannot_be_written_down(changes):
    with pytest.raises(InvalidInput):
        replace(STANDARD, **changes)


def test_hours_are_scorings_times_minutes():
    assert scorings(149, 5_000) == 224
    assert scorings(149, 10_000) == 298
    assert hours(224, 3) == 11.2
    assert hours(0, 3) == 0.0


def test_percent_shows_no_needless_digits():
    assert [percent(bp) for bp in (100, 500, 150, 97, 5, 1000)] == ["1 %", "5 %", "1.5 %", "0.97 %", "0.05 %", "10 %"]


def test_plans_carry_their_own_id():
    assert [plan.id for plan in PLANS.values()] == list(PLANS)
