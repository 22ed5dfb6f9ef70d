from __future__ import annotations

from dataclasses import replace

import pytest

from mhds.errors import InvalidInput
from reviews.plans import HIGH, HIGH_TWO_STAGE, STANDARD, RoundKind
from reviews.statements import NO_MORE, RoundFacts, planned_sentence, round_statement, signoff_statement
from reviews.verdicts import Verdict

pytestmark = pytest.mark.review

FOUNDATION = RoundFacts(
    kind=RoundKind.CLINICIAN_FOUNDATION,
    families=("priority", "professional_therapeutic"),
    population=12_480,
    plan=HIGH,
    drawn=299,
    people=2,
    by_two=299,
    verdict=Verdict.PASS,
)
EDGE = RoundFacts(RoundKind.CLINICIAN_EDGE, ("edge_cases",), 30_871, STANDARD, 149, 3, 75, Verdict.PASS, majors=1)
BIAS = replace(FOUNDATION, kind=RoundKind.BIAS_FOUNDATION, plan=STANDARD, drawn=149, by_two=149)
ALL = ("cot_reasoning", "edge_cases", "priority", "professional_therapeutic")
PRIVACY = RoundFacts(RoundKind.PRIVACY, ALL, 60_000, HIGH, 299, 2, 299, Verdict.PASS)


def test_the_sentence_of_a_round_without_a_critical_failure():
    assert round_statement(FOUNDATION) == (
        "299 of the 12,480 conversations of families priority and professional_therapeutic were drawn at random after "
        "the release was frozen. Two clinicians scored each. None had a critical failure. None was unacceptable "
        "otherwise; 8 would have passed. If reviewers catch every critical failure, this gives 95 % confidence that "
        "fewer than 1 % of the 12,480 (at most 122) have one. This says nothing about records outside this release, "
        "nor about any single record."
    )


def test_partial_overlap_and_unacceptable_records_are_said():
    text = round_statement(EDGE)
    assert "Three clinicians scored them, 75 by two." in text
    assert "One was unacceptable otherwise; 2 would have passed." in text
    assert "fewer than 2 % of the 30,871 (at most 613) have one." in text


def test_the_privacy_sentence_speaks_of_people():
    assert round_statement(PRIVACY).startswith(
        "299 of the 60,000 conversations of families cot_reasoning, edge_cases, priority and professional_therapeutic "
        "were drawn at random after the release was frozen. Two compliance reviewers read each. None made a person "
        "identifiable. If reviewers catch every such conversation, this gives 95 % confidence that fewer than 1 % of "
        "the 60,000 (at most 596) do."
    )


def test_when_all_are_scored_the_sentence_says_all_and_estimates_nothing():
    text = round_statement(replace(EDGE, population=41, drawn=41, by_two=41, people=2, majors=0))
    assert text == (
        "All 41 conversations of family edge_cases were scored after the release was frozen. Two clinicians scored "
        "each. None had a critical failure. None was unacceptable otherwise; 2 would have passed. As every one was "
        f"scored, this is a count and not an estimate; it is as good as the reading. {NO_MORE}"
    )
    assert "confidence" not in text


def test_a_sample_that_leaves_one_out_rules_out_even_one():
    text = round_statement(replace(EDGE, population=150, majors=0))
    assert "95 % confidence that none of the 150 has one." in text


def test_an_empty_round_claims_nothing():
    empty = replace(EDGE, population=0, drawn=0, verdict=Verdict.INCONCLUSIVE)
    expected = "There is no conversation of family edge_cases in this release: nothing was drawn, nothing is claimed."
    assert round_statement(empty) == f"{expected} {NO_MORE}"
    assert planned_sentence(RoundKind.CLINICIAN_EDGE, ("edge_cases",), 0, STANDARD) == expected


@pytest.mark.parametrize(
    ("verdict", "words"), [(Verdict.FAIL, "The round failed"), (Verdict.INCONCLUSIVE, "The round is inconclusive")]
)
def test_a_round_without_a_pass_makes_no_claim(verdict, words):
    text = round_statement(replace(EDGE, verdict=verdict, reasons=("2 records lack a score", "1 is split")))
    assert f"{words}: 2 records lack a score; 1 is split. It makes no claim." in text
    assert "confidence" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"drawn": 148},
        {"drawn": 30_872},
        {"criticals": 1},
        {"majors": 3},
        {"people": 0},
        {"plan": HIGH},
        {"population": 140},
    ],
)
def test_a_pass_that_its_numbers_do_not_carry_gets_no_sentence(changes):
    with pytest.raises(InvalidInput):
        round_statement(replace(EDGE, **changes))


def test_two_stages_forgive_one_only_after_the_second():
    two = replace(EDGE, plan=HIGH_TWO_STAGE, drawn=350, by_two=350)
    assert "None had a critical failure." in round_statement(two)
    with pytest.raises(InvalidInput):
        round_statement(replace(two, criticals=1))
    text = round_statement(replace(two, criticals=1, drawn=514, by_two=514))
    assert "One had a critical failure, which the plan of two stages allows." in text
    assert "fewer than 1 % of the 30,871 (at most 306) have one." in text


def test_the_planned_sentence_is_the_one_that_a_clean_round_earns():
    planned = planned_sentence(RoundKind.CLINICIAN_EDGE, ("edge_cases",), 30_871, STANDARD)
    assert planned == (
        "149 of the 30,871 conversations of family edge_cases were drawn at random after the release was frozen. None "
        "had a critical failure. If reviewers catch every critical failure, this gives 95 % confidence that fewer than "
        f"2 % of the 30,871 (at most 613) have one. {NO_MORE}"
    )


FAMILIES = {
    "professional_therapeutic": 6_000,
    "priority": 6_480,
    "cot_reasoning": 16_649,
    "edge_cases": 30_871,
    "voice": 0,
}


def test_the_sign_off_says_what_nobody_reviewed():
    text = signoff_statement([PRIVACY, BIAS, EDGE, FOUNDATION], FAMILIES)
    lines = text.split("\n")
    assert [line.split(":")[0] for line in lines[:4]] == [kind.value for kind in RoundKind]
    assert lines[4] == (
        "No clinician and no bias reviewer reviewed family cot_reasoning (16,649 conversations). No bias reviewer "
        f"reviewed family edge_cases (30,871 conversations). Family voice has no records. {NO_MORE}"
    )
    assert text.count(NO_MORE) == 1


def test_a_family_outside_every_round_was_not_reviewed_by_people():
    text = signoff_statement([FOUNDATION, EDGE, BIAS, PRIVACY], {**FAMILIES, "addiction": 10, "cptsd": 7})
    assert "Families addiction (10 conversations) and cptsd (7 conversations) were not reviewed by people." in text


@pytest.mark.parametrize("rounds", [[], [FOUNDATION], [FOUNDATION, FOUNDATION, EDGE, BIAS, PRIVACY]])
def test_a_sign_off_needs_each_round_once(rounds):
    with pytest.raises(InvalidInput):
        signoff_statement(rounds, FAMILIES)
