"""``manage.py create_admin``: the first account; all others are made in the browser."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from mhds import audit
from mhds.commands import Command as BaseCommand
from mhds.errors import Conflict, InvalidInput
from mhds.models import User
from mhds.roles import Role


class Command(BaseCommand):
    help = "Make an administrator's account. The password is read from MHDS_ADMIN_PASSWORD, a pipe, or asked for."
    step = "create_admin"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", default="Administrator")

    def run(self, **options: Any) -> Mapping[str, Any]:
        email = options["email"].strip().lower()
        password = read_password()
        try:
            validate_email(email)
            validate_password(password, User(email=email, name=options["name"]))
        except ValidationError as error:
            raise InvalidInput(" ".join(error.messages)) from None
        with transaction.atomic():
            if User.objects.filter(email__iexact=email).exists():
                raise Conflict(f"there is an account {email} already")
            user = User.objects.create_user(email, password, name=options["name"])
            user.groups.add(Group.objects.get(name=Role.ADMIN))
            audit.record(None, "account.created", f"user:{user.pk}", role=Role.ADMIN, by="create_admin")
        return {"email": email, "role": Role.ADMIN}


def read_password() -> str:
    """Never an argument: those are seen by everyone on the machine."""
    if given := os.environ.get("MHDS_ADMIN_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise InvalidInput("the two passwords differ")
    return password
