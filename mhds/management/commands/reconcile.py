"""``manage.py reconcile``: rings again for work that waits or lost its worker. Runs beside the workers, for ever."""

from __future__ import annotations

import itertools
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
from releases import channels

SIGNOFF_ROUNDS = 40  # ten minutes at the default pace: what a poll says about sign-off is at most that old
log = logging.getLogger("mhds.reconcile")


class Command(BaseCommand):
    help = "Re-issue stuck work every --every seconds; --once does one round."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=int, default=15, metavar="SECONDS")
        parser.add_argument("--once", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        never = threading.Event()
        for number in itertools.count():
            self._round(signoffs=number % SIGNOFF_ROUNDS == 0)
            if options["once"] or never.wait(options["every"]):
                return

    def _round(self, *, signoffs: bool) -> None:
        try:
            counts = run.sweep()
            if signoffs and channels.refresh_signoffs():
                log.warning("the sign-off of a published release is not what it was; its channel says so")
        except OperationalError as error:
            log.warning("the database does not answer (%s); trying again", type(error).__name__)
            close_old_connections()
            return
        (Path(settings.DATA_DIR) / BEAT).touch()  # what mhds.healthy looks at
        if counts["rung"] or counts["closed"]:
            log.info("rang %(rung)d, closed %(closed)d", counts)
