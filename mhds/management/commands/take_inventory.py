"""``manage.py take_inventory``: list the source, keep the dated snapshot, show what covers which family."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds import workflow
from mhds.commands import Command as BaseCommand
from releases import building, coverage, services


class Command(BaseCommand):
    help = "Take a dated inventory of the source and compute coverage."
    step = "inventory"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--actor", metavar="EMAIL", help="who takes it (required unless embedded)")

    def run(self, **options: Any) -> Mapping[str, Any]:
        actor = self.actor(options["actor"])
        catalog = services.current_catalog()
        snapshot = workflow.probe(building.take_snapshot(actor), catalog)
        return {
            "snapshot": str(snapshot.pk),
            "digest": snapshot.digest,
            "taken_at": snapshot.taken_at.isoformat(),
            "objects": snapshot.objects_count,
            "bytes": snapshot.total_bytes,
            "coverage": coverage.statuses(snapshot.coverage),
        }
