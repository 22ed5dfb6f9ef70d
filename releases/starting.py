"""Asks for background work on a candidate. Rows only; what the work does is known above (``mhds.handlers``)."""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction

from mhds.models import User, WorkItem, WorkState
from mhds.work import services as work
from releases import services
from releases.models import Candidate

BUILD, SCAN, GATES = "release.build", "release.scan", "release.gates"
PENDING = (WorkState.WAITING, WorkState.RUNNING)


def group_of(candidate: Candidate) -> str:
    return f"candidate:{candidate.pk}"


@transaction.atomic
def start(version: str, *, actor: User | None) -> Candidate:
    """A new candidate and the request to build it, in one transaction: neither exists without the other."""
    candidate = services.create_candidate(version, actor=actor)
    work.enqueue(BUILD, f"build:{candidate.pk}", {"candidate": str(candidate.pk)}, group=group_of(candidate))
    return candidate


@transaction.atomic
def start_gates(candidate: Candidate, *, actor: User | None) -> WorkItem:
    """Ask for the gates on a frozen candidate: work of its own each time, but while one round waits or runs, that one.

    The lock makes two who ask at once ask for the same round.
    """
    services.require_frozen(candidate)
    Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
    asked = WorkItem.objects.filter(kind=GATES, group=group_of(candidate), state__in=PENDING).first()
    key = asked.key if asked is not None else f"gates:{candidate.pk}:{uuid4().hex}"
    payload = {"candidate": str(candidate.pk), "actor": str(actor.pk) if actor else ""}
    return work.enqueue(GATES, key, payload, group=group_of(candidate))
