"""Fills an empty embedded installation with the demo: bucket, people, one release whose gates pass, one blocked.

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

from mhds import workflow
from mhds.demo import accounts
from mhds.demo.bucket import BROKEN, OUTSIDE_KEY, UNAPPROVED, PlantedSummary, write_bucket
from mhds.errors import Conflict
from mhds.models import User
from mhds.storage import open_store
from releases import services
from releases.models import CatalogVersion, Release

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
    if next(iter(store.list()), None) is not None:
        raise Conflict(
            f"the source {settings.MHDS_SOURCE_URL} is not empty", hint="Name an empty place in MHDS_SOURCE_URL."
        )
    summary = write_objects(size, seed, lambda _key: True)
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


def write_objects(size: int, seed: int, wanted: Callable[[str], bool]) -> PlantedSummary:
    """The objects whose key is wanted; what is there already stays (the same bytes come again)."""
    store = open_store(settings.MHDS_SOURCE_URL)

    def put(key: str, body: bytes) -> None:
        if wanted(key):
            store.put_if_absent(key, body)

    return write_bucket(put, size=size, seed=seed)


def refuse_real_data() -> None:
    """A demo never mixes with an installation that somebody works with."""
    if User.objects.filter(is_demo=False).exists() or Release.objects.filter(is_demo=False).exists():
        raise Conflict(
            f"{settings.DATA_DIR} holds an installation that is no demo",
            hint="Choose another data directory: MHDS_DATA_DIR=/path/to/an/empty/folder make demo",
        )


def prepare(say: Callable[[str], None]) -> dict[str, Any]:
    """Everything the demo needs, in order; returns what ``demo_info`` shows.

    The story: a release was made of good uploads and passes; then new uploads came, broken and without approval, and
    the next release is blocked by them.
    """
    refuse_real_data()
    write_info(demo=True)
    people = accounts.make_accounts()
    if not CatalogVersion.objects.exists():
        services.import_catalog(CATALOG.read_text(encoding="utf-8"), actor=people["engineer"])
    info = write_info(accounts=accounts.account_list())
    made: dict[str, str] = info.get("releases", {})
    if "passing" not in made:
        say("writing a synthetic bucket of 20 MB, building the release that passes ...")
        write_objects(SIZE, SEED, lambda key: not is_fault(key))
        made["passing"] = make_release(people)
        write_info(releases=made)
    if "blocked" not in made:
        say("new uploads arrive, broken and unapproved; building the release that is blocked ...")
        write_objects(SIZE, SEED, is_fault)
        made["blocked"] = make_release(people)
        write_info(releases=made)
    return read_info()


def is_fault(key: str) -> bool:
    return key.startswith((UNAPPROVED, BROKEN)) or key == OUTSIDE_KEY


def make_release(people: accounts.Accounts) -> str:
    version = services.next_version(timezone.now())
    workflow.run(version, until="gates", actor=people["engineer"])
    return version
