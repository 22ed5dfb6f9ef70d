"""``kill -9`` of a worker in mid-task: every piece of work still ends exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.processes import ROOT, answer, environment, production, run

pytestmark = pytest.mark.build
MODULE = "tests.mhds.worker"
PIECES = 3
WAIT = 60


def tell(env):
    done = run("-m", MODULE, "tell", env=env)
    assert done.returncode == 0, done.stderr[-1500:]
    return answer(done)


@contextmanager
def process(step, env, log):
    """One part of the installation; ended by its own id."""
    with log.open("ab") as out:
        started = subprocess.Popen([sys.executable, "-m", MODULE, step], env=env, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()


def until(true, what, log, seconds=WAIT):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s: {log.read_text()[-2000:]}")


def begun(log):
    return log.read_text().count("begun ") if log.exists() else 0


def kill_and_go_on(env, tmp_path):
    first, second, bell = tmp_path / "first.log", tmp_path / "second.log", tmp_path / "reconciler.log"
    asked = run("-m", MODULE, "ask", str(PIECES), env=env)
    assert asked.returncode == 0, asked.stderr[-2000:]
    with process("work", {**env, "TEST_WORK_SECONDS": "30"}, first) as worker:
        until(lambda: begun(first), "work of the first worker", first)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    with process("reconcile", env, bell), process("work", env, second):
        until(lambda: begun(second) >= PIECES, "work of the second worker", second)
        time.sleep(1.5)  # one more round of the reconciler: does anything run twice?
    after = tell(env)
    names = [f"piece {number}" for number in range(PIECES)]
    assert after["results"] == names
    assert {row["state"] for row in after["rows"]} == {"done"}
    assert sorted(row["attempt"] for row in after["rows"]) == [1, 1, 2], "the killed one, and no other, was tried again"
    assert after["broken"] == []
    assert begun(second) == PIECES


def test_every_piece_ends_once_after_a_worker_was_killed(tmp_path):
    env = environment(MHDS_DATA_DIR=str(tmp_path / "data"), MHDS_LEASE_SECONDS="2", TEST_WORK_SECONDS="0.1")
    kill_and_go_on(env, tmp_path)


@pytest.mark.slow
@pytest.mark.services
def test_the_same_holds_on_postgresql_and_redis(tmp_path, postgres_url, redis_prefix):
    broker, prefix = redis_prefix
    env = environment(
        **production(tmp_path / "data", postgres_url, broker, prefix), MHDS_LEASE_SECONDS="2", TEST_WORK_SECONDS="0.1"
    )
    kill_and_go_on(env, tmp_path)
