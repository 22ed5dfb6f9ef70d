"""What the gates ask people to do next, from the words that each blocker begins with. No query: a board asks it too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from mhds.roles import Role
from releases.evidence import Act, Missing
from releases.lifecycle import State
from releases.models import Candidate
from releases.next_acts import link

# The beginning of every blocker: ``gates.standing.Standing.blocker`` writes it.
BLOCKER = re.compile(r"the (?:result of the )?gate (\w+) (has not|is outdated|says FAIL|says ERROR)")
# Who answers what a gate says: FAIL is answered by the person, or by new bytes.
ANSWERS: dict[str, tuple[Role, str]] = {
    "coverage": (Role.LEAD, "Ask for a waiver of"),
    "distribution": (Role.LEAD, "Explain"),
    "integrity": (Role.ENGINEER, "Decide what is left out in"),
    "privacy": (Role.COMPLIANCE, "Look at the findings of"),
    "provenance": (Role.COMPLIANCE, "Decide about the sources in"),
}
AGAIN = "Run the gates again"
REVIEWED = frozenset({State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED})


def acts(candidates: Sequence[Candidate], missing: Missing) -> Mapping[UUID, list[Act]]:
    return {one.pk: list(_acts(one, missing.get(one.pk, {}).get("gates", ()))) for one in candidates}


def _acts(candidate: Candidate, blockers: Sequence[str]) -> Iterator[Act]:
    state = State(candidate.state)
    if candidate.error or state not in REVIEWED | {State.BLOCKED}:
        return
    found = [(match[1], match[2]) for words in blockers if (match := BLOCKER.match(words))]
    again = [gate for gate, how in found if how in {"has not", "is outdated"}]
    panel = link("gates-panel", candidate)
    if state is State.BLOCKED:
        for gate, how in found:
            if gate not in again:
                yield _answer(candidate, gate, how)
        if again or not blockers:
            yield Act(Role.ENGINEER, AGAIN, panel, also=(Role.LEAD,), apart=False)
    elif found:
        yield Act(Role.ENGINEER, AGAIN, panel, also=(Role.LEAD,), apart=False)


def _answer(candidate: Candidate, gate: str, how: str) -> Act:
    page = link("gate", candidate, gate=gate)
    if how == "says ERROR" or gate not in ANSWERS:
        words = f"Find out why {gate} ended in an error" if how == "says ERROR" else f"Mend {gate} and build again"
        return Act(Role.ENGINEER, words, page, apart=False)
    role, words = ANSWERS[gate]
    return Act(role, f"{words} {gate}", page, apart=role is Role.LEAD)
