"""The commands as a shell sees them: exit codes, one JSON object on standard output, one digest on any database."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.factories import PRIORITY, VERSION, catalog_toml, small_source, tree, write_source
from tests.processes import answer, environment, manage, production, run

pytestmark = pytest.mark.build
CANARY = "zyzzyva"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A source with one damaged object and a catalog beside it."""
    root = tmp_path_factory.mktemp("place")
    small_source(root / "source")
    write_source(root / "source", {f"{PRIORITY}bad.jsonl": f'{{"messages": "{CANARY}\n'.encode()})
    (root / "catalog.toml").write_text(catalog_toml(), encoding="utf-8")
    return root


def embedded(place, data_dir, **given):
    return environment(
        MHDS_DATA_DIR=str(data_dir), MHDS_SOURCE_URL=(place / "source").as_uri(), MHDS_LOG_LEVEL="DEBUG", **given
    )


@pytest.fixture(scope="module")
def first(place, tmp_path_factory):
    """An empty machine: two commands, nothing migrated by hand."""
    data_dir = tmp_path_factory.mktemp("data")
    env = embedded(place, data_dir)
    before = tree(place / "source")
    imported = manage("import_catalog", str(place / "catalog.toml"), "--json", env=env)
    done = manage("run_release", VERSION, "--json", env=env)
    assert tree(place / "source") == before
    return data_dir, imported, done


def test_two_commands_on_an_empty_machine_end_in_verdicts(first):
    _data_dir, imported, done = first
    assert (imported.returncode, done.returncode) == (0, 0), done.stderr[-1500:]
    assert answer(imported)["sources"] == 4
    found = answer(done)
    assert found["records_out"] == 40
    assert set(found["seconds"]) == {"inventory", "coverage", "build", "scan", "gates"}
    assert found["seconds"]["build"] > 0


def test_no_word_of_a_conversation_is_on_standard_error_at_debug_level_or_in_the_database(first):
    data_dir, imported, done = first
    assert "mhds.run" in done.stderr
    words = (CANARY, "the therapist", "breathing feeling", "notice remember")
    assert not [word for word in words if word in (imported.stderr + done.stderr + done.stdout).casefold()]
    databases = [path for path in data_dir.iterdir() if path.name.startswith("mhds.sqlite3")]
    assert databases
    assert not [word for path in databases for word in words if word.encode() in path.read_bytes()]


def test_another_machine_folder_and_locale_give_the_same_digest(first, place, tmp_path):
    _data_dir, _imported, done = first
    other = shutil.copytree(place / "source", tmp_path / "moved" / "source")
    os.utime(other / PRIORITY / "a.jsonl", (1, 1))
    env = embedded(tmp_path / "moved", tmp_path / "other data", LC_ALL="C", TZ="Asia/Tokyo", PYTHONHASHSEED="77")
    manage("import_catalog", str(place / "catalog.toml"), env=env)
    again = answer(manage("run_release", VERSION, "--json", "--until", "build", env=env))
    assert again["content_digest"] == answer(done)["content_digest"]


def test_wrong_usage_is_2_with_nothing_on_standard_output(first, place):
    env = embedded(place, first[0])
    for argv in (["run_release", "yesterday", "--json"], ["run_release"], ["run_release", VERSION, "--until", "x"]):
        done = manage(*argv, env=env)
        assert (done.returncode, done.stdout) == (2, ""), argv
        assert "Traceback" not in done.stderr


def test_an_inventory_by_itself_is_dated_and_says_what_covers_what(first, place):
    found = answer(manage("take_inventory", "--json", env=embedded(place, first[0])))
    assert (found["objects"], found["coverage"]["priority"]) == (6, "present")
    assert found["digest"].startswith("sha256:")


def test_a_missing_source_is_1_and_one_json_object(place, tmp_path):
    env = environment(MHDS_DATA_DIR=str(tmp_path), MHDS_SOURCE_URL="file:///nowhere/at/all")
    done = manage("run_release", VERSION, "--json", env=env)
    assert done.returncode == 1
    assert answer(done)["error"]["step"] == "inventory"
    assert "Traceback" not in done.stderr


