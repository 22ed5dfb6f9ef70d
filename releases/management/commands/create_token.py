"""``manage.py create_token``: a key to the API for a training job, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from releases import tokens


class Command(BaseCommand):
    help = "Make a service token. It is shown this once; only its hash is kept."
    step = "create_token"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the job that will use it")
        parser.add_argument("--scope", action="append", choices=tokens.SCOPES, required=True, dest="scopes")
        parser.add_argument("--days", type=int, default=90, help="how long it lives, at most 365 (90)")

    def run(self, **options: Any) -> Mapping[str, Any]:
        token, plain = tokens.create_token(options["name"], options["scopes"], options["days"])
        return {
            "name": token.name,
            "token": plain,
            "scopes": token.scopes,
            "expires_at": token.expires_at.isoformat(),
        }
