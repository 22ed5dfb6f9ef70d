"""Leakage: by cluster, by message, by family policy, and against earlier releases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.rules.base import EarlierRelease, Verdict
from gates.scan.fingerprints import message_hash
from releases.build.record import content_hash
from releases.build.types import Message
from tests.gates.asking import ask, failed_rules, policy
from tests.gates.factory import Row, build, catalog, family, rows, talk

pytestmark = pytest.mark.gates
LONG = " ".join(f"word{n}" for n in range(20))
SHORT = " ".join(f"word{n}" for n in range(19))


def sharing(text, families=("edge", "edge"), splits=("train", "test")):
    """Two otherwise different records of several exchanges that share one assistant message."""
    return [
        Row(
            (*talk(f"{text} {n}", 2)[:1], Message("assistant", text), *talk(f"{text} more {n}", 2)),
            one,
            split,
            number=80 + n,
        )
        for n, (one, split) in enumerate(zip(families, splits, strict=True))
    ]


def earlier(splits=(), messages=()):
    return EarlierRelease("v2025-12-01", dict(splits), dict(messages), {"plain/train/records": 4})


def after(given, *releases):
    return replace(build(given), earlier=releases, published=tuple(one.version for one in releases))


def test_it_fails_an_identical_long_message_across_splits_of_a_sensitive_family():
    outcome = ask("leakage", build([*rows(), *sharing(LONG)]))
    assert failed_rules(outcome) == {"leakage.L001"}
    assert outcome.figures["pairs"] == [{"one": "edge/test", "other": "edge/train", "pairs": 1}]


def test_a_short_message_is_never_leakage():
    assert ask("leakage", build([*rows(), *sharing(SHORT)])).verdict is Verdict.PASS


def test_a_sensitive_record_that_leaks_into_another_family_fails_too():
    outcome = ask("leakage", build([*rows(), *sharing(LONG, ("plain", "edge"))]))
    assert "leakage.L001" in failed_rules(outcome)


def test_one_exchange_with_the_same_prompt_of_any_length_is_one_cluster():
    given = [
        Row((Message("user", "why me"), talk(f"answer {n}")[1]), "edge", split, number=70 + n)
        for n, split in enumerate(("train", "val"))
    ]
    assert failed_rules(ask("leakage", build([*rows(), *given]))) == {"leakage.L001"}


def test_other_families_may_leak_within_the_policys_share():
    inputs = build([*rows(), *sharing(LONG, ("plain", "plain"))])
    assert failed_rules(ask("leakage", inputs)) == {"leakage.L003"}
    assert ask("leakage", inputs, policy(leakage={"share_bp": 2500})).verdict is Verdict.PASS


@pytest.mark.parametrize(("holdout", "wrong"), [("test_only", {"train", "val"}), ("train_only", {"val", "test"})])
def test_it_fails_a_family_outside_its_only_split(holdout, wrong):
    only = catalog(families=(family("plain", holdout=holdout), family("edge", "two", holdout_sensitive=True)))
    outcome = ask("leakage", build(None, only))
    assert failed_rules(outcome) == {"leakage.L002"}
    assert {one.subject.partition(":")[2] for one in outcome.findings} == wrong


@pytest.mark.parametrize(
    ("was", "now", "verdict"),
    [
        ("test", "train", Verdict.FAIL), ("val", "train", Verdict.FAIL), ("test", "val", Verdict.FAIL),
        ("train", "test", Verdict.FAIL), ("train", "train", Verdict.PASS), ("test", "test", Verdict.PASS),
        ("val", "val", Verdict.PASS),
    ],
)  # fmt: skip
def test_a_record_keeps_the_split_it_had_in_an_earlier_release(was, now, verdict):
    record = Row(talk("known"), "edge", now, number=60)
    inputs = after([*rows(), record], earlier({content_hash(record.messages): was}))
    outcome = ask("leakage", inputs)
    assert outcome.verdict is verdict
    assert outcome.figures["known_from_earlier_releases"] == 1


def test_a_member_of_its_cluster_keeps_that_split_too():
    known, new = sharing(LONG, splits=("train", "train"))
    outcome = ask("leakage", after([*rows(), known, new], earlier({content_hash(known.messages): "test"})))
    assert failed_rules(outcome) == {"leakage.L004"}
    assert outcome.findings[0].count == 2


def test_a_long_message_that_was_held_out_may_not_be_trained_on():
    given = [*rows(), sharing(LONG)[0]]
    inputs = after(given, earlier(messages={message_hash(LONG).hex(): "test"}))
    assert failed_rules(ask("leakage", inputs)) == {"leakage.L004"}


def test_where_earlier_releases_disagree_train_is_right_and_counted():
    record = Row(talk("known"), "edge", "train", number=60)
    hashed = content_hash(record.messages)
    first = earlier({hashed: "test"})
    second = replace(earlier({hashed: "train"}), version="v2025-12-02")
    outcome = ask("leakage", after([*rows(), record], first, second))
    assert outcome.verdict is Verdict.PASS
    assert outcome.figures["conflicts_between_earlier_releases"] == 1


def test_families_that_are_not_sensitive_may_contradict_within_the_share():
    record = Row(talk("known"), "plain", "train", number=60)
    inputs = after([*rows(), record], earlier({content_hash(record.messages): "test"}))
    assert failed_rules(ask("leakage", inputs)) == {"leakage.L005"}
    assert ask("leakage", inputs, policy(leakage={"share_bp": 2000})).verdict is Verdict.PASS
