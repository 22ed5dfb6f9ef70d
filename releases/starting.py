"""Asks for background work on a candidate. Rows only; what the work does is known above (``mhds.handlers``)."""

from __future__ import annotations

from django.db import transaction

from mhds.models import User, WorkItem
from mhds.work import services as work
from releases import services
from releases.models import Candidate

BUILD, SCAN, GATES = "release.build", "release.scan", "release.gates"


def group_of(candidate: Candidate) -> str:
    return f"candidate:{candidate.pk}"


@transaction.atomic
def start(version: str, *, actor: User | None) -> Candidate:
    """A new candidate and the request to build it, in one transaction: neither exists without the other."""
    candidate = services.create_candidate(version, actor=actor)
    work.enqueue(BUILD, f"build:{candidate.pk}", {"candidate": str(candidate.pk)}, group=group_of(candidate))
    return candidate


def start_gates(candidate: Candidate, *, actor: User | None) -> WorkItem:
    """Ask for the gates on a frozen candidate. Each round of evaluation is its own work, numbered by the events."""
    services.require_frozen(candidate)
    number = candidate.events.count()
    payload = {"candidate": str(candidate.pk), "actor": str(actor.pk) if actor else ""}
    return work.enqueue(GATES, f"gates:{candidate.pk}:{number}", payload, group=group_of(candidate))
