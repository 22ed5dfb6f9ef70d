"""What a page about a candidate on its last way asks of the database: few questions, however many records there are.

All evidence is computed anew on each page. The goal of performance is fifteen; the three pages that show the evidence
of gates, rounds and signatures together are over it and do not grow.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.reviews import factory
from tests.reviews.factory import World

pytestmark = pytest.mark.review
BUDGETS = {"gates-panel": 15, "reviews": 15, "release": 19, "sign": 22, "publish": 24}


def asked(world: World, who: str, name: str) -> list[str]:
    kwargs = {"version": world.candidate.release.version}
    if name == "sign":
        kwargs["meaning"] = "lead"
    client = Client()
    client.force_login(world[who])
    with CaptureQueriesContext(connection) as found:
        assert client.get(reverse(name, kwargs=kwargs)).status_code == 200
    return [one["sql"] for one in found.captured_queries]


@pytest.mark.parametrize("signed", [False, True])
def test_pages_keep_to_their_budget_when_everything_is_there(signoff: World, signed: bool) -> None:
    if signed:
        factory.sign_all(signoff)
        signoff.refresh()
    counts = {(who, name): len(asked(signoff, who, name)) for who in ("lead", "compliance1") for name in BUDGETS}
    assert {page: count for page, count in counts.items() if count > BUDGETS[page[1]]} == {}
