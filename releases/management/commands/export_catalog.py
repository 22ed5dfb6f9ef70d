"""``manage.py export_catalog``: the current catalog as TOML; importing it again changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mhds.commands import Command as BaseCommand
from releases import services
from releases.catalog.export import export_catalog


class Command(BaseCommand):
    help = "Print the current catalog, or write it to FILE."
    step = "export_catalog"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", nargs="?", default="")

    def run(self, **options: Any) -> Mapping[str, Any]:
        version = services.current_version()
        text = export_catalog(version.catalog)
        if options["file"]:
            Path(options["file"]).write_text(text, encoding="utf-8")
        return {"digest": version.digest, "toml": "" if options["file"] else text}

    def show(self, result: Mapping[str, Any]) -> None:
        if result["toml"]:
            self.stdout.write(result["toml"], ending="")
