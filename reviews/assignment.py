"""Who scores what: a pure planner over people and drawn records. Decides eligibility and fairness; stores nothing.

The same input gives the same plan, whatever its order. Whoever may not score, and why, comes out in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mhds.errors import InvalidInput
from mhds.roles import Role
from reviews.plans import RoundKind

FULL_OVERLAP = Fraction(1)
LEAST_OVERLAP = Fraction(1, 2)
# What the language detector says when it is not sure; nobody can be said to read it.
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, slots=True)
class Person:
    """A possible reviewer. ``open_load`` counts assignments not yet submitted, in all rounds."""

    id: str
    roles: frozenset[str]
    languages: frozenset[str]
    licence: str = ""
    years_experience: int = 0
    training_experience: bool = False
    crisis_training: bool = False
    contributor: bool = False
    open_load: int = 0
    active: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """A drawn record to be handed out.

    ``holders`` hold it or have scored it already and count towards the readers wanted; ``declined`` skipped it or could
    not judge it: they do not count, and do not get it again.
    """

    id: str
    language: str
    critical: bool = False
    stratum: str = ""
    holders: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assignment:
    """``position`` is the item's place in that person's own order, from 1; it differs from person to person."""

    item_id: str
    person_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """An item with fewer readers than wanted. ``found`` 0 means that nobody can read it: the round is inconclusive."""

    item_id: str
    language: str
    wanted: int
    found: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssignmentPlan:
    """``wanted`` gives every item's number of readers; ``refused`` says of everyone left out why, in words."""

    assignments: tuple[Assignment, ...]
    wanted: dict[str, int]
    shortages: tuple[Shortage, ...]
    refused: dict[str, list[str]]

    @property
    def unreadable(self) -> tuple[Shortage, ...]:
        return tuple(shortage for shortage in self.shortages if shortage.found == 0)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a round asks of whoever scores in it."""

    role: Role
    licence: bool = False
    years: int = 0
    training_experience: bool = False
    crisis_training: bool = False


REQUIREMENTS = {
    RoundKind.CLINICIAN_FOUNDATION: Requirement(Role.CLINICIAN, licence=True, years=3, training_experience=True),
    RoundKind.CLINICIAN_EDGE: Requirement(Role.CLINICIAN, licence=True, years=5, crisis_training=True),
    RoundKind.BIAS_FOUNDATION: Requirement(Role.BIAS),
    RoundKind.PRIVACY: Requirement(Role.COMPLIANCE),
}


def refusals(person: Person, kind: RoundKind) -> list[str]:
    """Why this person may not score in this kind of round, in words; empty means they may."""
    asked = REQUIREMENTS[kind]
    checks = (
        (person.active, "the account is not active"),
        (asked.role in person.roles, f"is not in the group {asked.role.words}"),
        (not person.contributor, "contributed to this candidate"),
        (bool(person.licence.strip()) or not asked.licence, "no clinical licence is recorded"),
        (
            person.years_experience >= asked.years,
            f"{person.years_experience} years of experience are recorded, {asked.years} are asked",
        ),
        (person.training_experience or not asked.training_experience, "no training experience is recorded"),
        (person.crisis_training or not asked.crisis_training, "no crisis training is recorded"),
    )
    return [reason for met, reason in checks if not met]


def plan_assignments(
    items: Sequence[Item], people: Sequence[Person], kind: RoundKind, *, overlap: Fraction = FULL_OVERLAP
) -> AssignmentPlan:
    """Hand every item to one or two eligible people who read its language, the least loaded first.

    ``overlap`` is the least share of the items without a critical tag that two people score, from a half to all (the
    default); tagged ones always go to two. Items with the fewest readers are handed out first, so that those who read
    a rare language are not used up on a common one.
    """
    if not LEAST_OVERLAP <= overlap <= FULL_OVERLAP:
        raise InvalidInput("The overlap must lie between a half and all.")
    _once("item", [item.id for item in items])
    _once("person", [person.id for person in people])
    refused = {person.id: reasons for person in _by_id(people) if (reasons := refusals(person, kind))}
    eligible = [person for person in _by_id(people) if person.id not in refused]
    wanted = readers_wanted(items, overlap)
    pairs, shortages = _hand_out(items, eligible, wanted)
    return AssignmentPlan(_in_own_order(pairs), wanted, tuple(shortages), refused)


def readers_wanted(items: Sequence[Item], overlap: Fraction = FULL_OVERLAP) -> dict[str, int]:
    """How many people score each item. Which of the rest go to two follows from a hash of the id, not from a choice."""
    rest = sorted((item.id for item in items if not item.critical), key=lambda item_id: _hash("overlap", item_id))
    doubled = set(rest[: -(-len(rest) * overlap.numerator // overlap.denominator)])
    return {item.id: 2 if item.critical or item.id in doubled else 1 for item in items}


def _hand_out(
    items: Sequence[Item], eligible: Sequence[Person], wanted: dict[str, int]
) -> tuple[list[tuple[str, str]], list[Shortage]]:
    load = {person.id: person.open_load for person in eligible}
    free = {item.id: _free_readers(item, eligible) for item in items}
    pairs: list[tuple[str, str]] = []
    shortages: list[Shortage] = []
    for item in sorted(items, key=lambda item: (len(free[item.id]), _hash("item", item.id))):
        missing = max(wanted[item.id] - len(item.holders), 0)
        chosen = sorted(free[item.id], key=lambda person_id: (load[person_id], person_id.encode()))[:missing]
        for person_id in chosen:
            load[person_id] += 1
            pairs.append((item.id, person_id))
        if len(chosen) < missing:
            shortages.append(_shortage(item, wanted[item.id], len(item.holders) + len(chosen)))
    return pairs, sorted(shortages, key=lambda shortage: shortage.item_id.encode())


def _free_readers(item: Item, eligible: Iterable[Person]) -> list[str]:
    if item.language == UNKNOWN_LANGUAGE:
        return []
    taken = item.holders | item.declined
    return [person.id for person in eligible if item.language in person.languages and person.id not in taken]


def _shortage(item: Item, wanted: int, found: int) -> Shortage:
    if item.language == UNKNOWN_LANGUAGE:
        reason = "its language is not known, so nobody can be said to read it"
    elif found == 0:
        reason = f"nobody who may score it reads {item.language}"
    else:
        reason = f"only {found} who may score it reads {item.language}, {wanted} are wanted"
    if item.declined:
        reason += f" ({len(item.declined)} passed it on)"
    return Shortage(item.id, item.language, wanted, found, reason)


def _in_own_order(pairs: Sequence[tuple[str, str]]) -> tuple[Assignment, ...]:
    """Everyone gets an order of their own: a shared one would tell the second reader the first one's pace."""
    by_person: dict[str, list[str]] = {}
    for item_id, person_id in pairs:
        by_person.setdefault(person_id, []).append(item_id)
    return tuple(
        Assignment(item_id, person_id, position)
        for person_id in sorted(by_person, key=str.encode)
        for position, item_id in enumerate(_order_for(person_id, by_person[person_id]), start=1)
    )


def _order_for(person_id: str, item_ids: Iterable[str]) -> list[str]:
    return sorted(item_ids, key=lambda item_id: _hash(person_id, item_id))


def _hash(salt: str, value: str) -> bytes:
    return hashlib.sha256(f"{salt}\n{value}".encode()).digest()


def _by_id(people: Iterable[Person]) -> list[Person]:
    return sorted(people, key=lambda person: person.id.encode())


def _once(what: str, ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise InvalidInput(f"Each {what} may stand only once in the plan.")
