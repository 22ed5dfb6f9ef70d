from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from mhds.errors import InvalidInput
from mhds.roles import Role
from reviews.assignment import Item, Person, plan_assignments, readers_wanted, refusals
from reviews.plans import RoundKind

pytestmark = pytest.mark.review

EDGE = RoundKind.CLINICIAN_EDGE
ANN = Person(
    id="ann",
    roles=frozenset({Role.CLINICIAN}),
    languages=frozenset({"en"}),
    licence="LCSW 1",
    years_experience=8,
    training_experience=True,
    crisis_training=True,
)
BEN = replace(ANN, id="ben", languages=frozenset({"en", "zh"}))
CAT = replace(ANN, id="cat", languages=frozenset({"en", "zh"}))
ITEMS = [Item(f"r{number:03d}", "zh" if number % 5 == 0 else "en") for number in range(100)]


def people_of(plan, item_id):
    return {one.person_id for one in plan.assignments if one.item_id == item_id}


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (EDGE, {}, None),
        (EDGE, {"years_experience": 5, "training_experience": False}, None),
        (EDGE, {"years_experience": 4}, "4 years of experience are recorded, 5 are asked"),
        (EDGE, {"crisis_training": False}, "no crisis training is recorded"),
        (EDGE, {"licence": " "}, "no clinical licence is recorded"),
        (EDGE, {"contributor": True}, "contributed to this candidate"),
        (EDGE, {"active": False}, "the account is not active"),
        (EDGE, {"roles": frozenset({Role.LEAD})}, "is not in the group clinician"),
        (RoundKind.CLINICIAN_FOUNDATION, {"years_experience": 3, "crisis_training": False}, None),
        (RoundKind.CLINICIAN_FOUNDATION, {"years_experience": 2}, "2 years of experience are recorded, 3 are asked"),
        (RoundKind.CLINICIAN_FOUNDATION, {"training_experience": False}, "no training experience is recorded"),
        (RoundKind.BIAS_FOUNDATION, {}, "is not in the group bias reviewer"),
        (RoundKind.BIAS_FOUNDATION, {"roles": frozenset({"bias_reviewer"}), "licence": ""}, None),
        (RoundKind.PRIVACY, {}, "is not in the group compliance"),
        (RoundKind.PRIVACY, {"roles": frozenset({"compliance"}), "contributor": True}, "contributed to this candidate"),
    ],
)
def test_who_may_score_and_why_not(kind, changes, reason):
    assert refusals(replace(ANN, **changes), kind) == ([reason] if reason else [])


def test_every_item_goes_to_two_different_people_who_read_it():
    plan = plan_assignments(ITEMS, [ANN, BEN, CAT], EDGE)
    assert plan.shortages == ()
    for item in ITEMS:
        assert len(people_of(plan, item.id)) == 2
        assert item.language == "en" or people_of(plan, item.id) == {"ben", "cat"}
    assert len(plan.assignments) == len({(one.item_id, one.person_id) for one in plan.assignments}) == 200


def test_refused_people_get_nothing_and_are_told_why():
    plan = plan_assignments(ITEMS, [ANN, BEN, CAT, replace(ANN, id="dan", contributor=True)], EDGE)
    assert plan.refused == {"dan": ["contributed to this candidate"]}
    assert "dan" not in {one.person_id for one in plan.assignments}


def test_the_load_is_even_and_counts_what_is_open_already():
    loads = Counter(one.person_id for one in plan_assignments(ITEMS, [ANN, BEN, CAT], EDGE).assignments)
    assert max(loads.values()) - min(loads.values()) <= 1
    busy = plan_assignments(ITEMS, [replace(ANN, open_load=30), BEN, CAT], EDGE)
    loads = Counter(one.person_id for one in busy.assignments)
    assert loads["ann"] + 30 - loads["ben"] <= 1


def test_the_plan_does_not_depend_on_the_order_of_its_input():
    expected = plan_assignments(ITEMS, [ANN, BEN, CAT], EDGE, overlap=Fraction(1, 2))
    for seed in range(5):
        items, people = ITEMS[:], [ANN, BEN, CAT]
        random.Random(seed).shuffle(items)
        random.Random(seed).shuffle(people)
        again = plan_assignments(items, people, EDGE, overlap=Fraction(1, 2))
        assert (again.assignments, again.shortages, again.wanted) == (
            expected.assignments,
            expected.shortages,
            expected.wanted,
        )


