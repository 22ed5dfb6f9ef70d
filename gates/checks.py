"""What the gates tell the page of publishing, line by line: verdicts bound to the digest, waivers in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from gates.models import Waiver
from gates.standing import standing_results
from releases.evidence import Check
from releases.models import Candidate


def checks(candidate: Candidate) -> Iterator[Check]:
    now = timezone.now()
    found = standing_results(candidate, now=now)
    passed = sum(one.passed for one in found.values())
    bound = candidate.content_digest.removeprefix("sha256:")[:8]
    left = ", ".join(name for name, one in found.items() if not one.passed)
    words = f"{passed} of {len(found)} PASS, bound to {bound}" + (f"; without: {left}" if left else "")
    yield Check("Gates", words, bool(found) and passed == len(found))
    in_force = [f"{one.gate}, {_left(one.expires_at, now)}" for one in Waiver.objects.in_force(candidate, now)]
    yield Check("Waivers", f"{len(in_force)} in force" + (f": {'; '.join(in_force)}" if in_force else ""), True)


def _left(until: datetime, now: datetime) -> str:
    days = (until - now).days
    return f"{days} day{'' if days == 1 else 's'} left"
