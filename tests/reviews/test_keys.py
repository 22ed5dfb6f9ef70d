"""One's own keys: each does one thing, ours come back, and what cannot be a key is refused in words."""

from __future__ import annotations

import pytest

from mhds.errors import InvalidInput
from mhds.models import AuditEvent, User
from reviews import keys
from tests.factories import person

pytestmark = [pytest.mark.review, pytest.mark.django_db]


@pytest.fixture
def user() -> User:
    return person("reader")


def test_the_keys_as_shipped_are_those_of_the_design(user: User) -> None:
    wanted = {
        "na": "n", "unsure": "u", "dimension_up": "ArrowUp", "dimension_down": "ArrowDown", "turn_down": "j",
        "turn_up": "k", "comment": "c", "critical": "x", "submit": "Enter", "skip": "s", "flag": "f",
        "escalate": "e", "undo": "z", "veil": "v", "guideline": "g", "keys": "?", "reveal": " ",
    }  # fmt: skip
    assert keys.keys_of(user) == wanted


def test_a_choice_is_kept_with_the_person_and_an_empty_field_brings_ours_back(user: User) -> None:
    keys.choose(user, {"skip": "D", "submit": "space", "reveal": "→"}, on=False)
    user.refresh_from_db()
    assert (user.keys, user.keys_on) == ({"skip": "d", "submit": " ", "reveal": "ArrowRight"}, False)
    assert AuditEvent.objects.get().data == {"on": False, "own": 3}
    keys.choose(user, {"skip": ""}, on=True)
    user.refresh_from_db()
    assert (user.keys, user.keys_on) == ({}, True)


@pytest.mark.parametrize("typed", ["3", "y", "ab", "Escape", "\x07x"])
def test_what_is_no_key_or_is_taken_by_the_screen_is_refused(user: User, typed: str) -> None:
    with pytest.raises(InvalidInput):
        keys.choose(user, {"skip": typed}, on=True)
    user.refresh_from_db()
    assert user.keys == {}


def test_one_key_never_does_two_things(user: User) -> None:
    with pytest.raises(InvalidInput, match="two things"):
        keys.choose(user, {"skip": "F"}, on=True)
    swapped = keys.choose(user, {"skip": "f", "flag": "s"}, on=True)
    assert (swapped["skip"], swapped["flag"]) == ("f", "s")


def test_what_is_kept_of_an_act_that_is_no_more_does_no_harm(user: User) -> None:
    user.keys = {"dance": "d"}
    assert "dance" not in keys.keys_of(user)
