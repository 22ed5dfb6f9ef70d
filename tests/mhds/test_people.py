"""Accounts: an administrator makes them, the person sets the password by a link that works once."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from mhds.models import AuditEvent, User
from mhds.roles import Role

pytestmark = [pytest.mark.access, pytest.mark.django_db]


def client_of(role: Role) -> tuple[Client, User]:
    user = User.objects.create_user(f"{role}@example.org", "a-long-password-1", name=role)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client, user


def new_person(client: Client) -> User:
    engineer = Group.objects.get(name=Role.ENGINEER)
    body = {
        "email": "New.Person@Example.org", "name": "New", "groups": [engineer.pk], "reads": "zh en",
        "years_experience": 3, "is_active": "on",
    }  # fmt: skip
    assert client.post("/accounts/new/", body).status_code == 302
    return User.objects.get(email="new.person@example.org")


def test_an_administrator_makes_an_account_and_the_link_works_once():
    admin, _ = client_of(Role.ADMIN)
    person = new_person(admin)
    assert person.holds(Role.ENGINEER)
    assert person.languages == ["en", "zh"]
    assert not person.has_usable_password()
    page = admin.post(f"/accounts/{person.pk}/link/").content.decode()
    found = re.search(r"/set-password/[^/]+/[^/\s<]+/", page)
    assert found is not None
    visitor = Client()
    form = visitor.get(found[0]).headers["Location"]
    words = {"new_password1": "quite-another-secret-9", "new_password2": "quite-another-secret-9"}
    assert visitor.post(form, words).status_code == 302
    assert visitor.login(email=person.email, password="quite-another-secret-9")
    assert "too old" in Client().get(found[0], follow=True).content.decode()
    assert AuditEvent.objects.filter(action="account.link_made").count() == 1


def test_an_ended_account_is_signed_out_everywhere():
    admin, _ = client_of(Role.ADMIN)
    other, user = client_of(Role.LEAD)
    assert other.get("/account/").status_code == 200
    assert admin.post(
        f"/accounts/{user.pk}/", {"email": user.email, "name": "L", "reads": "", "years_experience": 0}
    ).status_code == 302  # fmt: skip
    assert other.get("/account/").status_code == 302


def test_nobody_changes_their_own_roles():
    admin, user = client_of(Role.ADMIN)
    lead = Group.objects.get(name=Role.LEAD)
    body = {
        "email": user.email, "name": "A", "groups": [lead.pk], "reads": "", "years_experience": 0, "is_active": "on",
    }  # fmt: skip
    assert admin.post(f"/accounts/{user.pk}/", body).status_code == 422
    assert not User.objects.get(pk=user.pk).holds(Role.LEAD)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_everyone_else_is_refused(role):
    client, user = client_of(role)
    for path in ("/accounts/", "/accounts/new/", f"/accounts/{user.pk}/"):
        assert client.get(path).status_code == 403
