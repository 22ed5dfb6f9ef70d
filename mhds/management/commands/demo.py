"""``manage.py demo``: prepare the demo, start web, worker and reconciler, say where they answer; Ctrl-C ends all."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from mhds import workflow
from mhds.demo import serve, setup
from mhds.errors import MhdsError


class Command(BaseCommand):
    help = "Run the whole product on invented data, on this machine only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("MHDS_PORT", "8000")))
        parser.add_argument("--prepare-only", action="store_true", help="make the data, start nothing")
        parser.add_argument(
            "--finish-review",
            action="store_true",
            help="score the other half of the release in review, so that it can be signed; start nothing",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            sys.exit("the demo runs on the embedded default only; unset the production settings")
        call_command("migrate", verbosity=0, interactive=False)
        try:
            if options["finish_review"]:
                version = setup.finish_review(self.stdout.write)
                self.stdout.write(f"{version} waits for its three signatures: clinician1, bias1 and lead")
                return
            info = setup.prepare(self.stdout.write)
        except MhdsError as error:
            sys.exit(f"{error.message}\n{error.hint}".strip())
        except KeyboardInterrupt:
            sys.exit("\ninterrupted; the next make demo goes on from here")
        except workflow.StepFailed as failed:
            sys.exit(f"{failed.step}: {failed.error.message}\n{failed.error.hint}".strip())
        if options["prepare_only"]:
            return
        port = serve.free_port(options["port"])
        info = setup.write_info(url=f"http://127.0.0.1:{port}/")
        children = serve.Children(serve.commands(port), {**os.environ, "MHDS_DEMO": "1"}, str(settings.BASE_DIR))
        try:
            self.say(info)
            code = children.wait()
        finally:
            children.end()
        if code:
            sys.exit("a part of the demo ended by itself; its messages are above")
        self.stdout.write("stopped; nothing is left running")

    def say(self, info: dict[str, Any]) -> None:
        self.stdout.write(f"\nMHDS demo on {info['url']}  (Ctrl-C stops it)\n")
        for account in info["accounts"]:
            self.stdout.write(f"  {account['role']:18}{account['email']:34}{account['password']}")
        releases = info["releases"]
        self.stdout.write(f"\n  look at {releases['blocked']}: blocked, and its first sentence says by what")
        self.stdout.write(f"  look at {releases['review']}: half of its scores are in, the others wait in My work")
        self.stdout.write(
            f"  look at {releases['published']}: signed and published; manage.py demo_info says how to read it"
        )
        self.stdout.flush()
