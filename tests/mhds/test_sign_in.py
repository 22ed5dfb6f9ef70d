"""Signing in and out: slow for who guesses, the same answer for every wrong pair, no way out through ``next``."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mhds import throttle
from mhds.models import AuditEvent, SignInAttempt
from mhds.roles import Role
from tests.factories import PASSWORD, person

pytestmark = [pytest.mark.access, pytest.mark.django_db]


@pytest.fixture
def someone(db):
    return person("someone", Role.LEAD)


def sign_in(client, email="someone@example.org", password=PASSWORD, **more):
    return client.post("/sign-in/", {"username": email, "password": password, **more})


def test_the_right_password_opens_the_home_page_whatever_the_case_of_the_address(someone):
    client = Client()
    answer = sign_in(client, "SomeOne@Example.ORG")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert AuditEvent.objects.filter(action="account.signed_in", actor=someone).count() == 1


def test_an_unknown_account_a_wrong_password_and_a_closed_account_get_the_same_answer(someone):
    closed = person("closed", Role.LEAD, is_active=False)
    pages = set()
    for email, password in ((someone.email, "wrong"), ("nobody@example.org", PASSWORD), (closed.email, PASSWORD)):
        answer = sign_in(Client(), email, password)
        assert answer.status_code == 200
        pages.add(answer.content.decode().replace(email, "").split("csrfmiddlewaretoken")[0])
        assert "do not match an account here" in answer.content.decode()
    assert len(pages) == 1


@pytest.mark.parametrize("email", ["someone@example.org", "nobody@example.org"])
def test_ten_failures_close_the_door_for_that_address_known_or_not(someone, email):
    for _ in range(throttle.LIMIT):
        assert sign_in(Client(), email, "wrong").status_code == 200
    assert sign_in(Client(), email.upper(), PASSWORD).status_code == 429
    other = person("other", Role.LEAD)
    assert sign_in(Client(), other.email).status_code == 302


def test_the_door_opens_again_after_a_while(someone):
    for _ in range(throttle.LIMIT):
        throttle.failed(someone.email)
    SignInAttempt.objects.update(at=timezone.now() - throttle.WINDOW - timedelta(seconds=1))
    assert sign_in(Client()).status_code == 302


def test_a_success_forgets_the_failures_and_old_ones_are_removed(someone):
    for _ in range(throttle.LIMIT - 1):
        throttle.failed(someone.email)
    assert sign_in(Client()).status_code == 302
    assert not SignInAttempt.objects.exists()
    SignInAttempt.objects.create(who="x", at=timezone.now() - 5 * throttle.WINDOW)
    throttle.failed("y@example.org")
    assert SignInAttempt.objects.count() == 1


def test_an_attempt_keeps_no_address(someone):
    sign_in(Client(), someone.email, "wrong")
    assert someone.email not in str(SignInAttempt.objects.values().get())
    assert "someone" not in str(AuditEvent.objects.filter(action="account.sign_in_failed").values())


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example"],
)
def test_next_leads_nowhere_else(someone, target):
    client = Client()
    answer = sign_in(client, next=target)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_next_leads_back_to_the_page_that_was_asked(someone):
    client = Client()
    asked = client.get("/catalog/?q=a&b=c")
    answer = client.post(
        asked.headers["Location"], {"username": someone.email, "password": PASSWORD, "next": "/catalog/?q=a&b=c"}
    )
    assert answer.headers["Location"] == "/catalog/?q=a&b=c"


def test_signing_out_ends_the_session_on_the_server(someone):
    client = Client()
    sign_in(client)
    stolen = client.cookies["sessionid"].value
    assert client.post("/sign-out/").status_code == 302
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/").status_code == 302


def test_signing_out_by_a_link_does_nothing(someone):
    client = Client()
    client.force_login(someone)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").status_code == 200


def test_a_session_gets_a_new_key_at_sign_in(someone):
    client = Client()
    session = client.session
    session["x"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def change(client, old, new):
    return client.post("/account/password/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_a_changed_password_signs_other_sessions_out_and_keeps_this_one(someone):
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        sign_in(client)
    assert change(here, PASSWORD, "another good long phrase").headers["Location"] == "/account/"
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert sign_in(Client()).status_code == 200
    assert sign_in(Client(), password="another good long phrase").status_code == 302
    assert AuditEvent.objects.filter(action="account.password_changed", actor=someone).exists()


@pytest.mark.parametrize(
    ("old", "new"), [("wrong", "another good long phrase"), (PASSWORD, "short"), (PASSWORD, "someone@example.org")]
)
def test_a_password_is_not_changed_by_who_does_not_know_it_or_to_a_weak_one(someone, old, new):
    client = Client()
    client.force_login(someone)
    assert change(client, old, new).status_code == 200
    someone.refresh_from_db()
    assert someone.check_password(PASSWORD)


def test_guessing_the_old_password_in_an_open_session_is_slowed_too(someone):
    client = Client()
    client.force_login(someone)
    for _ in range(throttle.LIMIT):
        change(client, "wrong", "another good long phrase")
    assert change(client, PASSWORD, "another good long phrase").status_code == 429


def test_a_person_changes_their_own_settings_and_neither_address_nor_credentials(someone):
    client = Client()
    client.force_login(someone)
    form = {
        "name": "New",
        "time_zone": "Europe/Rome",
        "email": "x@example.org",
        "licence": "MD",
        "years_experience": 30,
    }
    assert client.post("/account/", form).status_code == 302
    someone.refresh_from_db()
    assert (someone.name, someone.time_zone) == ("New", "Europe/Rome")
    assert (someone.email, someone.licence, someone.years_experience) == ("someone@example.org", "", 0)
    assert client.post("/account/", {**form, "time_zone": "Mars/Base"}).status_code == 200
    for given, kept in (("7", 7), ("", 7), ("0", 0)):
        assert client.post("/account/", {**form, "tagged_cap": given}).status_code == 302
        someone.refresh_from_db()
        assert someone.tagged_cap == kept
