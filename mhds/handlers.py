"""What each kind of background work does: the steps of ``mhds.workflow``, one row at a time, exactly once.

A handler may run twice (a worker died before it finished); each step finds what is done already and goes on from there.
"""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
from django.db import transaction

from gates import engine, scanning
from mhds import workflow
from mhds.models import User, WorkItem
from mhds.work import run
from mhds.work import services as work
from releases import building, services, starting, stores
from releases.lifecycle import Action, State
from releases.models import Candidate
from releases.publishing import services as publishing


def _candidate(item: WorkItem) -> Candidate:
    return Candidate.objects.select_related("release", "catalog_version").get(pk=UUID(item.payload["candidate"]))


def build(item: WorkItem) -> None:
    """Inventory, coverage and build; the scan of each shard is its own piece of work."""
    candidate = _candidate(item)
    if candidate.frozen_at is None:
        if candidate.state == State.DRAFT:
            services.transition(candidate, Action.BUILD, actor=candidate.built_by)
        snapshot = building.take_snapshot(candidate.built_by)
        workflow.probe(snapshot, candidate.catalog_version.catalog)

        def progress(records: int, size: int) -> None:
            work.heartbeat(item, {"records": records, "bytes": size, "bytes_total": snapshot.total_bytes})

        held_by = building.build_candidate(candidate, snapshot, engine.build_ports(), progress=throttled(progress))
    else:
        held_by = candidate.same_as or candidate
    with transaction.atomic():
        for file in scanning.data_files(held_by):
            payload = {"candidate": str(held_by.pk), "path": file["path"]}
            work.enqueue(starting.SCAN, _scan_key(held_by, file["path"]), payload, group=_scan_group(held_by))
        work.finish(item)
        if work.is_last_out(_scan_group(held_by)):  # nothing to scan, or all of it scanned before
            starting.start_gates(held_by, actor=candidate.built_by)


def _scan_group(candidate: Candidate) -> str:
    return f"scan:{candidate.pk}:{engine.scanner().digest[7:23]}"


def _scan_key(candidate: Candidate, path: str) -> str:
    return f"{_scan_group(candidate)}:{path}"


def scan(item: WorkItem) -> None:
    """One shard; whoever finishes the last one asks for the gates (a query decides who, not a chord)."""
    candidate = _candidate(item)
    bucket, scanner = stores.bucket(), engine.scanner()
    file = next(one for one in scanning.data_files(candidate) if one["path"] == item.payload["path"])
    if scanning.stored_scan(bucket, file, scanner) is None:

        def progress(records: int, size: int) -> None:
            work.heartbeat(item, {"records": records, "bytes": size, "bytes_total": file["bytes"]})

        cache = scanning.earlier_texts(candidate, bucket, scanner)
        scanning.scan_file(candidate, file, bucket, scanner, cache=cache, progress=progress)
    with transaction.atomic():
        Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)  # the last two finish one by one
        work.finish(item)
        if work.is_last_out(item.group):
            starting.start_gates(candidate, actor=candidate.built_by)


def gates(item: WorkItem) -> None:
    candidate = _candidate(item)
    facts = workflow.scan(candidate)
    actor = User.objects.filter(pk=item.payload["actor"]).first() if item.payload["actor"] else None
    workflow.judge(candidate, facts, actor)
    work.finish(item)


def failed(item: WorkItem) -> None:
    """Say on the release page what could not be done; the candidate stays where it is and blocks."""
    step = item.kind.removeprefix("release.")
    error = {"step": step, "code": item.error_code, "message": item.error_message}
    Candidate.objects.filter(pk=UUID(item.payload["candidate"])).update(error=error)


def throttled(progress: building.Progress, every: int = 50) -> building.Progress:
    """A write per object would be more work than the object."""
    calls = 0

    def counted(records: int, size: int) -> None:
        nonlocal calls
        calls += 1
        if calls % every == 1:
            progress(records, size)

    return counted


def register() -> None:
    # Arrow's pool of threads does not survive a fork: one thread is enough beside a worker per core.
    pa.set_cpu_count(1)
    run.register(starting.BUILD, build, failed)
    run.register(starting.SCAN, scan, failed)
    run.register(starting.GATES, gates, failed)
    run.register(publishing.PUBLISH, publishing.publish, failed)


register()
