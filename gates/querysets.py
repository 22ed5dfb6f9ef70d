"""Reads of gate rows in the domain's words. Time is an argument; nothing here writes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from releases.models import Candidate, Contribution

if TYPE_CHECKING:
    from gates.models import GateResult, Waiver  # noqa: F401  used in a forward reference only


class GateResultQuerySet(models.QuerySet["GateResult"]):
    def of(self, candidate: Candidate) -> GateResultQuerySet:
        return self.filter(candidate=candidate).order_by("created_at", "pk")

    def newest(self, candidate: Candidate, gate: str) -> GateResult | None:
        """The gate's last word about this content, outdated or not."""
        return self.of(candidate).filter(gate=gate, content_digest=candidate.content_digest).last()


class WaiverQuerySet(models.QuerySet["Waiver"]):
    def about(self, candidate: Candidate) -> WaiverQuerySet:
        return self.filter(content_digest=candidate.content_digest).order_by("asked_at", "pk")

    def in_force(self, candidate: Candidate, now: datetime) -> WaiverQuerySet:
        """Granted, not expired, and by nobody who has contributed to the candidate, even since."""
        mine = Contribution.objects.filter(candidate=candidate).filter(
            Q(user=OuterRef("asked_by")) | Q(user=OuterRef("granted_by"))
        )
        granted = self.about(candidate).filter(granted_by__isnull=False, expires_at__gt=now)
        return granted.filter(~Exists(mine))
