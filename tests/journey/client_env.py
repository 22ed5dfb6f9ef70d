"""A training machine: an environment that holds the project's wheel and its base dependencies, and nothing else.

Made once in a test session; where the package index does not answer, the test that asks is skipped with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import absent
from tests.processes import OURS, ROOT

# Nothing of the suite's environment may be found from in there.
HIDDEN = (*OURS, "PYTHON", "VIRTUAL_ENV", "UV_PROJECT")


@dataclass(frozen=True)
class TrainingMachine:
    """``smoke`` runs ``mhds-smoke`` as a training job would, from an empty folder."""

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "venv" / "bin"

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        empty = self.root / "empty"
        empty.mkdir(exist_ok=True)
        return subprocess.run(
            argv, cwd=empty, env=bare() | dict(env or {}), capture_output=True, text=True, timeout=120, check=False
        )

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.bin / "python"), "-c", code)

    def smoke(self, *argv: str, env: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """(exit code, the report)."""
        done = self.run(str(self.bin / "mhds-smoke"), *argv, env=env)
        lines = done.stdout.splitlines()
        assert len(lines) == 1, f"exit code {done.returncode}: {done.stderr[-1500:]}"
        report: dict[str, Any] = json.loads(lines[0])
        return done.returncode, report


def bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}


def _uv(*argv: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *argv], env=bare(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        absent("package index", done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "uv failed")


def make(root: Path) -> TrainingMachine:
    """Build the wheel, make the environment, install the one into the other."""
    _uv("build", "--quiet", "--wheel", "--out-dir", str(root / "dist"), str(ROOT))
    (wheel,) = (root / "dist").glob("mhds-*.whl")
    _uv("venv", "--quiet", "--python", sys.executable, str(root / "venv"))
    python = str(root / "venv" / "bin" / "python")
    _uv("pip", "install", "--quiet", "--python", python, "--constraint", "requirements.lock", str(wheel))
    return TrainingMachine(root)


@pytest.fixture(scope="session")
def training_machine(tmp_path_factory: pytest.TempPathFactory) -> TrainingMachine:
    return make(tmp_path_factory.mktemp("training"))
