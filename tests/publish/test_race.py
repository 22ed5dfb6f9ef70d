"""Two leads who press at the same time, on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.processes import environment, production, run
from tests.publish.races import TRIES

pytestmark = [pytest.mark.publish, pytest.mark.services, pytest.mark.slow]


def test_of_two_leads_at_once_one_publishes_and_the_other_is_told(postgres_url, tmp_path):
    env = environment(**production(tmp_path, postgres_url, "redis://127.0.0.1:1/0"))
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/publish/races.py", env=env, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"{TRIES + 1} passed" in done.stdout
