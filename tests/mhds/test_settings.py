"""Settings: embedded when nothing is set, loud when production is half set, safe where they are written once."""

from __future__ import annotations

import stat

import pytest
from django.db import connection

from mhds.apps import check_sqlite
from mhds.env import SQLITE_PRAGMAS
from mhds.errors import ConfigurationError
from mhds.settings import PRODUCTION_NEEDS, PRODUCTION_SIGNS
from tests.processes import environment, production, run

pytestmark = pytest.mark.access

SHOW = """
import mhds.settings as s
print(s.EMBEDDED, s.DATABASES["default"]["ENGINE"].rsplit(".", 1)[1], s.CELERY_BROKER_URL, s.MHDS_BUCKET_URL)
"""


def load(code=SHOW, **given):
    return run("-c", code, env=environment(**given))


def refused(**given):
    done = run("manage.py", "check", env=environment(**given))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def whole(tmp_path):
    return production(tmp_path, "postgresql://nobody:nothing@127.0.0.1:1/none", "redis://127.0.0.1:1/0")


def test_nothing_set_is_sqlite_the_filesystem_transport_and_a_directory(tmp_path):
    done = load(MHDS_DATA_DIR=str(tmp_path))
    assert done.stdout.split() == ["True", "sqlite3", "filesystem://", (tmp_path / "bucket").as_uri()], done.stderr


def test_everything_set_is_postgresql_and_redis(whole):
    done = load(**whole)
    assert done.stdout.split()[:3] == ["False", "postgresql", "redis://127.0.0.1:1/0"], done.stderr


@pytest.mark.parametrize("name", PRODUCTION_SIGNS)
def test_any_single_production_variable_asks_for_all_the_others_by_name(name, tmp_path):
    said = refused(MHDS_DATA_DIR=str(tmp_path), **{name: "set"})
    there = name.removesuffix("_FILE")
    for other, example in PRODUCTION_NEEDS.items():
        assert (f"{other} ({example})" in said) is (other != there)


@pytest.mark.parametrize("name", sorted(PRODUCTION_NEEDS))
def test_production_without_one_of_its_variables_names_just_that_one(name, whole):
    said = refused(**{key: value for key, value in whole.items() if key != name})
    assert f"missing: {name}.\n" in said


@pytest.mark.parametrize("name", ["DEBUG", "CELERY_TASK_ALWAYS_EAGER", "MHDS_FAILPOINTS"])
def test_production_refuses_what_is_for_development(name, whole):
    assert "for development only" in refused(**whole, **{name: "1"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "sqlite:////tmp/x.sqlite3", "PostgreSQL only"),
        ("CELERY_BROKER_URL", "memory://", "Redis only"),
        ("SECRET_KEY", "short", "too short"),
        ("MHDS_PEPPER", "short", "too short"),
        ("DEBUG", "maybe", "neither true nor false"),
        ("MHDS_LEASE_SECONDS", "soon", "not a whole number"),
    ],
)
def test_production_refuses_a_value_that_cannot_be_meant(name, value, said, whole):
    assert said in refused(**{**whole, name: value})


def test_a_database_url_in_a_file_is_not_taken_for_set(whole, tmp_path):
    given = {key: value for key, value in whole.items() if key != "DATABASE_URL"}
    assert "missing: DATABASE_URL" in refused(**given, DATABASE_URL_FILE=str(tmp_path / "url"))


def test_secrets_are_read_from_files_and_an_unreadable_one_stops_the_start(whole, tmp_path):
    key = whole.pop("MHDS_SIGNING_KEY")
    (tmp_path / "key.pem").write_text(key)
    code = "import mhds.settings as s; print(len(s.MHDS_SIGNING_KEY))"
    done = load(code, **whole, MHDS_SIGNING_KEY_FILE=str(tmp_path / "key.pem"))
    assert done.stdout.strip() == str(len(key.strip())), done.stderr
    assert "cannot be read" in refused(**whole, MHDS_SIGNING_KEY_FILE=str(tmp_path / "none.pem"))


def test_the_secret_key_is_written_once_for_the_owner_alone(tmp_path):
    code = "import mhds.settings as s; print(s.SECRET_KEY)"
    first, second = (load(code, MHDS_DATA_DIR=str(tmp_path)).stdout for _ in range(2))
    assert first == second
    assert len(first.strip()) >= 50
    for name in ("secret_key", "pepper"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_damaged_secret_key_stops_the_start_instead_of_signing_with_it(tmp_path):
    (tmp_path / "secret_key").write_text("")
    assert "is damaged" in refused(MHDS_DATA_DIR=str(tmp_path))


def test_a_data_folder_is_closed_to_others(tmp_path):
    load(MHDS_DATA_DIR=str(tmp_path / "new"))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.fixture
def opened(db):
    """A connection of its own, so that nothing done to it is met by another test."""
    own = connection.copy()
    own.ensure_connection()
    yield own
    own.close()


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", "1"), ("recursive_triggers", "0")])
def test_sqlite_that_could_lose_or_replace_a_row_is_refused(opened, pragma, value):
    check_sqlite(opened)
    with opened.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}={value}")
    with pytest.raises(ConfigurationError, match=f"{pragma}={value}, needed is {SQLITE_PRAGMAS[pragma]}"):
        check_sqlite(opened)


def test_sqlite_without_immediate_transactions_is_refused(opened):
    opened.transaction_mode = "DEFERRED"
    with pytest.raises(ConfigurationError, match="transaction_mode=DEFERRED"):
        check_sqlite(opened)


def test_a_file_database_really_runs_with_what_is_asked(tmp_path):
    code = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    names = ("journal_mode", "synchronous", "recursive_triggers", "busy_timeout")
    print(*[cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names], connection.transaction_mode)
"""
    done = load(code, MHDS_DATA_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="mhds.settings")
    assert done.stdout.split() == ["wal", "2", "1", "20000", "IMMEDIATE"], done.stderr
