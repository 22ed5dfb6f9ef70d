"""What any test may ask for: an installation of its own, and services that are there, skipped or required.

``MHDS_TEST_REQUIRE=postgres,redis,browser`` turns *not there* from a skip into a failure.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from releases import services, stores
from releases.models import CatalogVersion
from tests.factories import catalog_toml, small_source, write_source

POSTGRES = os.environ.get("MHDS_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")
REDIS = os.environ.get("MHDS_TEST_REDIS_URL", "redis://127.0.0.1:6379")
REQUIRED = {word.strip() for word in os.environ.get("MHDS_TEST_REQUIRE", "").split(",")}
ROOT = Path(__file__).resolve().parents[1]
SHARED = (os.environ.get("MHDS_TEST_SHARED"), ROOT.parent / "shared" / "data")


def absent(service: str, why: str) -> None:
    """Skip, or fail where this run was told that the service must be there."""
    if service in REQUIRED:
        pytest.fail(f"{service} is required and not there: {why}")
    pytest.skip(f"{service}: {why}")


@dataclass(frozen=True)
class Home:
    """The folders of one embedded installation."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def bucket(self) -> Path:
        return self.root / "bucket"

    def put(self, objects: dict[str, bytes]) -> None:
        write_source(self.source, objects)

    def use(self, toml: str = "") -> CatalogVersion:
        return services.import_catalog(toml or catalog_toml(), actor=None)


@pytest.fixture
def home(db: None, settings, tmp_path: Path) -> Iterator[Home]:
    """An installation with nothing in it, and a database of its own."""
    settings.DATA_DIR = tmp_path
    settings.MHDS_SOURCE_URL = (tmp_path / "source").as_uri()
    settings.MHDS_BUCKET_URL = (tmp_path / "bucket").as_uri()
    stores._open.cache_clear()
    (tmp_path / "source").mkdir()
    yield Home(tmp_path)
    stores._open.cache_clear()


@pytest.fixture
def filled(home: Home) -> Home:
    """The same with a small source and a catalog that approves all of it."""
    small_source(home.source)
    home.use()
    return home


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A database of its own on the PostgreSQL server, dropped afterwards."""
    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        absent("postgres", type(error).__name__)
    name = f"mhds_{os.getpid()}_{secrets.token_hex(4)}"
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        finally:
            for one in (name, f"test_{name}"):  # the second is what a test run inside this one makes
                server.execute(f'DROP DATABASE IF EXISTS "{one}" WITH (FORCE)')


@pytest.fixture
def redis_prefix() -> Iterator[tuple[str, str]]:
    """(URL, key prefix of this test alone); the keys are removed afterwards."""
    client = redis.Redis.from_url(f"{REDIS.rstrip('/')}/0" if urlsplit(REDIS).path in {"", "/"} else REDIS)
    try:
        client.ping()
    except redis.RedisError as error:
        absent("redis", type(error).__name__)
    prefix = f"mhds-test-{os.getpid()}-{secrets.token_hex(4)}:"
    yield REDIS, prefix
    for key in client.scan_iter(f"{prefix}*"):
        client.delete(key)
    client.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real objects beside the checkout, where there are any."""
    for place in SHARED:
        if place and (Path(place) / "bucket").is_dir():
            return Path(place)
    pytest.skip("no shared data: set MHDS_TEST_SHARED to a folder that holds bucket/ and catalog.toml")
