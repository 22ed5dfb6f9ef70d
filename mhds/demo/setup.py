"""Fills an empty embedded installation with the demo: bucket, people, a release published, one in review, one blocked.

Every step looks first whether it is done, so that a second start changes nothing and an interrupted one goes on. What
it made is written to ``demo.json`` in the data directory, which also marks the installation as a demo for ever.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from gates import services as gates
from mhds import workflow
from mhds.demo import accounts, published, reviewed
from mhds.demo.bucket import PlantedSummary, write_bucket
from mhds.demo.uploads import Upload, upload_of
from mhds.errors import Blocked, Conflict
from mhds.models import User
from mhds.storage import open_store
from releases import services
from releases.lifecycle import Action, State
from releases.models import Candidate, CatalogVersion, Release

CATALOG = Path(__file__).with_name("catalog.toml")
SIZE, SEED = 20_000_000, 7
UNFINISHED = (State.DRAFT, State.BUILDING, State.GATING)
Say = Callable[[str], None]


def info_path() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def read_info() -> dict[str, Any]:
    """What the demo made. Raises Conflict where there is no demo."""
    try:
        info: dict[str, Any] = json.loads(info_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Conflict("there is no demo in this data directory", hint="Run make demo.") from None
    return info


def shown_info() -> dict[str, Any]:
    """The same for people, with the line that reads the published release and reports to this demo."""
    info = read_info()
    if {"prefix", "token", "url"} <= set(info):
        info["smoke"] = published.smoke_line(info["prefix"], info["url"])
    return info


def write_info(**fields: Any) -> dict[str, Any]:
    """Add to ``demo.json``. It holds a token, so nobody else may read it at any moment; a kill leaves it whole."""
    path = info_path()
    info = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    info.update(fields)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(info, indent=1, sort_keys=True) + "\n")
    fresh.replace(path)
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
    """A demo never mixes with an installation that somebody works with, nor with what an earlier one left."""
    if User.objects.filter(is_demo=False).exists() or Release.objects.filter(is_demo=False).exists():
        raise Conflict(
            f"{settings.DATA_DIR} holds an installation that is no demo, or one of an earlier version",
            hint="Choose another data directory: MHDS_DATA_DIR=/path/to/an/empty/folder make demo",
        )


def prepare(say: Say) -> dict[str, Any]:
    """Everything the demo needs, in order; returns what ``demo_info`` shows.

    The story: a first release of good uploads was reviewed, signed and published. More came, and the next release is
    being read by its reviewers. Then came broken ones and one without approval, and the third release is blocked.
    """
    refuse_real_data()
    write_info(demo=True)
    settings.DEMO = True  # as every process that starts from now on will read it
    people = accounts.make_accounts()
    if not CatalogVersion.objects.exists():
        services.import_catalog(CATALOG.read_text(encoding="utf-8"), actor=people["engineer"])
    write_info(accounts=accounts.account_list())
    for name, step in STEPS.items():
        if name not in read_info().get("ready", []):
            step(people, say)
            write_info(ready=[*read_info().get("ready", []), name])
    _renew_token()
    return read_info()


def _publish(people: accounts.Accounts, say: Say) -> None:
    say("writing the first objects of a synthetic bucket, building the release that will be published ...")
    candidate = _in_review(built("published", Upload.FIRST, people))
    say("drawing and scoring its four rounds as the demo's reviewers ...")
    if candidate.state == State.IN_REVIEW:
        reviewed.start(candidate, people)
        reviewed.finish(candidate, people["lead"])
    say("signing and publishing it ...")
    if candidate.state == State.IN_SIGNOFF:
        published.sign(candidate, people)
    write_info(prefix=published.prefix_of(published.publish(candidate, people)))


def _review(people: accounts.Accounts, say: Say) -> None:
    say("more uploads arrive; building the release that waits for review, and scoring half of it ...")
    candidate = _in_review(built("review", Upload.SECOND, people))
    for round_ in reviewed.start(candidate, people):
        reviewed.score(round_, half=True)


def _block(people: accounts.Accounts, say: Say) -> None:
    say("the rest arrives, some of it broken and unapproved; building the release that is blocked ...")
    built("blocked", Upload.LAST, people)


STEPS: Mapping[str, Callable[[accounts.Accounts, Say], None]] = {
    "published": _publish,
    "review": _review,
    "blocked": _block,
}


def built(name: str, upload: Upload, people: accounts.Accounts) -> Candidate:
    """The release of this name, built of what has arrived by then and judged. Its version is kept before it is used."""
    write_objects(SIZE, SEED, lambda key: upload_of(key) <= upload)
    releases: dict[str, str] = read_info().get("releases", {})
    version = releases.setdefault(name, services.next_version(timezone.now()))
    write_info(releases=releases)
    for left in Candidate.objects.filter(release__version=version, state__in=UNFINISHED):
        services.transition(left, Action.ABANDON, actor=people["engineer"], reason="the preparation was interrupted")
    mine = Candidate.objects.filter(release__version=version).exclude(state=State.ABANDONED)
    if not mine.exists():
        workflow.run(version, until="gates", actor=people["engineer"])
    return mine.select_related("release", "catalog_version", "snapshot").latest("number")


def _in_review(candidate: Candidate) -> Candidate:
    """The story goes on only with a release whose gates pass."""
    if candidate.state == State.BLOCKED:
        why = gates.blockers(candidate)
        raise Blocked(f"{candidate.release.version} of the demo is blocked: {why[0]}", blockers=why)
    return candidate


def finish_review(say: Say) -> str:
    """The other half of the scores, so that the release in review can be signed and published by hand."""
    if "review" not in read_info().get("ready", []):
        raise Conflict("the demo is not prepared yet", hint="Run make demo.")
    version: str = read_info()["releases"]["review"]
    people = accounts.make_accounts()
    mine = Candidate.objects.select_related("release", "catalog_version").filter(release__version=version)
    candidate = mine.filter(state=State.IN_REVIEW).first()
    if candidate is None:
        raise Conflict(f"{version} is not in review any more", hint="Look at its page: it says what comes next.")
    say(f"scoring what is left of {version} as the demo's reviewers ...")
    reviewed.finish(candidate, people["lead"])
    return version


def _renew_token() -> None:
    """A demo that is opened again after a month still has a token that works."""
    expires = read_info().get("token_expires_at")
    if expires is None or datetime.fromisoformat(expires) <= timezone.now():
        write_info(**published.make_token())