def test_a_catalog_that_is_wrong_names_its_row(place, tmp_path):
    (tmp_path / "c.toml").write_text(catalog_toml().replace("weight_bp = 4000", "weight_bp = -1"))
    done = manage("import_catalog", str(tmp_path / "c.toml"), "--json", env=embedded(place, tmp_path / "data"))
    assert done.returncode == 1
    error = answer(done)["error"]
    assert (error["step"], error["code"]) == ("import_catalog", "catalog-invalid")
    assert "[[family]] priority" in error["message"]


def test_a_catalog_goes_out_and_in_again_unchanged(first, place, tmp_path):
    env = embedded(place, first[0])
    out = manage("export_catalog", str(tmp_path / "c.toml"), "--json", env=env)
    again = manage("import_catalog", str(tmp_path / "c.toml"), "--json", env=env)
    assert answer(out)["digest"] == answer(again)["digest"] == answer(first[1])["digest"]


def test_the_first_account_is_made_once_and_its_password_is_no_argument(place, first):
    env = embedded(place, first[0])
    given = {**env, "MHDS_ADMIN_PASSWORD": "a good long pass phrase"}
    assert answer(manage("create_admin", "Root@Example.org", "--json", env=given)) == {
        "email": "root@example.org", "role": "administrator",
    }  # fmt: skip
    twice = manage("create_admin", "root@example.org", "--json", env=given)
    assert (twice.returncode, answer(twice)["error"]["code"]) == (1, "conflict")
    weak = manage("create_admin", "b@example.org", "--json", env={**env, "MHDS_ADMIN_PASSWORD": "password"})
    assert (weak.returncode, answer(weak)["error"]["code"]) == (1, "invalid-input")


ENGINEER = """
import django; django.setup()
from tests.factories import person
from mhds.roles import Role
print(person("engineer", Role.ENGINEER).email)
"""


@pytest.mark.slow
@pytest.mark.services
def test_production_gives_the_digest_of_the_embedded_default(first, place, tmp_path, postgres_url, redis_prefix):
    broker, prefix = redis_prefix
    env = environment(**production(tmp_path / "data", postgres_url, broker, prefix)) | {
        "MHDS_SOURCE_URL": (place / "source").as_uri(), "MHDS_SOURCE_NAME": "local",
        "DJANGO_SETTINGS_MODULE": "mhds.settings",
    }  # fmt: skip
    assert manage("migrate", "--verbosity", "0", env=env).returncode == 0
    checked = manage("check", "--deploy", "--database", "default", "--fail-level", "WARNING", env=env)
    assert checked.returncode == 0, checked.stderr[-2000:]
    email = run("-c", ENGINEER, env=env).stdout.strip()
    nobody = manage("import_catalog", str(place / "catalog.toml"), env=env)
    assert nobody.returncode == 2
    assert manage("import_catalog", str(place / "catalog.toml"), "--actor", email, env=env).returncode == 0
    done = manage("run_release", VERSION, "--json", "--actor", email, env=env)
    assert done.returncode == 0, done.stderr[-1500:]
    theirs, ours = answer(done), answer(first[2])
    assert theirs["content_digest"] == ours["content_digest"]
    assert {**theirs, "seconds": 0} == {**ours, "seconds": 0}


@pytest.mark.slow
def test_the_real_objects_give_the_expected_figures_and_the_same_digest_twice(shared_data, tmp_path):
    env = environment(MHDS_DATA_DIR=str(tmp_path / "data"), MHDS_SOURCE_URL=(shared_data / "bucket").as_uri())
    before = {path: path.stat().st_mtime_ns for path in (shared_data / "bucket").rglob("*")}
    imported = manage("import_catalog", str(shared_data / "catalog.toml"), "--json", env=env)
    assert imported.returncode == 0, imported.stderr
    found = [answer(manage("run_release", VERSION, "--json", env=env, timeout=900)) for _ in range(2)]
    for one in found:
        assert one["coverage"] == {
            "professional_therapeutic": "present", "priority": "present", "cot_reasoning": "missing",
            "edge_cases": "present", "voice": "present",
        }  # fmt: skip
        assert one["records_in"] == one["records_out"] + one["records_excluded"]
        assert sum(one["objects"].values()) == sum(path.is_file() for path in before)
        assert one["gates"]["coverage"]["verdict"] == "FAIL"
    assert found[0]["content_digest"] == found[1]["content_digest"]
    assert "psychosis_bench" in answer(imported)["not_approved"]
    assert {path: path.stat().st_mtime_ns for path in (shared_data / "bucket").rglob("*")} == before
