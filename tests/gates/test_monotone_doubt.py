"""Monotone doubt: missing data, faults, staleness and duplicates may cost a PASS, and never give one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates.rules.base import EarlierRelease, GateInputs, Issue, Listed, Verdict, WaiverInForce
from gates.rules.distribution import figures_of
from gates.rules.registry import GATES, evaluate
from releases.build.record import content_hash
from tests.gates.asking import POLICY
from tests.gates.factory import Row, build, rows, talk, with_config, with_rows

pytestmark = pytest.mark.gates
Fault = Callable[[GateInputs, int], GateInputs]


def drop_records(inputs: GateInputs, seed: int) -> GateInputs:
    table = inputs.scanned.records
    at = seed % table.num_rows
    kept = pa.concat_tables([table.slice(0, at), table.slice(at + 1)])
    return replace(inputs, facts=replace(inputs.scanned, records=kept))


def drop_record_everywhere(inputs: GateInputs, seed: int) -> GateInputs:
    """A record gone from facts, messages and the shard's own count alike: only what was frozen still knows it."""
    table, messages = inputs.scanned.records, inputs.scanned.messages
    row = table.slice(seed % table.num_rows, 1).to_pylist()[0]
    here = [(r["shard"], r["ordinal"]) != (row["shard"], row["ordinal"]) for r in table.to_pylist()]
    there = [(m["shard"], m["ordinal"]) != (row["shard"], row["ordinal"]) for m in messages.to_pylist()]
    shards = tuple(
        replace(one, records=one.records - 1) if one.path == row["shard"] else one for one in inputs.scanned.shards
    )
    facts = replace(inputs.scanned, records=table.filter(here), messages=messages.filter(there), shards=shards)
    return replace(inputs, facts=facts)


def double_record(inputs: GateInputs, seed: int) -> GateInputs:
    table = inputs.scanned.records
    twice = pa.concat_tables([table, table.slice(seed % table.num_rows, 1)])
    return replace(inputs, facts=replace(inputs.scanned, records=twice))


def drop_messages(inputs: GateInputs, seed: int) -> GateInputs:
    table = inputs.scanned.messages
    at = seed % table.num_rows
    return replace(
        inputs, facts=replace(inputs.scanned, messages=pa.concat_tables([table.slice(0, at), table.slice(at + 1)]))
    )


def drop_shard(inputs: GateInputs, seed: int) -> GateInputs:
    """A whole shard gone from the facts, rows and all."""
    shards = list(inputs.scanned.shards)
    path = shards.pop(seed % len(shards)).path
    records = inputs.scanned.records.filter([one != path for one in inputs.scanned.records["shard"].to_pylist()])
    messages = inputs.scanned.messages.filter([one != path for one in inputs.scanned.messages["shard"].to_pylist()])
    return replace(inputs, facts=replace(inputs.scanned, shards=tuple(shards), records=records, messages=messages))


def double_shard(inputs: GateInputs, seed: int) -> GateInputs:
    shards = inputs.scanned.shards
    return replace(inputs, facts=replace(inputs.scanned, shards=(*shards, shards[seed % len(shards)])))


def drop_facts(inputs: GateInputs, _seed: int) -> GateInputs:
    return replace(inputs, facts=None)


def stale_facts(inputs: GateInputs, seed: int) -> GateInputs:
    name = ("content_digest", "scanner_digest")[seed % 2]
    stale: dict[str, Any] = {name: "sha256:" + "e" * 64}
    return replace(inputs, facts=replace(inputs.scanned, **stale))


def drop_file(inputs: GateInputs, seed: int) -> GateInputs:
    at = seed % len(inputs.files)
    return replace(inputs, files=(*inputs.files[:at], *inputs.files[at + 1 :]))


def drop_account(inputs: GateInputs, seed: int) -> GateInputs:
    at = seed % len(inputs.accounts)
    return replace(inputs, accounts=(*inputs.accounts[:at], *inputs.accounts[at + 1 :]))


def drop_listing(inputs: GateInputs, seed: int) -> GateInputs:
    gone = sorted(inputs.listing)[seed % len(inputs.listing)]
    return replace(inputs, listing={key: one for key, one in inputs.listing.items() if key != gone})


def drop_decisions(inputs: GateInputs, _seed: int) -> GateInputs:
    return replace(inputs, excluded_by_decision=frozenset(), source_decisions={})


def drop_answers(inputs: GateInputs, seed: int) -> GateInputs:
    return replace(inputs, waivers=()) if seed % 2 else replace(inputs, explanations={})


def drop_issues(inputs: GateInputs, seed: int) -> GateInputs:
    return replace(inputs, issues=inputs.issues[: seed % (len(inputs.issues) + 1)])


