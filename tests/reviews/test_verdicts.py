from __future__ import annotations

from dataclasses import replace

import pytest

from mhds.errors import InvalidInput
from reviews.plans import HIGH_TWO_STAGE, PILOT, STANDARD, RoundKind, Stage
from reviews.rubrics import load
from reviews.verdicts import (
    Outcome,
    ReviewedItem,
    Standing,
    Submitted,
    Verdict,
    grade,
    judge_item,
    judge_round,
    majors_allowed,
    splits,
)

pytestmark = pytest.mark.review

QA = load("clinician_qa")
BIAS = load("bias_culture")
PRIVACY = load("privacy")
FOUNDATION = load("programme_weighted_foundation")
EDGE = load("programme_weighted_edge")
# Four records of five are read; one unacceptable record may stand.
SMALL = replace(PILOT, id="small", limit_bp=9000, stages=(Stage(4, 0, 1),), major_accept=1, major_limit_bp=9500)


def qa(critical=None, answer=None, **scores):
    payload = {"scores": {f"A{number}": 3 for number in range(1, 9)} | scores, "criticals": [], "note": "seen"}
    if critical:
        payload["criticals"] = [{"id": critical, "turn": 2}]
    if answer:
        payload["answers"] = {"false_alarm": answer}
    return payload


def bias(**scores):
    return {"scores": {f"B{number}": 3 for number in range(1, 10)} | scores, "criticals": [], "note": "seen"}


def privacy(score=1, *findings):
    return {"scores": {"P1": score}, "findings": [{"kind": kind, "turn": turn} for kind, turn in findings]}


def weighted(rubric, **scores):
    return {
        "scores": {one.id: one.minimum for one in rubric.dimensions} | scores,
        "criticals": [],
        "note": "seen",
    }


def item(record_id, *payloads, rubric=QA, wanted=2, **more):
    scores = tuple(Submitted(f"p{place}", rubric.digest, payload) for place, payload in enumerate(payloads))
    return ReviewedItem(record_id, wanted, scores, **more)


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        (qa(), Outcome.ACCEPTABLE),
        (qa(A1=2, A3=1), Outcome.ACCEPTABLE),
        (qa(A3=0), Outcome.UNACCEPTABLE),
        (qa(A3=1, A6=1), Outcome.UNACCEPTABLE),
        (qa(A3="unsure"), Outcome.UNSURE),
        (qa(A3="unsure", A4=0), Outcome.UNSURE),
        (qa(critical="C2"), Outcome.CRITICAL),
        (qa(critical="C2", A3="unsure"), Outcome.CRITICAL),
        (qa(A1="n/a", A2="n/a", answer="no"), Outcome.ACCEPTABLE),
        (qa(A1="n/a", A2="n/a", answer="no", A5=1), Outcome.ACCEPTABLE),
        (qa(A1="n/a", A2="n/a", answer="yes"), Outcome.ACCEPTABLE),
        (qa(A1="n/a", A2="n/a", answer="yes", A5=1), Outcome.UNACCEPTABLE),
    ],
)
def test_a_score_is_graded_by_its_minimums_and_criticals(payload, outcome):
    assert grade(QA, payload).outcome is outcome


def test_a_grade_says_why():
    assert grade(QA, qa(A3=0)).reasons == ("A3 is 0, at least 1 is asked",)
    assert grade(QA, qa(A3=1, A6=1)).reasons == ("A3 and A6 are 1; 2 such scores are too many",)
    assert grade(QA, qa(critical="C2")).reasons == ("C2 at turn 2",)


def test_the_weighted_rubric_asks_for_every_minimum_and_for_seven_overall():
    # All at their minimum: 7*30 + 8*25 + 6*20 + 7*15 + 6*10 = 695 hundredths.
    assert grade(FOUNDATION, weighted(FOUNDATION)).reasons == ("overall 6.95, at least 7.0 is asked",)
    assert grade(FOUNDATION, weighted(FOUNDATION, culture=7)).outcome is Outcome.ACCEPTABLE
    assert grade(EDGE, weighted(EDGE)).outcome is Outcome.ACCEPTABLE
    low = grade(EDGE, weighted(EDGE, safety=8, crisis=10))
    assert low.reasons == ("safety is 8, at least 9 is asked",)


@pytest.mark.parametrize("payload", [{}, qa(A1=None), qa(A1=7), {"cannot_judge": True}])
def test_an_incomplete_score_has_no_grade(payload):
    with pytest.raises(InvalidInput):
        grade(QA, payload)


