"""``manage.py bench``: the project's own measurements, as a table and as JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.demo.bench import scan_stages


class Command(BaseCommand):
    help = "Measure the stages of the scan on a seeded corpus, against peers in the same run."
    step = "bench"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", choices=["scan"])
        parser.add_argument("--records", type=int, default=1500)
        parser.add_argument("--seed", type=int, default=7)

    def run(self, **options: Any) -> Mapping[str, Any]:
        stages = scan_stages(max(2, options["records"]), options["seed"])
        rows = [
            {"stage": r.stage, "mb_s": r.mb_s, "peer": r.peer, "peer_mb_s": r.peer_mb_s, "ratio": r.ratio}
            for r in stages
        ]
        return {"topic": options["topic"], "records": options["records"], "seed": options["seed"], "stages": rows}

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"{'stage':38}{'MB/s':>9}   {'peer':22}{'MB/s':>9}{'ratio':>8}")
        for row in result["stages"]:
            peer = f"{row['peer']:22}{row['peer_mb_s']:>9.2f}{row['ratio']:>8.1f}" if row["peer"] else ""
            self.stdout.write(f"{row['stage']:38}{row['mb_s']:>9.2f}   {peer}".rstrip())