def drop_coverage(inputs: GateInputs, seed: int) -> GateInputs:
    families = list(inputs.coverage["families"])
    families.pop(seed % len(families))
    return replace(inputs, coverage={**inputs.coverage, "families": families})


def drop_configs(inputs: GateInputs, seed: int) -> GateInputs:
    gone: dict[str, Any] = {("routing", "curriculum")[seed % 2]: None}
    return replace(inputs, measured={}, **gone)


def drop_build_facts(inputs: GateInputs, _seed: int) -> GateInputs:
    return replace(inputs, build_facts={})


def drop_earlier(inputs: GateInputs, _seed: int) -> GateInputs:
    return replace(inputs, earlier=())


def drop_figures(inputs: GateInputs, _seed: int) -> GateInputs:
    return replace(inputs, earlier=tuple(replace(one, figures={}) for one in inputs.earlier))


FAULTS: list[Fault] = [
    drop_records, drop_record_everywhere, double_record, drop_messages, drop_shard, double_shard, drop_facts,
    stale_facts, drop_file, drop_account, drop_listing, drop_decisions, drop_answers, drop_issues, drop_coverage,
    drop_configs, drop_build_facts, drop_earlier, drop_figures,
]  # fmt: skip


def _first(inputs: GateInputs, **changed) -> GateInputs:
    return with_rows(inputs, lambda row: {**row, **changed} if row["ordinal"] == 0 else row)


def _refused() -> GateInputs:
    inputs = build()
    one = inputs.accounts[0]
    bad = replace(one, key="plain/b.jsonl", status="refused", reason="truncated", records_in=0, records_out=0)
    return replace(
        inputs,
        accounts=(*inputs.accounts, bad),
        listing={**inputs.listing, bad.key: Listed(bad.size, bad.etag)},
        issues=(Issue(bad.key, bad.etag, "plain", "plain", "", "truncated"),),
        objects_by_status={"read": 2, "refused": 1},
    )


def _after(figures, splits=None) -> GateInputs:
    return replace(
        build(), earlier=(EarlierRelease("v2025-12-01", splits or {}, {}, figures),), published=("v2025-12-01",)
    )


@cache
def worlds() -> list[GateInputs]:
    """Good and bad candidates; each gate has one at least that it does not pass."""
    same = talk("same")
    held = content_hash(rows()[-3].messages)  # a train record of ``edge``
    missing = build(rows(("plain",)))
    refused = _refused()
    return [
        build(),
        missing,
        replace(missing, waivers=(WaiverInForce("w", "coverage", frozenset({"coverage.C001:edge"})),)),
        refused,
        replace(refused, excluded_by_decision=frozenset({refused.issues[0].decided_as})),
        _first(build(), problems=["no_user_turn"]),
        _first(build(), steps=[]),
        _first(build(), scannable=False),
        _first(build(), pii_status="requires_review"),
        build([*rows(), Row(same, "edge", "train", number=8), Row(same, "edge", "test", number=9)]),
        build([row for row in rows() if row.split != "val"]),
        _after(figures_of(build())),
        _after({**figures_of(build()), "old/train/records": 900, "old/train/share_bp": 900}),
        _after(figures_of(build()), {held: "test"}),
        with_config(build(), lambda document: document.update(seed=1)),
    ]


def test_every_gate_meets_worlds_that_it_passes_and_worlds_that_it_does_not():
    for gate in GATES:
        verdicts = {evaluate(gate, world, POLICY).verdict for world in worlds()}
        assert Verdict.PASS in verdicts
        assert len(verdicts) > 1, gate


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    world=st.integers(0, 14),
    gate=st.sampled_from(sorted(GATES)),
    faults=st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 1000)), min_size=1, max_size=3),
)
def test_faults_never_turn_what_is_no_pass_into_one(world, gate, faults):
    clean = worlds()[world]
    before = evaluate(gate, clean, POLICY).verdict
    broken = clean
    for fault, seed in faults:
        # Once the facts are gone there is nothing left of them to break.
        if broken.facts is not None or fault in (drop_facts, drop_answers, drop_issues, drop_earlier, drop_configs):
            try:
                broken = fault(broken, seed)
            except ZeroDivisionError:
                continue
    after = evaluate(gate, broken, POLICY).verdict
    assert before is Verdict.PASS or after is not Verdict.PASS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_alone_gives_no_pass_to_any_gate_in_any_world(fault):
    for world in worlds():
        broken = fault(world, 3)
        for gate in GATES:
            if evaluate(gate, broken, POLICY).verdict is Verdict.PASS:
                assert evaluate(gate, world, POLICY).verdict is Verdict.PASS
