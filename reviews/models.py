"""What a review is made of, as rows: rounds, draws, items, scores, signatures. Shapes and constraints, never text.

Draws, scores, evaluations, signatures and withdrawals are written once; the database refuses to change them.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from mhds.models import AppendOnly
from releases.models import Candidate
from reviews import rubrics
from reviews.plans import Plan, RoundKind, Stage
from reviews.querysets import AssignmentQuerySet, DraftQuerySet, RoundQuerySet, ScoreQuerySet
from reviews.sampling import HEADLINE
from reviews.sampling import Draw as DrawValue
from reviews.sampling import Drawn as DrawnValue
from reviews.states import LIVE, AssignmentState, Decision, EscalationKind, Meaning, RoundState
from reviews.verdicts import Verdict

DIGEST = 71  # "sha256:" and 64 hex digits
PERSON: dict[str, Any] = {"on_delete": models.PROTECT, "related_name": "+"}


def _known(field: str, values: list[str], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=name)


class Round(models.Model):
    """One of the four looks at one candidate. The plan is kept verbatim: it may have been tightened."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="rounds")
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in RoundKind])
    content_digest = models.CharField(max_length=DIGEST)
    state = models.CharField(max_length=10, choices=RoundState.choices, default=RoundState.PLANNED)
    plan_data = models.JSONField(help_text="the plan in force, field by field")
    plan_digest = models.CharField(max_length=DIGEST)
    rubric_id = models.CharField(max_length=60)
    rubric_version = models.PositiveIntegerField()
    rubric_digest = models.CharField(max_length=DIGEST)
    families = models.JSONField(help_text="families that the catalog has reviewed in this round, sorted")
    population = models.PositiveIntegerField()
    overlap_bp = models.PositiveIntegerField(default=10_000, help_text="least share of untagged items scored by two")
    strata = models.JSONField(default=dict, help_text="targeted looks: stratum -> how many, or null for all")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    opened_at = models.DateTimeField()
    scoring_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **PERSON)

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["candidate", "kind"], name="round_kind_once"),
            _known("state", RoundState.values, "round_state_known"),
            _known("kind", [one.value for one in RoundKind], "round_kind_known"),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def round_kind(self) -> RoundKind:
        return RoundKind(self.kind)

    @property
    def plan(self) -> Plan:
        stages = tuple(Stage(**stage) for stage in self.plan_data["stages"])
        return Plan(**{**self.plan_data, "stages": stages})

    @property
    def rubric(self) -> rubrics.Rubric:
        """The shipped text of that id as it is now; compare its digest with ``rubric_digest``."""
        return rubrics.load(self.rubric_id)

    @property
    def rubric_digest_now(self) -> str:
        """Empty where the rubric is not shipped any more: that is a change like any other."""
        return self.rubric.digest if self.rubric_id in rubrics.rubric_ids() else ""

    @property
    def draw(self) -> Draw | None:
        """The headline draw in force: the newest."""
        return self.draws.filter(label=HEADLINE).order_by("-attempt").first()

    @property
    def evaluation(self) -> Evaluation | None:
        """The verdict in force; none while the round is open. Asks nothing where the evaluations were prefetched."""
        if self.state != RoundState.EVALUATED:
            return None
        return max(self.evaluations.all(), key=lambda one: one.number, default=None)


class Draw(AppendOnly):
    """One draw as made. A later ``attempt`` replaces it in use, never in the record; its reason is shown for ever."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="draws")
    attempt = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60, blank=True, help_text="empty for the headline, else the stratum")
    nonce = models.CharField(max_length=64)
    wanted = models.PositiveIntegerField()
    population = models.PositiveIntegerField()
    population_sum = models.CharField(max_length=64)
    drawn = models.JSONField(help_text="[ticket, record id, content hash] by rising ticket")
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "attempt", "label"], name="draw_attempt_once"),
            models.CheckConstraint(condition=Q(attempt=1) | ~Q(reason=""), name="redraw_has_reason"),
        ]

    def __str__(self) -> str:
        return f"draw {self.attempt} of {self.round.kind}"

    @property
    def value(self) -> DrawValue:
        drawn = tuple(DrawnValue(*row) for row in self.drawn)
        return DrawValue(self.label, self.nonce, self.wanted, self.population, self.population_sum, drawn)


class Item(models.Model):
    """One drawn record: where it lies in the frozen bytes, and how many people are to score it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="items")
    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="items")
    stratum = models.CharField(max_length=60, blank=True)
    ordinal = models.PositiveIntegerField(help_text="place in the draw, from 1")
    record_id = models.CharField(max_length=34)
    content_hash = models.CharField(max_length=DIGEST)
    family = models.CharField(max_length=120)
    shard = models.CharField(max_length=300)
    offset = models.BigIntegerField()
    length = models.PositiveIntegerField()
    turns = models.PositiveIntegerField(help_text="messages of the record, system included")
    language = models.CharField(max_length=16)
    tags = models.JSONField(default=list)
    is_critical = models.BooleanField(default=False, help_text="carries a crisis tag: always scored by two")
    wanted = models.PositiveSmallIntegerField(default=2)
    shortage = models.CharField(max_length=200, blank=True, help_text="why fewer people than wanted have it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["draw", "record_id"], name="item_record_once"),
            models.UniqueConstraint(fields=["draw", "ordinal"], name="item_ordinal_once"),
        ]

    def __str__(self) -> str:
        return self.record_id


