from __future__ import annotations

import copy
import re
import tomllib

import pytest

from mhds.errors import InvalidInput, NotFound
from reviews.rubrics import Rubric, load, parse, rubric_ids, validate_score
from reviews.rubrics.model import DATA

pytestmark = pytest.mark.review

CLINICIAN = load("clinician_qa")
BIAS = load("bias_culture")
PRIVACY = load("privacy")


def raw(rubric_id):
    return tomllib.loads((DATA / f"{rubric_id}.toml").read_text(encoding="utf-8"))


def full(rubric: Rubric, score: int | None = None, **changes):
    scores = {dimension.id: dimension.high if score is None else score for dimension in rubric.dimensions}
    scores |= changes.pop("scores", {})
    payload: dict[str, object] = {"scores": scores, "note": ""}
    if rubric.criticals:
        payload["criticals"] = []
    if rubric.finding_kinds:
        payload["findings"] = []
    return {**payload, **changes}


def fields(rubric, payload, **options):
    return [error.field for error in validate_score(rubric, payload, **options)]


def test_the_shipped_rubrics_have_the_dimensions_and_criticals_of_the_design():
    assert [one.id for one in CLINICIAN.dimensions] == [f"A{number}" for number in range(1, 9)]
    assert [one.id for one in CLINICIAN.criticals] == [f"C{number}" for number in range(1, 11)]
    assert [one.id for one in BIAS.dimensions] == [f"B{number}" for number in range(1, 10)]
    assert [one.id for one in BIAS.criticals] == [f"D{number}" for number in range(1, 6)]
    assert BIAS.cannot_judge == "Cannot judge, not my context"
    assert all((one.low, one.high) == (0, 3) and len(one.anchors) == 4 for one in CLINICIAN.dimensions)


@pytest.mark.parametrize(
    ("part", "weights", "minimums", "readers"),
    [
        ("foundation", [30, 25, 20, 15, 10], [7, 8, 6, 7, 6], 2),
        ("edge", [40, 30, 20, 10], [8, 9, 7, 8], 2),
        ("bias", [30, 25, 20, 15, 10], [8, 7, 8, 8, 6], 1),
    ],
)
def test_the_programmes_own_rubric_has_its_weights_minimums_and_readers(part, weights, minimums, readers):
    rubric = load(f"programme_weighted_{part}")
    assert [one.weight for one in rubric.dimensions] == weights
    assert [one.minimum for one in rubric.dimensions] == minimums
    assert (rubric.readers, rubric.overall_minimum_tenths) == (readers, 70)
    assert all((one.low, one.high) == (1, 10) for one in rubric.dimensions)
    assert rubric.criticals == load("bias_culture" if part == "bias" else "clinician_qa").criticals


@pytest.mark.parametrize("rubric_id", rubric_ids())
def test_every_text_is_plain(rubric_id):
    text = (DATA / f"{rubric_id}.toml").read_text(encoding="utf-8")
    assert not re.search(r"[<>`*]|&\w+;|https?:", text)


@pytest.mark.parametrize("rubric_id", rubric_ids())
def test_every_score_has_an_anchor_to_show_under_it(rubric_id):
    for dimension in load(rubric_id).dimensions:
        for score in range(dimension.low, dimension.high + 1):
            assert dimension.anchor(score).text


def leaves(data, path=()):
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    elif isinstance(data, str):
        yield path


def changed(data, path):
    other = copy.deepcopy(data)
    target = other
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] += " "
    return other


@pytest.mark.parametrize("rubric_id", rubric_ids())
def test_the_digest_changes_with_any_text(rubric_id):
    data = raw(rubric_id)
    # The others are references, not texts: a blank makes them point nowhere, and the rubric is refused.
    texts = [
        path for path in leaves(data) if path[-1] in ("title", "question", "text", "na_when", "label", "guideline")
    ]
    digests = {parse(changed(data, path)).digest for path in texts}
    assert len(digests) == len(texts) > 10
    assert load(rubric_id).digest not in digests


def test_the_digest_changes_with_numbers_and_with_texts_taken_over():
    data = raw("clinician_qa")
    assert parse({**data, "version": 2}).digest != CLINICIAN.digest
    assert parse({**data, "split_distance": 3}).digest != CLINICIAN.digest
    edge = raw("programme_weighted_edge")
    assert parse({**edge, "criticals_of": "bias_culture"}).digest != load("programme_weighted_edge").digest


def test_the_digest_does_not_depend_on_the_order_of_keys():
    data = raw("clinician_qa")
    assert parse(dict(reversed(data.items()))).digest == CLINICIAN.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(titel="x"), "unknown field"),
        (lambda data: data.update(digest="sha256:00"), "its own digest"),
        (lambda data: data["dimensions"][0]["anchors"].pop(), "exactly one anchor"),
        (lambda data: data["dimensions"][0].update(minimum=0), "minimum"),
        (lambda data: data["dimensions"][0].update(id="A2"), "stands twice"),
        (lambda data: data["dimensions"][0].update(weight=50), "overall_minimum_tenths"),
        (lambda data: data["criticals"][0].update(text=""), "length >= 1"),
        (lambda data: data.update(na_together=[["A1", "A3"]]), "na_together"),
        (lambda data: data.update(criticals_of="bias_culture"), "criticals_of"),
        (lambda data: data.update(dimensions=[]), "length >= 1"),
    ],
)
def test_a_faulty_rubric_is_refused_with_its_fault(change, message):
    data = copy.deepcopy(raw("clinician_qa"))
    change(data)
    with pytest.raises(InvalidInput, match=message):
        parse(data)