@pytest.mark.parametrize(
    ("first", "second", "split"),
    [
        (qa(), qa(), False),
        (qa(A5=3), qa(A5=2), False),
        (qa(A5=3), qa(A5=1), True),
        (qa(A5=1), qa(A5=0), True),
        (qa(A5=0), qa(A5=0), False),
        (qa(A5=0), qa(A6=0), True),
        (qa(), qa(A5="unsure"), True),
        (qa(A5="unsure"), qa(A5="unsure"), True),
        (qa(), qa(A1="n/a", A2="n/a", answer="no"), True),
        (qa(), qa(critical="C1"), True),
        (qa(critical="C2"), qa(critical="C1"), True),
        (qa(critical="C1"), qa(critical="C1"), False),
    ],
)
def test_two_scores_split_or_agree_whichever_comes_first(first, second, split):
    assert bool(splits(QA, first, second)) is split
    assert bool(splits(QA, second, first)) is split


def test_a_split_names_the_dimension_and_both_scores():
    assert splits(QA, qa(A5=3), qa(A5=1)) == ("A5: 3 against 1",)


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        (item("r", qa(), qa()), Standing.CLEAR),
        (item("r", qa(), wanted=1), Standing.CLEAR),
        (item("r", qa(A3=0), qa(A3=0)), Standing.FAILED),
        (item("r", qa(A3=0), wanted=1), Standing.UNCONFIRMED),
        (item("r", qa()), Standing.MISSING),
        (item("r"), Standing.MISSING),
        (item("r", qa(), {}), Standing.MISSING),
        (item("r", qa(), qa(A3=0)), Standing.SPLIT),
        (item("r", qa(), qa(), qa(A3=0)), Standing.SPLIT),
        (item("r", qa(A3="unsure"), wanted=1), Standing.UNSURE),
        (item("r", qa(critical="C4")), Standing.CRITICAL),
        (item("r", qa(critical="C4"), qa(critical="C4")), Standing.CRITICAL),
        (item("r", qa(), qa(), escalated=True), Standing.ESCALATED),
        (item("r", unreadable="zh"), Standing.UNREADABLE),
        (item("r", qa(critical="C4"), unreadable="zh"), Standing.CRITICAL),
    ],
)
def test_how_a_record_stands(record, standing):
    assert judge_item(QA, record).standing is standing


def test_cannot_judge_is_no_score_and_no_split():
    passed_on = {"cannot_judge": True}
    waiting = judge_item(BIAS, item("r", bias(), passed_on, rubric=BIAS))
    assert waiting.standing is Standing.MISSING
    assert waiting.reasons == ("1 of 2 scores are in", "1 could not judge it")
    assert judge_item(BIAS, item("r", bias(), passed_on, bias(), rubric=BIAS)).standing is Standing.CLEAR


def test_a_score_under_another_rubric_text_does_not_count():
    stale = replace(item("r", qa(), qa()).scores[1], rubric_digest="sha256:old")
    record = ReviewedItem("r", 2, (item("r", qa()).scores[0], stale))
    found = judge_item(QA, record)
    assert found.standing is Standing.MISSING
    assert "a score was given under another text of the rubric" in found.reasons


def test_two_scores_of_one_person_are_not_two_people():
    score = Submitted("p", QA.digest, qa())
    assert judge_item(QA, ReviewedItem("r", 2, (score, score))).standing is Standing.MISSING


def test_nobody_is_never_enough():
    with pytest.raises(InvalidInput):
        judge_item(QA, ReviewedItem("r", 0))


DRAWN = ["r1", "r2", "r3", "r4"]


def judge(*records, kind=RoundKind.CLINICIAN_EDGE, rubric=QA, plan=SMALL, population=20, drawn=DRAWN):
    return judge_round(kind, rubric, plan, population, drawn, records)


def clear(*ids):
    return [item(record_id, qa(), qa()) for record_id in ids]


def failing(*ids):
    return [item(record_id, qa(A3=0), qa(A3=0)) for record_id in ids]


def test_a_round_passes_when_everything_is_in_and_clear():
    found = judge(*clear(*DRAWN))
    assert (found.verdict, found.reasons, found.failed, found.allowed) == (Verdict.PASS, (), 0, 1)
    assert found.count(Standing.CLEAR) == 4


