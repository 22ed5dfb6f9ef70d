"""The verbs of publishing: ask for it, do it, try again. Every rule about who may is here; how is in ``write``."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from mhds.access import require
from mhds.errors import Blocked, Conflict, NotAllowed, Stale
from mhds.models import User, WorkItem, WorkState
from mhds.roles import Role
from mhds.work import services as work
from releases import channels
from releases.lifecycle import Action, State
from releases.models import Candidate, Publication, PublicationMark
from releases.publishing import attachments, plan
from releases.publishing.write import write
from releases.services import transition
from releases.starting import group_of

PUBLISH = "release.publish"


@transaction.atomic
def start_publish(candidate: Candidate, actor: User | None, expected_digest: str) -> WorkItem:
    """Move an approved candidate to *publishing* and ask for the work, or refuse and leave everything as it was.

    Raises NotAllowed, Stale (another digest was looked at), Blocked with every reason, Conflict (a second lead).
    """
    lead = _approve(candidate, actor, expected_digest)
    return _enqueue(candidate, lead)


def _approve(candidate: Candidate, actor: User | None, expected_digest: str) -> User:
    """Everything is checked inside the caller's transaction, on rows that nobody else can move meanwhile."""
    lead = _lead(actor)
    channels.lock(channels.LATEST)
    seen = Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
    if not expected_digest or seen.content_digest != expected_digest:
        raise Stale("the candidate is not the one that was looked at", hint="Reload and look again.")
    _clean_hands(seen, lead)
    other = Candidate.objects.filter(state=State.PUBLISHING).exclude(pk=seen.pk).select_related("release").first()
    if other is not None:
        raise Conflict(f"{other.release.version} is being published", hint="Let it finish first.")
    transition(seen, Action.PUBLISH, actor=lead)  # first, so that a refusal names everything that is missing
    _not_alone(seen, lead)
    candidate.state = seen.state
    return lead


def _lead(actor: User | None) -> User:
    return require(actor, Role.LEAD, doing="publishing a release")


def _apart(candidate: Candidate, lead: User) -> None:
    """The publisher had no hand in the candidate, and at least two other people signed it."""
    _clean_hands(candidate, lead)
    _not_alone(candidate, lead)


def _clean_hands(candidate: Candidate, lead: User) -> None:
    if candidate.contributions.filter(user=lead).exists():
        raise NotAllowed(
            "Who contributed to a candidate does not publish it.", hint="Ask a lead who had no hand in it."
        )


def _not_alone(candidate: Candidate, lead: User) -> None:
    others = {one.person for one in attachments.signatures_of(candidate)} - {str(lead.pk)}
    if len(others) < 2:
        words = "fewer than two people other than the publisher have signed"
        raise Blocked(f"publish: {words}.", blockers=[words])


def _enqueue(candidate: Candidate, lead: User) -> WorkItem:
    """Each try is its own work row, numbered; the plan makes them all reach the same bytes."""
    number = WorkItem.objects.filter(kind=PUBLISH, group=group_of(candidate)).count() + 1
    payload = {"candidate": str(candidate.pk), "actor": str(lead.pk)}
    return work.enqueue(PUBLISH, f"publish:{candidate.pk}:{number}", payload, group=group_of(candidate))


@transaction.atomic
def retry_publish(candidate: Candidate, actor: User | None) -> WorkItem:
    """Go on with a publication whose work has failed. Conflict while it is at work, or when there is nothing left."""
    lead = _lead(actor)
    channels.lock(channels.LATEST)
    _unfinished(candidate)
    _apart(candidate, lead)
    busy = WorkItem.objects.filter(
        kind=PUBLISH, group=group_of(candidate), state__in=[WorkState.WAITING, WorkState.RUNNING]
    )
    if busy.exists():
        raise Conflict("the release is being written", hint="Wait for it to end.")
    Candidate.objects.filter(pk=candidate.pk).update(error={})
    return _enqueue(candidate, lead)


def _unfinished(candidate: Candidate) -> None:
    candidate.refresh_from_db()
    if not is_unfinished(candidate):
        raise Conflict(f"there is nothing to go on with: the candidate is {candidate.state}")


def is_unfinished(candidate: Candidate) -> bool:
    """Being published, or published without its channel saying so yet."""
    if candidate.state == State.PUBLISHED:
        done = Publication.objects.filter(candidate=candidate, marks__name=PublicationMark.Name.POINTED)
        return not done.exists()
    return candidate.state == State.PUBLISHING


def publish_now(candidate: Candidate, actor: User | None, expected_digest: str) -> Publication:
    """Publish in this process, to the end. Run again after a kill, it goes on to the same bytes."""
    candidate.refresh_from_db()
    if is_unfinished(candidate):
        lead = _lead(actor)
        if candidate.content_digest != expected_digest:
            raise Stale("the candidate is not the one that was looked at", hint="Reload and look again.")
        _apart(candidate, lead)
    else:
        with transaction.atomic():
            lead = _approve(candidate, actor, expected_digest)
    return carry_out(candidate, lead)


def carry_out(candidate: Candidate, lead: User) -> Publication:
    publication = plan.make(candidate, lead)
    write(publication)
    candidate.refresh_from_db()
    return publication


def publish(item: WorkItem) -> None:
    """The handler of ``release.publish``."""
    candidate = Candidate.objects.select_related("release", "catalog_version", "snapshot").get(
        pk=UUID(item.payload["candidate"])
    )
    carry_out(candidate, User.objects.get(pk=UUID(item.payload["actor"])))
    work.finish(item)
