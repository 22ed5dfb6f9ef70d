"""The build as a whole: nothing is lost, duplicates name what stands for them, one source is one set of bytes."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace

import pytest

from mhds.errors import DetectorFailed
from releases.build.pipeline import build
from tests.build.building import Built, Objects, PlainRedactor, built, catalog, plan
from tests.factories import EDGE, FOUNDATION, PRIORITY, VOICE, conversation, conversations, jsonl

pytestmark = pytest.mark.build


def talk(first, reply="I hear you."):
    return {"messages": [{"role": "user", "content": first}, {"role": "assistant", "content": reply}]}


MIXED = {
    f"{FOUNDATION}a.jsonl": conversations("one", 30) + b"not json\n",
    f"{FOUNDATION}copy of a.jsonl": conversations("one", 30),
    f"{PRIORITY}ünï code/名 前.jsonl": conversations("two", 30) + jsonl([{"prompt": "only a prompt"}]),
    f"{PRIORITY}a": conversations("four", 3),
    f"{PRIORITY}a/b": conversations("five", 3),
    f"{PRIORITY}broken.json": b"[{",
    f"{EDGE}a.jsonl": conversations("three", 30) + jsonl(map(talk, ("DEUTSCH hier", "UNSURE here", "Zaphod here"))),
    "elsewhere/a.jsonl": conversations("outside"),
}


def shape(value):
    """Keys and types, in their order; a list is as its first entry."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value).__name__


def all_of(found: Built):
    return found.result.records_in, found.result.records_out, len(found.result.exclusions)


def test_records_in_are_records_out_and_exclusions_in_all_and_for_each_object(tmp_path):
    found = built(MIXED, tmp_path)
    records_in, out, excluded = all_of(found)
    assert records_in == out + excluded > 0
    assert out == len(found.records())
    for account in found.result.accounts:
        assert account.records_in == account.records_out + sum(account.excluded.values()), account.key
    by_key = Counter(one.key for one in found.result.exclusions)
    assert by_key == +Counter({one.key: sum(one.excluded.values()) for one in found.result.accounts})
    assert sum(found.result.objects_by_status().values()) == len(MIXED)


def test_every_reason_is_counted(tmp_path):
    reasons = built(MIXED, tmp_path).result.excluded_by_reason()
    assert reasons["exact_duplicate"] == 30
    assert {"bad_record", "language_not_listed", "requires_review"} <= set(reasons)
    assert "" not in reasons


def test_an_exact_duplicate_names_the_record_that_stands_for_it(tmp_path):
    found = built(MIXED, tmp_path)
    shipped = {one.metadata.record_id: one.metadata for one in found.records()}
    doubles = [one for one in found.result.exclusions if one.reason == "exact_duplicate"]
    assert {one.key for one in doubles} == {f"{FOUNDATION}copy of a.jsonl"}
    for one in doubles:
        assert shipped[one.kept].provenance.dedup_status == "kept_of_duplicates"


def test_the_digest_is_the_same_for_another_order_and_another_folder(tmp_path):
    first = built(MIXED, tmp_path / "a")
    objects = Objects(MIXED)
    orders = (list(reversed(objects.listing())), sorted(objects.listing(), key=lambda one: one.size))
    for number, order in enumerate(orders):
        again = Built(build(replace(plan(objects, tmp_path / f"other {number}"), objects=order)))
        assert again.digest == first.digest
        assert again.bytes == first.bytes
        assert sorted(again.result.released) == sorted(first.result.released)


def test_no_path_host_or_clock_reaches_a_byte(tmp_path):
    found = built(MIXED, tmp_path / "a very special folder")
    everything = b"".join(found.bytes.values())
    for trace in ("a very special folder", str(tmp_path), os.uname().nodename):
        assert trace.encode() not in everything
    assert {one.metadata.provenance.processed_at for one in found.records()} == {"2026-01-07T00:00:00Z"}


def test_another_seed_or_another_text_is_another_digest(tmp_path):
    first = built(MIXED, tmp_path / "a")
    seeded = built(MIXED, tmp_path / "b", replace(catalog(), seed=43))
    changed = built({**MIXED, f"{PRIORITY}a": conversations("six", 3)}, tmp_path / "c")
    assert len({first.digest, seeded.digest, changed.digest}) == 3


def test_records_lie_in_the_shard_of_their_family_and_split_in_order_of_their_id(tmp_path):
    found = built(MIXED, tmp_path, shard_bytes=4000)
    data = [file for file in found.result.files if file.role == "data"]
    assert len(data) > 5
    by_group: dict[tuple[str, str], list[str]] = {}
    for file in data:
        for line in file.local.read_bytes().splitlines():
            metadata = json.loads(line)["metadata"]
            assert (metadata["split"], metadata["source_family"]) == (file.split, file.family)
            by_group.setdefault((file.split, file.family), []).append(metadata["record_id"])
    assert all(ids == sorted(ids) for ids in by_group.values())


