"""A candidate is given up by who may, for a reason, up to the commit point and never after it."""

from __future__ import annotations

import shutil

import pytest

from mhds.errors import Blocked, Conflict, IllegalTransition, NotAllowed
from mhds.models import WorkItem
from mhds.roles import Role
from releases import evidence, services, stores
from releases.abandoning import abandon
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Publication
from releases.publishing import plan
from releases.publishing.services import publish, publish_now, retry_publish, start_publish
from releases.publishing.write import write
from tests.publish.candidates import VERSION, approved_candidate, person
from tests.publish.processes import run, tree
from tests.publish.test_publish import claimed, exported

pytestmark = pytest.mark.publish
NO_MANIFEST = f"releases/{VERSION}/manifest.json"


def stuck(candidate, lead, monkeypatch):
    """In publishing with everything but the manifest written, and a signature gone for good."""
    item = start_publish(candidate, lead, candidate.content_digest)
    with monkeypatch.context() as gone:
        gone.setitem(evidence.COLLECTORS, "signatures", lambda _c: Evidence("signatures", ("one was withdrawn",)))
        with pytest.raises(Blocked):
            publish(claimed(item))


def test_a_publication_whose_evidence_is_gone_can_be_given_up_and_blocks_no_other(candidate, lead, monkeypatch):
    stuck(candidate, lead, monkeypatch)
    other = approved_candidate(f"{VERSION}.2")
    with pytest.raises(Conflict, match="is being published"):
        start_publish(other, lead, other.content_digest)
    abandon(candidate, lead, "the clinician withdrew")
    assert candidate.state == State.ABANDONED
    assert candidate.events.last().reason == "the clinician withdrew"
    later = publish_now(other, lead, other.content_digest)
    assert later.version == f"{VERSION}.2"


def test_no_release_names_an_abandoned_one_as_the_one_before(candidate, lead, monkeypatch):
    stuck(candidate, lead, monkeypatch)
    abandon(candidate, lead, "for good")
    other = approved_candidate(f"{VERSION}.2")
    later = publish_now(other, lead, other.content_digest)
    assert (later.sequence, b'"previous":null' in bytes(later.manifest)) == (2, True)


def test_once_the_manifest_is_written_it_is_too_late(candidate, lead, monkeypatch):
    start_publish(candidate, lead, candidate.content_digest)
    publication = plan.make(candidate, lead)
    with monkeypatch.context() as stopped:
        stopped.setattr("releases.publishing.write.check_with_fresh_client", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(publication)
    with pytest.raises(Blocked, match="readers see the release"):
        abandon(candidate, lead, "too late")
    write(publication)
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHED
    with pytest.raises(IllegalTransition):
        abandon(candidate, lead, "far too late")


def test_somebody_elses_bytes_at_the_commit_point_are_no_manifest_of_ours(candidate, lead):
    stores.bucket().put_if_absent(f"exports/{NO_MANIFEST}", b"somebody else's")
    with pytest.raises(Conflict):
        publish_now(candidate, lead, candidate.content_digest)
    abandon(candidate, lead, "the prefix is taken")
    assert exported()[f"exports/{NO_MANIFEST}"] == b"somebody else's"


def test_a_bucket_that_cannot_be_asked_is_no_sign_that_nothing_is_written(candidate, lead, settings):
    start_publish(candidate, lead, candidate.content_digest)
    plan.make(candidate, lead)
    settings.MHDS_BUCKET_URL = "s3://no-such-bucket-anywhere/x"
    with pytest.raises(Blocked, match="could not be asked"):
        abandon(candidate, lead, "storage is away")


def test_work_on_an_abandoned_candidate_plans_and_writes_nothing(candidate, lead):
    item = start_publish(candidate, lead, candidate.content_digest)
    abandon(candidate, lead, "before anything was written")
    with pytest.raises(Conflict, match="is abandoned"):
        publish(claimed(item))
    assert exported() == {}
    assert not Publication.objects.exists()
    with pytest.raises(Conflict):
        retry_publish(candidate, lead)
    assert WorkItem.objects.count() == 1


def test_the_version_of_an_abandoned_publication_is_used_up(candidate, lead, monkeypatch):
    second = approved_candidate(VERSION + ".3")
    Candidate.objects.filter(pk=second.pk).update(
        release=candidate.release, number=2, content_digest="sha256:" + "2" * 64
    )
    stuck(candidate, lead, monkeypatch)
    abandon(candidate, lead, "for good")
    with pytest.raises(Conflict, match="abandoned candidate lie under"):
        services.create_candidate(VERSION, actor=candidate.built_by)
    second.refresh_from_db()
    with pytest.raises(Blocked, match="build under a new version"):
        start_publish(second, lead, second.content_digest)


def test_without_a_reason_nothing_is_given_up(candidate, lead):
    with pytest.raises(Blocked, match="a reason is required"):
        abandon(candidate, lead, "  ")


@pytest.mark.parametrize("state", list(State))
def test_a_lead_gives_up_and_the_engineer_only_before_the_review(candidate, lead, state):
    people = {role: lead if role == Role.LEAD else person(f"some {role.value}", role) for role in Role}
    allowed = {Role.LEAD}
    if state in {State.DRAFT, State.BUILDING, State.GATING, State.BLOCKED}:
        allowed.add(Role.ENGINEER)
    for role, who in people.items():
        Candidate.objects.filter(pk=candidate.pk).update(state=state)
        if role not in allowed:
            with pytest.raises(NotAllowed):
                abandon(candidate, who, "because")
        elif state in {State.PUBLISHED, State.WITHDRAWN, State.REJECTED, State.ABANDONED}:
            with pytest.raises(IllegalTransition):
                abandon(candidate, who, "because")
        else:
            assert abandon(candidate, who, "because").state == State.ABANDONED


@pytest.mark.parametrize(
    ("step", "ends", "visible"),
    [("abandon-before-commit", "abandoned stopped", False), ("abandon-during-commit", "published refused", True)],
)
def test_abandoning_while_a_worker_is_about_to_write_the_manifest_has_one_outcome(
    approved, tmp_path, step, ends, visible
):
    shutil.copytree(approved, tmp_path / "here")
    assert run(tmp_path / "here", step).stdout == ends
    assert (NO_MANIFEST in tree(tmp_path / "here")) is visible
