"""The candidate's life: the table of legal moves with their guards. Pure; only ``transition`` uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mhds.errors import Blocked, IllegalTransition


class State(StrEnum):
    DRAFT = "draft"
    BUILDING = "building"
    GATING = "gating"
    BLOCKED = "blocked"
    IN_REVIEW = "in_review"
    IN_SIGNOFF = "in_signoff"
    APPROVED = "approved"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class Action(StrEnum):
    BUILD = "build"
    GATE = "gate"
    BLOCK = "block"
    REVIEW = "review"
    REGATE = "regate"
    REJECT = "reject"
    SIGN_OFF = "sign_off"
    REOPEN = "reopen"
    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    PUBLISH = "publish"
    PUBLISHED = "published"
    WITHDRAW = "withdraw"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One collector's findings: ``missing`` lists, in words, what keeps a candidate from passing this point."""

    name: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guard may look at: evidence by collector name, and the reason that the actor gave."""

    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    required: tuple[str, ...] = ()

    def blockers(self, *names: str) -> list[str]:
        """Everything in the way according to these collectors; a collector that is not there is in the way itself."""
        found = {one.name: one for one in self.evidence}
        missing = [f"no evidence of {name} was collected" for name in names if name not in found]
        return missing + [text for name in names if name in found for text in found[name].missing]


Guard = Callable[[Facts], Sequence[str]]


def needs(*names: str) -> Guard:
    return lambda facts: facts.blockers(*names)


def needs_reason(facts: Facts) -> Sequence[str]:
    return [] if facts.reason.strip() else ["a reason is required"]


def all_of(*guards: Guard) -> Guard:
    return lambda facts: [reason for guard in guards for reason in guard(facts)]


def free(_facts: Facts) -> Sequence[str]:
    return []


@dataclass(frozen=True, slots=True)
class Move:
    sources: frozenset[State]
    target: State
    guard: Guard = field(default=free)


UNPUBLISHED = frozenset(State) - {
    State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN, State.REJECTED, State.ABANDONED,
}  # fmt: skip

MOVES: dict[Action, Move] = {
    Action.BUILD: Move(frozenset({State.DRAFT}), State.BUILDING),
    Action.GATE: Move(frozenset({State.BUILDING}), State.GATING, needs("built")),
    Action.BLOCK: Move(frozenset({State.GATING}), State.BLOCKED),
    Action.REGATE: Move(frozenset({State.BLOCKED}), State.GATING),
    Action.REVIEW: Move(frozenset({State.GATING}), State.IN_REVIEW, needs("frozen", "gates")),
    Action.REJECT: Move(frozenset({State.IN_REVIEW}), State.REJECTED, needs_reason),
    Action.SIGN_OFF: Move(frozenset({State.IN_REVIEW}), State.IN_SIGNOFF, needs("frozen", "gates", "rounds")),
    Action.REOPEN: Move(frozenset({State.IN_SIGNOFF, State.APPROVED}), State.IN_REVIEW, needs_reason),
    Action.APPROVE: Move(
        frozenset({State.IN_SIGNOFF}), State.APPROVED, needs("frozen", "gates", "rounds", "signatures")
    ),
    Action.UNAPPROVE: Move(frozenset({State.APPROVED}), State.IN_SIGNOFF, needs_reason),
    Action.PUBLISH: Move(
        frozenset({State.APPROVED}), State.PUBLISHING, needs("frozen", "gates", "rounds", "signatures", "storage")
    ),
    Action.PUBLISHED: Move(
        frozenset({State.PUBLISHING}), State.PUBLISHED, needs("frozen", "gates", "rounds", "signatures", "written")
    ),
    Action.WITHDRAW: Move(frozenset({State.PUBLISHED}), State.WITHDRAWN, needs_reason),
    # While it is being published too, up to the commit point: evidence may fall away for good after the writing began.
    Action.ABANDON: Move(UNPUBLISHED | {State.PUBLISHING}, State.ABANDONED, all_of(needs_reason, needs("unwritten"))),
}


def decide(action: Action, state: State, facts: Facts) -> State:
    """The state that ``action`` leads to. Raises IllegalTransition, or Blocked with every reason in words."""
    move = MOVES[action]
    if state not in move.sources:
        raise IllegalTransition(
            f"{action.value.replace('_', ' ')} is not possible while the candidate is {state.value.replace('_', ' ')}.",
            hint="It is possible from: " + ", ".join(sorted(one.value.replace("_", " ") for one in move.sources)) + ".",
        )
    blockers = list(move.guard(facts))
    if blockers:
        raise Blocked(f"{action.value.replace('_', ' ')}: {blockers[0]}.", blockers=blockers)
    return move.target


def actions_from(state: State) -> list[Action]:
    return [action for action, move in MOVES.items() if state in move.sources]
