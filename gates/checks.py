"""What the gates tell the page of publishing, line by line: verdicts bound to the digest, waivers in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from gates.inputs import waivers_in_force
from gates.next_acts import BLOCKER
from gates.policy import current_policy
from releases.evidence import Check
from releases.models import Candidate


def checks(candidate: Candidate, missing: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    """``missing`` has one line a gate that is in the way; without any evidence every gate is."""
    gates = current_policy().gates
    blockers = missing.get("gates", [f"the gate {gate} has not been run" for gate in gates])
    left = [match[1] for words in blockers if (match := BLOCKER.match(words))]
    passed = max(0, len(gates) - len(blockers))
    words = f"{passed} of {len(gates)} PASS, bound to {candidate.content_digest.removeprefix('sha256:')[:8]}"
    yield Check("Gates", words + (f"; without: {', '.join(left)}" if left else ""), bool(gates) and not blockers)
    now = timezone.now()
    in_force = [f"{one.gate}, {_left(one.expires_at, now)}" for one in waivers_in_force(candidate)]
    yield Check("Waivers", f"{len(in_force)} in force" + (f": {'; '.join(in_force)}" if in_force else ""), holds=True)


def _left(until: datetime, now: datetime) -> str:
    days = (until - now).days
    return f"{days} day{'' if days == 1 else 's'} left"
