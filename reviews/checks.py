"""What the reviews tell the page of publishing, line by line: rounds, escalations, signatures."""

from __future__ import annotations

from collections.abc import Iterator

from releases.evidence import Check
from releases.models import Candidate
from reviews.models import Escalation, Round
from reviews.plans import RoundKind
from reviews.standing import standing
from reviews.verdicts import Verdict


def checks(candidate: Candidate) -> Iterator[Check]:
    evaluations = [one.evaluation for one in Round.objects.of(candidate)]
    passed = sum(one is not None and one.verdict == Verdict.PASS for one in evaluations)
    yield Check("Rounds", f"{passed} of {len(RoundKind)} pass", passed == len(RoundKind))
    waiting = Escalation.objects.filter(item__round__candidate=candidate, closed_at=None).count()
    yield Check("Escalations", f"{waiting} open", not waiting)
    found = standing(candidate).values()
    current = [one for one in found if one.current]
    people = len({one.signature.signer_id for one in current if one.signature is not None})
    words = f"{len(current)} of {len(found)} current, by {people} {'person' if people == 1 else 'people'}"
    holds = len(current) == len(found) == people
    yield Check("Signatures", "; ".join([words, *(one.words for one in found if not one.current)]), holds)
