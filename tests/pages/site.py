"""A real installation for a browser: its own data directory, gunicorn, and a worker where work is to be done."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mhds.demo.serve import free_port

ROOT = Path(__file__).resolve().parents[2]
# What would point the installation elsewhere than its own directory.
FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "MHDS_SOURCE_URL", "MHDS_BUCKET_URL", "MHDS_DEMO")


@dataclass(frozen=True)
class Site:
    url: str
    data_dir: Path
    env: dict[str, str]

    def run(self, *argv: str) -> str:
        """One command of this installation; its output. Fails the test with its messages when it fails."""
        done = subprocess.run([sys.executable, *argv], env=self.env, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


@contextmanager
def serving(
    data_dir: Path,
    what: str,
    *,
    worker: bool = False,
    prepare: str = "tests.pages.prepare",
    more: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Prepare, start, and end every process that was started, by its own id. ``more`` goes into the environment."""
    port = free_port(18_300 + os.getpid() % 500)
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    env |= {"MHDS_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "mhds.settings", "MHDS_LOG_LEVEL": "WARNING"}
    env |= more or {}
    site = Site(f"http://127.0.0.1:{port}", data_dir, env)
    site.run("-m", prepare, what)
    gunicorn = ["gunicorn", "mhds.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--log-level", "warning"]
    celery = ["celery", "-A", "mhds.celery", "worker", "--pool", "solo", "--loglevel", "WARNING", "--without-gossip"]
    wanted = [[*gunicorn, "--no-control-socket"], *([[*celery, "--without-mingle"]] if worker else [])]
    log = (data_dir / "processes.log").open("wb")
    started = [
        subprocess.Popen([sys.executable, "-m", *argv], env=env, cwd=ROOT, stdout=log, stderr=log) for argv in wanted
    ]
    try:
        _wait_for(site, started, log.name)
        yield site
    finally:
        for process in started:
            process.terminate()
        for process in started:
            _end(process)
        log.close()


def _wait_for(site: Site, started: list[subprocess.Popen[bytes]], log: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        dead = [process.args for process in started if process.poll() is not None]
        assert not dead, f"{dead} ended by itself: {Path(log).read_text(encoding='utf-8')[-2000:]}"
        try:
            with urllib.request.urlopen(f"{site.url}/readyz", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{site.url} did not come up: {Path(log).read_text(encoding='utf-8')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
