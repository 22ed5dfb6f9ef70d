"""Fills a data directory for the browser: run as ``python -m tests.pages.prepare WHAT`` with MHDS_DATA_DIR set.

``pages``: the demo at a twentieth of its size, and beside it a release that is being built and one whose build failed.
``journey``: accounts, catalog and a bucket with one broken file and one unapproved source; nothing is built yet.
``approved``: one release that was reviewed and signed, and that a lead may publish now.
``empty``: accounts, and nothing else.
``scoring``: a small candidate in review whose rounds are handed out.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.conf import settings
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
django.setup()

from mhds.demo import accounts, published, reviewed, setup  # noqa: E402  Django first
from mhds.demo.bucket import BROKEN, OUTSIDE_KEY  # noqa: E402
from mhds.models import WorkItem, WorkState  # noqa: E402
from releases import services, starting  # noqa: E402
from releases.lifecycle import Action  # noqa: E402
from releases.models import Candidate  # noqa: E402
from tests.pages import prepare_scoring  # noqa: E402
from tests.pages.prepare_names import BUILDING, FAILED  # noqa: E402

SIZE = 1_000_000
BROKEN_FILE = BROKEN + "cut upload.jsonl.gz"


def pages() -> None:
    setup.SIZE = SIZE
    setup.prepare(lambda _words: None)
    engineer = accounts.make_accounts()["engineer"]
    for version in (FAILED, BUILDING):
        candidate = services.create_candidate(version, actor=engineer)
        services.transition(candidate, Action.BUILD, actor=engineer)
    mine = Candidate.objects.filter(release__version=FAILED)
    mine.update(error={"step": "build", "code": "storage_unavailable", "message": "The bucket did not answer."})
    building = Candidate.objects.get(release__version=BUILDING)
    WorkItem.objects.create(
        kind=starting.BUILD,
        key=f"build:{building.pk}",
        group=starting.group_of(building),
        payload={"candidate": str(building.pk)},
        state=WorkState.RUNNING,
        attempt=2,
        progress={"records": 4_711, "bytes": 6_000_000, "bytes_total": 20_000_000},
    )


def journey() -> None:
    setup.write_info(demo=True, accounts=accounts.account_list())
    engineer = accounts.make_accounts()["engineer"]
    services.import_catalog(setup.CATALOG.read_text(encoding="utf-8"), actor=engineer)
    setup.write_objects(SIZE, setup.SEED, wanted)


def wanted(key: str) -> bool:
    return key == BROKEN_FILE or (not key.startswith(BROKEN) and key != OUTSIDE_KEY)


def approved() -> None:
    """A release that was reviewed and signed, and that a lead may publish now."""
    setup.SIZE = SIZE
    setup.write_info(demo=True)
    settings.DEMO = True
    people = accounts.make_accounts()
    services.import_catalog(setup.CATALOG.read_text(encoding="utf-8"), actor=people["engineer"])
    candidate = setup.built("published", setup.Upload.FIRST, people)
    reviewed.start(candidate, people)
    reviewed.finish(candidate, people["lead"])
    published.sign(candidate, people)


def empty() -> None:
    accounts.make_accounts()


def scoring() -> None:
    prepare_scoring.fill()


WHAT = {"pages": pages, "approved": approved, "journey": journey, "empty": empty, "scoring": scoring}

if __name__ == "__main__":
    call_command("migrate", verbosity=0, interactive=False)
    WHAT[sys.argv[1]]()
    sys.stdout.write(json.dumps({"done": sys.argv[1]}) + "\n")
