"""The keys of the scoring screen and each person's own choice among them. Owns the table; knows no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhds import audit
from mhds.errors import InvalidInput
from mhds.models import User


@dataclass(frozen=True, slots=True)
class Act:
    """One act with its key as we ship it; ``words`` say what it does."""

    name: str
    key: str
    words: str


ACTS = (
    Act("na", "n", "not applicable; in critical fails: none seen"),
    Act("unsure", "u", "unsure"),
    Act("dimension_down", "ArrowDown", "next dimension"),
    Act("dimension_up", "ArrowUp", "previous dimension"),
    Act("turn_down", "j", "next turn"),
    Act("turn_up", "k", "previous turn"),
    Act("comment", "c", "comment on the turn, or on words selected in it"),
    Act("critical", "x", "critical fail at the turn, then its number"),
    Act("submit", "Enter", "submit"),
    Act("skip", "s", "skip, no reason asked"),
    Act("flag", "f", "flag for a second look"),
    Act("escalate", "e", "escalate, with a reason"),
    Act("undo", "z", "undo, also after the page moved on"),
    Act("veil", "v", "veil or unveil all turns"),
    Act("reveal", " ", "reveal the turn"),
    Act("guideline", "g", "guideline"),
    Act("keys", "?", "these keys"),
)
NAMES = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→", "Enter": "Enter", " ": "Space"}
TYPED = {"space": " ", **{name.lower(): name for name in NAMES}, **{sign: name for name, sign in NAMES.items()}}
# 0 to 9 are scores, Y answers the question after n/a: both would do two things at once.
RESERVED = frozenset("0123456789y")


def printed(key: str) -> str:
    """As it stands on a button."""
    return NAMES.get(key, key.upper())


def keys_of(user: User) -> dict[str, str]:
    """Act -> key for this person; what is kept of an act that is no more is left out."""
    own = user.keys if isinstance(user.keys, dict) else {}
    return {act.name: str(own.get(act.name, act.key)) for act in ACTS}


def choose(user: User, typed: Mapping[str, str], *, on: bool) -> dict[str, str]:
    """Keep a person's own keys. An empty field gives an act its shipped key back; nothing is kept by halves."""
    chosen = {act.name: _key(act, typed.get(act.name, "")) for act in ACTS}
    taken: dict[str, Act] = {}
    for act in ACTS:
        other = taken.setdefault(chosen[act.name], act)
        if other is not act:
            both = f"“{other.words}” and “{act.words}”"
            raise InvalidInput(f"{printed(chosen[act.name])} would do two things: {both}.", hint="Change one of them.")
    user.keys = {act.name: chosen[act.name] for act in ACTS if chosen[act.name] != act.key}
    user.keys_on = on
    user.save(update_fields=["keys", "keys_on"])
    audit.record(user, "account.keys_changed", f"user:{user.pk}", on=on, own=len(user.keys))
    return chosen


def _key(act: Act, typed: str) -> str:
    text = typed if typed == " " else typed.strip()
    if not text:
        return act.key
    key = TYPED.get(text, TYPED.get(text.lower(), text.lower()))
    if key in RESERVED:
        raise InvalidInput(
            f"{printed(key)} cannot be chosen: 0 to 9 score, Y answers yes after n/a.",
            hint=f"Take another key for “{act.words}”.",
        )
    if key not in NAMES and (len(key) != 1 or not key.isprintable()):
        raise InvalidInput(
            f"“{text[:20]}” is not one key.", hint=f"One character, or Space, Enter or an arrow, for “{act.words}”."
        )
    return key
