"""Who may take part in the review of a candidate: roles, credentials, no hand in it. Knows no record, no score."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from mhds.models import User
from mhds.reading import once
from releases.models import Candidate, Contribution
from reviews.assignment import REQUIREMENTS, Person
from reviews.plans import RoundKind
from reviews.states import AssignmentState


@once
def contributions(candidate: Candidate) -> dict[Any, list[str]]:
    """Person -> how they had a hand in these bytes, or in another candidate of the release (it may share files)."""
    same = Q(candidate__release=candidate.release_id)
    if candidate.content_digest:
        same |= Q(candidate__content_digest=candidate.content_digest)
    found: dict[Any, list[str]] = {}
    for user_id, how in Contribution.objects.filter(same).values_list("user_id", "how").order_by("how").distinct():
        found.setdefault(user_id, []).append(how)
    return found


def persons(candidate: Candidate, kind: RoundKind) -> tuple[list[Person], dict[str, User]]:
    """Everyone in the round's role as the planner wants them, and their accounts by the same id."""
    role = REQUIREMENTS[kind].role
    hands = contributions(candidate)
    waiting = Count("assignments", filter=Q(assignments__state=AssignmentState.ASSIGNED))
    users = User.objects.filter(groups__name=role.value).annotate(waiting=waiting).order_by("pk")
    found = [(user, _person(user, contributor=user.pk in hands, load=user.waiting)) for user in users]
    return [person for _user, person in found], {person.id: user for user, person in found}


def _person(user: User, *, contributor: bool, load: int) -> Person:
    return Person(
        id=str(user.pk),
        roles=frozenset(role.value for role in user.roles),
        languages=frozenset(user.languages),
        licence=user.licence,
        years_experience=user.years_experience,
        training_experience=user.training_experience,
        crisis_training=user.crisis_training,
        contributor=contributor,
        open_load=load,
        active=user.is_active,
    )


def credentials(user: User) -> dict[str, Any]:
    """What a certificate says about a person: as recorded by an administrator, nothing more."""
    return {
        "name": user.name,
        "roles": sorted(role.value for role in user.roles),
        "licence": user.licence,
        "years_experience": user.years_experience,
        "training_experience": user.training_experience,
        "crisis_training": user.crisis_training,
        "languages": sorted(user.languages),
    }
