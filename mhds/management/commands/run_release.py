"""``manage.py run_release``: inventory, coverage, build, scan and gates of one version, in one process."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from mhds import workflow
from mhds.commands import Command as BaseCommand
from mhds.errors import InvalidInput
from releases import coverage, services
from releases.models import CatalogVersion


class Command(BaseCommand):
    help = "Run a release from the inventory to its verdicts, without a broker."

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="vYYYY-MM-DD, or vYYYY-MM-DD.2 for a second of that day")
        parser.add_argument("--until", choices=list(workflow.UNTIL), default="gates", help="the last step to run")
        parser.add_argument(
            "--actor", metavar="EMAIL", help="who runs it and so contributes (required unless embedded)"
        )

    def run(self, **options: Any) -> Mapping[str, Any]:
        actor = self.actor(options["actor"])
        try:
            services.check_version(options["version"])
        except InvalidInput as error:
            self.usage(f"{error.message} {error.hint}")
        if settings.EMBEDDED and not CatalogVersion.objects.filter(is_current=True).exists():
            services.import_default_catalog()
        return report(workflow.run(options["version"], until=options["until"], actor=actor))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except workflow.StepFailed as failed:
            self.fail(options["as_json"], failed.step, failed.error)


def report(run: workflow.Run) -> dict[str, Any]:
    candidate, snapshot = run.candidate, run.snapshot
    found = candidate.coverage if candidate else snapshot.coverage if snapshot else {}
    waived = waived_families(run)
    statuses = coverage.statuses(found)
    return {
        "version": run.version,
        "content_digest": candidate.content_digest if candidate else None,
        "coverage": {family: coverage.WAIVED if family in waived else status for family, status in statuses.items()},
        "objects": candidate.objects_by_status if candidate else found.get("objects", {}),
        "records_in": candidate.records_in if candidate else 0,
        "records_out": candidate.records_out if candidate else 0,
        "records_excluded": candidate.records_excluded if candidate else 0,
        "exclusions": candidate.exclusions if candidate else {},
        "gates": {
            result.gate: {"verdict": result.verdict, "examined": result.examined, "expected": result.expected}
            for result in run.results
        },
        "seconds": {step: run.seconds.get(step, 0.0) for step in workflow.STEPS},
    }


def waived_families(run: workflow.Run) -> set[str]:
    """Families whose gap a waiver in force covers, as the coverage gate found it."""
    findings = [one for result in run.results if result.gate == "coverage" for one in result.findings]
    return {one["subject"] for one in findings if one["settled_by"].startswith("waiver:")}
