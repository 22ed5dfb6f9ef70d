"""The order of training: exact, addressable, and the same for any number of readers."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhds.client import IntegrityError, Release, StateMismatch, UsageError
from mhds.client.sampler import Schedule, permute, round_keys
from tests.client.releases import WEIGHTS, build

pytestmark = pytest.mark.client

RECORDS = {"a": 7, "b": 31, "c": 1}
GOLDEN = [("c", 0), ("b", 21), ("a", 4), ("a", 6), ("b", 19)]
MIX = {"a": 7000, "b": 2500, "c": 500}


def ids(sample, count):
    return [record["metadata"]["record_id"] for record in islice(sample, count)]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 700), st.text(max_size=5))
def test_a_permutation_meets_every_value_once(size, name):
    keys = round_keys(name)

    assert sorted(permute(value, size, keys) for value in range(size)) == list(range(size))


def test_a_permutation_is_no_plain_walk_and_differs_by_key():
    first, second = ([permute(value, 1000, round_keys(name)) for value in range(1000)] for name in "ab")

    assert first != second
    assert sum(after - before == 1 for before, after in pairwise(first)) < 10


def test_every_window_holds_the_exact_mix():
    schedule = Schedule("id", 7, MIX, RECORDS)

    assert schedule.window == 20
    for window in range(50):
        start = window * schedule.window
        drawn = Counter(schedule.draw(position).family for position in range(start, start + schedule.window))
        assert drawn == {"a": 14, "b": 5, "c": 1}


def test_weights_without_a_common_measure_are_exact_over_ten_thousand_draws():
    weights = {"a": 4445, "b": 3333, "c": 2222}
    schedule = Schedule("id", 7, weights, RECORDS)

    assert Counter(schedule.draw(position).family for position in range(10_000, 20_000)) == weights


def test_no_record_repeats_inside_a_pass_and_passes_differ():
    schedule = Schedule("id", 7, MIX, RECORDS)
    passes: dict[tuple[str, int], list[int]] = {}
    for position in range(20 * 100):
        draw = schedule.draw(position)
        passes.setdefault((draw.family, draw.epoch), []).append(draw.number)

    whole = [numbers for (family, epoch), numbers in passes.items() if family == "a" and epoch < 150]
    assert len(whole) == 150
    assert all(sorted(numbers) == list(range(7)) for numbers in whole)
    assert len({tuple(numbers) for numbers in whole}) > 100


def test_the_order_is_pinned_for_ever():
    """A change of these draws would change what a resumed run reads: it needs another ALGORITHM name."""
    schedule = Schedule("sha256:00 sha256:11 train 7", 7, MIX, RECORDS)

    assert [(d.family, d.number) for d in map(schedule.draw, (0, 1, 2, 3, 10**9))] == GOLDEN


@pytest.mark.parametrize("other", [{"identity": "other"}, {"seed": 8}])
def test_another_release_or_seed_gives_another_order(other):
    usual = {"identity": "id", "seed": 7, "weights": MIX, "records": RECORDS}

    first, second = (Schedule(**asked) for asked in (usual, usual | other))
    assert [first.draw(i) for i in range(50)] != [second.draw(i) for i in range(50)]


def test_a_family_without_records_in_the_split_leaves_its_share_to_the_others():
    schedule = Schedule("id", 7, MIX, {"a": 3, "b": 3})

    assert schedule.mix == {"a": 14, "b": 5}
    with pytest.raises(IntegrityError, match="nothing to draw"):
        Schedule("id", 7, MIX, {})


@pytest.mark.parametrize("seed", [-1, 2**64, True])
def test_it_refuses_a_seed_that_is_no_64_bit_number(seed):
    with pytest.raises(UsageError):
        Schedule("id", seed, MIX, RECORDS)


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_the_global_order_is_the_same_for_any_world_size(release, world):
    with Release.open(release.prefix) as opened:
        alone = ids(opened.sample(seed=7), 48)
        ranks = [ids(opened.sample(seed=7, rank=rank, world=world), 48 // world) for rank in range(world)]

    assert [ranks[i % world][i // world] for i in range(48)] == alone


@pytest.mark.parametrize("stop", [1, 13, 50])
def test_it_resumes_from_one_integer_even_with_another_world_size(release, stop):
    with Release.open(release.prefix) as opened:
        alone = ids(opened.sample(seed=7), stop + 30)
        before = opened.sample(seed=7)
        ids(before, stop)
    with Release.open(release.prefix) as later:
        parts = [
            ids(later.sample(seed=7, start=before.position, state=before.identity, rank=rank, world=3), 10)
            for rank in range(3)
        ]

    assert before.position == stop
    assert [parts[i % 3][i // 3] for i in range(30)] == alone[stop:]


def test_it_draws_what_the_routing_says_from_the_split_that_was_asked(release):
    with Release.open(release.prefix) as opened:
        sample = opened.sample(seed=1)
        drawn = list(islice(sample, 200))

    assert sample.mix == {family: weight // 1000 for family, weight in WEIGHTS.items()}
    assert Counter(row["metadata"]["source_family"] for row in drawn) == {
        "edge_cases": 20,
        "priority": 100,
        "professional_therapeutic": 80,
    }
    assert {row["metadata"]["split"] for row in drawn} == {"train"}


def test_one_pass_reads_every_record_of_a_family_over_both_its_shards(release):
    with Release.open(release.prefix) as opened:
        drawn = islice(opened.sample(seed=1), 150)
        found = [r["metadata"]["record_id"] for r in drawn if r["metadata"]["source_family"] == "priority"]
        held = {r["metadata"]["record_id"] for r in opened.records(split="train", family="priority")}

    assert len(found) == len(held) == 75
    assert set(found) == held


def test_without_a_seed_the_routing_s_own_decides(release):
    with Release.open(release.prefix) as opened:
        assert ids(opened.sample(), 20) == ids(opened.sample(seed=42), 20) != ids(opened.sample(seed=43), 20)


def test_resume_state_of_another_release_is_refused_with_both_values(release):
    with Release.open(release.prefix) as opened, pytest.raises(StateMismatch) as caught:
        opened.sample(seed=7, state="sha256:0 sha256:1 train 7")
    assert "sha256:0 sha256:1 train 7" in str(caught.value)
    assert release.manifest["content"]["digest"] in str(caught.value)


@pytest.mark.parametrize(
    "asked", [{"rank": 2, "world": 2}, {"rank": -1}, {"world": 0}, {"start": -1}, {"split": "all"}]
)
def test_it_refuses_a_place_that_does_not_exist(release, asked):
    with Release.open(release.prefix) as opened, pytest.raises(UsageError):
        opened.sample(seed=7, **asked)


def test_a_family_of_weight_zero_ships_and_is_never_drawn(tmp_path):
    weights = {"edge_cases": 0, "priority": 6000, "professional_therapeutic": 4000}
    release = build(tmp_path / "exports", weights=weights).write()

    with Release.open(release.prefix) as opened:
        drawn = {row["metadata"]["source_family"] for row in islice(opened.sample(seed=1), 100)}
        assert len(list(opened.records(family="edge_cases"))) == 39
    assert drawn == {"priority", "professional_therapeutic"}
