"""The words of a review's states, meanings and decisions. Owns nothing else, so that queries and rows share them."""

from __future__ import annotations

from django.db import models

from mhds.roles import Role


class RoundState(models.TextChoices):
    """``evaluated`` is closed: the verdict stands and the scores may be read."""

    PLANNED = "planned"
    DRAWN = "drawn"
    SCORING = "scoring"
    EVALUATED = "evaluated"


class AssignmentState(models.TextChoices):
    """``skipped``: for one's own sake, no reason. ``passed_on``: scored as *cannot judge*. ``replaced``: taken back."""

    ASSIGNED = "assigned"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    PASSED_ON = "passed_on"
    REPLACED = "replaced"


LIVE = [AssignmentState.ASSIGNED, AssignmentState.SUBMITTED]
SCORED = [AssignmentState.SUBMITTED, AssignmentState.PASSED_ON]
DECLINED = [AssignmentState.SKIPPED, AssignmentState.PASSED_ON, AssignmentState.REPLACED]


class EscalationKind(models.TextChoices):
    """A minor or a real identifier hides the record at once, from everyone who scores."""

    MINOR = "minor"
    IDENTIFIER = "identifier"
    OTHER = "other"


class Meaning(models.TextChoices):
    """What a signature says; each is for one role."""

    CLINICIAN = "clinician"
    BIAS_REVIEWER = "bias_reviewer"
    LEAD = "lead"


ROLE_OF = {Meaning.CLINICIAN: Role.CLINICIAN, Meaning.BIAS_REVIEWER: Role.BIAS, Meaning.LEAD: Role.LEAD}


class Decision(models.TextChoices):
    SIGNED = "signed"
    DECLINED = "declined"
