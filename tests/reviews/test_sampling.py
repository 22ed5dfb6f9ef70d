from __future__ import annotations

import hashlib
import hmac
import random
from dataclasses import replace

import pytest

from mhds.errors import InvalidInput
from reviews.sampling import Candidate, draw, draw_strata, take, ticket, verify

pytestmark = pytest.mark.review

NONCE = bytes(range(32))
POPULATION = [(f"r_{number:032x}", "sha256:" + hashlib.sha256(b"%d" % number).hexdigest()) for number in range(500)]


def test_a_ticket_is_the_published_formula_so_that_anyone_can_recompute_it():
    expected = hmac.new(NONCE, b"r_1" + b"\n" + b"sha256:ab", hashlib.sha256).digest()
    assert ticket(NONCE, "r_1", "sha256:ab") == expected


def test_the_smallest_tickets_win():
    by_ticket = sorted(POPULATION, key=lambda one: ticket(NONCE, *one))
    assert draw(NONCE, POPULATION, 59) == [record_id for record_id, _ in by_ticket[:59]]


@pytest.mark.parametrize("seed", range(5))
def test_the_draw_does_not_depend_on_the_order_of_the_population(seed):
    shuffled = POPULATION[:]
    random.Random(seed).shuffle(shuffled)
    assert take(NONCE, iter(shuffled), 59) == take(NONCE, POPULATION, 59)


def test_a_second_stage_goes_on_where_the_first_ended():
    assert draw(NONCE, POPULATION, 59) == draw(NONCE, POPULATION, 200)[:59]


def test_all_are_drawn_once_when_fewer_than_wanted_exist():
    assert sorted(draw(NONCE, POPULATION, 900)) == sorted(record_id for record_id, _ in POPULATION)
    assert draw(NONCE, [], 59) == []


def test_another_nonce_draws_others():
    assert set(draw(NONCE, POPULATION, 59)) != set(draw(bytes(32), POPULATION, 59))


def test_every_record_has_the_same_chance():
    hits = dict.fromkeys((record_id for record_id, _ in POPULATION[:20]), 0)
    for number in range(2000):
        for record_id in draw(number.to_bytes(32, "big"), POPULATION[:20], 5):
            hits[record_id] += 1
    # 500 expected each, standard deviation 19.4; five of those on either side.
    assert all(400 < count < 600 for count in hits.values())


def test_equal_digests_do_not_tie_because_the_id_is_in_the_ticket():
    twins = [("r_a", "sha256:same"), ("r_b", "sha256:same")]
    assert len({one.ticket for one in take(NONCE, twins, 2).drawn}) == 2


@pytest.mark.parametrize(
    ("nonce", "population", "n"),
    [
        (b"short", POPULATION, 5),
        (NONCE, POPULATION, 0),
        (NONCE, POPULATION, -3),
        (NONCE, [("r_1", "sha256:a"), ("r_1", "sha256:b")], 5),
        (NONCE, [("r_1\nsha256:a", "b")], 5),
        (NONCE, [("", "sha256:a")], 5),
        (NONCE, [("r_1", "")], 5),
    ],
)
def test_it_refuses_what_would_make_a_draw_ambiguous(nonce, population, n):
    with pytest.raises(InvalidInput):
        draw(nonce, population, n)


def test_an_untouched_draw_verifies_in_any_order():
    assert verify(take(NONCE, POPULATION, 59), reversed(POPULATION)) is None
    assert verify(take(NONCE, POPULATION, None), POPULATION) is None
    assert verify(take(NONCE, [], 59), []) is None


def _tampered(**changes):
    return replace(take(NONCE, POPULATION, 59), **changes)


def test_verification_names_the_first_difference():
    stored = take(NONCE, POPULATION, 59)
    swapped = (stored.drawn[1], stored.drawn[0], *stored.drawn[2:])
    assert "place 1" in str(verify(replace(stored, drawn=swapped), POPULATION))
    assert "58 records are stored" in str(verify(replace(stored, drawn=stored.drawn[:-1]), POPULATION))
    other_digest = (replace(stored.drawn[0], digest="sha256:other"), *stored.drawn[1:])
    assert "was drawn as sha256:other" in str(verify(replace(stored, drawn=other_digest), POPULATION))
    other_ticket = (replace(stored.drawn[0], ticket="0" * 64), *stored.drawn[1:])
    assert "stored ticket" in str(verify(replace(stored, drawn=other_ticket), POPULATION))


def test_verification_finds_a_nicer_record_slipped_in_for_a_drawn_one():
    stored = take(NONCE, POPULATION, 59)
    undrawn = next(one for one in take(NONCE, POPULATION, None).drawn if one not in stored.drawn)
    assert "has the smaller ticket" in str(verify(replace(stored, drawn=(*stored.drawn[:-1], undrawn)), POPULATION))


@pytest.mark.parametrize("nonce", ["", "zz" * 32, "00" * 31, bytes(32).hex()])
def test_verification_does_not_accept_another_or_a_broken_nonce(nonce):
    assert verify(_tampered(nonce=nonce), POPULATION)


def test_verification_sees_changes_in_records_that_were_not_drawn():
    stored = take(NONCE, POPULATION, 59)
    undrawn = next(index for index, (record_id, _) in enumerate(POPULATION) if record_id not in stored.record_ids)
    changed = POPULATION[:]
    changed[undrawn] = (changed[undrawn][0], take(NONCE, POPULATION, None).drawn[-1].digest + "0")
    assert verify(stored, changed) is not None
    assert "the population now holds 499" in str(verify(stored, POPULATION[:undrawn] + POPULATION[undrawn + 1 :]))


def _tagged():
    for number, (record_id, digest) in enumerate(POPULATION):
        strata = {"language:zh" if number % 3 else "language:en"}
        strata |= {"crisis"} if number % 10 == 0 else set()
        strata |= {"flagged"} if number % 100 == 7 else set()
        yield Candidate(record_id, digest, frozenset(strata))


def test_strata_are_drawn_apart_each_from_its_own_records():
    drawn = draw_strata(NONCE, _tagged(), {"crisis": 59, "language:zh": 59, "flagged": None})
    assert {label: (one.population, len(one.drawn)) for label, one in drawn.items()} == {
        "crisis": (50, 50),
        "language:zh": (333, 59),
        "flagged": (5, 5),
    }
    crisis = {one.record_id for one in _tagged() if "crisis" in one.strata}
    assert set(drawn["crisis"].record_ids) == crisis


def test_a_stratum_has_tickets_of_its_own_and_no_headline_order():
    everyone = [replace(one, strata=frozenset({"crisis"})) for one in _tagged()]
    apart = draw_strata(NONCE, everyone, {"crisis": 59})["crisis"]
    headline = take(NONCE, POPULATION, 59)
    assert {one.ticket for one in apart.drawn}.isdisjoint(one.ticket for one in headline.drawn)
    assert apart.record_ids != headline.record_ids
    assert verify(apart, POPULATION) is None
    assert verify(replace(apart, label=""), POPULATION)


def test_the_headline_cannot_be_passed_off_as_a_stratum():
    with pytest.raises(InvalidInput):
        draw_strata(NONCE, _tagged(), {"": 59})
