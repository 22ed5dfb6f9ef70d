"""A refusal says the same to a person and to a program: a page for browsers, problem details where JSON is asked."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from mhds.errors import Blocked, Conflict, InvalidInput, NotAllowed, NotFound
from mhds.middleware import problem_page
from mhds.roles import Role
from tests.factories import person

pytestmark = [pytest.mark.access, pytest.mark.django_db]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PROBLEM = "application/problem+json"
ASKS_JSON = ["application/json", PROBLEM, "application/json, text/html;q=0.9", "application/json, */*;q=0.5"]
ASKS_PAGE = [BROWSER, "*/*", None, "", "text/html, application/json;q=0.9", "image/png", "nonsense"]
ERRORS = [
    NotAllowed("This page is not for your role."),
    NotFound("There is no such release."),
    Conflict("It is published already."),
    InvalidInput("Give a reason.", hint="One sentence is enough."),
    Blocked("publish: a gate failed.", blockers=["privacy has failed", "a signature is missing"]),
]


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(person("someone", role))
    return client


def asked(accept: str | None, **headers: str):
    return RequestFactory().get("/", headers={**headers, **({} if accept is None else {"Accept": accept})})


@pytest.mark.parametrize("accept", ASKS_JSON)
def test_who_prefers_json_gets_problem_details(home, accept):
    answer = client_of(Role.ADMIN).get("/catalog/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, PROBLEM)
    assert answer.json()["code"] == "not-allowed"
    assert answer.json()["status"] == 403


@pytest.mark.parametrize("accept", ASKS_PAGE)
def test_a_browser_and_whoever_takes_anything_get_the_page(home, accept):
    answer = client_of(Role.ADMIN).get("/catalog/", headers={} if accept is None else {"Accept": accept})
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"This page is not for your role." in answer.content


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_the_status_is_the_same_as_the_page_has(error):
    page, details = problem_page(asked(BROWSER), error), problem_page(asked("application/json"), error)
    assert page.status_code == details.status_code == error.status
    assert error.message in page.content.decode()
    assert error.message in details.content.decode()


def test_blockers_are_listed_one_by_one():
    error = ERRORS[-1]
    assert isinstance(error, Blocked)
    answer = problem_page(asked(PROBLEM), error)
    assert b'"blockers": ["privacy has failed", "a signature is missing"]' in answer.content
    page = problem_page(asked(BROWSER), error).content
    assert b"<li>privacy has failed</li>" in page
    assert b"<li>a signature is missing</li>" in page


def test_a_hint_is_the_detail():
    assert b'"detail": "One sentence is enough."' in problem_page(asked("application/json"), ERRORS[3]).content


def test_a_fragment_stays_a_fragment_for_pages_that_load_it(home):
    answer = client_of(Role.ADMIN).get("/catalog/", headers={"Accept": BROWSER, "HX-Request": "true"})
    assert answer.status_code == 403
    assert b"<html" not in answer.content
