"""Three small releases beside the demo's accounts: one to sign, one nobody has read, one whose signature is outdated.

Run as ``python -m tests.pages.prepare_signing`` with MHDS_DATA_DIR set, after ``tests.pages.prepare empty``.
"""

from __future__ import annotations

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django first

from mhds.demo import accounts  # noqa: E402
from releases import services  # noqa: E402
from releases.models import Contribution  # noqa: E402
from reviews import signing  # noqa: E402
from reviews.states import Decision, Meaning  # noqa: E402
from tests.pages.prepare_signing_names import OUTDATED, UNREAD, WAITING  # noqa: E402
from tests.reviews.factory import World, build, catalog, fill_source, pass_all  # noqa: E402


def give(world: World, who: str, meaning: Meaning, **more: str) -> None:
    digest = world.candidate.content_digest
    signing.sign(
        world[who], world.candidate, meaning, password=accounts.PASSWORD, expected_digest=digest,
        capacity="As " + meaning.value.replace("_", " "), **more,
    )  # fmt: skip


def fill() -> None:
    people = dict(accounts.make_accounts().by_handle)
    fill_source(Path(settings.DATA_DIR) / "source")
    services.import_catalog(catalog(), actor=people["engineer"])
    outdated = pass_all(World(build(people["engineer"], OUTDATED), people))
    give(outdated, "bias2", Meaning.BIAS_REVIEWER, exceptions="Two replies in the edge family read as preachy.")
    give(outdated, "clinician1", Meaning.CLINICIAN, decision=Decision.DECLINED, notes="The edge family worries me.")
    Contribution.objects.create(candidate=outdated.candidate, user=people["bias2"], how="exclusion")
    pass_all(World(build(people["engineer"], WAITING), people))
    build(people["engineer"], UNREAD)


if __name__ == "__main__":
    fill()
