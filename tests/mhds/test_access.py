"""Who may open what: every address of the product, for every role and for nobody, by one table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from mhds import workflow
from mhds.access import require
from mhds.errors import NotAllowed
from mhds.models import AuditEvent, User
from mhds.roles import DATA_ROLES, Role
from tests.factories import VERSION, people, person

pytestmark = [pytest.mark.access, pytest.mark.django_db]

NOBODY = "anonymous"
PUBLIC = frozenset({NOBODY, *Role})
PEOPLE = frozenset(Role)
DATA = frozenset(DATA_ROLES)
REVIEWERS = frozenset({Role.CLINICIAN, Role.BIAS, Role.COMPLIANCE})
CLOSED: frozenset[str] = frozenset()  # to every session: service tokens only
V = {"version": VERSION}
NO_ID = "00000000-0000-4000-8000-000000000000"
NO_RECORD = "r_" + "0" * 32


@dataclass(frozen=True)
class Rule:
    """``code`` is the answer to those who may; everyone else gets 403, nobody signed in goes to the sign-in page."""

    who: frozenset[str]
    code: int = 200
    method: str = "get"
    kwargs: dict[str, Any] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)


# What a name of the URLconf answers. A new address without a row here fails the test below.
RULES = {
    "sign-in": Rule(PUBLIC),
    "healthz": Rule(PUBLIC),
    "readyz": Rule(PUBLIC),
    "api-schema": Rule(PUBLIC),
    "set-password": Rule(PUBLIC, kwargs={"uidb64": "MA", "token": "no-token"}),  # says that the link is used up
    "people": Rule(frozenset({Role.ADMIN})),
    "new-person": Rule(frozenset({Role.ADMIN})),
    "person": Rule(frozenset({Role.ADMIN}), 404, kwargs={"user_id": NO_ID}),
    "password-link": Rule(frozenset({Role.ADMIN}), 404, "post", {"user_id": NO_ID}),
    "sign-out": Rule(PEOPLE, 302, "post"),
    "account": Rule(PEOPLE),
    "password": Rule(PEOPLE),
    "home": Rule(PEOPLE),
    "releases": Rule(PEOPLE),
    "release": Rule(DATA, kwargs=V),
    "coverage": Rule(DATA, kwargs=V),
    "coverage-file": Rule(DATA, kwargs={**V, "form": "csv"}),
    "objects": Rule(DATA, kwargs=V),
    "inventory": Rule(DATA),
    "inventory-file": Rule(DATA, kwargs={"form": "json"}),
    "catalog": Rule(DATA),
    "catalog-toml": Rule(DATA),
    "policy": Rule(DATA),
    "gates-panel": Rule(DATA, kwargs=V),
    "gate": Rule(DATA, kwargs={**V, "gate": "privacy"}),
    "new-release": Rule(frozenset({Role.ENGINEER}), 302, "post"),
    "run-gates": Rule(frozenset({Role.ENGINEER, Role.LEAD}), 302, "post", V),
    "decide-exclusion": Rule(frozenset({Role.ENGINEER}), 404, "post", {**V, "issue_id": 0}),
    "explain": Rule(frozenset({Role.LEAD}), 422, "post", {**V, "gate": "distribution"}),
    "ask-waiver": Rule(frozenset({Role.LEAD}), 422, "post", {**V, "gate": "coverage"}),
    "grant-waiver": Rule(
        frozenset({Role.COMPLIANCE}), 404, "post", {**V, "gate": "coverage", "waiver_id": NO_ID}
    ),
    "decide-source": Rule(frozenset({Role.COMPLIANCE}), 422, "post", {"source_id": "priority"}),
    "publish": Rule(DATA, kwargs=V),
    "retry-publish": Rule(frozenset({Role.LEAD}), 409, "post", V),  # nothing is being published
    "abandon": Rule(frozenset({Role.LEAD, Role.ENGINEER}), 409, "post", V),  # without a reason, or not the engineer's
    "my-work": Rule(DATA),
    "reviews": Rule(DATA, kwargs=V),
    "open-rounds": Rule(frozenset({Role.LEAD}), 409, "post", V),  # the candidate is not open for review
    "to-signoff": Rule(frozenset({Role.LEAD}), 409, "post", V),
    "findings": Rule(frozenset({Role.COMPLIANCE, Role.ENGINEER}), kwargs=V),  # of a blocked candidate of their own
    "finding": Rule(frozenset({Role.COMPLIANCE, Role.ENGINEER}), 404, kwargs={**V, "record_id": NO_RECORD}),
    "reveal-record": Rule(frozenset({Role.COMPLIANCE}), 422, "post", {**V, "record_id": NO_RECORD}),
    "close-escalation": Rule(
        frozenset({Role.LEAD, Role.COMPLIANCE}), 404, "post", {**V, "escalation_id": NO_ID}
    ),
    "round-act": Rule(frozenset({Role.LEAD}), 404, "post", {**V, "round_id": NO_ID}),
    "sign": Rule(DATA, kwargs={**V, "meaning": "lead"}),
    "withdraw-signature": Rule(DATA, 404, "post", {**V, "signature_id": NO_ID}),
    "score-item": Rule(REVIEWERS, 404, kwargs={"assignment_id": NO_ID}),
    "score-ahead": Rule(REVIEWERS, 404, kwargs={"assignment_id": NO_ID}),
    "own-keys": Rule(REVIEWERS, 302, "post"),
    "score-draft": Rule(REVIEWERS, 404, "post", {"assignment_id": NO_ID}),
    "submit-score": Rule(REVIEWERS, 404, "post", {"assignment_id": NO_ID}),
    "score-act": Rule(REVIEWERS, 404, "post", {"assignment_id": NO_ID}),
    "api-channel": Rule(CLOSED, kwargs={"name": "stable"}),
    "api-releases": Rule(CLOSED),
    "api-release": Rule(CLOSED, kwargs=V),
    "api-manifest": Rule(CLOSED, kwargs=V),
    "api-file": Rule(CLOSED, kwargs={**V, "path": "manifest.json"}),
    "api-events": Rule(CLOSED, kwargs=V),
    "api-consumptions": Rule(CLOSED, method="post"),
    "api-signed-file": Rule(PUBLIC, 403, kwargs={"token": "not-a-token"}),  # the address itself is the key
    "api-unknown": Rule(CLOSED, kwargs={"rest": "nothing"}),
}  # fmt: skip


def addresses(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one)
        else:
            yield one


def ask(client: Client, rule: Rule, url: str) -> HttpResponse:
    """One request whose writes are undone."""
    with transaction.atomic():
        answer: HttpResponse = getattr(client, rule.method)(url, rule.data)
        transaction.set_rollback(True)
    return answer


@pytest.fixture
def staff(filled):
    """One person a role, and a release that was really built and judged."""
    everyone = people()
    workflow.run(VERSION, until="gates", actor=everyone[Role.ENGINEER])
    return everyone


def test_every_address_has_a_rule_and_every_rule_an_address():
    assert {one.name for one in addresses()} == set(RULES)


def test_every_page_says_who_may_open_it():
    """API views are closed by their permission class; anything else without a mark is closed to everyone."""
    unmarked = [
        one.name for one in addresses() if not hasattr(one.callback, "mhds_access") and not hasattr(one.callback, "cls")
    ]
    assert unmarked == []


@pytest.mark.parametrize("who", [NOBODY, *Role])
def test_each_address_answers_by_the_table(staff, who):
    client = Client()
    wrong = []
    for name, rule in RULES.items():
        url = reverse(name, kwargs=rule.kwargs)
        if who != NOBODY:
            client.force_login(staff[Role(who)])
        answer = ask(client, rule, url)
        wanted: tuple[int, str] = (rule.code, "") if who in rule.who else (403, "")
        if rule.who == CLOSED:
            wanted = (401, "")
        elif who not in rule.who and who == NOBODY:
            wanted = (302, "/sign-in/?next=" + quote(url if rule.method == "get" else "/"))
        location = answer.headers.get("Location", "") if wanted[1] else ""
        if name == "sign-in" and who != NOBODY:
            wanted = (302, "")  # who is signed in already goes home
        if (answer.status_code, location) != wanted:
            wrong.append((name, wanted, answer.status_code, location))
    assert wrong == []


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.who < PEOPLE and rule.who != CLOSED])
def test_the_superuser_flag_opens_nothing(home, name):
    client = Client()
    client.force_login(User.objects.create_user("root@example.org", None, name="root", is_superuser=True))
    rule = RULES[name]
    assert ask(client, rule, reverse(name, kwargs=rule.kwargs)).status_code == 403


def test_a_person_without_a_role_sees_no_page_at_all(home):
    client = Client()
    client.force_login(person("newcomer"))
    for name in ("home", "account", "release", "catalog"):
        assert client.get(reverse(name, kwargs=RULES[name].kwargs)).status_code == 403


def test_a_group_that_is_no_role_opens_nothing(home):
    someone = person("someone")
    someone.groups.create(name="dataset_engineers")
    assert someone.roles == frozenset()


def test_a_person_who_was_switched_off_is_out_at_the_next_request(filled):
    client, engineer = Client(), person("engineer", Role.ENGINEER)
    client.force_login(engineer)
    assert client.get("/catalog/").status_code == 200
    User.objects.filter(pk=engineer.pk).update(is_active=False)
    assert client.get("/catalog/").status_code == 302
    with pytest.raises(NotAllowed):
        require(User.objects.get(pk=engineer.pk), Role.ENGINEER, doing="this")


def test_a_role_that_was_taken_away_closes_at_the_next_request(filled):
    client, engineer = Client(), person("engineer", Role.ENGINEER)
    client.force_login(engineer)
    engineer.groups.clear()
    assert client.get("/catalog/").status_code == 403


def test_a_refusal_is_in_the_audit_log_with_who_and_where(home):
    client, admin = Client(), person("admin", Role.ADMIN)
    client.force_login(admin)
    client.get("/catalog/")
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.subject, event.actor) == ("refused.page", "/catalog/", admin)


def open_by_mistake(_request):
    return HttpResponse("text of a conversation")


urlpatterns = [path("forgotten/", open_by_mistake), *get_resolver("mhds.urls").url_patterns]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("role", list(Role))
def test_a_view_that_names_no_rule_is_closed_to_everyone(home, role):
    client = Client()
    client.force_login(person("someone", role))
    answer = client.get("/forgotten/")
    assert answer.status_code == 403
    assert b"conversation" not in answer.content


def test_an_htmx_request_without_a_session_is_sent_to_the_sign_in_page(home):
    answer = Client().get("/catalog/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in/")


@pytest.mark.parametrize("url", ["/sign-in/", "/catalog/", "/nowhere/"])
def test_no_page_is_cached_and_each_has_its_policy(home, url):
    answer = Client().get(url)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_no_post_goes_through_without_its_csrf_token(filled):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("engineer", Role.ENGINEER))
    for name, rule in RULES.items():
        if rule.method == "post" and rule.who != CLOSED:
            assert client.post(reverse(name, kwargs=rule.kwargs)).status_code == 403, name


def test_an_error_that_is_not_of_the_tree_shows_no_message(home, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise ValueError("CANARY of a conversation")

    monkeypatch.setattr("releases.views.render", broken)
    client = Client(raise_request_exception=False)
    client.force_login(person("engineer", Role.ENGINEER))
    answer = client.get("/catalog/")
    assert answer.status_code == 500
    assert "CANARY" not in answer.content.decode() + caplog.text
    assert "ValueError at" in caplog.text
