"""Slows guessing of passwords, at sign-in and at signing. Counts failures by person in the database."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from mhds.errors import MhdsError
from mhds.models import SignInAttempt

LIMIT, WINDOW = 10, timedelta(minutes=15)


class TooManyAttempts(MhdsError):
    code = "too-many-attempts"
    status = 429


def _who(email: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), email.strip().lower().encode(), hashlib.sha256).hexdigest()


def check(email: str) -> None:
    """Raise when this e-mail failed too often; the same answer whether or not the account exists."""
    since = timezone.now() - WINDOW
    if SignInAttempt.objects.filter(who=_who(email), at__gte=since).count() >= LIMIT:
        raise TooManyAttempts("Too many failed attempts.", hint="Wait 15 minutes, or ask an administrator.")


def failed(email: str) -> None:
    now = timezone.now()
    SignInAttempt.objects.filter(at__lt=now - 4 * WINDOW).delete()
    SignInAttempt.objects.create(who=_who(email), at=now)


def succeeded(email: str) -> None:
    SignInAttempt.objects.filter(who=_who(email)).delete()
