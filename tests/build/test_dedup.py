"""Which of equal or nearly equal records stays: the same one on every machine."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from releases.build.collect import Held
from releases.build.dedup import exact_duplicates, natural, near_duplicates
from releases.build.spool import Place
from tests.build.building import catalog

pytestmark = pytest.mark.build
FAMILIES = catalog().families
FOUNDATION, PRIORITY, EDGE = "professional_therapeutic", "priority", "edge_cases"


def held(key, record="0", content="h", family=PRIORITY):
    return Held(0, family, key, record, content, Place(0, 0), "en", "none_detected")


def families(**holdout):
    """The catalog's families, some with another ``holdout`` or with near-duplicates dropped."""
    changed = {name: {"near_duplicates" if value == "drop" else "holdout": value} for name, value in holdout.items()}
    return tuple(replace(one, **changed.get(one.id, {})) for one in FAMILIES)


def kept_of(rows, given=FAMILIES):
    kept, replaced = exact_duplicates(rows, given, range(len(rows)))
    return [rows[n] for n in kept], {rows[a].key: rows[b].key for a, b in replaced.items()}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (held("z", family=FOUNDATION), held("a", family=PRIORITY)),  # the catalog's order of families
        (held("a"), held("b")),
        (held("Z"), held("a")),  # bytes, not a locale
        (held("z"), held("é")),
        (held("\uffff"), held("\U00010000")),  # UTF-8 bytes, not UTF-16 units
        (held("a", "9"), held("a", "10")),  # numbers, not text
        (held("a", "9"), held("a", "9.1")),
    ],
)
def test_the_smaller_stays_whatever_comes_first(first, second):
    for rows in permutations([first, second]):
        kept, replaced = exact_duplicates(rows, FAMILIES, range(2))
        assert [rows[n] for n in kept] == [first]
        assert replaced == {rows.index(second): rows.index(first)}


def test_a_copy_that_is_for_test_only_wins_over_the_order():
    kept, replaced = kept_of([held("a", family=FOUNDATION), held("b", family=EDGE)], families(edge_cases="test_only"))
    assert [one.key for one in kept] == ["b"]
    assert replaced == {"a": "b"}


def test_different_records_all_stay_in_their_order():
    rows = [held("b", content="1"), held("a", content="2"), held("c", content="3")]
    assert kept_of(rows) == (rows, {})


def test_only_who_is_still_in_counts():
    rows = [held("a"), held("b"), held("c")]
    assert exact_duplicates(rows, FAMILIES, [1, 2]) == ([1], {2: 1})


def test_positions_are_numbers():
    assert sorted(["10", "9", "9.2", "9.10"], key=natural) == ["9", "9.2", "9.10", "10"]


def near(rows, pairs, given):
    return near_duplicates(rows, given, range(len(rows)), pairs)


def test_near_duplicates_stay_unless_the_family_says_drop():
    rows = [held("a", content="1"), held("b", content="2")]
    assert near(rows, [(0, 1)], FAMILIES) == {}
    assert near(rows, [(0, 1)], families(priority="drop")) == {1: 0}
    assert near(rows, [(1, 0)], families(priority="drop")) == {1: 0}


def test_a_record_stays_when_all_that_is_near_it_went():
    """a ~ b ~ c, and a is not near c: b goes for a, then nothing better stands for c."""
    rows = [held("a", content="1"), held("b", content="2"), held("c", content="3")]
    for pairs in permutations([(0, 1), (1, 2)]):
        assert near(rows, pairs, families(priority="drop")) == {1: 0}


def test_a_family_that_keeps_is_not_dropped_for_one_that_drops():
    rows = [held("a", content="1", family=FOUNDATION), held("b", content="2", family=PRIORITY)]
    assert near(rows, [(0, 1)], families(professional_therapeutic="drop")) == {}
    assert near(rows, [(0, 1)], families(priority="drop")) == {1: 0}


def test_positions_of_pairs_count_among_the_kept():
    rows = [held(name, content=name) for name in "abcd"]
    assert near_duplicates(rows, families(priority="drop"), [1, 3], [(0, 1)]) == {3: 1}
