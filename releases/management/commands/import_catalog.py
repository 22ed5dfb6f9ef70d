"""``manage.py import_catalog FILE``: make a TOML file the current catalog."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.errors import InvalidInput
from releases import services


class Command(BaseCommand):
    help = "Make FILE (TOML; - is standard input) the current catalog."
    step = "import_catalog"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--actor", metavar="EMAIL", help="who imports it and so contributes (required unless embedded)"
        )

    def run(self, **options: Any) -> Mapping[str, Any]:
        actor = self.actor(options["actor"])
        version = services.import_catalog(read(options["file"]), actor=actor)
        catalog = version.catalog
        return {
            "catalog": str(version.pk),
            "digest": version.digest,
            "families": len(catalog.families),
            "sources": len(catalog.sources),
            "not_approved": {source.id: list(source.doubts) for source in catalog.sources if source.doubts},
        }


def read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not UTF-8 text.", hint="Save it as UTF-8.") from None
