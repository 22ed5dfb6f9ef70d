"""Privacy: nothing left in the text, and nothing that could not be looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.rules.base import Verdict
from tests.gates.asking import ask, failed_rules
from tests.gates.factory import build, with_rows

pytestmark = pytest.mark.gates


def found(score, **changed):
    return {
        "entity": "PHONE_NUMBER", "rule": "phone", "score_bp": score, "turn": 0, "start": 3, "end": 15, "view": "raw",
        **changed,
    }  # fmt: skip


def first(**changed):
    return with_rows(build(), lambda row: {**row, **changed} if row["ordinal"] == 0 else row)


def redacting(**changed):
    inputs = build()
    told = {**inputs.build_facts["redaction"], **changed}
    return replace(inputs, build_facts={"redaction": told})


def test_it_fails_a_finding_at_the_threshold_with_offsets_and_no_text():
    outcome = ask("privacy", first(findings=[found(4000)]))
    assert failed_rules(outcome) == {"privacy.P001"}
    assert {"record_id", "turn", "start", "end"} <= set(outcome.findings[0].evidence["findings"][0])


def test_a_finding_under_the_threshold_is_counted_by_entity_family_and_split():
    outcome = ask("privacy", first(findings=[found(3999)]))
    assert outcome.verdict is Verdict.PASS
    assert {"entity": "PHONE_NUMBER", "family": "plain", "split": "train", "findings": 1} in (
        outcome.figures["under_threshold"]
    )


@pytest.mark.parametrize("score", [-1, 10_001, None])
def test_a_score_that_is_none_is_error(score):
    assert ask("privacy", first(findings=[found(score)])).verdict is Verdict.ERROR


@pytest.mark.parametrize("status", ["requires_review", "", "clean"])
def test_it_fails_a_record_that_awaits_review_or_has_an_unknown_status(status):
    assert failed_rules(ask("privacy", first(pii_status=status))) == {"privacy.P002"}


def test_f33_it_fails_a_record_that_no_recogniser_could_read():
    assert failed_rules(ask("privacy", first(scannable=False))) == {"privacy.P003"}


@pytest.mark.parametrize("language", ["zh", "und", "xx"])
def test_f33_it_fails_a_language_that_catalog_and_policy_do_not_both_list(language):
    assert failed_rules(ask("privacy", first(language=language))) == {"privacy.P004"}
    assert failed_rules(ask("privacy", first(declared_language=language))) == {"privacy.P004"}


def test_it_fails_when_redaction_took_crisis_language():
    assert failed_rules(ask("privacy", redacting(crisis_terms_before=100, crisis_terms_after=99))) == {"privacy.P005"}
    assert ask("privacy", redacting(crisis_terms_before=1000, crisis_terms_after=999)).verdict is Verdict.PASS


def test_it_fails_when_redaction_took_too_much_of_the_text():
    assert failed_rules(ask("privacy", redacting(chars_after=799))) == {"privacy.P006"}
    assert ask("privacy", redacting(chars_after=800)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "changed",
    [
        {"chars_before": None},
        {"crisis_terms_after": -1},
        {"records_scrubbed": True},
        {"chars_before": 0},
        {"replaced": 1},
    ],
)
def test_a_build_that_does_not_say_what_redaction_did_is_error(changed):
    if "replaced" in changed:
        inputs = replace(build(), build_facts={})
    else:
        inputs = redacting(**changed)
    assert ask("privacy", inputs).verdict is Verdict.ERROR


def test_more_scrubbed_records_than_the_build_redacted_are_error():
    assert ask("privacy", first(pii_status="scrubbed")).verdict is Verdict.ERROR
