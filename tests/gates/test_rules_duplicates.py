"""Duplicates: nothing twice, near-duplicates within the share, and no message that ties a family together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.rules.base import Verdict
from releases.build.types import Message
from tests.gates.asking import ask, failed_rules, policy
from tests.gates.factory import Row, build, catalog, family, rows, talk

pytestmark = pytest.mark.gates


def nearly(seed):
    """Two conversations that differ in their last word only."""
    user, assistant = talk(seed, 2)
    return (user, assistant), (user, Message("assistant", assistant.content.rsplit(" ", 1)[0] + " otherword"))


def near_rows():
    one, other = nearly("near")
    return [*rows(), Row(one, "plain", "train", number=90), Row(other, "plain", "train", number=91)]


def test_it_fails_two_records_of_the_same_content():
    same = talk("same")
    given = [*rows(), Row(same, number=90), Row(same, number=91)]
    outcome = ask("duplicates", build(given))
    assert "duplicates.U001" in failed_rules(outcome)
    assert outcome.findings[0].count == 2


def test_it_fails_a_share_of_near_duplicates_over_the_policy():
    inputs = build(near_rows())
    outcome = ask("duplicates", inputs, policy(duplicates={"near_share_bp": 2499}))
    assert failed_rules(outcome) == {"duplicates.U002"}
    assert ask("duplicates", inputs, policy(duplicates={"near_share_bp": 2500})).verdict is Verdict.PASS
    assert outcome.figures["near_share_bp"] == {"edge": 0, "plain": 2500}


def test_it_fails_a_family_that_drops_near_duplicates_and_has_some():
    dropping = catalog(families=(family("plain", near_duplicates="drop"), family("edge", "two")))
    assert failed_rules(ask("duplicates", build(near_rows(), dropping))) == {"duplicates.U003"}


def test_a_message_that_ties_a_family_together_is_error_and_named_by_hash_and_witness():
    shared = " ".join(f"word{n}" for n in range(25))
    given = [
        Row((talk(f"tied {n}")[0], Message("assistant", shared)), "plain", "train", number=n + 50) for n in range(10)
    ]
    outcome = ask("duplicates", build([*rows(), *given]))
    assert (outcome.verdict, failed_rules(outcome)) == (Verdict.ERROR, {"duplicates.U004"})
    cause = outcome.findings[0].evidence
    assert (cause["kind"], cause["turn"], cause["members"]) == ("message", 1, 10)
    assert cause["record_id"].startswith("r_")
    assert cause["message_hash"] in outcome.findings[0].message
    assert "word1 word2" not in repr(outcome)


def test_a_small_cluster_in_a_small_family_is_no_doubt():
    assert ask("duplicates", build(near_rows())).verdict is Verdict.PASS


def test_whole_copies_and_containers_are_reported():
    inputs = build()
    one, two = inputs.accounts
    copy = replace(one, key="plain/copy.jsonl")
    parts = [
        replace(
            one, key=f"plain/sub/{name}.jsonl", records_in=count, records_out=0, excluded={"exact_duplicate": count}
        )
        for name, count in (("x", 2), ("y", 3))
    ]
    whole = replace(one, key="plain/sub/all.jsonl", records_in=5, records_out=5)
    figures = ask("duplicates", replace(inputs, accounts=(one, two, copy, *parts, whole))).figures
    assert "plain/copy.jsonl" in figures["whole_object_copies"][0]["keys"]
    assert [row["key"] for row in figures["containers"]] == ["plain/sub/all.jsonl"]
