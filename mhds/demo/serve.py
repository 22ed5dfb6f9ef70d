"""Runs web, worker and reconciler as children and ends them all together. Knows nothing of what they serve."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

PR_SET_PDEATHSIG = 1
GRACE_S = 8.0


def free_port(wanted: int) -> int:
    """The wanted port, or the next free one: a demo never fails because something else runs."""
    for port in range(wanted, wanted + 50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {wanted} on")


def commands(port: int) -> list[list[str]]:
    python, address = sys.executable, f"127.0.0.1:{port}"
    return [
        [python, "-m", "gunicorn", "mhds.wsgi", "--bind", address, "--threads", "8", "--log-level", "warning"],
        [python, "-m", "celery", "-A", "mhds.celery", "worker", "--pool", "solo", "--loglevel", "WARNING",
         "--without-gossip", "--without-mingle", "--without-heartbeat"],
        [python, "manage.py", "reconcile", "--every", "10"],
    ]  # fmt: skip


def _die_with_parent() -> None:
    """Even a killed parent leaves nothing running (Linux; elsewhere Ctrl-C does it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Children:
    """Started together, ended together; ``wait`` returns when one ends by itself or a signal asks to stop."""

    def __init__(self, argvs: Sequence[Sequence[str]], env: Mapping[str, str], cwd: str) -> None:
        self.stopping = False
        self.processes = [
            subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
            for argv in argvs
        ]

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def wait(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        while not self.stopping and all(process.poll() is None for process in self.processes):
            time.sleep(0.2)
        return 0 if self.stopping else 1

    def end(self) -> None:
        for process in self.processes:
            self._signal(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._signal(process, signal.SIGKILL)
                process.wait()

    def _signal(self, process: subprocess.Popen[bytes], number: int) -> None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
