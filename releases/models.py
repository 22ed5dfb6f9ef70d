"""What a release is made of, as rows. Shapes and cheap properties only; verbs are in the services."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from mhds.models import AppendOnly
from releases.catalog.parse import parse_catalog
from releases.catalog.types import Catalog
from releases.lifecycle import State
from releases.publication_models import (
    Channel,
    ChannelMove,
    Consumption,
    Publication,
    PublicationMark,
    ServiceToken,
)
from releases.querysets import CandidateQuerySet, ReleaseQuerySet
from releases.storage_models import StorageMeasurement


class CatalogVersion(models.Model):
    """One imported or edited catalog. The newest is current; a candidate keeps the one it was built with."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=71, unique=True)
    toml = models.TextField()
    is_current = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_current"], condition=models.Q(is_current=True), name="one_current_catalog"
            )
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def catalog(self) -> Catalog:
        return parse_catalog(self.toml)


class SourceDecision(AppendOnly):
    """Compliance approves a source or records it as excluded; bound to the very row of the catalog (its digest)."""

    class Kind(models.TextChoices):
        APPROVED = "approved"
        EXCLUDED = "excluded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_id = models.CharField(max_length=120)
    row_digest = models.CharField(max_length=71, db_index=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    because = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind}"


class ExclusionDecision(AppendOnly):
    """The engineer's *exclude, because ...* about a refused object or a bad record.

    Bound to key, etag, record and reason: a changed file asks again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=1200, help_text="as shown: the alias where the key has a finding")
    etag = models.CharField(max_length=200)
    source_record = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=60)
    because = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["reason", "etag"], name="exclusion_by_object")]

    def __str__(self) -> str:
        return f"{self.reason} {self.key}"


class Snapshot(models.Model):
    """One dated inventory of the source. The listing itself lies in the bucket, named by its digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=71, db_index=True, help_text="over the sorted (key, size, etag) of all keys")
    listing = models.CharField(max_length=200, help_text="key of the gzipped JSON lines in the bucket")
    source_name = models.CharField(max_length=200)
    objects_count = models.PositiveBigIntegerField()
    total_bytes = models.PositiveBigIntegerField()
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(auto_now_add=True)
    coverage = models.JSONField(default=dict, help_text="the matrix of this listing before anything is read")

    class Meta:
        get_latest_by = "taken_at"

    def __str__(self) -> str:
        return f"{self.source_name} {self.taken_at:%Y-%m-%d %H:%M}"


class Release(models.Model):
    """One version, ``vYYYY-MM-DD`` or ``vYYYY-MM-DD.n``; its candidates are the attempts to make it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.CharField(max_length=24, unique=True)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReleaseQuerySet.as_manager()

    def __str__(self) -> str:
        return self.version

    @property
    def date(self) -> str:
        """``YYYY-MM-DD``: the date that every record of the release carries as ``processed_at``."""
        return self.version[1:11]


class Candidate(models.Model):
    """One build of a release. ``content_digest`` is its identity once frozen; ``transition`` alone writes ``state``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="candidates")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=State.DRAFT, choices=[(s.value, s.value) for s in State])
    catalog_version = models.ForeignKey(CatalogVersion, on_delete=models.PROTECT, related_name="candidates")
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.PROTECT, related_name="candidates")
    same_as = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="repeats")
    built_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    content_digest = models.CharField(max_length=71, blank=True)
    frozen_at = models.DateTimeField(null=True)
    files = models.JSONField(
        default=list, help_text="frozen data, index and config files: path, role, bytes, sha256, ..."
    )
    coverage = models.JSONField(
        default=dict, help_text="the matrix after reading: what counted as evidence, and what not"
    )
    objects_by_status = models.JSONField(default=dict)
    objects_key = models.CharField(max_length=200, blank=True, help_text="account of every object, in the bucket")
    exclusions_key = models.CharField(max_length=200, blank=True, help_text="every excluded record, in the bucket")
    released_key = models.CharField(max_length=200, blank=True, help_text="record ids, hashes, splits, in the bucket")
    records_in = models.PositiveIntegerField(default=0)
    records_out = models.PositiveIntegerField(default=0)
    records_excluded = models.PositiveIntegerField(default=0)
    exclusions = models.JSONField(default=dict, help_text="reason id -> count")
    build_facts = models.JSONField(default=dict, help_text="redaction, dedup and cluster figures of the build")
    seconds = models.JSONField(default=dict)
    error = models.JSONField(default=dict, help_text="step, code and message when a step could not be done")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "number"], name="candidate_number_once"),
            models.UniqueConstraint(
                fields=["release", "content_digest"],
                condition=~models.Q(content_digest="") & models.Q(same_as=None),
                name="candidate_digest_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[s.value for s in State]), name="candidate_state_known"
            ),
            models.UniqueConstraint(
                fields=["release"],
                condition=models.Q(state__in=["publishing", "published", "withdrawn"]),
                name="release_published_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release.version} candidate {self.number}"

    @property
    def staging(self) -> str:
        return f"staging/{self.pk}/"


class ObjectIssue(models.Model):
    """A refused object or a bad record of a candidate: what integrity or provenance asks a person to decide."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="issues")
    key = models.CharField(max_length=1200)
    etag = models.CharField(max_length=200)
    family = models.CharField(max_length=120)
    source_id = models.CharField(max_length=120, blank=True)
    source_record = models.CharField(max_length=200, blank=True)
    offset = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=60)
    detail = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.reason} {self.key}"


class Contribution(AppendOnly):
    """Who had a hand in a candidate, and how: such a person neither reviews, signs nor publishes it."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="contributions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["candidate", "user", "how"], name="contribution_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.how}"


class CandidateEvent(AppendOnly):
    """One move of a candidate: who, from where to where, and the evidence that let it pass."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    action = models.CharField(max_length=20)
    from_state = models.CharField(max_length=12)
    to_state = models.CharField(max_length=12)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["candidate", "seq"], name="event_seq_once")]

    def __str__(self) -> str:
        return f"{self.action}: {self.from_state} -> {self.to_state}"


__all__ = [
    "Candidate",
    "CandidateEvent",
    "CatalogVersion",
    "Channel",
    "ChannelMove",
    "Consumption",
    "Contribution",
    "ExclusionDecision",
    "ObjectIssue",
    "Publication",
    "PublicationMark",
    "Release",
    "ServiceToken",
    "Snapshot",
    "SourceDecision",
    "StorageMeasurement",
]