def test_an_unknown_rubric_is_not_found():
    with pytest.raises(NotFound):
        load("../clinician_qa")


@pytest.mark.parametrize("rubric_id", rubric_ids())
def test_a_complete_score_is_accepted(rubric_id):
    assert validate_score(load(rubric_id), full(load(rubric_id)), turns=4) == []


def test_nothing_may_be_left_unset():
    assert fields(CLINICIAN, {}) == [*(f"scores.A{number}" for number in range(1, 9)), "criticals"]
    assert fields(PRIVACY, {}) == ["scores.P1", "findings"]
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A5": None})) == ["scores.A5"]


@pytest.mark.parametrize("value", [-1, 4, 1.5, True, "2", "N/A", "", [], {}])
def test_a_score_off_the_scale_is_refused(value):
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A5": value})) == ["scores.A5"]


def test_not_applicable_only_where_the_rubric_says_so():
    no_risk = {"A1": "n/a", "A2": "n/a"}
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A5": "n/a"})) == ["scores.A5"]
    assert fields(CLINICIAN, full(CLINICIAN, scores=no_risk)) == ["answers.false_alarm"]
    assert fields(CLINICIAN, full(CLINICIAN, scores=no_risk, answers={"false_alarm": "no"})) == []
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A1": "n/a"})) == ["scores.A1", "scores.A2"]
    assert fields(CLINICIAN, full(CLINICIAN, answers={"false_alarm": "no"})) == ["answers"]
    assert fields(BIAS, full(BIAS, scores={"B6": "n/a", "B9": "unsure"})) == []


@pytest.mark.parametrize(
    "mark",
    [
        {"id": "C4"},
        {"id": "C4", "turn": 0},
        {"id": "C4", "turn": 9},
        {"id": "C4", "turn": True},
        {"id": "C4", "turn": "8"},
        {"id": "C11", "turn": 2},
        {"id": ["C4"], "turn": 2},
        {"id": "C4", "turn": 2, "text": "words"},
        "C4",
    ],
)
def test_a_critical_needs_its_turn(mark):
    assert fields(CLINICIAN, full(CLINICIAN, criticals=[mark], note="x"), turns=8) == ["criticals.0"]


def test_a_critical_with_turn_and_note_is_accepted_once():
    mark = {"id": "C4", "turn": 8}
    assert fields(CLINICIAN, full(CLINICIAN, criticals=[mark], note="left alone"), turns=8) == []
    assert fields(CLINICIAN, full(CLINICIAN, criticals=[mark, mark], note="left alone"), turns=8) == ["criticals"]


def test_a_zero_and_a_critical_need_a_note():
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A3": 0})) == ["note"]
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A3": 0}, note="  ")) == ["note"]
    assert fields(CLINICIAN, full(CLINICIAN, criticals=[{"id": "C1", "turn": 1}])) == ["note"]
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A3": 1})) == []


def test_cannot_judge_stands_alone_and_only_where_it_is_offered():
    assert fields(BIAS, {"cannot_judge": True}) == []
    assert fields(BIAS, {"cannot_judge": "yes"}) == ["cannot_judge"]
    assert fields(BIAS, full(BIAS, cannot_judge=True)) == ["cannot_judge"]
    assert fields(BIAS, full(BIAS, cannot_judge=False)) == []
    assert fields(CLINICIAN, {"cannot_judge": True}) == ["cannot_judge"]


def test_privacy_takes_kind_and_turn_and_no_words():
    found = [{"kind": "email", "turn": 3}, {"kind": "email", "turn": 5}]
    assert fields(PRIVACY, full(PRIVACY, 0, findings=found)) == []
    assert fields(PRIVACY, full(PRIVACY, 0)) == ["findings"]
    assert fields(PRIVACY, full(PRIVACY, 1, findings=found)) == ["findings"]
    assert fields(PRIVACY, full(PRIVACY, 1, note="the name is")) == ["note"]
    assert fields(PRIVACY, full(PRIVACY, 0, findings=[{"kind": "email", "turn": 3, "value": "x"}])) == ["findings.0"]
    assert fields(PRIVACY, full(PRIVACY, 1, criticals=[{"id": "C10", "turn": 1}])) == ["criticals"]


def test_errors_never_repeat_what_was_typed():
    payload = full(CLINICIAN, scores={"A1": "Jane Roe"}, note="Jane Roe " * 1000, criticals=[{"id": "Jane Roe"}])
    errors = validate_score(CLINICIAN, payload)
    assert len(errors) == 3
    assert "Jane" not in repr(errors)


def test_fields_that_nobody_asked_for_are_refused():
    assert fields(CLINICIAN, full(CLINICIAN, verdict="pass")) == ["verdict"]
    assert fields(CLINICIAN, full(CLINICIAN, scores={"A9": 3})) == ["scores"]
    assert fields(CLINICIAN, ["not", "an", "object"]) == [""]
    assert "scores.A1" in fields(CLINICIAN, full(CLINICIAN) | {"scores": [3, 3]})
