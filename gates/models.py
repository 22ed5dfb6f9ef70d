"""What gates concluded and what people answered, as rows. Shapes and constraints only; verbs are in the services."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from gates.querysets import GateResultQuerySet, WaiverQuerySet
from gates.rules.base import UNWAIVABLE, Verdict
from mhds.models import AppendOnly
from releases.models import Candidate

DIGEST = 71  # "sha256:" and 64 hex digits


class GateResult(AppendOnly):
    """One outcome, bound to what it was computed from. PASS counts only while all of that is current.

    A crash does not conclude: it holds no binding, so a rerun may. ``contradicts`` marks the ERROR that stands for two
    conclusions which differ on identical inputs; it is never overruled.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="gate_results")
    gate = models.CharField(max_length=40)
    verdict = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Verdict])
    concluded = models.BooleanField()
    contradicts = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="contradicted_by")
    examined = models.PositiveBigIntegerField()
    expected = models.PositiveBigIntegerField()
    content_digest = models.CharField(max_length=DIGEST)
    code_version = models.CharField(max_length=DIGEST)
    policy_digest = models.CharField(max_length=DIGEST)
    facts_digest = models.CharField(max_length=DIGEST)
    scanner_digest = models.CharField(max_length=DIGEST)
    inputs_digest = models.CharField(max_length=DIGEST)
    findings = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    next_steps = models.JSONField(default=list)
    report_key = models.CharField(max_length=200)
    report_sha256 = models.CharField(max_length=64)
    seconds = models.FloatField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GateResultQuerySet.as_manager()

    BINDING = ("content_digest", "code_version", "policy_digest", "facts_digest", "scanner_digest", "inputs_digest")

    class Meta:
        get_latest_by = "created_at"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(verdict__in=[one.value for one in Verdict]), name="gate_verdict_known"
            ),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.PASS.value)
                | Q(concluded=True, contradicts=None, expected__gt=0, examined=F("expected")),
                name="gate_pass_is_whole",
            ),
            models.UniqueConstraint(
                fields=[
                    "candidate", "gate", "content_digest", "code_version", "policy_digest", "facts_digest",
                    "scanner_digest", "inputs_digest",
                ],
                condition=Q(concluded=True, contradicts=None),
                name="gate_concluded_once",
            ),
            models.UniqueConstraint(
                fields=["contradicts"], condition=Q(contradicts__isnull=False), name="gate_contradicted_once"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.gate} {self.verdict}"


class Waiver(models.Model):
    """A lead asks, compliance grants: for these findings or rules of one gate, this content, until then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    content_digest = models.CharField(max_length=DIGEST, db_index=True)
    gate = models.CharField(max_length=40)
    ids = models.JSONField(help_text="finding ids or rule ids, each written out")
    reason = models.TextField()
    expires_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(null=True)

    objects = WaiverQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(gate__in=sorted(UNWAIVABLE)), name="waiver_gate_waivable"),
            models.CheckConstraint(
                condition=Q(granted_by=None) | ~Q(granted_by=F("asked_by")), name="waiver_by_two_people"
            ),
            models.CheckConstraint(
                condition=Q(granted_by=None, granted_at=None) | Q(granted_by__isnull=False, granted_at__isnull=False),
                name="waiver_granted_whole",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("asked_at")), name="waiver_expires_later"),
            models.CheckConstraint(condition=~Q(reason=""), name="waiver_reason_given"),
        ]

    def __str__(self) -> str:
        return f"waiver for {self.gate}"


class Explanation(AppendOnly):
    """A lead explains one figure of one content: why it is out of range, or moved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    content_digest = models.CharField(max_length=DIGEST, db_index=True)
    figure = models.CharField(max_length=200)
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(text=""), name="explanation_text_given")]

    def __str__(self) -> str:
        return f"explanation of {self.figure}"
