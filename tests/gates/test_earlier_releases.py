"""A second release that repeats what the first one said: the build pins what the leakage gate will look at."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gates import engine
from gates.models import GateResult
from gates.scan.marks import long_messages, mark
from mhds import workflow
from releases import accounts, stores
from releases.build.types import Message
from releases.lifecycle import State
from releases.models import Candidate
from tests.factories import EDGE, VERSION, catalog_toml, conversation, jsonl, sentence, source_row

pytestmark = [pytest.mark.gates, pytest.mark.django_db]

SECOND = "v2026-02-04"
EVEN = ((  # half of the clusters are held out, so that few records tell
    "splits_bp = { train = 9000, val = 500, test = 500 }", "splits_bp = { train = 5000, val = 2500, test = 2500 }"
),)  # fmt: skip
Talks = list[dict[str, Any]]


def first_release(home) -> Talks:
    """Twenty conversations of a holdout-sensitive family, built, judged and published."""
    talks = [conversation(f"edge {number}", turns=4) for number in range(20)]
    home.put({f"{EDGE}a.jsonl": jsonl(talks)})
    home.use(catalog_toml(source_row("edge_cases"), replace=EVEN))
    candidate = workflow.run(VERSION, until="gates", actor=None).candidate
    verdicts = {one.gate: one.verdict for one in GateResult.objects.of(candidate)}
    assert (verdicts["leakage"], verdicts["distribution"]) == ("PASS", "PASS")
    Candidate.objects.filter(pk=candidate.pk).update(state=State.PUBLISHED)
    return talks


def second_release() -> tuple[Candidate, GateResult]:
    candidate = workflow.run(SECOND, until="gates", actor=None).candidate
    assert candidate is not None
    return candidate, GateResult.objects.of(candidate).filter(gate="leakage").latest("created_at")


def retold(talks: Talks) -> Talks:
    """Other conversations that end with the words of these."""
    return [
        {"messages": [*conversation(f"new {number}", turns=3)["messages"], one["messages"][-1]]}
        for number, one in enumerate(talks)
    ]


def splits_of(candidate: Candidate) -> list[str]:
    return [row["split"] for row in accounts.read_lines(stores.bucket(), candidate.released_key)]


def test_what_shares_messages_with_an_earlier_release_stays_in_its_split(home):
    talks = first_release(home)
    home.put({f"{EDGE}a.jsonl": jsonl(retold(talks)), f"{EDGE}b.jsonl": jsonl([conversation("more")])})
    candidate, leakage = second_release()
    assert leakage.verdict == "PASS"
    assert leakage.figures["known_from_earlier_releases"] == len(talks)
    assert set(splits_of(candidate)) == {"train", "val", "test"}
    assert candidate.records_out == len(talks) + 1


def test_without_the_pin_the_same_objects_fail_the_gate(home, monkeypatch):
    talks = first_release(home)
    home.put({f"{EDGE}a.jsonl": jsonl(retold(talks)), f"{EDGE}b.jsonl": jsonl([conversation("more")])})
    ports = engine.build_ports
    monkeypatch.setattr(
        engine, "build_ports", lambda: replace(ports(), history=lambda _candidate: lambda _messages: frozenset())
    )
    _candidate, leakage = second_release()
    assert leakage.verdict == "FAIL"
    assert {one["rule"] for one in leakage.findings} == {"leakage.L004"}


def test_a_cluster_with_two_earlier_splits_goes_to_train_and_the_gate_counts_it(home):
    talks = first_release(home)
    released = {
        row["content_hash"]: row["split"]
        for row in accounts.read_lines(stores.bucket(), Candidate.objects.get().released_key)
    }
    hashes = _hashes(talks)
    where = {released[found]: number for number, found in enumerate(hashes) if found in released}
    both = [talks[where[split]]["messages"][-1] for split in ("train", "test")]
    user = {"role": "user", "content": sentence("a question that nobody asked before")}
    home.put({f"{EDGE}b.jsonl": jsonl([{"messages": [user, both[0], user, both[1]]}])})
    candidate, leakage = second_release()
    assert leakage.verdict == "PASS"
    now = {row["content_hash"]: row["split"] for row in accounts.read_lines(stores.bucket(), candidate.released_key)}
    assert {now[hashes[where[split]]] for split in ("train", "test")} == {"train"}
    assert candidate.exclusions == {}
    assert leakage.figures["conflicts_between_earlier_releases"] == 1
    assert candidate.build_facts["splits"]["conflicts"] == 1


def _hashes(talks: Talks) -> list[str]:
    found = {}
    bucket = stores.bucket()
    for row in Candidate.objects.get().files:
        if row["role"] == "data":
            for line in bucket.read_bytes(Candidate.objects.get().staging + row["path"]).splitlines():
                record = json.loads(line)
                found[record["metadata"]["source_record"]] = record["metadata"]["content_hash"]
    return [found.get(str(number), "") for number in range(len(talks))]


def test_a_long_message_is_what_the_scan_calls_one():
    """The build hashes messages by a shorter way than the scan: both must say the same."""
    texts = [sentence("one", 19), sentence("two", 20), sentence("three", 40), "\u4f60\u597d" * 10, " \u00c5 " * 20]
    for role in ("user", "assistant", "system"):
        messages = tuple(Message(role, text) for text in texts)
        by_scan = {one.message_hash for one in mark(messages).messages if one.words >= 20 and one.role != "system"}
        assert long_messages(messages, 20) == by_scan
        assert len(by_scan) == (0 if role == "system" else 4)
