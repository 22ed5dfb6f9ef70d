"""``manage.py reconcile``: rings again for work that waits or lost its worker. Runs beside the workers, for ever."""

from __future__ import annotations

import logging
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections

import mhds.handlers  # noqa: F401  registers what each kind of work does
from mhds.healthy import BEAT
from mhds.work import run

log = logging.getLogger("mhds.reconcile")


class Command(BaseCommand):
    help = "Re-issue stuck work every --every seconds; --once does one round."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=int, default=15, metavar="SECONDS")
        parser.add_argument("--once", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        never = threading.Event()
        while True:
            self._round()
            if options["once"] or never.wait(options["every"]):
                return

    def _round(self) -> None:
        try:
            counts = run.sweep()
        except OperationalError as error:
            log.warning("the database does not answer (%s); trying again", type(error).__name__)
            close_old_connections()
            return
        (Path(settings.DATA_DIR) / BEAT).touch()  # what mhds.healthy looks at
        if counts["rung"] or counts["closed"]:
            log.info("rang %(rung)d, closed %(closed)d", counts)