def test_a_cluster_lies_in_one_split(tmp_path):
    rows = jsonl(talk(f"{'alpha' if n % 2 else 'beta'} number {n} of many") for n in range(40))
    splits: dict[str, set[str]] = {}
    for one in built({f"{PRIORITY}a.jsonl": rows}, tmp_path).records():
        splits.setdefault(one.messages[0].content.split()[0], set()).add(one.metadata.split)
    assert {len(found) for found in splits.values()} == {1}


TEST_ONLY = (('holdout = "split"\nholdout_sensitive = true', 'holdout = "test_only"\nholdout_sensitive = true'),)


def test_what_joins_a_cluster_of_a_test_only_family_is_excluded(tmp_path):
    bodies = {
        f"{EDGE}a.jsonl": jsonl([talk("alpha one"), talk("gamma one")]),
        f"{PRIORITY}a.jsonl": jsonl([talk("alpha two"), talk("beta two")]),
    }
    found = built(bodies, tmp_path, catalog(replace=TEST_ONLY))
    assert found.reasons() == {f"{PRIORITY}a.jsonl#0": "holdout_overlap"}
    assert {one.metadata.split for one in found.records() if one.metadata.source_family == "edge_cases"} == {"test"}


def test_an_earlier_release_pins_its_records(tmp_path):
    bodies = {f"{PRIORITY}a.jsonl": conversations("one", 20)}
    before = built(bodies, tmp_path / "a")
    hashes = [content for _id, content, _split, _cluster in before.result.released]
    for held in ("val", "test"):
        found = built(bodies, tmp_path / held, earlier=dict.fromkeys(hashes, frozenset({held})))
        assert {one.metadata.split for one in found.records()} == {held}
        assert found.result.facts["splits"]["pinned"] > 0


def test_a_long_message_of_an_earlier_release_pins_the_record_that_says_it_now(tmp_path):
    """Other records, other hashes: only what they say was there before."""
    bodies = {f"{PRIORITY}a.jsonl": conversations("one", 20)}
    for held in ("val", "test"):
        found = built(bodies, tmp_path / held, said=lambda _messages, held=held: frozenset({held}))
        assert {one.metadata.split for one in found.records()} == {held}


def test_a_record_whose_cluster_may_not_be_where_it_was_is_excluded_by_name(tmp_path):
    bodies = {f"{PRIORITY}a.jsonl": jsonl([talk("alpha one"), talk("alpha two"), talk("beta three")])}
    before = built(bodies, tmp_path / "a")
    held = {one.metadata.source_record: one.metadata.content_hash for one in before.records()}
    earlier = {held["0"]: frozenset({"train"}), held["1"]: frozenset({"test"})}
    found = built(bodies, tmp_path / "b", earlier=earlier)
    assert found.reasons() == {f"{PRIORITY}a.jsonl#1": "earlier_split_conflict"}
    assert found.result.facts["splits"]["conflicts"] == 1


DROP = (('near_duplicates = "keep"             # keep | drop', 'near_duplicates = "drop"'),)


def test_near_duplicates_ship_marked_or_go_where_the_family_says_drop(tmp_path):
    bodies = {f"{FOUNDATION}a.jsonl": jsonl([talk("near one"), talk("near two"), talk("alone three")])}
    kept = built(bodies, tmp_path / "keep")
    statuses = Counter(one.metadata.provenance.dedup_status for one in kept.records())
    assert statuses == {"near_duplicate_kept": 2, "unique": 1}
    dropped = built(bodies, tmp_path / "drop", catalog(replace=DROP))
    assert dropped.reasons() == {f"{FOUNDATION}a.jsonl#1": "near_duplicate"}
    assert len(dropped.records()) == 2


def test_a_detector_that_cannot_finish_stops_the_build(tmp_path):
    class Broken(PlainRedactor):
        def redact(self, messages, language):
            raise DetectorFailed("the detector took too long")

    with pytest.raises(DetectorFailed):
        built(MIXED, tmp_path, redactor=Broken())
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_no_text_lies_about_in_the_work_folder_while_it_runs(tmp_path):
    found = []

    def look(_records, _bytes):
        found.extend(path for path in tmp_path.rglob("*") if path.is_file())

    built(MIXED, tmp_path, progress=look)
    assert found == []


def test_a_source_without_a_usable_record_still_has_its_account(tmp_path):
    found = built({f"{VOICE}a.jsonl": b"", "x": b""}, tmp_path)
    assert all_of(found) == (0, 0, 0)
    assert [file.path for file in found.result.files] == ["config/curriculum.json", "config/routing.json"]


def test_every_line_of_every_shard_has_the_same_keys(tmp_path):
    data = [body for path, body in built(MIXED, tmp_path).bytes.items() if path.endswith(".jsonl")]
    lines = b"".join(data).splitlines()
    shapes = {json.dumps(shape(json.loads(line))) for line in lines}
    assert len(lines) > 50
    assert len(shapes) == 1


def test_one_long_conversation_and_many_short_ones_keep_their_turns(tmp_path):
    long = conversation("long", turns=60)
    found = built({f"{PRIORITY}a.jsonl": jsonl([long, talk("short one")])}, tmp_path)
    assert sorted(one.metadata.conversation_length for one in found.records()) == [2, 60]
