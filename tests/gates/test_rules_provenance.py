"""Provenance: back to an object of the inventory and an approved source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.rules.base import Listed, Verdict
from gates.rules.provenance import standing
from tests.gates.asking import ask, failed_rules
from tests.gates.factory import build, catalog, source, with_rows

pytestmark = pytest.mark.gates


def first(row, **changed):
    return {**row, **changed} if row["ordinal"] == 0 else row


def unapproved(**changed):
    return catalog(sources=(source("plain"), source("edge", **changed)))


@pytest.mark.parametrize("name", ["phase", "source_record", "license_tag", "source_key", "family"])
def test_it_fails_a_record_that_does_not_name_where_it_comes_from(name):
    outcome = ask("provenance", with_rows(build(), lambda row: first(row, **{name: ""})))
    assert outcome.verdict is Verdict.FAIL
    assert "provenance.R001" in failed_rules(outcome)


@pytest.mark.parametrize("steps", [[], ["read"], ["read@"], ["@1"]])
def test_it_fails_steps_without_name_or_version(steps):
    inputs = with_rows(build(), lambda row: first(row, steps=steps))
    assert failed_rules(ask("provenance", inputs)) == {"provenance.R003"}


def test_it_fails_a_source_key_that_no_account_knows():
    inputs = with_rows(build(), lambda row: first(row, source_key="s3://local/plain/never.jsonl"))
    assert "provenance.R002" in failed_rules(ask("provenance", inputs))


@pytest.mark.parametrize("changed", [{"status": "refused"}, {"etag": "e-other"}])
def test_it_fails_records_of_an_object_not_read_or_of_another_etag(changed):
    inputs = build()
    one, two = inputs.accounts
    assert failed_rules(ask("provenance", replace(inputs, accounts=(replace(one, **changed), two)))) == {
        "provenance.R002"
    }


def test_it_fails_records_of_an_object_that_is_not_in_the_inventory():
    inputs = build()
    assert "provenance.R002" in failed_rules(ask("provenance", replace(inputs, listing={})))


def test_it_fails_when_an_object_gave_another_number_of_records():
    inputs = build()
    one, two = inputs.accounts
    accounts = (replace(one, records_out=one.records_out + 1), two)
    assert failed_rules(ask("provenance", replace(inputs, accounts=accounts))) == {"provenance.R007"}


@pytest.mark.parametrize(
    "changed",
    [
        {"license_status": "pending"}, {"license_status": "unclear"}, {"license_status": ""}, {"approved_by": ""},
        {"approved_at": ""}, {"allowed_uses": ()}, {"acquisition": ""}, {"prohibited_uses": ("training",)},
    ],
)  # fmt: skip
def test_it_denies_by_default(changed):
    assert "provenance.R004" in failed_rules(ask("provenance", build(None, unapproved(**changed))))


def test_compliance_may_approve_a_pending_row_and_exclude_an_approved_one():
    pending = unapproved(license_status="pending")
    row = pending.source_by_id["edge"]
    inputs = build(None, pending)
    approved = replace(inputs, source_decisions={("edge", row.digest): "approved"})
    assert ask("provenance", approved).verdict is Verdict.PASS
    inputs = build()
    row = inputs.catalog.source_by_id["edge"]
    excluded = replace(inputs, source_decisions={("edge", row.digest): "excluded"})
    assert failed_rules(ask("provenance", excluded)) == {"provenance.R004"}


def test_f34_an_approval_of_an_earlier_row_says_nothing_about_the_edited_one():
    inputs = build(None, unapproved(license_status="pending"))
    other = source("edge").digest
    decided = replace(inputs, source_decisions={("edge", other): "approved"})
    assert ask("provenance", decided).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "changed", [{"license_tag": "CC-BY-ND-4.0"}, {"license_tag": ""}, {"prohibited_uses": ("training",)}]
)
def test_no_approval_heals_a_row_that_forbids_the_use(changed):
    row = source("edge", **changed)
    assert standing(row, {("edge", row.digest): "approved"})


def test_it_fails_a_licence_that_is_not_the_sources():
    inputs = with_rows(build(), lambda row: first(row, license_tag="MIT"))
    assert failed_rules(ask("provenance", inputs)) == {"provenance.R005"}


def test_it_fails_a_stage_that_is_not_the_familys():
    inputs = with_rows(build(), lambda row: first(row, phase="nine"))
    assert failed_rules(ask("provenance", inputs)) == {"provenance.R005"}


def unread(source_id="edge", decision=None):
    inputs = build()
    refused = replace(
        inputs.accounts[0], key="edge/b.jsonl", family="edge", source=source_id, status="refused",
        reason="source_not_approved", records_in=0, records_out=0,
    )  # fmt: skip
    digest = inputs.catalog.source_by_id["edge"].digest
    return replace(
        inputs,
        accounts=(*inputs.accounts, refused),
        listing={**inputs.listing, "edge/b.jsonl": Listed(refused.size, refused.etag)},
        source_decisions={("edge", digest): decision} if decision else {},
    )


def test_it_fails_objects_left_unread_and_names_their_source():
    outcome = ask("provenance", unread())
    assert failed_rules(outcome) == {"provenance.R006"}
    assert outcome.findings[0].subject == "edge"


def test_an_approval_after_the_build_asks_for_a_new_build():
    outcome = ask("provenance", unread(decision="approved"))
    assert outcome.verdict is Verdict.FAIL
    assert "Build again" in outcome.findings[0].message


def test_a_source_that_compliance_excluded_may_stay_unread():
    findings = ask("provenance", unread(decision="excluded")).findings
    assert "provenance.R006" not in {one.rule for one in findings}


def test_an_object_that_no_source_covers_cannot_be_decided_away():
    assert failed_rules(ask("provenance", unread(source_id=""))) == {"provenance.R006"}


def test_the_figures_give_the_share_by_source_and_licence():
    figures = ask("provenance", build()).figures
    assert figures["by_source"]["plain"] == {"records": 6, "share_bp": 5000}
    assert figures["by_licence"] == {"CC0-1.0": {"records": 12, "share_bp": 10_000}}
