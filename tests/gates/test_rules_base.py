"""The one way to ask a gate: whatever goes wrong is ERROR (rows F-01 to F-28 of the fail-closed matrix)."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from gates.rules.base import (
    UNWAIVABLE,
    Finding,
    Gate,
    Outcome,
    Verdict,
    WaiverInForce,
    conclude,
    doubtful,
    many,
    share_bp,
    verdict_of,
)  # fmt: skip
from gates.rules.registry import GATES, evaluate, rules_of
from gates.scan.facts import BadLine
from tests.gates.asking import POLICY, ask, failed_rules
from tests.gates.factory import Row, build, talk, with_rows

pytestmark = pytest.mark.gates
NEEDING_FACTS = sorted(name for name, gate in GATES.items() if gate.needs_facts)
SECRET = "Jane Roe, 555-0100"


def judged_by(judge, inputs=None):
    gate = Gate("trial", "Z", "A trial", {"trial.Z001": "nothing"}, judge)
    return evaluate("trial", inputs or build(), POLICY, {"trial": gate})


def an_outcome(**changed):
    return replace(Outcome("trial", Verdict.PASS, 12, 12), **changed)


@pytest.mark.parametrize("gate", sorted(GATES))
def test_it_passes_what_is_in_order(gate):
    outcome = ask(gate, build())
    assert (outcome.verdict, outcome.findings) == (Verdict.PASS, ())
    assert outcome.examined == outcome.expected > 0


@pytest.mark.parametrize("word", ["pass", "ok", "WARN", "", None, True, 1, {}, float("nan")])
def test_a_word_that_is_no_verdict_is_error(word):
    assert verdict_of(word) is Verdict.ERROR


@pytest.mark.parametrize("gate", sorted(GATES))
def test_f01_f02_nothing_compiled_never_passes(gate):
    assert ask(gate, build([])).verdict is (Verdict.FAIL if gate == "coverage" else Verdict.ERROR)


@pytest.mark.parametrize("gate", sorted(GATES))
def test_f01_a_candidate_without_files_is_error(gate):
    assert ask(gate, replace(build(), files=())).verdict is Verdict.ERROR


def test_f04_a_share_of_nothing_is_no_number():
    with pytest.raises(ZeroDivisionError):
        share_bp(0, 0)
    assert share_bp(1, 10_001) == 1  # rounded up: a share over a limit never looks within it


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), 0.5, b"x", {1: 2}, [float("nan")], object()])
def test_f04_a_figure_that_is_no_whole_number_is_error(figure):
    outcome = judged_by(lambda _i, _p: an_outcome(figures={"share": figure}))
    assert outcome.verdict is Verdict.ERROR
    assert outcome.figures == {}


@pytest.mark.parametrize("gate", NEEDING_FACTS)
def test_f05_missing_facts_are_error(gate):
    outcome = ask(gate, replace(build(), facts=None))
    assert outcome.verdict is Verdict.ERROR
    assert "no facts" in outcome.findings[0].message


@pytest.mark.parametrize("gate", NEEDING_FACTS)
@pytest.mark.parametrize(
    "changed", [{"content_digest": "sha256:" + "0" * 64}, {"scanner_digest": "sha256:" + "0" * 64}]
)
def test_f06_f15_f21_facts_about_other_content_or_by_another_scanner_are_error(gate, changed):
    inputs = build()
    assert ask(gate, replace(inputs, facts=replace(inputs.scanned, **changed))).verdict is Verdict.ERROR


def test_f06_facts_of_another_schema_are_error():
    inputs = build()
    facts = replace(inputs.scanned, records=inputs.scanned.records.drop_columns(["findings"]))
    assert ask("privacy", replace(inputs, facts=facts)).verdict is Verdict.ERROR


def test_f21_no_scanner_at_all_is_error_even_where_facts_name_none():
    inputs = build()
    facts = replace(inputs.scanned, scanner_digest="")
    assert ask("privacy", replace(inputs, facts=facts, scanner_digest="")).verdict is Verdict.ERROR


@pytest.mark.parametrize("gate", NEEDING_FACTS)
@pytest.mark.parametrize("cut", ["fewer", "more", "none"])
def test_f07_f24_facts_with_missing_or_extra_records_are_error(gate, cut):
    inputs = build()
    table = inputs.scanned.records
    changed = {"fewer": table.slice(1), "more": pa.concat_tables([table, table.slice(0, 1)]), "none": table.slice(0, 0)}
    assert ask(gate, replace(inputs, facts=replace(inputs.scanned, records=changed[cut]))).verdict is Verdict.ERROR


def test_f07_a_record_swapped_for_a_second_copy_of_another_is_error():
    inputs = build()
    table = inputs.scanned.records
    twice = pa.concat_tables([table.slice(0, 1), table.slice(0, 1), table.slice(2)])
    assert ask("leakage", replace(inputs, facts=replace(inputs.scanned, records=twice))).verdict is Verdict.ERROR


def test_f07_lost_messages_are_error():
    inputs = build()
    facts = replace(inputs.scanned, messages=inputs.scanned.messages.slice(1))
    assert ask("leakage", replace(inputs, facts=facts)).verdict is Verdict.ERROR


def test_a_gap_in_a_column_is_error():
    inputs = build()
    table = inputs.scanned.records
    at = table.schema.get_field_index("scannable")
    holes = table.set_column(at, "scannable", pa.array([None] * table.num_rows, pa.bool_()))
    assert ask("privacy", replace(inputs, facts=replace(inputs.scanned, records=holes))).verdict is Verdict.ERROR


@pytest.mark.parametrize("fault", [ValueError, MemoryError, RecursionError, SystemExit, ZeroDivisionError, LookupError])
def test_f08_a_gate_that_raises_is_error_and_its_words_stay_inside(fault):
    def judge(_inputs, _policy):
        raise fault(SECRET)

    outcome = judged_by(judge)
    assert (outcome.verdict, failed_rules(outcome)) == (Verdict.ERROR, {"trial.Z901"})
    assert fault.__name__ in outcome.findings[0].message
    assert SECRET not in repr(outcome)


@pytest.mark.parametrize("answer", [True, "ok", "PASS", {}, None, Verdict.PASS, ("trial", "PASS"), float("nan")])
def test_f11_an_answer_that_is_no_outcome_is_error(answer):
    assert failed_rules(judged_by(lambda _i, _p: answer)) == {"trial.Z904"}


@pytest.mark.parametrize(
    "changed",
    [
        {"examined": None}, {"examined": True, "expected": True}, {"examined": -1, "expected": -1}, {"figures": None},
        {"findings": None}, {"findings": ("all is well",)}, {"gate": "privacy"}, {"next_steps": None},
        {"examined": 12.0, "expected": 12.0},
    ],
)  # fmt: skip
def test_f11_an_outcome_with_parts_missing_is_error(changed):
    assert judged_by(lambda _i, _p: an_outcome(**changed)).verdict is Verdict.ERROR


@pytest.mark.parametrize("verdict", ["WARN", "pass", None, True])
def test_f11_an_unknown_word_as_verdict_is_error(verdict):
    assert judged_by(lambda _i, _p: an_outcome(verdict=verdict)).verdict is Verdict.ERROR


def test_a_pass_that_brings_an_open_finding_is_no_pass():
    finding = Finding("trial.Z001", "Something is wrong.")
    assert judged_by(lambda _i, _p: an_outcome(findings=(finding,))).verdict is Verdict.FAIL


def test_f12_a_gate_that_is_not_installed_is_error():
    outcome = evaluate("privacy", build(), POLICY, {})
    assert (outcome.verdict, outcome.examined) == (Verdict.ERROR, 0)


def test_f16_f17_shards_whose_bytes_were_others_are_error():
    inputs = build()
    shards = (replace(inputs.scanned.shards[0], sha256="0" * 64), *inputs.scanned.shards[1:])
    for gate in NEEDING_FACTS:
        assert ask(gate, replace(inputs, facts=replace(inputs.scanned, shards=shards))).verdict is Verdict.ERROR


def test_f15_frozen_files_that_do_not_hash_to_the_digest_are_error():
    inputs = build()
    files = (replace(inputs.files[0], sha256="0" * 64), *inputs.files[1:])
    for gate in GATES:
        assert ask(gate, replace(inputs, files=files)).verdict is Verdict.ERROR


@pytest.mark.parametrize(("examined", "expected"), [(0, 0), (11, 12), (13, 12), (0, 12)])
def test_f24_what_was_not_wholly_examined_is_error(examined, expected):
    outcome = judged_by(lambda _i, _p: an_outcome(examined=examined, expected=expected))
    assert failed_rules(outcome) == {"trial.Z903"}


def test_f24_a_missing_shard_is_error():
    inputs = build()
    assert ask("privacy", replace(inputs, facts=replace(inputs.scanned, shards=inputs.scanned.shards[1:]))).verdict is (
        Verdict.ERROR
    )


def test_f25_a_shard_scanned_twice_does_not_stand_for_a_missing_one():
    inputs = build()
    first, _second, *rest = inputs.scanned.shards
    for shards in ((first, first, *rest), (first, first, _second, *rest)):
        assert ask("leakage", replace(inputs, facts=replace(inputs.scanned, shards=shards))).verdict is Verdict.ERROR


def test_f27_a_bad_line_is_counted_and_other_gates_see_it_is_missing():
    inputs = build()
    first, *rest = inputs.scanned.shards
    cut = replace(first, records=first.records - 1, bad_lines=(BadLine(0, 0, "duplicate_key"),))
    facts = replace(inputs.scanned, shards=(cut, *rest), records=inputs.scanned.records.slice(1))
    facts = replace(facts, messages=facts.messages.slice(2))
    broken = replace(inputs, facts=facts)
    assert failed_rules(ask("integrity", broken)) == {"integrity.I001"}
    assert failed_rules(ask("privacy", broken)) == {"privacy.P903"}


def test_a_missing_earlier_release_is_error():
    assert ask("leakage", replace(build(), published=("v2025-12-01",))).verdict is Verdict.ERROR


def test_a_doubt_is_never_waived_or_explained():
    waiver = WaiverInForce("w", "trial", frozenset({"trial.Z001"}))
    inputs = replace(build(), waivers=(waiver,), explanations={"x": "e"})
    finding = replace(doubtful("trial.Z001", "In doubt.", subject="x"), waivable=True, explainable=True)
    outcome = conclude("trial", inputs, examined=1, expected=1, findings=[finding], figures={})
    assert outcome.verdict is Verdict.ERROR


@pytest.mark.parametrize("gate", sorted(UNWAIVABLE))
def test_f34_a_waiver_for_integrity_provenance_or_privacy_opens_nothing(gate):
    waiver = WaiverInForce("w", gate, frozenset({f"{gate}.A001"}))
    finding = Finding(f"{gate}.A001", "Wrong.", waivable=True)
    inputs = replace(build(), waivers=(waiver,))
    outcome = conclude(gate, inputs, examined=1, expected=1, findings=[finding], figures={})
    assert outcome.verdict is Verdict.FAIL


def test_f34_a_waiver_is_read_to_the_letter():
    inputs = build([*_leaking()])
    for ids in ({"*"}, {"leakage"}, {"leakage.*"}, {"leakage.L001:*"}, {"leakage.L001:plain"}, {"leakage.L002"}):
        waived = replace(inputs, waivers=(WaiverInForce("w", "leakage", frozenset(ids)),))
        assert ask("leakage", waived).verdict is Verdict.FAIL
    foreign = replace(inputs, waivers=(WaiverInForce("w", "duplicates", frozenset({"leakage.L001:edge"})),))
    assert ask("leakage", foreign).verdict is Verdict.FAIL
    waived = replace(inputs, waivers=(WaiverInForce("w", "leakage", frozenset({"leakage.L001:edge"})),))
    outcome = ask("leakage", waived)
    assert outcome.verdict is Verdict.PASS
    assert [one.settled_by for one in outcome.findings] == ["waiver:w"]


def _leaking():
    same = talk("said twice")
    given = [Row(talk(f"plain {n}"), "plain", split, number=n) for n, split in enumerate(["train", "val", "test"])]
    return [*given, Row(same, "edge", "train", number=1), Row(same, "edge", "test", number=2)]


def test_every_rule_has_an_id_of_its_gate_and_letter_and_all_gates_differ_in_theirs():
    assert len({gate.letter for gate in GATES.values()}) == len(GATES) == len(POLICY.gates)
    for gate in GATES.values():
        rules = rules_of(gate)
        assert all(rule.startswith(f"{gate.id}.{gate.letter}") and len(rule) == len(gate.id) + 5 for rule in rules)


@pytest.mark.parametrize("gate", sorted(GATES))
def test_no_text_of_a_record_is_in_an_outcome(gate):
    inputs = with_rows(build(_leaking()), lambda row: {**row, "problems": ["no_user_turn"], "scannable": False})
    said = [message.content for row in _leaking() for message in row.messages]
    shown = repr(ask(gate, inputs))
    assert not [words for words in said if words[:20] in shown]


@pytest.mark.parametrize(("count", "said"), [(0, "0 records ship"), (1, "1 record ships"), (2, "2 records ship")])
def test_one_is_not_said_as_many(count, said):
    assert many(count, "record ships", "records ship") == said
