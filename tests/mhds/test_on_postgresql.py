"""The rules that live in the database hold on PostgreSQL too: the same tests, run there."""

from __future__ import annotations

import pytest

from tests.processes import environment, production, run

pytestmark = [pytest.mark.services, pytest.mark.audit]


def test_audit_log_work_rows_and_moves_hold_on_postgresql(postgres_url, tmp_path):
    env = environment(**production(tmp_path, postgres_url, "redis://127.0.0.1:1/0"))
    files = ("tests/mhds/test_audit.py", "tests/mhds/test_work.py", "tests/releases/test_moves.py")
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", *files, env=env)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "passed" in done.stdout
