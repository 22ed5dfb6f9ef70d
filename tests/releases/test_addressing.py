"""Which candidate an address means: by number, else the one shown, and nothing odd is more than a 404."""

from __future__ import annotations

import pytest
from django.http import Http404
from django.test import Client, RequestFactory

from mhds.roles import Role
from releases import services
from releases.addressing import candidate_of
from releases.lifecycle import Action
from tests.factories import VERSION, person

pytestmark = [pytest.mark.build, pytest.mark.django_db]


@pytest.fixture
def two(filled):
    """Two candidates of one release; the first is given up."""
    first = services.create_candidate(VERSION, actor=None)
    services.transition(first, Action.ABANDON, actor=None, reason="a test")
    return first, services.create_candidate(VERSION, actor=None)


def test_by_number_else_the_one_that_the_release_shows(two):
    first, second = two
    asked = RequestFactory()
    assert candidate_of(asked.get("/"), VERSION) == second
    assert candidate_of(asked.get("/?candidate=1"), VERSION) == first
    assert candidate_of(asked.post("/", {"candidate": "1"}), VERSION) == first


@pytest.mark.parametrize("number", ["0", "3", "-1", "1.0", "\u00b2", "one", "1 ", "9" * 30, "%00"])
def test_any_other_number_is_no_candidate(two, number):
    with pytest.raises(Http404):
        candidate_of(RequestFactory().get("/", {"candidate": number}), VERSION)
    client = Client()
    client.force_login(person("lead", Role.LEAD))
    for page in ("", "gates/", "gates/privacy/", "reviews/", "sign/lead/", "publish/"):
        assert client.get(f"/releases/{VERSION}/{page}", {"candidate": number}).status_code == 404, page
