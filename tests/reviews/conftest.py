"""A candidate in review for the tests of rounds and signatures."""

from __future__ import annotations

import pytest

from releases import services
from tests.conftest import Home
from tests.reviews.factory import World, build, catalog, fill_source, make_people, pass_all


@pytest.fixture
def world(home: Home) -> World:
    """Built and gated for real; nothing opened yet."""
    people = make_people()
    fill_source(home.source)
    services.import_catalog(catalog(), actor=people["engineer"])
    return World(build(people["engineer"]), people)


@pytest.fixture
def signoff(world: World) -> World:
    """The same with all four rounds passed."""
    return pass_all(world)
