"""The demo's story: one release published, one half reviewed, one blocked, whatever interrupts its preparation."""

from __future__ import annotations

import json
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo.installation import ABANDONED
from tests.factories import tree
from tests.processes import ROOT, answer, environment, manage, run

pytestmark = pytest.mark.review
ROUNDS = ("bias_foundation", "clinician_edge", "clinician_foundation", "privacy")


def step(data_dir: Path, name: str) -> str:
    done = run("-m", "tests.demo.installation", name, env=environment(MHDS_DATA_DIR=str(data_dir)), timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def look(data_dir: Path) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(step(data_dir, "look"))
    return seen


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("demo")
    step(data_dir, "stumble")
    return data_dir


@pytest.fixture(scope="module")
def seen(demo: Path) -> dict[str, Any]:
    return look(demo)


@pytest.fixture(scope="module")
def info(demo: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((demo / "demo.json").read_text(encoding="utf-8"))
    return told


def test_interrupted_before_every_part_it_still_ends_with_three_releases(
    seen: dict[str, Any], info: dict[str, Any]
) -> None:
    states = {version: state for version, _number, state, _demo in seen["candidates"] if state != "abandoned"}
    releases = info["releases"]
    assert states == {
        releases["published"]: "published", releases["review"]: "in_review", releases["blocked"]: "blocked",
    }  # fmt: skip
    left = [one for one in seen["candidates"] if one[2] == "abandoned"]
    assert left == [[ABANDONED, 1, "abandoned", True]]
    assert all(is_demo for *_rest, is_demo in seen["candidates"])
    assert seen["broken"] == []


def test_half_of_every_round_in_review_is_scored_and_the_other_half_waits(
    seen: dict[str, Any], info: dict[str, Any]
) -> None:
    mine = {
        (kind, state): count for version, kind, state, count in seen["work"] if version == info["releases"]["review"]
    }
    assert {kind for kind, _state in mine} == set(ROUNDS)
    for kind in ROUNDS:
        total = mine[kind, "submitted"] + mine[kind, "assigned"]
        assert total > 20
        assert mine[kind, "submitted"] == total // 2


def test_every_reviewer_has_work_left_in_each_of_their_rounds(seen: dict[str, Any]) -> None:
    people = {
        "bias": ("bias_foundation",),
        "clinician": ("clinician_edge", "clinician_foundation"),
        "compliance": ("privacy",),
    }
    numbers = {"bias": (1, 2), "clinician": (1, 2, 3), "compliance": (1, 2)}
    wanted = [
        f"{who}{number}@demo.example.org/{kind}"
        for who, kinds in people.items() for kind in kinds for number in numbers[who]
    ]  # fmt: skip
    assert seen["open"] == sorted(wanted)


def test_what_nobody_did_says_so(seen: dict[str, Any]) -> None:
    """The privacy rubric takes no note; every other score and every signature carries one, and a demo account."""
    assert [one for one in seen["notes"] if one] == ["Demo: an invented score. Nobody read this conversation for it."]
    assert {meaning for _email, meaning, _demo, _notes in seen["signed"]} == {"clinician", "bias_reviewer", "lead"}
    assert all(is_demo and notes.startswith("Demo:") for _email, _meaning, is_demo, notes in seen["signed"])


def test_the_published_release_is_what_latest_means_and_says_that_it_is_a_demo(
    seen: dict[str, Any], info: dict[str, Any], demo: Path
) -> None:
    version = info["releases"]["published"]
    assert seen["published"] == [[version, True, 1]]
    assert seen["channel"] == [["latest", version, True]]
    assert info["prefix"] == f"{(demo / 'bucket').as_uri()}/exports/releases/{version}/"


def test_a_second_start_changes_nothing(demo: Path, seen: dict[str, Any]) -> None:
    before = (demo / "demo.json").read_bytes(), tree(demo / "bucket"), tree(demo / "source")
    step(demo, "prepare")
    assert ((demo / "demo.json").read_bytes(), tree(demo / "bucket"), tree(demo / "source")) == before
    assert look(demo) == seen


def test_the_information_is_one_object_for_its_owner_alone(demo: Path) -> None:
    told = answer(manage("demo_info", "--json", env=environment(MHDS_DATA_DIR=str(demo))))
    assert set(told) >= {"accounts", "releases", "prefix", "token", "token_env"}
    assert set(told["releases"]) == {"published", "review", "blocked"}
    assert len(told["accounts"]) == 10
    assert stat.S_IMODE((demo / "demo.json").stat().st_mode) == 0o600


@pytest.fixture
def url(demo: Path) -> Iterator[str]:
    """The demo, answering; its address is noted as ``make demo`` notes it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.demo.installation", "serve"],
        env=environment(MHDS_DATA_DIR=str(demo)), cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    note = demo / "demo.json"
    kept = note.read_bytes()
    try:
        address = f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        note.write_text(json.dumps({**json.loads(kept), "url": address}), encoding="utf-8")
        yield address
    finally:
        process.kill()
        process.wait()
        note.write_bytes(kept)


@pytest.mark.parametrize("token", ["as given", "spoilt"])
def test_the_line_that_demo_info_prints_reads_the_release_with_its_token_and_no_other(
    demo: Path, url: str, token: str
) -> None:
    env = environment(MHDS_DATA_DIR=str(demo))
    told = answer(manage("demo_info", "--json", env=env))
    line = shlex.split(told["smoke"])
    assert {"--steps", "20", "--allow-demo", "--api", url, told["prefix"]} <= set(line)
    secret = {told["token_env"]: told["token"] + ("" if token == "as given" else "x")}
    done = subprocess.run(
        line, env=environment() | secret, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    report = json.loads(done.stdout)
    assert (done.returncode == 0) == (token == "as given"), done.stderr
    assert (report["version"], report["verified"], report["steps"]) == (told["releases"]["published"], True, 20)


def test_the_other_half_can_be_scored_by_one_command_and_then_it_waits_for_signatures(
    demo: Path, info: dict[str, Any], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)
    env = environment(MHDS_DATA_DIR=str(copy))
    done = manage("demo", "--finish-review", env=env)
    assert done.returncode == 0, done.stderr
    states = {version: state for version, _number, state, _demo in look(copy)["candidates"]}
    assert states[info["releases"]["review"]] == "in_signoff"
    again = manage("demo", "--finish-review", env=env)
    assert again.returncode == 1
    assert "is not in review any more" in again.stderr


def test_a_demo_refuses_an_installation_that_is_none(tmp_path: Path) -> None:
    env = environment(MHDS_DATA_DIR=str(tmp_path), MHDS_ADMIN_PASSWORD="a long one that nobody guesses")
    assert manage("create_admin", "ann@example.org", env=env).returncode == 0
    done = manage("demo", "--prepare-only", env=env)
    assert done.returncode == 1
    assert "no demo" in done.stderr
    assert not (tmp_path / "demo.json").exists()
