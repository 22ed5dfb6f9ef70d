"""Runs the installation of ``tests.publish.installation`` in processes of its own, and looks at what they left."""

from __future__ import annotations

import os
import subprocess
import sys

from mhds.failpoints import EXIT_CODE


def environment(data_dir, **given):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MHDS_", "AWS_"))}
    return {**kept, "MHDS_DATA_DIR": str(data_dir), **given}


def run(data_dir, step, failpoints=""):
    done = subprocess.run(
        [sys.executable, "-m", "tests.publish.installation", step],
        env=environment(data_dir, MHDS_FAILPOINTS=failpoints), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, EXIT_CODE), done.stderr[-2000:]
    return done


def tree(data_dir):
    exports = data_dir / "bucket" / "exports"
    return {str(path.relative_to(exports)): path.read_bytes() for path in exports.rglob("*") if path.is_file()}
