"""Runs the commands of the product in processes of their own, in an environment that holds nothing of the tester's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[1]
OURS = ("MHDS_", "AWS_", "CELERY_", "DJANGO_", "DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "CSRF_")


def environment(**given: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | given


def production(data_dir: Path, database_url: str, broker_url: str, prefix: str = "mhds-test:") -> dict[str, str]:
    """Everything production asks for; the source and the bucket are directories."""
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": broker_url,
        "MHDS_REDIS_PREFIX": prefix,
        "SECRET_KEY": "a secret of this test that is long enough to be one",
        "ALLOWED_HOSTS": "testserver",
        "MHDS_PEPPER": "a pepper of this test, long enough",
        "MHDS_SIGNING_KEY": key.decode(),
        "MHDS_SOURCE_URL": (data_dir / "source").as_uri(),
        "MHDS_BUCKET_URL": (data_dir / "bucket").as_uri(),
        "MHDS_DATA_DIR": str(data_dir),
    }


def run(*argv: str, env: Mapping[str, str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv], env=dict(env), cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )


def manage(*argv: str, env: Mapping[str, str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return run("manage.py", *argv, env=env, timeout=timeout)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object on standard output; anything beside it is an error."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"{len(lines)} lines on standard output, exit code {done.returncode}: {done.stderr[-1500:]}"
    document = json.loads(lines[0])
    assert isinstance(document, dict)
    return document
