"""Coverage: the pinned checklist, and no status on its word."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from gates.rules.base import Verdict, WaiverInForce
from releases.catalog.types import EvidenceRule
from tests.gates.asking import ask, failed_rules, policy
from tests.gates.factory import build, catalog, family, rows, source

pytestmark = pytest.mark.gates


def changed(change, inputs=None):
    inputs = inputs or build()
    matrix = copy.deepcopy(dict(inputs.coverage))
    change(matrix)
    return replace(inputs, coverage=matrix)


def test_it_fails_a_required_family_that_is_missing_and_says_what_to_do():
    outcome = ask("coverage", build(rows(("plain",))))
    assert (outcome.verdict, failed_rules(outcome)) == (Verdict.FAIL, {"coverage.C001"})
    assert outcome.examined == outcome.expected == 2
    assert "waiver" in outcome.next_steps[0]


def test_a_waiver_in_force_for_that_family_opens_it_and_stays_visible():
    inputs = replace(
        build(rows(("plain",))), waivers=(WaiverInForce("w1", "coverage", frozenset({"coverage.C001:edge"})),)
    )
    outcome = ask("coverage", inputs)
    assert outcome.verdict is Verdict.PASS
    assert outcome.findings[0].settled_by == "waiver:w1"


def test_it_fails_when_the_catalog_drops_a_family_of_the_checklist():
    small = catalog(families=(family("plain"),), sources=(source("plain"),))
    assert failed_rules(ask("coverage", build(rows(("plain",)), small))) == {"coverage.C002"}


def test_it_fails_when_the_catalog_no_longer_requires_a_family_of_the_checklist():
    lax = catalog(families=(family("plain"), family("edge", "two", required=False)))
    assert failed_rules(ask("coverage", build(None, lax))) == {"coverage.C003"}


def test_a_family_that_only_the_catalog_requires_counts_too():
    more = catalog(families=(*catalog().families, family("extra")))
    outcome = ask("coverage", build(None, more))
    assert (outcome.expected, failed_rules(outcome)) == (3, {"coverage.C001"})


def test_it_fails_a_present_family_of_which_nothing_ships():
    inputs = build(rows(("plain",)))
    inputs = replace(inputs, coverage=build().coverage, accounts=build().accounts)
    assert failed_rules(ask("coverage", inputs)) == {"coverage.C004"}


def test_a_checklist_that_the_policy_does_not_pin_is_error():
    rules = policy(coverage={"checklists": {"another": ("plain",)}})
    assert ask("coverage", build(), rules).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(checklist="other"),
        lambda m: m["families"].pop(),
        lambda m: m["families"].append(m["families"][0]),
        lambda m: m["families"][0].update(status="complete"),
        lambda m: m["families"][0].update(status="missing"),
        lambda m: m["families"][0]["rules"][0].update(found=0),
        lambda m: m["families"][0]["rules"][0].update(found=9),
        lambda m: m["families"][0]["rules"][0].update(min_objects=0),
        lambda m: m["families"][0].update(rules=[]),
        lambda m: m["families"][0]["counted"].update(objects=0),
        lambda m: m.clear(),
    ],
)
def test_a_matrix_that_contradicts_catalog_account_or_itself_is_error(change):
    assert ask("coverage", changed(change)).verdict is Verdict.ERROR


def test_a_persona_rule_counts_objects_of_personas_only():
    rule = EvidenceRule("persona_profile", 1)
    voiced = catalog(families=(family("plain"), family("edge", "two", evidence=(rule,))))
    inputs = build(None, voiced)
    assert ask("coverage", inputs).verdict is Verdict.ERROR  # claimed, and no account has a persona
    accounts = tuple(replace(one, personas=2) for one in inputs.accounts)
    assert ask("coverage", replace(inputs, accounts=accounts)).verdict is Verdict.PASS
