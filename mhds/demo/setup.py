"""Fills an empty embedded installation with the demo: bucket, people, one release blocked, one whose gates all pass.

Every step looks first whether it is done, so that a second start changes nothing. What it made is written to
``demo.json`` in the data directory, which also marks the installation as a demo for ever.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from gates import decisions
from mhds import workflow
from mhds.demo import accounts
from mhds.demo.bucket import write_bucket
from mhds.errors import Conflict
from mhds.models import User
from mhds.storage import open_store
from releases import services
from releases.models import Candidate, CatalogVersion, Release

log = logging.getLogger("mhds.demo")
CATALOG = Path(__file__).with_name("catalog.toml")
SIZE, SEED = 20_000_000, 7


def info_path() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def read_info() -> dict[str, Any]:
    """What the demo made. Raises Conflict where there is no demo."""
    try:
        info: dict[str, Any] = json.loads(info_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Conflict("there is no demo in this data directory", hint="Run make demo.") from None
    return info


def write_info(**fields: Any) -> dict[str, Any]:
    path = info_path()
    info = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    info.update(fields)
    path.write_text(json.dumps(info, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return dict(info)


def fill_source(size: int, seed: int) -> dict[str, Any]:
    """Write the synthetic bucket to the source. Refuses one that holds anything: it may be real."""
    store = open_store(settings.MHDS_SOURCE_URL)
    if next(iter(_keys(store)), None) is not None:
        raise Conflict(
            f"the source {settings.MHDS_SOURCE_URL} is not empty", hint="Name an empty place in MHDS_SOURCE_URL."
        )

    def put(key: str, body: bytes) -> None:
        store.put_if_absent(key, body)

    summary = write_bucket(put, size=size, seed=seed)
    return {
        "source": settings.MHDS_SOURCE_URL,
        "bytes": summary.total_bytes,
        "objects": summary.objects,
        "records": dict(sorted(summary.records.items())),
        "planted": {
            "identifiers": dict(sorted(summary.by_entity().items())),
            "exact_copies": summary.exact_copies,
            "near_copies": summary.near_copies,
            "copied_objects": summary.copied_objects,
            "broken": summary.broken,
            "unapproved": summary.unapproved,
            "outside": summary.outside,
        },
    }


def _keys(store: Any) -> list[str]:
    return [info.key for info in store.list()][:1]


def refuse_real_data() -> None:
    """A demo never mixes with an installation that somebody works with."""
    if User.objects.filter(is_demo=False).exists() or Release.objects.filter(is_demo=False).exists():
        raise Conflict(
            f"{settings.DATA_DIR} holds an installation that is no demo",
            hint="Choose another data directory: MHDS_DATA_DIR=/path/to/an/empty/folder make demo",
        )


def prepare(say: Callable[[str], None]) -> dict[str, Any]:
    """Everything the demo needs, in order; returns what ``demo_info`` shows."""
    refuse_real_data()
    write_info(demo=True)
    people = accounts.make_accounts()
    if not any(_keys(open_store(settings.MHDS_SOURCE_URL))):
        say("writing a synthetic bucket of 20 MB ...")
        fill_source(SIZE, SEED)
    if not CatalogVersion.objects.exists():
        services.import_catalog(CATALOG.read_text(encoding="utf-8"), actor=people["engineer"])
    info = write_info(accounts=accounts.account_list())
    if "releases" not in info:
        info = write_info(releases=make_releases(people, say))
    return info


def make_releases(people: accounts.Accounts, say: Callable[[str], None]) -> dict[str, str]:
    """One release as the sources are, then one after people have decided what stood in the way."""
    today = timezone.now()
    say("building the first release, with everything that is wrong in it ...")
    blocked = services.next_version(today)
    first = workflow.run(blocked, until="gates", actor=people["engineer"])
    say("deciding the broken files and the unapproved source, building the second ...")
    decide(first.candidate, people)
    passing = services.next_version(today)
    workflow.run(passing, until="gates", actor=people["engineer"])
    return {"blocked": blocked, "passing": passing}


def decide(candidate: Candidate | None, people: accounts.Accounts) -> None:
    """What the demo's engineer and compliance would click: exclude, because ..."""
    if candidate is None:
        return
    for issue in candidate.issues.all():
        if issue.reason == "source_not_approved":
            continue
        decisions.decide_exclusion(people["engineer"], issue, "Demo: the upload is damaged; its owner sends it again.")
    for source in candidate.catalog_version.catalog.sources:
        if services.standing(source):
            decisions.decide_source(
                people["compliance1"], source.id, "excluded", "Demo: nobody can show a licence for it."
            )