def test_half_overlap_doubles_every_critical_and_at_least_half_of_the_rest():
    items = [replace(item, critical=number < 9) for number, item in enumerate(ITEMS)]
    wanted = readers_wanted(items, Fraction(1, 2))
    assert all(wanted[item.id] == 2 for item in items if item.critical)
    rest = [wanted[item.id] for item in items if not item.critical]
    assert Counter(rest) == {2: 46, 1: 45}
    assert set(readers_wanted(items).values()) == {2}


@pytest.mark.parametrize("overlap", [Fraction(0), Fraction(49, 100), Fraction(3, 2)])
def test_an_overlap_outside_a_half_to_all_is_refused(overlap):
    with pytest.raises(InvalidInput):
        plan_assignments(ITEMS, [ANN], EDGE, overlap=overlap)


def test_a_record_that_nobody_reads_is_listed_with_its_language():
    plan = plan_assignments([Item("r1", "ur"), Item("r2", "en")], [ANN, BEN], EDGE)
    [unreadable] = plan.unreadable
    assert (unreadable.item_id, unreadable.language, unreadable.found) == ("r1", "ur", 0)
    assert unreadable.reason == "nobody who may score it reads ur"
    assert people_of(plan, "r1") == set()


def test_an_unknown_language_is_readable_by_nobody_whatever_a_profile_says():
    everything = replace(ANN, languages=frozenset({"en", "und"}))
    [unreadable] = plan_assignments([Item("r1", "und")], [everything], EDGE).unreadable
    assert "not known" in unreadable.reason


def test_one_reader_where_two_are_wanted_is_a_shortage_and_not_unreadable():
    plan = plan_assignments([Item("r1", "zh")], [ANN, BEN], EDGE)
    assert plan.unreadable == ()
    [short] = plan.shortages
    assert (short.wanted, short.found) == (2, 1)
    assert people_of(plan, "r1") == {"ben"}


def test_holders_count_and_those_who_passed_it_on_do_not_get_it_again():
    held = plan_assignments([Item("r1", "en", holders=frozenset({"ann"}))], [ANN, BEN, CAT], EDGE)
    assert len(people_of(held, "r1")) == 1
    assert "ann" not in people_of(held, "r1")
    passed_on = Item("r1", "en", holders=frozenset({"ann"}), declined=frozenset({"ben"}))
    assert people_of(plan_assignments([passed_on], [ANN, BEN, CAT], EDGE), "r1") == {"cat"}
    [short] = plan_assignments([passed_on], [ANN, BEN], EDGE).shortages
    assert short.reason == "only 1 who may score it reads en, 2 are wanted (1 passed it on)"
    done = Item("r1", "en", holders=frozenset({"ann", "ben"}))
    assert plan_assignments([done], [ANN, BEN, CAT], EDGE).assignments == ()


def test_everyone_has_an_order_of_their_own():
    plan = plan_assignments([Item(f"r{number}", "en") for number in range(30)], [ANN, BEN], EDGE)
    orders = {person: [one.item_id for one in plan.assignments if one.person_id == person] for person in ("ann", "ben")}
    assert set(orders["ann"]) == set(orders["ben"])
    assert orders["ann"] != orders["ben"]
    assert [one.position for one in plan.assignments if one.person_id == "ann"] == list(range(1, 31))


def test_readers_of_a_rare_language_are_kept_for_it():
    items = [Item(f"e{number}", "en") for number in range(10)] + [Item(f"z{number}", "zh") for number in range(10)]
    loads = Counter(
        one.person_id for one in plan_assignments(items, [ANN, replace(ANN, id="eve"), BEN, CAT], EDGE).assignments
    )
    assert loads == {"ann": 10, "eve": 10, "ben": 10, "cat": 10}


@pytest.mark.parametrize(("items", "people"), [([Item("r1", "en")] * 2, [ANN]), ([Item("r1", "en")], [ANN, ANN])])
def test_nothing_may_stand_twice(items, people):
    with pytest.raises(InvalidInput):
        plan_assignments(items, people, EDGE)
