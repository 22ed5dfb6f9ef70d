"""What lies above may speak here: the registry of evidence collectors. A missing collector is itself in the way."""

from __future__ import annotations

from collections.abc import Callable

from releases.lifecycle import Evidence
from releases.models import Candidate

Collector = Callable[[Candidate], Evidence]
# The names every guard of the lifecycle may ask for; each app registers its own at start-up.
COLLECTORS: dict[str, Collector] = {}


def register(name: str, collector: Collector) -> None:
    if COLLECTORS.get(name, collector) is not collector:
        raise ValueError(f"two collectors for {name}")
    COLLECTORS[name] = collector


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
