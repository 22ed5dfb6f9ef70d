"""Routing names exactly the families that have records, with weights that sum to the whole."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.build.routing import curriculum_config, effective_weights, encode_config, routing_config
from tests.build.building import catalog

pytestmark = pytest.mark.build
CATALOG = catalog()
NAMES = [family.id for family in CATALOG.families]


def shards(*names, split="train"):
    return {
        name: {"train": [], "val": [], "test": [], split: [f"data/{split}/{name}/part-00000.jsonl"]} for name in names
    }


def weights(found, present):
    families = [replace(CATALOG.families[0], id=name, weight_bp=bp) for name, bp in found.items()]
    return effective_weights(families, set(present))


def test_all_present_keeps_the_weights_of_the_catalog():
    found = effective_weights(CATALOG.families, set(NAMES))
    assert found == {family.id: family.weight_bp for family in CATALOG.families}


def test_what_an_absent_family_leaves_is_spread_in_proportion():
    present = set(NAMES) - {"cot_reasoning"}
    assert effective_weights(CATALOG.families, present) == {
        "professional_therapeutic": 3750, "priority": 5000, "edge_cases": 1250, "voice": 0,
    }  # fmt: skip


def test_the_largest_remainder_gets_the_odd_points_and_ties_go_by_name():
    assert weights({"c": 1, "a": 1, "b": 1}, "abc") == {"c": 3333, "a": 3334, "b": 3333}
    assert weights({"a": 1, "b": 2, "c": 4}, "abc") == {"a": 1429, "b": 2857, "c": 5714}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10_000), min_size=1), st.randoms())
def test_weights_sum_to_the_whole_and_a_zero_stays_zero(found, chance):
    given_ = weights(found, found)
    assert sum(given_.values()) == (10_000 if any(found.values()) else 0)
    assert all(given_[name] == 0 for name, bp in found.items() if not bp)
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert weights({name: found[name] for name in shuffled}, found) == given_


def test_only_families_with_records_are_named():
    routing = routing_config(CATALOG, "v2026-01-07", {**shards("priority", "voice"), "edge_cases": {"train": []}})
    assert [one["id"] for one in routing["families"]] == ["priority", "voice"]
    assert [one["stage"] for one in routing["phases"]] == ["stage1_foundation", "stage4_voice_persona"]


def test_a_family_of_weight_zero_ships_its_shards_and_is_off():
    routing = routing_config(CATALOG, "v2026-01-07", shards("priority", "voice"))
    voice = routing["families"][1]
    assert (voice["enabled"], voice["catalog_bp"], voice["effective_bp"]) == (False, 0, 0)
    assert voice["shards"]["train"] == ["data/train/voice/part-00000.jsonl"]


def test_the_curriculum_orders_the_stages_and_skips_what_is_off():
    routing = routing_config(CATALOG, "v2026-01-07", shards("edge_cases", "priority", "voice"))
    phases = curriculum_config(routing)["phases"]
    assert [(one["order"], one["stage"], one["families"]) for one in phases] == [
        (1, "stage1_foundation", {"priority": 8000}),
        (2, "stage3_edge_stress_test", {"edge_cases": 2000}),
        (3, "stage4_voice_persona", {}),
    ]


def test_a_config_has_one_form():
    document = {"b": 1, "a": "é"}
    assert encode_config(document) == encode_config(dict(reversed(document.items())))
    assert json.loads(encode_config(document)) == document
    assert "é".encode() in encode_config(document)


def test_no_release_without_records_divides_by_zero():
    assert routing_config(CATALOG, "v2026-01-07", {})["families"] == []
