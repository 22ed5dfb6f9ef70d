"""Which split a cluster goes to is a pure function, and what was held out once stays held out."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.build.splits import Member, assign, drawn_split, may_lie

pytestmark = pytest.mark.build
BP = {"train": 9000, "val": 500, "test": 500}


def split(*members: tuple[str, str, str], earlier=None, seed=42, bp=BP):
    was = {name: frozenset({before} if isinstance(before, str) else before) for name, before in (earlier or {}).items()}
    given = [Member(cluster, holdout, was.get(name, frozenset())) for name, cluster, holdout in members]
    plan = assign(given, seed=seed, splits_bp=bp)
    return plan.split_of, plan


def cluster_in(wanted, seed=42):
    return next(f"c{n}" for n in range(10_000) if drawn_split(seed, f"c{n}", BP) == wanted)


def test_the_drawn_split_is_fixed_by_seed_and_cluster():
    """Written down: a change of the rule would move records of published releases."""
    assert [drawn_split(42, f"sha256:{n}", BP) for n in (1, 2, 3)] == ["train", "val", "train"]
    assert cluster_in("val") == "c1"
    assert cluster_in("test") == "c8"
    assert drawn_split(43, "c8", BP) == "train"


def test_shares_come_out_as_asked_over_many_clusters():
    counts = Counter(drawn_split(7, f"sha256:{n}", BP) for n in range(20_000))
    for name, share in BP.items():
        assert counts[name] / 20_000 == pytest.approx(share / 10_000, abs=0.006)


def test_a_share_of_nothing_gets_nothing():
    counts = Counter(drawn_split(7, f"c{n}", {"train": 0, "val": 10_000, "test": 0}) for n in range(200))
    assert counts == {"val": 200}


MEMBERS = st.lists(
    st.tuples(
        st.sampled_from([f"h{n}" for n in range(12)]),
        st.sampled_from([f"c{n}" for n in range(6)]),
        st.sampled_from(["split", "train_only", "test_only"]),
    ),
    max_size=20,
)
WAS = st.frozensets(st.sampled_from(["train", "val", "test"]), min_size=1)
EARLIER = st.dictionaries(st.sampled_from([f"h{n}" for n in range(12)]), WAS)


@given(MEMBERS, EARLIER, st.randoms())
def test_one_split_for_each_cluster_whatever_the_order(members, earlier, chance):
    found, _plan = split(*members, earlier=earlier)
    by_cluster: dict[str, set[str]] = {}
    for (_hash, cluster, _holdout), name in zip(members, found, strict=True):
        by_cluster.setdefault(cluster, set()).update({name} - {None})
    assert all(len(names) <= 1 for names in by_cluster.values())
    order = list(range(len(members)))
    chance.shuffle(order)
    again, _plan = split(*[members[n] for n in order], earlier=earlier)
    assert [found[n] for n in order] == again


@given(MEMBERS, EARLIER)
def test_no_cluster_lies_where_its_history_forbids(members, earlier):
    found, plan = split(*members, earlier=earlier)
    shipped: dict[tuple[str, str], list[frozenset[str]]] = {}
    for (content, cluster, _holdout), name in zip(members, found, strict=True):
        if name is not None:
            shipped.setdefault((cluster, name), []).append(earlier.get(content, frozenset()))
    for (_cluster, name), histories in shipped.items():
        assert may_lie(name, frozenset().union(*histories))
    assert set(plan.reasons) == {position for position, name in enumerate(found) if name is None}


@given(MEMBERS, EARLIER)
def test_what_was_trained_on_alone_never_leaves_train_or_the_release(members, earlier):
    found, _plan = split(*members, earlier=earlier)
    for (content, _cluster, holdout), name in zip(members, found, strict=True):
        if earlier.get(content) == {"train"}:
            assert name in ({"train", None} if holdout != "test_only" else {None})


@pytest.mark.parametrize("kept", ["val", "test", "train"])
def test_a_record_of_an_earlier_release_pins_its_whole_cluster(kept):
    drawn = cluster_in("train" if kept != "train" else "test")
    found, plan = split(("old", drawn, "split"), ("new", drawn, "split"), earlier={"old": kept})
    assert found == [kept, kept]
    assert (plan.pinned, plan.conflicts) == (1, 0)


@pytest.mark.parametrize("pins", [("train", "test"), ("val", "test"), ("train", "val")])
def test_a_cluster_with_two_earlier_splits_goes_to_train_as_a_whole_and_is_counted(pins):
    earlier = dict(zip("ab", pins, strict=True))
    found, plan = split(("a", "c", "split"), ("b", "c", "split"), ("new", "c", "split"), earlier=earlier)
    assert found == ["train", "train", "train"]
    assert (plan.reasons, plan.conflicts) == ({}, 1)


@pytest.mark.parametrize("was", [{"train", "test"}, {"val", "test"}])
def test_a_record_on_which_earlier_releases_disagree_goes_to_train_and_is_counted(was):
    found, plan = split(("a", "c", "split"), earlier={"a": was})
    assert (found, plan.conflicts) == (["train"], 1)


@pytest.mark.parametrize(("was", "ships"), [("train", False), ("val", False), ("test", True)])
def test_a_test_only_record_that_was_elsewhere_is_excluded_and_holds_nobody_else_back(was, ships):
    found, plan = split(("a", "c", "test_only"), ("b", "c", "split"), earlier={"a": was, "b": was})
    assert found == (["test", None] if ships else [None, was])
    assert plan.reasons == ({1: "holdout_overlap"} if ships else {0: "earlier_split_conflict"})


def test_test_only_goes_to_test_and_what_joins_it_elsewhere_is_excluded():
    found, _plan = split(
        ("a", "c", "test_only"), ("b", "c", "split"), ("d", "c", "train_only"), ("e", "c", "test_only")
    )
    assert found == ["test", None, None, "test"]


def test_train_only_pulls_its_cluster_to_train_and_a_held_out_pin_is_a_conflict():
    drawn = cluster_in("test")
    found, plan = split(("a", drawn, "train_only"), ("b", drawn, "split"), earlier={"b": "val"})
    assert found == ["train", None]
    assert (plan.reasons, plan.conflicts) == ({1: "earlier_split_conflict"}, 1)


def test_no_member_no_split():
    assert split()[0] == []
