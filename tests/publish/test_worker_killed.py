"""``kill -9`` of the worker that publishes, on PostgreSQL and Redis: another one ends it, and it is published once."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from mhds.client import Release as PublishedRelease
from tests.processes import ROOT, answer, environment, production, run
from tests.publish.candidates import VERSION

pytestmark = [pytest.mark.publish, pytest.mark.slow, pytest.mark.services]
MODULE = "tests.publish.worker"
WAIT = 90


@pytest.fixture
def asked(tmp_path, postgres_url, redis_prefix):
    """The environment of an installation in which a lead has pressed *publish*."""
    broker, prefix = redis_prefix
    env = environment(**production(tmp_path / "data", postgres_url, broker, prefix), MHDS_LEASE_SECONDS="2")
    done = run("-m", MODULE, "ask", env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    return env


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


def until_passed(place, log):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if log.exists() and f"passed {place}\n" in log.read_text(encoding="utf-8"):
            return
        time.sleep(0.05)
    raise AssertionError(f"{place} was not reached: {log.read_text(encoding='utf-8')[-2000:]}")


def tell(env):
    done = run("-m", MODULE, "tell", env=env)
    assert done.returncode == 0, done.stderr[-1500:]
    return answer(done)


def until_done(env):
    deadline = time.monotonic() + WAIT
    while (told := tell(env))["rows"][0]["state"] != "done" and time.monotonic() < deadline:
        time.sleep(0.5)
    return told


@pytest.mark.parametrize("place", ["publish.after_shard", "publish.after_manifest", "publish.before_pointer"])
def test_what_a_killed_worker_left_is_ended_by_another_exactly_once(asked, tmp_path, place):
    first, second, bell = tmp_path / "first.log", tmp_path / "second.log", tmp_path / "reconciler.log"
    with process("reconcile", asked, bell):
        with process("work", {**asked, "TEST_STOP_AT": place}, first) as worker:
            until_passed(place, first)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        assert tell(asked)["rows"] == [{"kind": "release.publish", "state": "running", "attempt": 1}]
        with process("work", asked, second):
            until_passed("publish.after_pointer", second)
            told = until_done(asked)
    assert told["rows"] == [{"kind": "release.publish", "state": "done", "attempt": 2}]
    assert (told["state"], told["published"], told["broken"]) == ("published", 1, [])
    assert told["moves"] == [[1, VERSION]]
    check_bucket(tmp_path / "data" / "bucket", told)


def check_bucket(bucket, told):
    """One manifest, the planned one; a whole release; a pointer of the first sequence."""
    manifests = [path for path in bucket.rglob("manifest.json") if "exports" in path.parts]
    assert [str(path.relative_to(bucket)) for path in manifests] == [f"{told['prefix']}manifest.json"]
    assert hashlib.sha256(manifests[0].read_bytes()).hexdigest() == told["manifest_sha256"]
    pointer = json.loads((bucket / "exports" / "channels" / "latest.json").read_bytes())
    assert (pointer["sequence"], pointer["manifest_sha256"]) == (1, told["manifest_sha256"])
    with PublishedRelease.open(str(bucket / told["prefix"])) as release:
        release.verify(full=True)
