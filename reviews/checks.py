"""What the reviews tell the page of publishing, line by line: rounds, escalations, signatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from releases.evidence import Check
from releases.models import Candidate
from reviews.binding import alarms
from reviews.plans import RoundKind
from reviews.standing import seats_of
from reviews.states import Meaning

NOBODY = ("nobody has said how it stands",)


def checks(candidate: Candidate, missing: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    """``missing`` names each round, alarm and signature that is in the way; without any evidence all are."""
    rounds, signatures = missing.get("rounds", NOBODY), missing.get("signatures", NOBODY)
    names = {kind: f"the round {kind.value.replace('_', ' ')} " for kind in RoundKind}
    passed = 0 if rounds is NOBODY else sum(not any(one.startswith(name) for one in rounds) for name in names.values())
    yield Check("Rounds", f"{passed} of {len(RoundKind)} pass", passed == len(RoundKind))
    waiting, _confirmed = alarms(candidate)
    about = [one for one in rounds if "escalation" in one]
    yield Check("Escalations", "; ".join([f"{waiting} open", *about]), not waiting and not about)
    current = max(0, len(Meaning) - len(signatures)) if signatures is not NOBODY else 0
    people = len({seat.holder_id for seat in seats_of(candidate)})
    words = f"{current} of {len(Meaning)} current, {people} {'person' if people == 1 else 'people'} signed"
    holds = not signatures and current == len(Meaning) == people
    heads = [one.partition(":")[0] for one in signatures]  # the answer above says why
    yield Check("Signatures", "; ".join([words, *heads]), holds)