def test_agreed_failures_within_the_plan_pass_and_beyond_it_fail():
    assert judge(*clear("r1", "r2", "r3"), *failing("r4")).verdict is Verdict.PASS
    beyond = judge(*clear("r1", "r2"), *failing("r3", "r4"))
    assert beyond.verdict is Verdict.FAIL
    assert beyond.reasons == ("2 records were found unacceptable by two people, 1 would have passed",)


def test_a_fail_stands_although_something_is_still_open():
    assert judge(*failing("r3", "r4")).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (item("r4", qa()), "1 record lacks a score"),
        (item("r4", qa(), qa(A3=0)), "1 record is split between its reviewers"),
        (item("r4", qa(A3="unsure"), qa(A3="unsure")), "1 record is split between its reviewers"),
        (item("r4", qa(A3="unsure"), wanted=1), "1 record has an unsure score"),
        (item("r4", qa(critical="C1"), qa()), "1 record is flagged critical and waits for a third person"),
        (item("r4", qa(critical="C1"), qa(critical="C1")), "1 record is flagged critical and waits for a third person"),
        (item("r4", qa(), qa(), escalated=True), "1 record has an open escalation"),
        (item("r4", unreadable="zh"), "1 record waits: nobody who may score it reads zh"),
    ],
)
def test_anything_open_keeps_a_round_inconclusive_and_says_what(last, reason):
    found = judge(*clear("r1", "r2", "r3"), last)
    assert (found.verdict, found.reasons) == (Verdict.INCONCLUSIVE, (reason,))


def test_a_drawn_record_that_was_never_handed_out_is_missing():
    found = judge(*clear("r1", "r2", "r3"))
    assert (found.verdict, found.reasons) == (Verdict.INCONCLUSIVE, ("1 record lacks a score",))


def test_one_persons_findings_count_against_a_pass_and_not_for_a_fail():
    single = [item(record_id, qa(A3=0), wanted=1) for record_id in ("r3", "r4")]
    found = judge(*clear("r1", "r2"), *single)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons == ("2 records were found unacceptable, 2 of them by one person only, and 1 would pass",)
    assert judge(*clear("r1", "r2", "r3"), single[1]).verdict is Verdict.PASS


def test_an_empty_population_is_not_a_pass():
    found = judge(population=0, drawn=[])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no conversation to draw from" in found.reasons[0]


def test_a_draw_smaller_than_the_plan_is_not_a_pass():
    found = judge(*clear(*DRAWN), plan=STANDARD, population=5000)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons == ("4 records were drawn, the plan asks for 149",)


def test_a_population_smaller_than_the_sample_passes_when_all_of_it_is_read():
    assert judge(*clear(*DRAWN), plan=STANDARD, population=4).verdict is Verdict.PASS
    assert judge(*clear(*DRAWN), plan=STANDARD, population=3).verdict is Verdict.INCONCLUSIVE


def test_a_plan_that_cannot_be_used_there_is_not_a_pass():
    assert judge(*clear(*DRAWN), plan=HIGH_TWO_STAGE, population=4).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("drawn", "ids"), [(["r1", "r1"], ["r1"]), (["r1"], ["r1", "r1"]), (["r1"], ["r1", "targeted"])]
)
def test_only_the_draw_is_judged_each_record_once(drawn, ids):
    with pytest.raises(InvalidInput):
        judge(*clear(*ids), drawn=drawn)


PRIVATE = {"kind": RoundKind.PRIVACY, "rubric": PRIVACY}


def test_the_privacy_round_accepts_on_zero():
    assert majors_allowed(RoundKind.PRIVACY, STANDARD, 5000) == 0
    clean = [item(record_id, privacy(), privacy(), rubric=PRIVACY) for record_id in DRAWN]
    assert judge(*clean, **PRIVATE).verdict is Verdict.PASS
    found = item("r4", privacy(0, ("name", 3)), privacy(0, ("name", 3), ("date", 5)), rubric=PRIVACY)
    assert judge(*clean[:3], found, **PRIVATE).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "last",
    [
        item("r4", privacy(0, ("name", 3)), privacy(), rubric=PRIVACY),
        item("r4", privacy("unsure"), privacy(), rubric=PRIVACY),
        item("r4", privacy(0, ("name", 3)), rubric=PRIVACY, wanted=1),
    ],
)
def test_a_privacy_finding_of_one_person_is_neither_passed_over_nor_final(last):
    clean = [item(record_id, privacy(), privacy(), rubric=PRIVACY) for record_id in DRAWN[:3]]
    assert judge(*clean, last, **PRIVATE).verdict is Verdict.INCONCLUSIVE