class Assignment(models.Model):
    """One item in one person's hands, at a place of their own order that tells nothing about the draw's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=AssignmentState.choices, default=AssignmentState.ASSIGNED)
    position = models.PositiveIntegerField()
    is_flagged = models.BooleanField(default=False)
    assigned_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="when the record was last put before the reviewer")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["item", "reviewer"], condition=Q(state__in=LIVE), name="one_live_assignment"
            ),
            _known("state", AssignmentState.values, "assignment_state_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["reviewer", "state", "position"], name="assignment_queue")]

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class Draft(models.Model):
    """A score not yet submitted. ``version`` counts saves; a save on top of another version is refused."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    version = models.PositiveIntegerField(default=0)
    payload = models.JSONField(default=dict)
    comments = models.JSONField(default=list)
    saved_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    def __str__(self) -> str:
        return f"draft {self.version}"


class Score(AppendOnly):
    """One submitted score. An undone one stays; the newest of a submitted assignment counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="scores")
    version = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    comments = models.JSONField(default=list, help_text="people's words by turn, and where they point; never by API")
    rubric_digest = models.CharField(max_length=DIGEST)
    content_hash = models.CharField(max_length=DIGEST)
    dwell_seconds = models.PositiveIntegerField()
    submitted_at = models.DateTimeField()

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment", "version"], name="score_version_once"),
        ]

    def __str__(self) -> str:
        return f"score {self.version}"


class Escalation(models.Model):
    """Something that stops the candidate until a named person, not the one who raised it, closes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="escalations")
    kind = models.CharField(max_length=10, choices=EscalationKind.choices)
    reason = models.TextField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **PERSON)
    closed_at = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True)
    is_confirmed = models.BooleanField(default=False, help_text="the fear was right: this candidate cannot go on")

    class Meta:
        constraints: ClassVar = [
            _known("kind", EscalationKind.values, "escalation_kind_known"),
            models.CheckConstraint(
                condition=Q(closed_by=None, closed_at=None) | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="escalation_closed_whole",
            ),
            models.CheckConstraint(
                condition=Q(closed_by=None) | ~Q(closed_by=models.F("opened_by")), name="escalation_by_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.item_id}"


class Evaluation(AppendOnly):
    """A round's verdict, bound by ``digest`` to the plan, rubric, draw and scores that it was computed from."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="evaluations")
    number = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Verdict])
    reasons = models.JSONField(default=list)
    figures = models.JSONField(default=dict, help_text="counts by standing, people, scored by two, flags")
    statement = models.TextField()
    digest = models.CharField(max_length=DIGEST)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "number"], name="evaluation_number_once"),
            _known("verdict", [one.value for one in Verdict], "round_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.round.kind} {self.verdict}"


class Signature(AppendOnly):
    """One person's name under one sentence about one digest, with all that they had before them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="signatures")
    meaning = models.CharField(max_length=13, choices=Meaning.choices)
    decision = models.CharField(max_length=8, choices=Decision.choices)
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    signer_name = models.CharField(max_length=200)
    credentials = models.JSONField(help_text="what was recorded about the signer then")
    capacity = models.CharField(max_length=200)
    content_digest = models.CharField(max_length=DIGEST)
    statement = models.TextField()
    statement_digest = models.CharField(max_length=DIGEST)
    exceptions = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    evidence = models.JSONField()
    evidence_digest = models.CharField(max_length=DIGEST)
    signed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            _known("meaning", Meaning.values, "signature_meaning_known"),
            _known("decision", Decision.values, "signature_decision_known"),
            models.CheckConstraint(condition=Q(decision=Decision.SIGNED) | ~Q(notes=""), name="decline_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.meaning} {self.decision}"


class SignatureWithdrawal(AppendOnly):
    """Takes a signature out of force; both stay on record."""

    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, primary_key=True, related_name="withdrawal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    reason = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"withdrawal of {self.signature_id}"


class Seat(models.Model):
    """Who is in force for a meaning: the constraints that let nobody sit twice. Whether it is current is computed."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="seats")
    content_digest = models.CharField(max_length=DIGEST)
    meaning = models.CharField(max_length=13, choices=Meaning.choices)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="seat")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["candidate", "content_digest", "meaning"], name="seat_meaning_once"),
            models.UniqueConstraint(fields=["candidate", "holder"], name="seat_person_once"),
        ]

    def __str__(self) -> str:
        return f"{self.meaning} seat"
