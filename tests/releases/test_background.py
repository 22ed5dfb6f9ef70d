"""The steps of a release as background work: each row once, the last one asks for the gates, a failure is told."""

from __future__ import annotations

import pytest

from mhds import handlers
from mhds.errors import StorageUnavailable
from mhds.models import WorkItem, WorkState
from mhds.roles import Role
from mhds.work import run
from releases import starting
from releases.lifecycle import State
from releases.models import Candidate
from tests.factories import PRIORITY, VERSION, conversations, person

pytestmark = [pytest.mark.build, pytest.mark.django_db]


@pytest.fixture
def engineer(db):
    return person("engineer", Role.ENGINEER)


def work_off(limit=60):
    """Do what waits, oldest first, as one worker would; the kinds in their order."""
    done = []
    while item := WorkItem.objects.filter(state=WorkState.WAITING, not_before=None).order_by("created_at").first():
        assert len(done) < limit
        run.run(item.pk)
        done.append(item.kind)
    return done


def test_a_release_walks_from_a_click_to_its_verdicts(filled, engineer):
    candidate = starting.start(VERSION, actor=engineer)
    kinds = work_off()
    assert (kinds[0], kinds[-1]) == (starting.BUILD, starting.GATES)
    assert kinds.count(starting.GATES) == 1
    assert kinds.count(starting.SCAN) == len([file for file in _files(candidate) if file["role"] == "data"])
    candidate.refresh_from_db()
    assert candidate.state == State.BLOCKED
    assert candidate.error == {}
    assert set(WorkItem.objects.values_list("state", flat=True)) == {WorkState.DONE}


def _files(candidate):
    return Candidate.objects.get(pk=candidate.pk).files


def test_a_release_without_a_record_is_judged_too_and_not_left_lying(home, engineer):
    home.use()
    candidate = starting.start(VERSION, actor=engineer)
    assert work_off() == [starting.BUILD, starting.GATES]
    candidate.refresh_from_db()
    assert candidate.state == State.BLOCKED


def test_the_same_bytes_again_are_judged_again_where_they_lie(filled, engineer):
    first = starting.start(VERSION, actor=engineer)
    work_off()
    second = starting.start(VERSION, actor=engineer)
    assert work_off() == [starting.BUILD, starting.GATES]
    second.refresh_from_db()
    assert (second.state, second.same_as) == (State.ABANDONED, first)
    assert first.contributions.filter(how="built").count() == 1


def test_each_request_for_the_gates_is_a_round_of_its_own_whatever_the_state(filled, engineer):
    """In review a round adds no event to the candidate, and the next request is new work all the same."""
    candidate = starting.start(VERSION, actor=engineer)
    work_off()
    candidate.refresh_from_db()
    Candidate.objects.filter(pk=candidate.pk).update(state=State.IN_REVIEW)
    asked = []
    for _ in range(3):
        asked.append(starting.start_gates(candidate, actor=engineer).pk)
        assert work_off() == [starting.GATES]
    assert len(set(asked)) == 3
    assert WorkItem.objects.filter(kind=starting.GATES, state=WorkState.DONE).count() == 4


@pytest.mark.parametrize("state", [WorkState.WAITING, WorkState.RUNNING])
def test_who_asks_for_the_gates_while_they_are_asked_for_gets_the_same_round(filled, engineer, state):
    candidate = starting.start(VERSION, actor=engineer)
    work_off()
    candidate.refresh_from_db()
    first = starting.start_gates(candidate, actor=engineer)
    WorkItem.objects.filter(pk=first.pk).update(state=state)
    assert starting.start_gates(candidate, actor=engineer) == first


@pytest.mark.parametrize("state", [WorkState.DONE, WorkState.FAILED])
def test_a_round_that_has_ended_is_never_taken_for_a_new_one(filled, engineer, state):
    candidate = starting.start(VERSION, actor=engineer)
    work_off()
    candidate.refresh_from_db()
    first = starting.start_gates(candidate, actor=engineer)
    WorkItem.objects.filter(pk=first.pk).update(state=state)
    assert starting.start_gates(candidate, actor=engineer) != first


def test_a_build_that_died_after_the_freeze_goes_on_from_there(filled, engineer):
    candidate = starting.start(VERSION, actor=engineer)
    item = WorkItem.objects.get(kind=starting.BUILD)
    run.run(item.pk)
    frozen = _files(candidate)
    WorkItem.objects.filter(kind=starting.SCAN).delete()
    WorkItem.objects.filter(pk=item.pk).update(state=WorkState.WAITING)
    filled.put({f"{PRIORITY}later.jsonl": conversations("later")})
    work_off()
    assert _files(candidate) == frozen
    assert Candidate.objects.get(pk=candidate.pk).state == State.BLOCKED


def test_work_that_was_done_by_a_worker_without_a_lease_is_not_kept(filled, engineer, monkeypatch):
    """The lease is lost during the build: its rows are rolled back, the other worker's stand."""
    candidate = starting.start(VERSION, actor=engineer)
    item = WorkItem.objects.get(kind=starting.BUILD)
    build = handlers.building.build_candidate

    def build_then_lose(*args, **given):
        held_by = build(*args, **given)
        WorkItem.objects.filter(pk=item.pk).update(lease_owner="another", attempt=2)
        return held_by

    monkeypatch.setattr(handlers.building, "build_candidate", build_then_lose)
    run.run(item.pk)
    assert not WorkItem.objects.filter(kind=starting.SCAN).exists()
    item.refresh_from_db()
    assert (item.state, item.lease_owner) == (WorkState.RUNNING, "another")
    assert Candidate.objects.get(pk=candidate.pk).error == {}


def test_a_source_that_is_not_there_is_told_on_the_candidate(filled, engineer, settings):
    settings.MHDS_SOURCE_URL = (filled.root / "nowhere").as_uri()
    candidate = starting.start(VERSION, actor=engineer)
    for _ in range(3):
        WorkItem.objects.update(not_before=None)
        work_off()
    candidate.refresh_from_db()
    assert candidate.error["step"] == "build"
    assert candidate.error["message"]
    assert candidate.state == State.BUILDING
    assert WorkItem.objects.get().state == WorkState.FAILED


def test_a_store_that_does_not_answer_for_a_moment_costs_a_retry_only(filled, engineer, monkeypatch):
    candidate = starting.start(VERSION, actor=engineer)
    real, calls = handlers.building.take_snapshot, []

    def once(actor):
        calls.append(actor)
        if len(calls) == 1:
            raise StorageUnavailable("the store does not answer")
        return real(actor)

    monkeypatch.setattr(handlers.building, "take_snapshot", once)
    work_off()
    assert Candidate.objects.get(pk=candidate.pk).error == {}
    WorkItem.objects.update(not_before=None)
    work_off()
    assert Candidate.objects.get(pk=candidate.pk).state == State.BLOCKED
