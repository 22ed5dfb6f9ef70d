"""The demo bucket: the same bytes every time, every planted fault in place, no cluster that would block a build."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard

from mhds.demo import bucket, plant
from mhds.demo.bucket import PlantedSummary, parse_size, write_bucket
from mhds.demo.compose import Conversation
from mhds.demo.fragments import Draw, compile_fragment, load
from mhds.demo.handwritten import FAMILIES, handwritten, parse_turns, shared_replies
from mhds.demo.sources import PLANS
from mhds.errors import InvalidInput
from releases.build.types import Messages
from releases.catalog.parse import parse_catalog

pytestmark = pytest.mark.build

SIZE = 2_000_000
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def shingles(talk: Conversation) -> set[tuple[str, ...]]:
    run = [word for message in talk.messages for word in words(message.content)]
    return {tuple(run[i : i + 5]) for i in range(len(run) - 4)}


def digest(size: int, seed: int) -> str:
    total = hashlib.sha256()
    write_bucket(
        lambda key, body: total.update(key.encode() + b"\0" + hashlib.sha256(body).digest()), size=size, seed=seed
    )
    return total.hexdigest()


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, bytes], PlantedSummary]:
    objects: dict[str, bytes] = {}
    summary = write_bucket(objects.__setitem__, size=SIZE, seed=7)
    return objects, summary


@pytest.fixture(scope="module")
def composed() -> dict[str, list[Conversation]]:
    """What each family's records are, as conversations, for the same size and seed."""
    talks: dict[str, list[Conversation]] = {}

    class Watching(bucket._Writer):
        def _note(self, key: str, family: str, batch: list[Conversation]) -> None:
            talks.setdefault(family, []).extend(batch)

    writer = Watching(lambda _key, _body: None, PlantedSummary(SIZE, 7))
    writer.joined(SIZE * 450 // 10_000)
    for plan in PLANS:
        writer.source(plan, SIZE * plan.share_bp // 10_000 or SIZE // 4)
    return talks


def test_the_same_size_and_seed_give_the_same_bytes_and_another_seed_does_not() -> None:
    assert digest(1_000_000, 7) == digest(1_000_000, 7)
    assert digest(1_000_000, 7) != digest(1_000_000, 8)


@pytest.mark.parametrize("size", [1_000_000, 2_000_000, 5_000_000])
def test_the_total_lies_within_five_percent_of_the_size_asked_for(size: int) -> None:
    sizes: list[int] = []
    summary = write_bucket(lambda _key, body: sizes.append(len(body)), size=size, seed=3)
    assert sum(sizes) == summary.total_bytes
    assert len(sizes) == summary.objects
    assert abs(sum(sizes) - size) <= size * 0.05


@pytest.mark.parametrize(
    ("text", "size"), [("20m", 20_000_000), ("1.5M", 1_500_000), ("1g", 10**9), ("2000000", 2_000_000)]
)
def test_it_reads_a_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "twenty", "20q", "-5m", "10k", "3g"])
def test_it_refuses_a_size_that_is_no_size_or_out_of_bounds(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_size(text)


def test_no_two_hand_written_conversations_are_alike() -> None:
    talks = [talk for family in FAMILIES for talk in handwritten(family)]
    assert len(talks) >= 40
    sets = [shingles(talk) for talk in talks]
    assert max(len(a & b) / len(a | b) for a, b in combinations(sets, 2)) < 0.05


def test_every_hand_written_conversation_alternates_from_user_to_assistant() -> None:
    for family in FAMILIES:
        for talk in handwritten(family):
            roles = [message.role for message in talk.messages]
            assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
            assert all(message.content.strip() for message in talk.messages)
            assert bool(talk.reasoning) == (family == "cot_reasoning")
            assert all(talk.personas) == (family == "voice")


def test_a_line_without_a_mark_belongs_to_the_turn_above() -> None:
    assert [m.content for m in parse_turns("U: one\ntwo\nA: three")] == ["one\ntwo", "three"]


def test_every_hand_written_conversation_is_in_the_bucket_once(composed: dict[str, list[Conversation]]) -> None:
    for family in FAMILIES:
        held = Counter(id(talk) for talk in composed[family])
        assert all(held[id(talk)] == 1 for talk in handwritten(family))


def test_every_slot_and_choice_of_the_fragments_is_filled(composed: dict[str, list[Conversation]]) -> None:
    for talks in composed.values():
        for talk in talks:
            text = "\n".join([*(message.content for message in talk.messages), talk.reasoning, *talk.personas[0]])
            assert not re.search(r"[{}|]|\[|\]|  | [,.?]", text)
            assert not re.search(r"\b[Aa] [aeio]", text), "an article that does not fit"


def test_no_record_repeats_a_sentence(composed: dict[str, list[Conversation]]) -> None:
    for talks in composed.values():
        for talk in talks:
            said = [s for message in talk.messages for s in re.split(r"(?<=[.?!。？！])\s*", message.content)]
            long = [sentence for sentence in said if len(words(sentence)) >= 12]
            assert len(long) == len(set(long))


def test_clusters_stay_far_under_five_percent_of_their_family(composed: dict[str, list[Conversation]]) -> None:
    for talks in composed.values():
        unique = list(dict.fromkeys(talk.messages for talk in talks))
        assert largest_cluster(unique) <= max(4, len(unique) // 50)


def largest_cluster(unique: list[Messages]) -> int:
    parent = list(range(len(unique)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    seen: dict[str, int] = {}
    for i, messages in enumerate(unique):
        keys = [" ".join(words(m.content)) for m in messages if len(words(m.content)) >= 20]
        keys += ["prompt:" + messages[0].content] if len(messages) == 2 else []
        for key in keys:
            parent[root(i)] = root(seen.setdefault(key, i))
    return max(Counter(root(i) for i in range(len(unique))).values())


def test_every_family_has_its_turns_in_range(composed: dict[str, list[Conversation]]) -> None:
    ranges = {"professional_therapeutic": (2, 20, 5, 50), "cot_reasoning": (1, 10, 1, 20), "edge_cases": (2, 15, 3, 30)}
    for family, (low, high, low_max, high_max) in {**ranges, "voice": (1, 5, 1, 15)}.items():
        turns = [len(talk.messages) for talk in composed[family]]
        assert low <= sum(turns) / len(turns) <= high
        assert low_max <= max(turns) <= high_max


def test_planted_identifiers_are_counted_and_lie_where_the_summary_says(
    made: tuple[dict[str, bytes], PlantedSummary],
) -> None:
    objects, summary = made
    records = sum(summary.records.values())
    assert 0.015 * records <= len(summary.identifiers) <= 0.06 * records
    entities = {"PHONE_NUMBER", "EMAIL_ADDRESS", "US_SSN", "LOCATION", "MEDICAL_RECORD", "PERSON", "CN_MOBILE"}
    assert set(summary.by_entity()) == entities
    for planted in summary.identifiers:
        if planted.key.endswith(".jsonl") and "helpdesk_join" not in planted.key:
            line = objects[planted.key].splitlines()[int(planted.source_record)].decode()
            assert planted.value in line
    assert json.loads(summary.to_json())["identifiers"]["by_entity"] == dict(summary.by_entity())


def test_the_broken_files_are_broken_and_nothing_else_is(made: tuple[dict[str, bytes], PlantedSummary]) -> None:
    objects, summary = made
    broken = {Path(key).name: objects[key] for key in summary.broken}
    with pytest.raises(EOFError):
        gzip.decompress(broken["cut upload.jsonl.gz"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken["invalid.json"])
    assert broken["empty_train_split.jsonl"] == b""
    assert broken["lfs_pointer.parquet"].startswith(b"version https://git-lfs")
    assert sum(not parses(line) for line in broken["one_bad_line.jsonl"].splitlines()) == 1
    for key in objects.keys() - set(summary.broken):
        readable(key, objects[key])


def parses(line: bytes) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return False
    return True


def readable(key: str, body: bytes) -> None:
    name, data = key, body
    if key.endswith(".gz"):
        name, data = key[:-3], gzip.decompress(body)
    elif key.endswith(".zst"):
        name, data = key[:-4], zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read()
    if name.endswith(".jsonl"):
        assert all(parses(line) for line in data.splitlines())
    elif name.endswith(".json"):
        assert parses(data)
    elif name.endswith(".parquet"):
        assert pq.read_table(io.BytesIO(data)).num_rows > 0
    else:
        assert data.decode()


def test_copies_a_leak_and_an_outside_key_are_planted(made: tuple[dict[str, bytes], PlantedSummary]) -> None:
    objects, summary = made
    copy = summary.copied_objects[0]
    assert objects[copy] == objects[copy.replace(" (1)", "")]
    assert summary.exact_copies > 0
    assert summary.near_copies > 0
    assert set(summary.shared_replies) == set(shared_replies())
    leak = shared_replies()["planted-edge-leak"].messages[1]
    assert leak == shared_replies()["planted-holdout"].messages[3]
    assert len(leak.content.split()) >= 20
    catalog = parse_catalog(catalog_text())
    assert [key for key in objects if catalog.family_of(key) is None] == summary.outside


def test_a_near_copy_stays_a_near_duplicate() -> None:
    talk = next(talk for talk in handwritten("professional_therapeutic") if talk.language == "en")
    other = plant.edited(talk, Draw(1, "edit"))
    a, b = shingles(talk), shingles(other)
    assert other.messages != talk.messages
    assert len(a & b) / len(a | b) >= 0.8


def test_the_catalog_covers_every_object_and_leaves_one_source_unapproved(
    made: tuple[dict[str, bytes], PlantedSummary],
) -> None:
    objects, summary = made
    catalog = parse_catalog(catalog_text())
    prefixes = [source.prefix for source in catalog.sources]
    uncovered = [key for key in objects if not key.startswith(tuple(prefixes))]
    assert uncovered == summary.outside
    pending = [source for source in catalog.sources if source.license_status != "verified"]
    assert [source.id for source in pending] == ["unlicensed_forum"]
    assert all(any(key.startswith(source.prefix) for key in objects) for source in catalog.sources)
    assert all(key.startswith(pending[0].prefix) for key in summary.unapproved)


def catalog_text() -> str:
    return (Path(bucket.__file__).parent / "catalog.toml").read_text(encoding="utf-8")


def test_a_choice_may_be_empty_and_stays_apart_from_the_text_around_it() -> None:
    assert compile_fragment("a[|b] c") == (("a",), ("", "b"), (" c",))
    assert load("zh")["slots"]["day"][0] == "周一"
