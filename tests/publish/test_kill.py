"""Publishing is killed at every point of its way; a plain rerun reaches the bytes of a run that was never killed."""

from __future__ import annotations

import shutil

import pytest

from mhds.client import NotPublished
from mhds.client import Release as PublishedRelease
from mhds.failpoints import EXIT_CODE, failpoint
from tests.publish.candidates import VERSION
from tests.publish.processes import run, tree

pytestmark = pytest.mark.publish
FEW = ["publish.after_shard:3"]
MANY = [
    "publish.after_claim",
    *[f"publish.after_shard:{number}" for number in range(1, 13)],
    *[f"publish.after_file:{number}" for number in (1, 2, 9, 17)],
    "publish.before_manifest",
    "publish.after_manifest",
    "publish.verified",
    "publish.before_pointer",
    "publish.after_pointer",
]


def check_point(prepared, tmp_path, point):
    start, whole, _published = prepared
    here = tmp_path / "here"
    shutil.copytree(start, here)
    assert run(here, "publish", point).returncode == EXIT_CODE
    half = tree(here)
    prefix = here / "bucket" / "exports" / "releases" / VERSION
    if f"releases/{VERSION}/manifest.json" in half:
        with PublishedRelease.open(str(prefix)) as release:
            release.verify(full=True)
    else:
        with pytest.raises(NotPublished):
            PublishedRelease.open(str(prefix))
        assert "channels/latest.json" not in half
    assert half == {path: whole[path] for path in half}
    assert run(here, "publish").returncode == 0
    assert tree(here) == whole


@pytest.mark.parametrize("point", FEW)
def test_a_rerun_after_a_kill_reaches_the_same_bytes(prepared, tmp_path, point):
    check_point(prepared, tmp_path, point)


@pytest.mark.slow
@pytest.mark.parametrize("point", MANY)
def test_a_rerun_after_a_kill_at_any_point_reaches_the_same_bytes(prepared, tmp_path, point):
    check_point(prepared, tmp_path, point)


def test_of_two_leads_at_the_same_moment_exactly_one_wins(approved, tmp_path):
    shutil.copytree(approved, tmp_path / "here")
    assert run(tmp_path / "here", "race").stdout.split() == ["conflict", "won"]


def test_a_failpoint_outside_the_embedded_installation_does_nothing(monkeypatch, settings):
    monkeypatch.setenv("MHDS_FAILPOINTS", "here")
    settings.EMBEDDED = False
    failpoint("here")
