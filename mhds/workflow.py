"""Which step follows which, from inventory to verdicts. The composition root: the only place that knows all apps.

``run`` walks the steps in one process; the work handlers walk the same steps one row at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gates import engine, scanning
from gates import services as gate_services
from gates.models import GateResult
from gates.scan.facts import Facts
from mhds.errors import MhdsError
from mhds.models import User
from releases import building, probing, services, stores
from releases.catalog.types import Catalog
from releases.lifecycle import Action, State
from releases.models import Candidate, Snapshot

log = logging.getLogger("mhds.run")
STEPS = ("inventory", "coverage", "build", "scan", "gates")
UNTIL = {"inventory": "coverage", "build": "build", "gates": "gates"}


class StepFailed(Exception):
    """A step could not be done; ``step`` says which, ``error`` what and what to do."""

    def __init__(self, step: str, error: MhdsError) -> None:
        super().__init__(step)
        self.step, self.error = step, error


@dataclass
class Run:
    """How far a run came."""

    version: str
    snapshot: Snapshot | None = None
    candidate: Candidate | None = None
    results: list[GateResult] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step and name it in its failure."""
        log.info("%s: %s ...", self.version, name)
        started = time.monotonic()
        try:
            yield
        except MhdsError as error:
            raise StepFailed(name, error) from None
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)
        log.info("%s: %s done in %.1f s", self.version, name, self.seconds[name])


def run(version: str, *, until: str, actor: User | None) -> Run:
    """All steps up to ``until`` (inventory, build or gates) in this process. Raises StepFailed."""
    this = Run(version)
    with this.step("inventory"):
        services.check_version(version)
        this.snapshot = building.take_snapshot(actor)
    with this.step("coverage"):
        probe(this.snapshot, services.current_catalog())
    if until == "inventory":
        return this
    with this.step("build"):
        this.candidate = build(version, this.snapshot, actor)
    if until == "gates":
        with this.step("scan"):
            facts = scan(this.candidate)
        with this.step("gates"):
            this.results = judge(this.candidate, facts, actor)
    Candidate.objects.filter(pk=this.candidate.pk).update(seconds=this.seconds)
    return this


def probe(snapshot: Snapshot, catalog: Catalog) -> Snapshot:
    """The provisional matrix, with keys that name a person shown by their alias."""
    return probing.probe_coverage(snapshot, catalog, building.alias_of(engine.identifies))


def build(version: str, snapshot: Snapshot, actor: User | None) -> Candidate:
    candidate = services.create_candidate(version, actor=actor)
    services.transition(candidate, Action.BUILD, actor=actor)
    return building.build_candidate(candidate, snapshot, engine.build_ports(), progress=logged("read"))


def scan(candidate: Candidate, progress: Callable[[int, int], None] | None = None) -> Facts | None:
    """The facts of all shards, or None where there is no shard: the gates judge that too, and never as a pass."""
    if not scanning.data_files(candidate):
        return None
    return scanning.scan_candidate(candidate, stores.bucket(), engine.scanner(), progress=progress or logged("scanned"))


def judge(candidate: Candidate, facts: Facts | None, actor: User | None) -> list[GateResult]:
    """Evaluate all gates and move the candidate on: blocked, or open for review when nothing is in the way."""
    candidate.refresh_from_db()
    if candidate.state in {State.BUILDING, State.BLOCKED}:
        services.transition(candidate, Action.GATE if candidate.state == State.BUILDING else Action.REGATE, actor=actor)
    results = gate_services.run_gates(candidate, facts, actor=actor)
    if candidate.state == State.GATING:
        action = Action.BLOCK if gate_services.blockers(candidate) else Action.REVIEW
        services.transition(candidate, action, actor=None)
    return results


def logged(verb: str) -> Callable[[int, int], None]:
    """Progress as a log line at most every five seconds."""
    started = last = time.monotonic()

    def progress(records: int, size: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 5:
            last = now
            log.info("%s %d records, %.1f MB, %.1f MB/s", verb, records, size / 1e6, size / 1e6 / (now - started))

    return progress
