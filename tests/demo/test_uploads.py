"""The three uploads of the demo: everything arrives once, faults last, hold-outs first, every source at once."""

from __future__ import annotations

import pytest

from mhds.demo.bucket import PlantedSummary, write_bucket
from mhds.demo.setup import SEED
from mhds.demo.sources import PLANS
from mhds.demo.uploads import Upload, upload_of

pytestmark = pytest.mark.build


@pytest.fixture(scope="module")
def written() -> tuple[dict[str, int], PlantedSummary]:
    sizes: dict[str, int] = {}
    summary = write_bucket(lambda key, body: sizes.update({key: len(body)}), size=2_000_000, seed=SEED)
    return sizes, summary


def test_the_first_upload_has_something_of_every_source_and_each_is_a_good_part_of_the_bucket(
    written: tuple[dict[str, int], PlantedSummary],
) -> None:
    sizes, _summary = written
    for plan in PLANS:
        mine = {upload_of(key) for key in sizes if key.startswith(plan.prefix)}
        assert Upload.FIRST in mine, plan.id
    by_upload = [sum(size for key, size in sizes.items() if upload_of(key) == upload) for upload in Upload]
    assert min(by_upload) > sum(sizes.values()) // 8


def test_faults_come_last_and_hold_outs_first(written: tuple[dict[str, int], PlantedSummary]) -> None:
    sizes, summary = written
    faults = [*summary.broken, *summary.unapproved, *summary.outside]
    assert faults
    assert {upload_of(key) for key in faults} == {Upload.LAST}
    held_out = [key for key in sizes if "/long_running_therapy/" in key]
    assert held_out
    assert {upload_of(key) for key in held_out} == {Upload.FIRST}


def test_a_copied_object_arrives_with_its_original(written: tuple[dict[str, int], PlantedSummary]) -> None:
    _sizes, summary = written
    assert summary.copied_objects
    for key in summary.copied_objects:
        assert upload_of(key) == upload_of(key.replace(" (1)", ""))
