"""The verbs of a release. ``transition`` is the only writer of a candidate's state; each verb is one transaction."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from mhds import audit
from mhds.access import require
from mhds.errors import Conflict, InvalidInput
from mhds.models import User
from mhds.roles import Role
from releases import evidence
from releases.catalog.parse import check_reviews, parse_catalog
from releases.catalog.types import Catalog, Source
from releases.lifecycle import Action, Facts, State, decide
from releases.models import (
    Candidate,
    CandidateEvent,
    CatalogVersion,
    Contribution,
    Publication,
    Release,
    SourceDecision,
)

VERSION = re.compile(r"v([0-9]{4})-([0-9]{2})-([0-9]{2})(?:\.([1-9][0-9]{0,3}))?")
# Sent after commit with candidate and action: the workflow decides what follows.
candidate_moved = Signal()


def builder(actor: User | None, doing: str) -> User | None:
    """Who may build: a dataset engineer; nobody in particular only where the installation is embedded."""
    if actor is None and settings.EMBEDDED:
        return None
    return require(actor, Role.ENGINEER, doing=doing)


def transition(candidate: Candidate, action: Action, *, actor: User | None, reason: str = "") -> Candidate:
    """Move a candidate, or raise IllegalTransition / Blocked / Conflict and leave everything as it was.

    Compare-and-set on the state that was seen, one event row, one audit event; the signal goes out after commit.
    """
    with transaction.atomic():
        seen = Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
        collected = evidence.collect(seen)
        target = decide(action, State(seen.state), Facts(collected, reason))
        moved = Candidate.objects.filter(pk=seen.pk, state=seen.state).update(state=target)
        if not moved:
            raise Conflict("somebody else moved this candidate at the same time", hint="Reload and look again.")
        CandidateEvent.objects.create(
            candidate=seen,
            seq=seen.events.count() + 1,
            action=action,
            from_state=seen.state,
            to_state=target,
            actor=actor,
            reason=reason,
            evidence={one.name: list(one.missing) for one in collected},
        )
        audit.record(actor, f"candidate.{action}", f"candidate:{seen.pk}", version=seen.release.version, to=target)
        seen.state = target
        transaction.on_commit(lambda: candidate_moved.send(Candidate, candidate=seen, action=action), robust=True)
    candidate.state = target
    return candidate


def check_version(version: str) -> str:
    """The version itself, if it is ``vYYYY-MM-DD`` or ``vYYYY-MM-DD.n`` of a real date."""
    found = VERSION.fullmatch(version)
    try:
        if found is None:
            raise ValueError
        datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
    except ValueError:
        raise InvalidInput(
            f"{version!r} is not a version.", hint="Use vYYYY-MM-DD, or vYYYY-MM-DD.2 for a second one of that day."
        ) from None
    if found[4] == "1":
        raise InvalidInput(f"{version!r}: the first release of a day has no number.", hint="Start at .2")
    return version


def next_version(today: datetime) -> str:
    """The version a release created now gets: today's UTC date, with a number from the second on."""
    base = f"v{today:%Y-%m-%d}"
    taken = set(Release.objects.filter(version__startswith=base).values_list("version", flat=True))
    numbered = (f"{base}.{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(one for one in numbered if one not in taken)


@transaction.atomic
def create_candidate(version: str, *, actor: User | None) -> Candidate:
    """A new candidate of ``version`` (the release too, where it is new), on the current catalog."""
    actor = builder(actor, "building a candidate")
    catalog = current_version()
    release, _new = Release.objects.get_or_create(
        version=check_version(version), defaults={"created_by": actor, "is_demo": settings.DEMO}
    )
    done = release.candidates.filter(state__in=[State.PUBLISHING, State.PUBLISHED, State.WITHDRAWN])
    if done.exists():
        raise Conflict(f"{version} is {done[0].state}", hint="Build under a new version.")
    if Publication.objects.filter(version=version).exists():
        raise Conflict(f"objects of an abandoned candidate lie under {version}", hint="Build under a new version.")
    candidate = Candidate.objects.create(
        release=release,
        number=Candidate.objects.next_number(release),
        catalog_version=catalog,
        built_by=actor,
    )
    contributed(candidate, actor, "built")
    contributed(candidate, catalog.created_by, "catalog")
    audit.record(actor, "candidate.created", f"candidate:{candidate.pk}", version=version, catalog=catalog.digest)
    return candidate


def contributed(candidate: Candidate, user: User | None, how: str) -> None:
    if user is not None:
        Contribution.objects.get_or_create(candidate=candidate, user=user, how=how)


@transaction.atomic
def freeze(candidate: Candidate, built: dict[str, Any]) -> Candidate:
    """Fix what was built. Where the release has a candidate of the same digest already, that one is used again."""
    digest = built["content_digest"]
    earlier = (
        Candidate.objects.filter(release=candidate.release, content_digest=digest, same_as=None)
        .exclude(pk=candidate.pk)
        .exclude(state__in=[State.ABANDONED, State.REJECTED])
        .first()
    )
    fields = {**built, "frozen_at": timezone.now(), "same_as": earlier}
    try:
        with transaction.atomic():
            changed = Candidate.objects.filter(pk=candidate.pk, state=State.BUILDING, frozen_at=None).update(**fields)
    except IntegrityError:
        raise Conflict("the same bytes were frozen at the same time", hint="Run it again.") from None
    if not changed:
        raise Conflict("this candidate is frozen already", hint="Build a new candidate.")
    candidate.refresh_from_db()
    audit.record(None, "candidate.frozen", f"candidate:{candidate.pk}", content_digest=digest)
    if earlier is None:
        return candidate
    for contribution in candidate.contributions.all():
        contributed(earlier, contribution.user, contribution.how)
    transition(candidate, Action.ABANDON, actor=None, reason=f"same bytes as candidate {earlier.number}")
    return earlier


@transaction.atomic
def import_catalog(toml: str, *, actor: User | None) -> CatalogVersion:
    """Make ``toml`` the current catalog. The same catalog again changes nothing but which one is current."""
    actor = builder(actor, "importing a catalog")
    catalog = parse_catalog(toml)
    check_reviews(catalog)
    CatalogVersion.objects.filter(is_current=True).exclude(digest=catalog.digest).update(is_current=False)
    version, new = CatalogVersion.objects.get_or_create(
        digest=catalog.digest, defaults={"toml": toml, "is_current": True, "created_by": actor}
    )
    if not new:
        CatalogVersion.objects.filter(pk=version.pk).update(is_current=True)
    audit.record(actor, "catalog.imported", f"catalog:{version.pk}", digest=catalog.digest, new=new)
    return version


def standing(source: Source) -> str:
    """ "" when the source may be read, else why not, by the newest decision on this very row."""
    decision = SourceDecision.objects.filter(source_id=source.id, row_digest=source.digest).order_by("-at").first()
    return source.standing(decision.kind, decision.because) if decision is not None else source.standing()


def current_version() -> CatalogVersion:
    """The catalog in use. Raises Conflict where none was imported."""
    version = CatalogVersion.objects.filter(is_current=True).first()
    if version is None:
        raise Conflict("there is no catalog yet", hint="Run manage.py import_catalog FILE.")
    return version


def current_catalog() -> Catalog:
    return current_version().catalog


DEFAULT_CATALOG = Path(__file__).parent / "catalog" / "release-0.toml"


def import_default_catalog() -> CatalogVersion:
    """The shipped Release 0 catalog: the five families, and no source, so nothing is read until one is approved."""
    return import_catalog(DEFAULT_CATALOG.read_text(encoding="utf-8"), actor=None)


def require_frozen(candidate: Candidate) -> None:
    if not candidate.content_digest or candidate.same_as is not None:
        raise Conflict(
            "this candidate holds no frozen bytes of its own", hint="Look at the release's newest candidate."
        )
