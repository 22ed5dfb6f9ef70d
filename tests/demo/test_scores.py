"""Invented scores: complete under every shipped rubric, agreeing, varied, repeatable, and marked as invented."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from mhds.demo.scores import NOTE, invented
from reviews.rounds import DEFAULT_RUBRICS
from reviews.rubrics import load, validate_score
from reviews.verdicts import Outcome, grade, splits

pytestmark = pytest.mark.review
PEOPLE = ("ann", "bob", "cyd")
RECORDS = [f"r_{number:032x}" for number in range(400)]
RUBRICS = sorted(set(DEFAULT_RUBRICS.values()))


@pytest.mark.parametrize("name", RUBRICS)
@pytest.mark.parametrize("risk", [True, False])
def test_any_two_people_agree_that_a_record_is_acceptable(name: str, risk: bool) -> None:
    rubric = load(name)
    for record in RECORDS:
        given = [invented(rubric, record, who, risk=risk) for who in PEOPLE]
        assert [validate_score(rubric, one, turns=2) for one in given] == [[], [], []]
        assert {grade(rubric, one).outcome for one in given} == {Outcome.ACCEPTABLE}
        assert [splits(rubric, one, other) for one, other in combinations(given, 2)] == [(), (), ()]


def test_scores_are_not_all_the_best_and_people_differ() -> None:
    rubric = load("clinician_qa")
    given = [[invented(rubric, record, who, risk=True)["scores"] for who in PEOPLE] for record in RECORDS]
    values = Counter(value for people in given for one in people for value in one.values())
    assert values[3] > values[2] > values[1] > 0
    assert 0.1 < sum(one != two for one, two, _three in given) / len(given) < 0.99


def test_the_dimensions_of_risk_are_scored_where_there_is_risk_and_nowhere_else() -> None:
    rubric = load("clinician_qa")
    for record in RECORDS[:50]:
        assert invented(rubric, record, "ann", risk=False)["scores"]["A1"] == "n/a"
        assert invented(rubric, record, "ann", risk=True)["scores"]["A1"] in (1, 2, 3)


def test_a_score_is_the_same_each_time_and_says_that_it_is_invented() -> None:
    rubric = load("bias_culture")
    first = invented(rubric, RECORDS[0], "ann", risk=False)
    assert invented(rubric, RECORDS[0], "ann", risk=False) == first
    assert first["note"] == NOTE
    assert "note" not in invented(load("privacy"), RECORDS[0], "ann", risk=False)
