"""The rules that live in the database hold on PostgreSQL too: the same tests, run there."""

from __future__ import annotations

import pytest

from tests.processes import environment, production, run

pytestmark = [pytest.mark.services, pytest.mark.audit]


RULES = ("tests/mhds/test_audit.py", "tests/mhds/test_work.py", "tests/releases/test_moves.py")
SECOND_HALF = (
    *(
        f"tests/reviews/test_{name}.py"
        for name in ("services", "signoff", "evidence", "sign_page", "next_acts", "queries")
    ),
    *(f"tests/publish/test_{name}.py" for name in ("publish", "publish_page", "api")),
)


def suite(files, url, tmp_path):
    """These files in an installation of production on this database; the pages are asked over plain HTTP."""
    env = environment(**production(tmp_path, url, "redis://127.0.0.1:1/0"), MHDS_PLAIN_HTTP="1")
    assert run("manage.py", "collectstatic", "--noinput", env=env).returncode == 0
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", *files, env=env, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "passed" in done.stdout


def test_audit_log_work_rows_and_moves_hold_on_postgresql(postgres_url, tmp_path):
    suite(RULES, postgres_url, tmp_path)


@pytest.mark.slow
def test_rounds_signatures_publishing_and_their_pages_hold_on_postgresql(postgres_url, tmp_path):
    suite(SECOND_HALF, postgres_url, tmp_path)
