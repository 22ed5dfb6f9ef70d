"""Routing: what training is told to draw is what ships."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.rules.base import Verdict
from tests.gates.asking import ask, failed_rules
from tests.gates.factory import build, catalog, family, rows, with_bytes, with_config

pytestmark = pytest.mark.gates


def first(document, **changed):
    document["families"][0].update(changed)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda d: first(d, effective_bp=4999), "routing.T002"),
        (lambda d: first(d, enabled=False), "routing.T002"),
        (lambda d: first(d, effective_bp=0), "routing.T002"),
        (lambda d: d["families"].pop(), "routing.T003"),
        (lambda d: first(d, id="ghost"), "routing.T003"),
        (lambda d: d["families"].append(dict(d["families"][0])), "routing.T003"),
        (lambda d: first(d, shards={"train": []}), "routing.T004"),
        (lambda d: d["families"][0]["shards"]["train"].append("../elsewhere.jsonl"), "routing.T004"),
        (lambda d: d["families"][0]["shards"]["train"].append("/tmp/x.jsonl"), "routing.T004"),
        (lambda d: d["families"][0]["shards"]["train"].extend(d["families"][0]["shards"]["train"]), "routing.T004"),
        (lambda d: d["families"][0]["shards"].update(train=d["families"][1]["shards"]["train"]), "routing.T004"),
        (lambda d: d.update(seed=7), "routing.T005"),
        (lambda d: d.update(version="v2026-01-08"), "routing.T005"),
        (lambda d: d.update(schema="other"), "routing.T005"),
        (lambda d: d["sampling"].update(strategy="whatever"), "routing.T005"),
        (lambda d: d["sampling"].update(window=0), "routing.T005"),
        (lambda d: d["phases"].reverse(), "routing.T006"),
        (lambda d: d["phases"].pop(), "routing.T006"),
        (lambda d: first(d, catalog_bp=1), "routing.T007"),
        (lambda d: first(d, stage="two"), "routing.T007"),
    ],
)
def test_it_fails_a_routing_that_is_not_what_ships(change, rule):
    outcome = ask("routing", with_config(build(), change))
    assert outcome.verdict is Verdict.FAIL
    assert rule in failed_rules(outcome)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["phases"].reverse(),
        lambda d: d["phases"][0]["families"].update(plain=1),
        lambda d: d["phases"][0]["families"].update(ghost=1),
        lambda d: d["phases"][0].update(order=9),
    ],
)
def test_it_fails_a_curriculum_that_is_not_the_routings(change):
    assert failed_rules(ask("routing", with_config(build(), change, "curriculum"))) == {"routing.T006"}


@pytest.mark.parametrize("weight", [-1, 10_001, True, "5000", None])
def test_a_weight_that_is_none_is_error(weight):
    assert ask("routing", with_config(build(), lambda d: first(d, effective_bp=weight))).verdict is Verdict.ERROR


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":0.5}', b"\xff", b"{}"])
def test_a_routing_that_does_not_parse_strictly_is_error(body):
    assert ask("routing", with_bytes(build(), body)).verdict is Verdict.ERROR


@pytest.mark.parametrize("name", ["routing", "curriculum"])
@pytest.mark.parametrize("body", [None, b"{}"])
def test_f17_a_config_missing_or_changed_after_the_freeze_is_error(name, body):
    assert failed_rules(ask("routing", replace(build(), **{name: body}))) == {"routing.T001", "routing.T903"}


def test_weights_of_an_absent_family_are_spread_over_the_others():
    outcome = ask("routing", build(rows(("plain",))))
    assert outcome.verdict is Verdict.PASS
    assert [one["effective_bp"] for one in outcome.figures["weights"]] == [10_000]


def test_a_family_with_records_and_no_weight_is_listed_and_disabled():
    idle = catalog(families=(family("plain"), family("edge", "two", weight_bp=0)))
    outcome = ask("routing", build(None, idle))
    assert outcome.verdict is Verdict.PASS
    assert [one["enabled"] for one in outcome.figures["weights"]] == [True, False]


def test_it_fails_when_no_family_has_a_weight():
    idle = catalog(families=(family("plain", weight_bp=0), family("edge", "two", weight_bp=0)))
    assert "routing.T002" in failed_rules(ask("routing", build(None, idle)))
