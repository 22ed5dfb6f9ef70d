"""What lies above may speak here: registries of evidence, of publishing's checks, and of what is to be done next.

A missing collector, and a missing check, is itself in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from mhds.roles import Role
from releases.lifecycle import Evidence
from releases.models import Candidate


@dataclass(frozen=True, slots=True)
class Check:
    """One line of what publishing asks for. ``holds`` is None where nobody has measured it, which is never a pass."""

    name: str
    words: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done next and whose role it is. ``apart``: not by who contributed; ``people``: by these alone."""

    role: Role
    words: str
    url: str = ""
    also: tuple[Role, ...] = ()
    apart: bool = True
    people: frozenset[UUID] | None = None


Collector = Callable[[Candidate], Evidence]
# Given what is missing by collector, so that nothing is computed twice for one page.
Checker = Callable[[Candidate, Mapping[str, Sequence[str]]], Iterable[Check]]
# Candidate -> collector -> what is missing, in words: of this moment on a page, of the last move on the board.
Missing = Mapping[UUID, Mapping[str, Sequence[str]]]
# Asked for many candidates at once, so that a board costs no more than a page.
Planner = Callable[[Sequence[Candidate], Missing], Mapping[UUID, Iterable[Act]]]
# The names every guard of the lifecycle may ask for; each app registers its own at start-up.
COLLECTORS: dict[str, Collector] = {}
CHECKERS: dict[str, Checker] = {}
PLANNERS: dict[str, Planner] = {}
Given = TypeVar("Given", bound=Callable[..., Any])


def register(name: str, collector: Collector) -> None:
    _put(COLLECTORS, name, collector)


def register_checks(name: str, checker: Checker) -> None:
    _put(CHECKERS, name, checker)


def register_acts(name: str, planner: Planner) -> None:
    _put(PLANNERS, name, planner)


def _put(registry: dict[str, Given], name: str, given: Given) -> None:
    if registry.get(name, given) is not given:
        raise ValueError(f"two collectors for {name}")
    registry[name] = given


def collect(candidate: Candidate) -> tuple[Evidence, ...]:
    """All evidence about a candidate, as of now; to be called inside the transaction that relies on it."""
    return tuple(COLLECTORS[name](candidate) for name in sorted(COLLECTORS))


def built(candidate: Candidate) -> Evidence:
    """There are bytes to judge; that they hold no record is for the gates to say."""
    done = candidate.content_digest and candidate.frozen_at is not None
    return Evidence("built", () if done else ("the candidate is not built yet",))


def frozen(candidate: Candidate) -> Evidence:
    """The candidate's own part: its bytes are fixed and counted."""
    missing: list[str] = []
    if built(candidate).missing:
        missing += built(candidate).missing
    elif not candidate.records_out:
        missing.append("the candidate holds no record")
    elif candidate.records_in != candidate.records_out + candidate.records_excluded:
        missing.append("records in are not records out plus exclusions")
    return Evidence("frozen", tuple(missing))
