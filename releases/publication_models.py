"""What publishing keeps, as rows: plans, marks, channels, tokens, consumptions. Shapes only; verbs are in the services.

All but ``Channel`` and ``ServiceToken`` are written once: a plan that could change would not be one.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from mhds.models import AppendOnly


class Publication(AppendOnly):
    """The frozen plan of one publication: every file with its hash, and the exact bytes of the manifest.

    Written before the first object, so that every rerun reaches the same bytes. ``files`` are rows of the manifest and
    ``SHA256SUMS``, each with ``staged``: the key that its bytes come from.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.OneToOneField("releases.Candidate", on_delete=models.PROTECT, related_name="publication")
    version = models.CharField(max_length=24, unique=True)
    sequence = models.PositiveIntegerField(unique=True)
    prefix = models.CharField(max_length=200, help_text="key of the release in the bucket, ends in /")
    content_digest = models.CharField(max_length=71)
    demo = models.BooleanField()
    files = models.JSONField()
    manifest = models.BinaryField()
    manifest_sha256 = models.CharField(max_length=64, unique=True)
    published_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sequence__gt=0), name="publication_sequence_from_one"),
            models.CheckConstraint(condition=~Q(content_digest=""), name="publication_of_frozen_bytes"),
        ]

    def __str__(self) -> str:
        return f"{self.version} #{self.sequence}"

    @property
    def manifest_key(self) -> str:
        """The commit point: readers see the release from the moment that this object is there."""
        return f"{self.prefix}manifest.json"

    def file(self, path: str) -> dict[str, Any] | None:
        return next((row for row in self.files if row["path"] == path), None)

    def reached(self, name: str) -> bool:
        return self.marks.filter(name=name).exists()


class PublicationMark(AppendOnly):
    """A point that the writing of a publication has passed."""

    class Name(models.TextChoices):
        VERIFIED = "verified"  # a fresh client opened the release and found every file whole
        POINTED = "pointed"  # the channel's object names it, or a later one

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="marks")
    name = models.CharField(max_length=10, choices=Name.choices)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["publication", "name"], name="publication_mark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.publication} {self.name}"


class Channel(models.Model):
    """Which release a channel means now: the one row that a poll reads. ``sequence`` only ever rises."""

    name = models.CharField(primary_key=True, max_length=64)
    sequence = models.PositiveIntegerField(default=0)
    publication = models.ForeignKey(Publication, null=True, on_delete=models.PROTECT, related_name="+")
    signoff_current = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(publication=None) | Q(sequence__gt=0), name="channel_sequence_with_release"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sequence}"


class ChannelMove(AppendOnly):
    """One change of a channel, with the exact bytes of the pointer object that says so."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="moves")
    sequence = models.PositiveIntegerField()
    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+")
    body = models.BinaryField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "sequence"], name="channel_sequence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.sequence}: {self.publication}"


class ServiceToken(models.Model):
    """A training job's key to the API. Only the SHA-256 of it is kept; what was shown once cannot be shown again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Consumption(AppendOnly):
    """What one training run read of a release, as the run reports it: who is told when the release is withdrawn."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="consumptions")
    token = models.ForeignKey(ServiceToken, on_delete=models.PROTECT, related_name="consumptions")
    idempotency_key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    run_id = models.CharField(max_length=200)
    records = models.PositiveBigIntegerField()
    by_family = models.JSONField()
    order_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "idempotency_key"], name="consumption_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} of {self.publication}"
