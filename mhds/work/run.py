"""Runs one work row: claim, call the handler of its kind, finish or fail. Knows no kind by itself."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import close_old_connections
from django.utils import timezone

from mhds.errors import Conflict, MhdsError, StorageUnavailable
from mhds.models import WorkItem, WorkState
from mhds.work import bell, services

log = logging.getLogger(__name__)

# A handler does the work and calls services.finish(item) in the transaction that writes the result.
Handler = Callable[[WorkItem], None]
# Told once when work has failed for good: (row). It turns the failure into an ERROR where people look.
OnFailed = Callable[[WorkItem], None]
HANDLERS: dict[str, tuple[Handler, OnFailed]] = {}


def register(kind: str, handler: Handler, on_failed: OnFailed) -> None:
    if kind in HANDLERS and HANDLERS[kind] != (handler, on_failed):
        raise ValueError(f"two handlers for {kind}")
    HANDLERS[kind] = (handler, on_failed)


def owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def run(item_id: UUID) -> bool:
    """Do the work if it can be claimed; False when there was nothing to do (done, taken, or not due)."""
    item = services.claim(item_id, owner())
    if item is None:
        return False
    handler, on_failed = HANDLERS[item.kind]
    try:
        with kept_alive(item):
            handler(item)
    except Conflict as error:
        _failed(item, error.code, error.message, retry=False, on_failed=on_failed)
    except MhdsError as error:
        _failed(item, error.code, error.message, retry=isinstance(error, StorageUnavailable), on_failed=on_failed)
    except Exception as error:  # the class only: a message or traceback may hold text of a conversation
        log.error("%s crashed on attempt %d: %s", item, item.attempt, crash_site(error))  # noqa: TRY400
        _failed(item, "crashed", crash_site(error), retry=True, on_failed=on_failed)
    return True


def crash_site(error: BaseException) -> str:
    """``KeyError at releases/build/pipeline.py:120``: enough to mend it, no text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{'/'.join(trace.tb_frame.f_code.co_filename.split('/')[-3:])}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"


def _failed(item: WorkItem, code: str, message: str, *, retry: bool, on_failed: OnFailed) -> None:
    again = services.fail(item, code, message, retry=retry)
    item.refresh_from_db()
    if not again and item.state == WorkState.FAILED:
        on_failed(item)


@contextmanager
def kept_alive(item: WorkItem) -> Iterator[None]:
    """Extend the lease from a thread while the handler runs; a killed process stops, on purpose."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(services.lease().total_seconds() / 3):
            try:
                services.heartbeat(item)
            except Conflict:
                return
            finally:
                close_old_connections()

    thread = threading.Thread(target=beat, daemon=True, name=f"lease-{item.pk}")
    thread.start()
    try:
        yield
    finally:
        stop.set()


def sweep() -> dict[str, int]:
    """The reconciler's round: ring for all that waits or lost its worker; close what died on its last attempt."""
    now = timezone.now()
    rung = 0
    for item in services.claimable(now).order_by("created_at")[:500]:
        bell.ring(item.pk)
        rung += 1
    dead = 0
    for item in services.exhausted(now):
        closed = WorkItem.objects.filter(pk=item.pk, state=WorkState.RUNNING, attempt=item.attempt).update(
            state=WorkState.FAILED, finished_at=now, error_code="killed", error_message="the worker died each time"
        )
        if closed:
            item.refresh_from_db()
            HANDLERS[item.kind][1](item)
            dead += 1
    return {"rung": rung, "closed": dead}
