"""``manage.py make_bucket``: write the synthetic demo bucket to the source."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.demo.bucket import parse_size
from mhds.demo.setup import fill_source


class Command(BaseCommand):
    help = "Write an invented bucket (the same bytes for the same size and seed) to an empty MHDS_SOURCE_URL."
    step = "make_bucket"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", default="20m", help="about how large, such as 20m")
        parser.add_argument("--seed", type=int, default=7)

    def run(self, **options: Any) -> Mapping[str, Any]:
        return fill_source(parse_size(options["size"]), options["seed"])
