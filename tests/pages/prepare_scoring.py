"""A candidate in review with every round drawn and handed out: enough records for a person to score ten in a row."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from releases import services
from reviews.plans import RoundKind
from tests.reviews.factory import World, build, catalog, fill_source, make_people, start

EXTRA = 24


def fill() -> None:
    people = make_people()
    fill_source(Path(settings.DATA_DIR) / "source", extra=EXTRA)
    services.import_catalog(catalog(), actor=people["engineer"])
    start(World(build(people["engineer"]), people), *RoundKind)
