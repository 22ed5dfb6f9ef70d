"""Work rows: asked for once, claimed by one, finished only by who still holds them, and never stuck for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from mhds.errors import Conflict, InvalidInput, StorageUnavailable
from mhds.models import WorkItem, WorkState
from mhds.work import bell, run, services

pytestmark = [pytest.mark.build, pytest.mark.django_db]
KIND = "test.kind"


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """Ids that the bell was rung for."""
    heard = []
    monkeypatch.setattr(bell, "ring", heard.append)
    return heard


@pytest.fixture
def ended(monkeypatch):
    """Rows whose end for good was told."""
    told = []
    monkeypatch.setitem(run.HANDLERS, KIND, (services.finish, told.append))
    return told


def handle_by(monkeypatch, handler):
    monkeypatch.setitem(run.HANDLERS, KIND, (handler, run.HANDLERS[KIND][1]))


def asked(key="one", **given):
    return services.enqueue(KIND, key, {"n": 1}, **given)


def lease_ran_out(item):
    WorkItem.objects.filter(pk=item.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def due_now(item):
    WorkItem.objects.filter(pk=item.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def state(item):
    item.refresh_from_db()
    return item.state


def test_the_same_key_is_the_same_work_and_rings_again(rings, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = asked()
        second = services.enqueue(KIND, "one", {"n": 2})
    assert first.pk == second.pk
    assert second.payload == {"n": 1}
    assert WorkItem.objects.count() == 1
    assert rings == [first.pk, first.pk]


def test_nothing_rings_for_work_that_was_rolled_back(rings, django_capture_on_commit_callbacks):
    def act():
        with transaction.atomic():
            asked()
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        act()
    assert rings == []
    assert not WorkItem.objects.exists()


def test_a_broker_that_is_down_does_not_undo_the_request(monkeypatch, caplog):
    monkeypatch.undo()

    def down(*_args, **_kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr(bell.app, "send_task", down)
    item = asked()
    bell.ring(item.pk)
    assert "the reconciler will" in caplog.text
    assert state(item) == WorkState.WAITING


def test_one_of_two_workers_gets_the_row():
    item = asked()
    first, second = services.claim(item.pk, "a"), services.claim(item.pk, "b")
    assert first is not None
    assert (first.lease_owner, first.attempt) == ("a", 1)
    assert second is None


def test_a_row_that_is_done_is_not_done_again(ended):
    item = asked()
    assert run.run(item.pk) is True
    assert run.run(item.pk) is False
    assert state(item) == WorkState.DONE
    assert item.attempt == 1


def test_a_worker_that_lost_its_lease_cannot_finish_and_its_writes_are_undone():
    item = asked()
    slow = services.claim(item.pk, "slow")
    lease_ran_out(item)
    quick = services.claim(item.pk, "quick")

    def keep_result():
        with transaction.atomic():
            asked("a result of the slow one")
            services.finish(slow)

    with pytest.raises(Conflict, match="lease"):
        keep_result()
    assert not WorkItem.objects.filter(key="a result of the slow one").exists()
    services.finish(quick)
    assert state(item) == WorkState.DONE


def test_the_same_owner_on_an_earlier_attempt_is_fenced_too():
    item = asked()
    first = services.claim(item.pk, "a")
    lease_ran_out(item)
    services.claim(item.pk, "a")
    with pytest.raises(Conflict):
        services.finish(first)
    services.fail(first, "crashed", "late", retry=False)
    assert state(item) == WorkState.RUNNING


def test_a_heartbeat_extends_the_lease_shows_progress_and_tells_a_loser():
    item = services.claim(asked().pk, "a")
    lease_ran_out(item)
    services.heartbeat(item, {"records": 3})
    item.refresh_from_db()
    assert item.lease_until > timezone.now()
    assert item.progress == {"records": 3}
    lease_ran_out(item)
    services.claim(item.pk, "b")
    with pytest.raises(Conflict, match="another worker"):
        services.heartbeat(item)


def test_a_worker_that_dies_each_time_fails_after_its_last_attempt_and_says_so_once(ended, rings):
    item = asked(max_attempts=2)
    for _ in range(2):
        assert services.claim(item.pk, "dies") is not None
        lease_ran_out(item)
    assert services.claim(item.pk, "third") is None
    assert run.sweep() == {"rung": 0, "closed": 1}
    assert run.sweep() == {"rung": 0, "closed": 0}
    assert [one.pk for one in ended] == [item.pk]
    assert (state(item), item.error_code) == (WorkState.FAILED, "killed")


def test_a_crash_is_tried_again_and_its_message_is_kept_out_of_row_and_log(ended, monkeypatch, caplog):
    def crash(_item):
        raise ValueError("I feel like CANARY today")

    handle_by(monkeypatch, crash)
    item = asked(max_attempts=2)
    run.run(item.pk)
    assert state(item) == WorkState.WAITING
    assert run.run(item.pk) is False, "not before its delay"
    due_now(item)
    run.run(item.pk)
    assert state(item) == WorkState.FAILED
    assert len(ended) == 1
    assert item.error_message.startswith("ValueError at ")
    assert "CANARY" not in caplog.text + item.error_message


@pytest.mark.parametrize(
    ("error", "after", "told"),
    [
        (StorageUnavailable("the bucket does not answer"), WorkState.WAITING, 0),
        (InvalidInput("this cannot be used"), WorkState.FAILED, 1),
        (Conflict("the world moved on"), WorkState.FAILED, 1),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(ended, monkeypatch, error, after, told):
    def fails(_item):
        raise error

    handle_by(monkeypatch, fails)
    item = asked()
    run.run(item.pk)
    assert state(item) == after
    assert len(ended) == told
    assert item.error_message == error.message


def test_a_worker_that_lost_its_lease_in_mid_task_does_not_fail_the_row_of_the_other(ended, monkeypatch):
    def loses(item):
        lease_ran_out(item)
        services.claim(item.pk, "other")
        services.finish(item)

    handle_by(monkeypatch, loses)
    item = asked()
    run.run(item.pk)
    assert (state(item), item.lease_owner) == (WorkState.RUNNING, "other")
    assert ended == []


def test_the_reconciler_rings_for_what_waits_and_for_what_lost_its_worker_only(ended, rings):
    waiting, lost, held, later, done = (asked(name) for name in ("waiting", "lost", "held", "later", "done"))
    services.claim(lost.pk, "dead")
    lease_ran_out(lost)
    services.claim(held.pk, "alive")
    WorkItem.objects.filter(pk=later.pk).update(not_before=timezone.now() + timedelta(hours=1))
    run.run(done.pk)
    rings.clear()
    assert run.sweep() == {"rung": 2, "closed": 0}
    assert set(rings) == {waiting.pk, lost.pk}


def test_the_last_out_of_a_group_is_found_by_a_query(ended):
    first, second = asked("first", group="g"), asked("second", group="g")
    asked("of another group", group="h")
    run.run(first.pk)
    assert not services.is_last_out("g")
    run.run(second.pk)
    assert services.is_last_out("g")


def test_a_failed_piece_keeps_its_group_from_being_done(ended, monkeypatch):
    first, second = asked("first", group="g"), asked("second", group="g")
    run.run(first.pk)
    WorkItem.objects.filter(pk=second.pk).update(state=WorkState.FAILED)
    assert not services.is_last_out("g")


def test_two_handlers_of_one_kind_are_refused(ended):
    with pytest.raises(ValueError, match="two handlers"):
        run.register(KIND, lambda _item: None, lambda _item: None)
