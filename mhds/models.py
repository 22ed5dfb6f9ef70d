"""The tables every app stands on: people, the audit log and the work rows. Shapes only; verbs live beside them."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from mhds.roles import Role


class UserManager(BaseUserManager["User"]):
    """People are found by e-mail, whatever its case."""

    def create_user(self, email: str, password: str | None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    """One person. Roles are groups; credentials are what an administrator recorded and compliance can read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail", max_length=254, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="times are shown in this zone")
    languages = models.JSONField(default=list, help_text="languages read, as ISO 639-1 codes")
    licence = models.CharField(max_length=120, blank=True, help_text="clinical licence, as shown on a certificate")
    years_experience = models.PositiveSmallIntegerField(default=0)
    training_experience = models.BooleanField(default=False, help_text="has trained or supervised clinicians")
    crisis_training = models.BooleanField(default=False)
    veil_sensitive = models.BooleanField(default=True, help_text="keep crisis-tagged turns veiled until revealed")
    keys_on = models.BooleanField(default=True, help_text="single-key shortcuts on the scoring screen")
    keys = models.JSONField(default=dict, blank=True, help_text="shortcuts of one's own: act -> key, where not ours")
    tagged_cap = models.PositiveSmallIntegerField(default=25, help_text="crisis-tagged records a day; 0 for no limit")
    is_demo = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def roles(self) -> frozenset[Role]:
        """Read once per request object; an inactive person holds none."""
        if not self.is_active:
            return frozenset()
        known = {role.value for role in Role}
        return frozenset(Role(name) for name in self.groups.values_list("name", flat=True) if name in known)

    def holds(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))


class AppendOnly(models.Model):
    """Rows that are written once. The database refuses too (triggers in the migrations)."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} rows are never deleted")


class AuditEvent(AppendOnly):
    """One act, refusal or sensitive read, chained to the one before by hash. Ordered by ``seq``, never by time."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    data = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "seq"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class SignInAttempt(models.Model):
    """A failed sign-in or re-authentication: what the throttle counts. Holds a hash of the e-mail, not the e-mail."""

    who = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"attempt at {self.at:%Y-%m-%dT%H:%M:%SZ}"


class WorkState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class WorkItem(models.Model):
    """One unit of background work: the truth that a Celery message merely rings about.

    ``key`` makes a request idempotent; ``attempt`` fences writes of a worker that lost its lease; ``group`` ties
    the pieces of one step together, so that the last one out is found by a query and not by a chord.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200, unique=True)
    group = models.CharField(max_length=200, blank=True, db_index=True)
    payload = models.JSONField(default=dict, help_text="ids and settings only, never text")
    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict, help_text="done and total in records and bytes")
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "lease_until"], name="work_by_lease")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=WorkState.values), name="work_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
