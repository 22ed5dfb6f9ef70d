"""Signs a reviewed demo release by three people, publishes it, and makes the token of a training job. Goes on where it
stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from mhds.demo.accounts import PASSWORD, Accounts
from releases import stores, tokens
from releases.lifecycle import State
from releases.models import Candidate, Publication
from releases.publishing.services import is_unfinished, publish_now
from reviews import signing, standing
from reviews.states import Meaning

SIGNERS = {Meaning.CLINICIAN: "clinician1", Meaning.BIAS_REVIEWER: "bias1", Meaning.LEAD: "lead"}
CAPACITY = "Demo account"
NOTES = "Demo: signed by the preparation of the demo. No person read the records or this page."
TOKEN_NAME, TOKEN_DAYS, TOKEN_ENV = "demo training job", 30, "MHDS_TOKEN"
STEPS = 20


def sign(candidate: Candidate, people: Accounts) -> None:
    """The signatures that are missing, each by its own person and about what stands there now."""
    for meaning, one in standing.standing(candidate).items():
        if one.current:
            continue
        seen = standing.signing_view(candidate)
        signing.sign(
            people[SIGNERS[meaning]],
            candidate,
            meaning,
            password=PASSWORD,
            expected_digest=seen.content_digest,
            expected_statement=seen.statement_digest,
            capacity=CAPACITY,
            notes=NOTES,
        )


def publish(candidate: Candidate, people: Accounts) -> Publication:
    """To the end: prefix, manifest, channel. The lead may, for two others have signed."""
    candidate.refresh_from_db()
    if candidate.state != State.PUBLISHED or is_unfinished(candidate):
        return publish_now(candidate, people["lead"], candidate.content_digest)
    return Publication.objects.get(candidate=candidate)


def prefix_of(publication: Publication) -> str:
    return stores.bucket().url.rstrip("/") + "/" + publication.prefix


def make_token() -> dict[str, Any]:
    """A token as ``create_token`` makes it; the demo is the only place that keeps one in plain text."""
    row, plain = tokens.create_token(TOKEN_NAME, tokens.SCOPES, TOKEN_DAYS)
    return {"token": plain, "token_env": TOKEN_ENV, "token_expires_at": row.expires_at.isoformat()}


def smoke_line(prefix: str, url: str) -> str:
    """The smoke test of the training side as it is typed in the checkout, given the token in its variable."""
    return f"{_program()} {prefix} --steps {STEPS} --allow-demo --api {url} --token-env {TOKEN_ENV}"


def _program() -> str:
    """``mhds-smoke`` where the package is installed, else the same by its module."""
    python = Path(sys.executable)
    installed = python.with_name("mhds-smoke")
    return _shown(installed) if installed.exists() else f"{_shown(python)} -m mhds.client"


def _shown(path: Path) -> str:
    base = Path(settings.BASE_DIR)
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
