"""Integrity: bytes, contract, counts, and everything decided that a person must decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gates.rules.base import Issue, Listed, Verdict
from tests.gates.asking import ask, failed_rules, policy
from tests.gates.factory import build, with_rows

pytestmark = pytest.mark.gates


def first(table_row, **changed):
    return {**table_row, **changed} if table_row["ordinal"] == 0 else table_row


def refusing(reason="truncated", key="plain/b.jsonl"):
    """Inputs with one more object that was refused."""
    inputs = build()
    refused = replace(
        inputs.accounts[0], key=key, status="refused", reason=reason, etag="e-b", size=7, records_in=0, records_out=0
    )
    return replace(
        inputs,
        accounts=(*inputs.accounts, refused),
        listing={**inputs.listing, key: Listed(7, "e-b")},
        objects_by_status={"read": 2, "refused": 1},
    )


def with_bad_record():
    inputs = build()
    one, *rest = inputs.accounts
    bad = replace(one, records_in=one.records_in + 1, excluded={"bad_record": 1})
    issue = Issue(one.key, one.etag, one.family, one.source, "99", "bad_record", 4096, "duplicate_key")
    return replace(
        inputs,
        accounts=(bad, *rest),
        records_in=inputs.records_in + 1,
        records_excluded=1,
        exclusions={"bad_record": 1},
        issues=(issue,),
    )


def test_it_fails_a_contract_problem_with_offset_and_no_text():
    inputs = with_rows(build(), lambda row: first(row, problems=["record_id_mismatch"]))
    outcome = ask("integrity", inputs)
    assert failed_rules(outcome) == {"integrity.I002"}
    assert set(outcome.findings[0].evidence["records"][0]) == {"shard", "offset", "record_id"}


def test_it_fails_a_declared_hash_that_is_not_the_texts():
    inputs = with_rows(build(), lambda row: first(row, declared_hash="sha256:" + "0" * 64))
    assert failed_rules(ask("integrity", inputs)) == {"integrity.I002"}


def test_it_fails_shards_of_different_keys():
    inputs = build()
    one, *rest = inputs.scanned.shards
    facts = replace(inputs.scanned, shards=(replace(one, key_shapes=("{b:string}",)), *rest))
    assert failed_rules(ask("integrity", replace(inputs, facts=facts))) == {"integrity.I003"}


def test_a_shard_whose_keys_nobody_looked_at_is_error():
    inputs = build()
    one, *rest = inputs.scanned.shards
    facts = replace(inputs.scanned, shards=(replace(one, key_shapes=()), *rest))
    assert ask("integrity", replace(inputs, facts=facts)).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    "changed",
    [
        {"records_in": 13}, {"records_out": 11}, {"records_excluded": 1}, {"exclusions": {"bad_record": 1}},
        {"records_in": 13, "records_excluded": 1, "exclusions": {"near_duplicate": 1}},
    ],
)  # fmt: skip
def test_it_fails_counts_that_do_not_add_up(changed):
    assert failed_rules(ask("integrity", replace(build(), **changed))) == {"integrity.I004"}


def test_it_fails_an_object_that_lost_a_record_even_where_the_sums_hold():
    inputs = build()
    one, two = inputs.accounts
    accounts = (replace(one, records_in=one.records_in + 1), replace(two, records_in=two.records_in - 1))
    assert failed_rules(ask("integrity", replace(inputs, accounts=accounts))) == {"integrity.I004"}


@pytest.mark.parametrize("lost", ["account", "listing", "etag", "twice", "status", "count", "all"])
def test_an_account_that_is_not_the_inventorys_is_error(lost):
    inputs = build()
    one, two = inputs.accounts
    changes: dict[str, dict[str, Any]] = {
        "account": {"accounts": (one,)},
        "listing": {"listing": {one.key: inputs.listing[one.key]}},
        "etag": {"accounts": (replace(one, etag="other"), two)},
        "twice": {"accounts": (one, two, two)},
        "status": {"accounts": (replace(one, status="skipped"), two)},
        "count": {"objects_by_status": {"read": 3}},
        "all": {"accounts": (), "listing": {}},
    }
    assert ask("integrity", replace(inputs, **changes[lost])).verdict is Verdict.ERROR


def test_an_aliased_key_is_matched_by_size_and_etag():
    inputs = build()
    one, two = inputs.accounts
    aliased = replace(inputs, accounts=(replace(one, key="k_" + "0" * 32), two))
    assert "integrity.I005" not in failed_rules(ask("integrity", aliased))
    changed = replace(inputs, accounts=(replace(one, key="k_" + "0" * 32, size=one.size + 1), two))
    assert "integrity.I005" in failed_rules(ask("integrity", changed))


def test_it_fails_a_refused_object_until_it_is_decided_about_by_key_etag_and_reason():
    inputs = refusing()
    outcome = ask("integrity", inputs)
    assert failed_rules(outcome) == {"integrity.I006"}
    assert "plain/b.jsonl" in outcome.findings[0].message
    assert "exclude, because" in outcome.findings[0].message
    right = ("plain/b.jsonl", "e-b", "", "truncated")
    assert ask("integrity", replace(inputs, excluded_by_decision=frozenset({right}))).verdict is Verdict.PASS
    for wrong in (
        ("plain/b.jsonl", "e-c", "", "truncated"),
        ("plain/b.jsonl", "e-b", "", "other"),
        ("", "e-b", "", ""),
    ):
        assert ask("integrity", replace(inputs, excluded_by_decision=frozenset({wrong}))).verdict is Verdict.FAIL


def test_an_unapproved_source_is_provenances_matter():
    assert ask("integrity", refusing("source_not_approved")).verdict is Verdict.PASS


def test_a_long_list_is_cut_and_the_rest_is_counted():
    inputs = refusing()
    more = tuple(replace(inputs.accounts[-1], key=f"plain/{n}.jsonl") for n in range(5))
    listing = {**inputs.listing, **{one.key: Listed(one.size, one.etag) for one in more}}
    inputs = replace(
        inputs, accounts=(*inputs.accounts, *more), listing=listing, objects_by_status={"read": 2, "refused": 6}
    )
    outcome = ask("integrity", inputs, policy(integrity={"listed": 2}))
    assert [one.count for one in outcome.findings] == [1, 1, 4]


def test_f27_it_fails_a_bad_source_record_until_it_is_decided():
    inputs = with_bad_record()
    outcome = ask("integrity", inputs)
    assert failed_rules(outcome) == {"integrity.I007"}
    assert outcome.findings[0].evidence["records"][0]["offset"] == 4096
    decided = replace(inputs, excluded_by_decision=frozenset({inputs.issues[0].decided_as}))
    assert ask("integrity", decided).verdict is Verdict.PASS


def test_a_lost_issue_does_not_look_like_a_decision():
    assert ask("integrity", replace(with_bad_record(), issues=())).verdict is Verdict.ERROR


def test_an_issue_twice_does_not_stand_for_another():
    inputs = with_bad_record()
    one, *rest = inputs.accounts
    two = replace(one, records_in=one.records_in + 1, excluded={"bad_record": 2})
    twice = replace(
        inputs, accounts=(two, *rest), issues=inputs.issues * 2, records_in=inputs.records_in + 1, records_excluded=2,
        exclusions={"bad_record": 2}, excluded_by_decision=frozenset({inputs.issues[0].decided_as}),
    )  # fmt: skip
    assert ask("integrity", twice).verdict is Verdict.ERROR


@pytest.mark.parametrize("measured", [{}, {"config/routing.json": (1, "0" * 64)}])
def test_f17_index_or_config_bytes_that_changed_are_error(measured):
    assert failed_rules(ask("integrity", replace(build(), measured=measured))) == {"integrity.I008"}
