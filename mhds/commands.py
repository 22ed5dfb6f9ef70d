"""What every management command shares: one JSON object on standard output, people and errors in words, exit codes."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from mhds.errors import MhdsError
from mhds.models import User

DONE, FAILED, USAGE = 0, 1, 2


def ensure_tables() -> None:
    """An empty embedded installation makes its tables by itself; production is migrated on purpose."""
    if settings.EMBEDDED and not connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)


class Command(BaseCommand):
    """``run`` does the work and returns what ``--json`` prints; errors of the tree end with code 1 and their hint.

    A subclass that knows its step overrides ``step_of``.
    """

    step = "command"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        self.add_own_arguments(parser)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Arguments of the command itself."""

    def run(self, **options: Any) -> Mapping[str, Any]:
        raise NotImplementedError

    def handle(self, *_args: Any, **options: Any) -> None:
        as_json = options.pop("as_json")
        ensure_tables()
        try:
            result = self.run(**options)
        except MhdsError as error:
            self.fail(as_json, self.step, error)
        if as_json:
            self.print_json(result)
        else:
            self.show(result)

    def print_json(self, document: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n")
        sys.stdout.flush()

    def show(self, result: Mapping[str, Any]) -> None:
        """For people: one line a fact."""
        for name, value in result.items():
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
            self.stdout.write(f"{name}: {shown}")

    def fail(self, as_json: bool, step: str, error: MhdsError) -> NoReturn:
        sys.stderr.write(f"{step}: {error.message}\n" + (f"{error.hint}\n" if error.hint else ""))
        if as_json:
            message = f"{error.message} {error.hint}".strip()
            self.print_json({"error": {"step": step, "code": error.code, "message": message}})
        sys.exit(FAILED)

    def usage(self, message: str) -> NoReturn:
        sys.stderr.write(f"usage: {message}\n")
        sys.exit(USAGE)

    def actor(self, email: str | None) -> User | None:
        """The person a command acts for; required unless the installation is embedded."""
        if not email:
            if settings.EMBEDDED:
                return None
            self.usage("--actor EMAIL is required: this installation is not the embedded default")
        found = User.objects.filter(email__iexact=email, is_active=True).first()
        if found is None:
            self.usage(f"--actor: there is no active account {email}")
        return found
