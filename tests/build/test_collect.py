"""Every listed object is read or has a reason, and a damaged one takes back what it gave."""

from __future__ import annotations

import gzip

import pytest

from releases.build.pipeline import build
from tests.build.building import GONE, Objects, built, catalog, plan
from tests.factories import EDGE, PRIORITY, conversations, jsonl, source_row

pytestmark = pytest.mark.build
KEY = f"{PRIORITY}a.jsonl"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
GOOD = conversations("good", 3)
PACKED = gzip.compress(GOOD)

BROKEN = {
    "cut gzip": ("a.jsonl.gz", gzip.compress(GOOD * 50)[:-40], "truncated"),
    "damaged gzip": ("a.jsonl.gz", PACKED[:20] + b"\xff" * 40 + PACKED[60:], "damaged_compression"),
    "invalid JSON": ("a.json", b'[{"messages": [', "invalid_json"),
    "nothing": ("a.jsonl", b"", "empty_object"),
    "an LFS pointer": ("a.jsonl", LFS, "lfs_pointer"),
    "an array that ends after good entries": (
        "a.json",
        b"[" + GOOD.replace(b"\n", b",") + b'{"messages"',
        "invalid_json",
    ),
    "unreadable": ("a.jsonl", GONE, "unreadable"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_object_is_refused_by_reason_and_leaves_nothing(name, tmp_path):
    file, body, reason = BROKEN[name]
    found = built({f"{PRIORITY}{file}": body, f"{EDGE}b.jsonl": conversations("edge", 4)}, tmp_path)
    account = found.account(f"{PRIORITY}{file}")
    assert (account.status, account.reason) == ("refused", reason)
    assert (account.records_in, account.records_out, dict(account.excluded)) == (0, 0, {})
    assert {one.metadata.source_family for one in found.records()} == {"edge_cases"}
    assert len(found.records()) == 4


def test_an_object_that_ends_damaged_takes_back_its_records_and_figures(tmp_path):
    named = jsonl([{"messages": [{"role": "user", "content": "Zaphod"}, {"role": "assistant", "content": "yes"}]}])
    bodies = {f"{PRIORITY}a.json": b"[" + named.strip() + b",{", f"{PRIORITY}b.jsonl": named}
    damaged, alone = built(bodies, tmp_path / "1"), built({f"{PRIORITY}b.jsonl": named}, tmp_path / "2")
    assert damaged.result.facts["redaction"] == alone.result.facts["redaction"]
    assert damaged.account(f"{PRIORITY}a.json").status == "refused"
    assert damaged.digest == alone.digest


def test_an_object_that_changed_since_the_inventory_is_refused(tmp_path):
    objects = Objects({KEY: GOOD}, grown=frozenset({KEY}))
    result = build(plan(objects, tmp_path))
    (account,) = result.accounts
    assert (account.status, account.reason) == ("refused", "changed_since_inventory")
    assert str(len(GOOD)) in account.detail
    assert result.records_out == 0


def test_an_object_without_an_approval_is_not_even_opened(tmp_path):
    pending = catalog(source_row("priority", license_status="pending"))
    objects = Objects({KEY: GOOD, f"{EDGE}b.jsonl": GOOD})
    result = build(plan(objects, tmp_path, pending))
    assert objects.opened == []
    assert [(one.status, one.reason, one.detail) for one in result.accounts] == [
        ("refused", "source_not_approved", "no source of the catalog covers this key"),
        ("refused", "source_not_approved", "licence status is pending"),
    ]


def test_a_key_outside_every_family_is_counted_and_not_opened(tmp_path):
    objects = Objects({"other/x.jsonl": GOOD, "gdrive/processed/priority": GOOD})
    result = build(plan(objects, tmp_path))
    assert objects.opened == []
    assert {one.reason for one in result.accounts} == {"outside_every_family"}
    assert result.objects_by_status() == {"read": 0, "not_conversation": 0, "refused": 0, "outside": 2}


def test_a_record_in_a_language_that_is_not_listed_or_in_doubt_about_a_name_does_not_ship(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "I hear you."}]}
        for text in ("plain words", "DEUTSCH words", "UNSURE words", "Zaphod words")
    ]
    found = built({KEY: jsonl(rows)}, tmp_path)
    assert found.reasons() == {f"{KEY}#1": "language_not_listed", f"{KEY}#2": "requires_review"}
    assert sorted(one.metadata.pii_status for one in found.records()) == ["none_detected", "scrubbed"]
    assert not any(b"Zaphod" in body for body in found.bytes.values())


def test_questions_of_another_object_are_joined_and_read_once(tmp_path):
    questions = jsonl({"question_id": n, "question": f"Why does it hurt {n}?"} for n in range(2))
    answers = jsonl({"question_id": n, "answer_id": "m", "text": f"Let us look at it together {n}."} for n in range(2))
    row = source_row("priority") + 'join = {on = "question_id", questions = "question.jsonl"}\n'
    found = built({f"{PRIORITY}answer.jsonl": answers, f"{PRIORITY}question.jsonl": questions}, tmp_path, catalog(row))
    first = sorted(one.messages[0].content for one in found.records())
    assert first == ["Why does it hurt 0?", "Why does it hurt 1?"]


def test_a_declared_join_whose_questions_are_not_there_ships_no_answer(tmp_path):
    answers = jsonl({"question_id": n, "answer_id": "m", "text": f"Let us look at it together {n}."} for n in range(2))
    row = source_row("priority") + 'join = {on = "question_id", questions = "question.jsonl"}\n'
    found = built({f"{PRIORITY}answer.jsonl": answers}, tmp_path, catalog(row))
    assert found.records() == []


def test_a_key_that_names_a_person_is_shown_by_its_alias_everywhere(tmp_path):
    key = f"{PRIORITY}Jane Doe.jsonl"
    found = built({key: GOOD}, tmp_path, alias=lambda one: one.replace(key, "k_0123"))
    assert found.account("k_0123").records_out == 3
    assert {one.metadata.source_key for one in found.records()} == {"s3://local/k_0123"}
    assert not any(b"Jane" in body for body in found.bytes.values())
    assert found.result.facts["key_aliases"] == 1
