"""Service tokens: made, looked up, revoked. Owns their form, and that only a hash is kept; knows no endpoint."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mhds import audit
from mhds.errors import InvalidInput
from mhds.models import User
from releases.models import ServiceToken

READ, CONSUME = "read", "consume"
SCOPES = (READ, CONSUME)
PREFIX = "mhds_"
LONGEST_DAYS = 365
_BYTES = 32
# ``last_used_at`` is for people: to the minute is enough, and a poll stays a read.
_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_token(name: str, scopes: Sequence[str], days: int, *, actor: User | None = None) -> tuple[ServiceToken, str]:
    """The row, and the token itself, which is nowhere kept and so shown this once. Raises InvalidInput."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(f"scopes are {' and '.join(SCOPES)}, not {', '.join(unknown) or 'none'}")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"a token lives 1 to {LONGEST_DAYS} days, not {days}")
    if not name.strip() or len(name) > 120:
        raise InvalidInput("a token has a name of 1 to 120 characters", hint="Name the job that will use it.")
    plain = PREFIX + secrets.token_urlsafe(_BYTES)
    token = ServiceToken.objects.create(
        name=name.strip(),
        sha256=_hash(plain),
        scopes=sorted(set(scopes), key=SCOPES.index),
        created_by=actor,
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(actor, "token.created", f"token:{token.pk}", name=token.name, scopes=token.scopes, days=days)
    return token, plain


@transaction.atomic
def revoke(token: ServiceToken, *, actor: User | None = None) -> None:
    """Dead from the next request on; a second time changes nothing."""
    if ServiceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(actor, "token.revoked", f"token:{token.pk}", name=token.name)


def find(plain: str) -> ServiceToken | None:
    """The token that is in force now, by one indexed read; None for any other string."""
    if not plain.startswith(PREFIX):
        return None
    now = timezone.now()
    token = ServiceToken.objects.filter(sha256=_hash(plain), revoked_at=None, expires_at__gt=now).first()
    if token is not None:
        _note_use(token, now)
    return token


def _note_use(token: ServiceToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY:
        seldom = Q(last_used_at=None) | Q(last_used_at__lte=now - _NOTED_EVERY)
        ServiceToken.objects.filter(seldom, pk=token.pk).update(last_used_at=now)


def _hash(plain: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
