"""``manage.py verify_draw VERSION ROUND``: anybody recomputes a draw from the frozen bytes and the published nonce."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from mhds import commands
from mhds.errors import Conflict, NotFound
from releases.models import Candidate, Release
from reviews.drawing import verify
from reviews.models import Round
from reviews.plans import RoundKind


class DrawDiffers(Conflict):
    code = "draw-differs"


class Command(commands.Command):
    help = "Recompute every draw of a round; ends with 0 if all are the same, with 1 and the first difference if not."
    step = "verify_draw"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("round", choices=[kind.value for kind in RoundKind])
        parser.add_argument("--candidate", type=int, metavar="NUMBER", help="default: the one the release shows")

    def run(self, **options: Any) -> Mapping[str, Any]:
        round_ = self._round(options["version"], options["round"], options["candidate"])
        checks = verify(round_)
        if not checks:
            raise NotFound(f"Nothing was drawn in round {round_.kind}.", hint="Draw first.")
        for check in checks:
            if check.difference:
                where = f"attempt {check.attempt}, {check.label or 'headline'}"
                raise DrawDiffers(f"{where}: {check.difference}.", hint="Do not sign on this sample.")
        return {
            "round": round_.kind,
            "content_digest": round_.content_digest,
            "draws": [{"attempt": one.attempt, "label": one.label or "headline", "same": True} for one in checks],
            "verified": True,
        }

    def _round(self, version: str, kind: str, number: int | None) -> Round:
        release = Release.objects.filter(version=version).first()
        if release is None:
            raise NotFound(f"There is no release {version}.")
        if number is None:
            candidate = Candidate.objects.shown_for(release)
        else:
            candidate = Candidate.objects.filter(release=release, number=number).first()
        found = Round.objects.of(candidate).filter(kind=kind).first() if candidate else None
        if found is None:
            raise NotFound(f"{version} has no round {kind}.", hint="The release lead opens the rounds.")
        return found
