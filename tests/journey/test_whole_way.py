"""The whole way on the embedded default: from a source to a training machine, each person in a browser of their own.

SQLite, the filesystem broker, a directory as bucket, a real worker. Every record is scored by keyboard alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journey import consume, walk
from tests.journey.client_env import TrainingMachine
from tests.journey.consume import Training
from tests.journey.installation import DOMAIN
from tests.journey.walk import Walk, noted, walking
from tests.pages.site import Site, serving

pytestmark = [pytest.mark.pages, pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("whole_way")
    with serving(data_dir, "demo", worker=True, prepare="tests.journey.installation") as found:
        yield found


@pytest.fixture(scope="module")
def reviewed(browser: Browser, site: Site) -> Iterator[Walk]:
    """From nothing to four rounds that passed."""
    with walking(browser, site.url, DOMAIN["demo"]) as found:
        with noted(found):
            walk.build(found)
            walk.decide(found, confirm_sources=False)
            walk.pass_gates(found)
            walk.open_rounds(found)
            walk.score_all(found)
            walk.close_rounds(found)
        yield found


@pytest.fixture(scope="module")
def training(reviewed: Walk, site: Site, training_machine: TrainingMachine) -> Training:
    """The same, signed by three people and published."""
    with noted(reviewed):
        walk.sign(reviewed)
        prefix = walk.publish(reviewed, publisher="lead")
    return Training(training_machine, site, prefix, demo=True)


def test_every_reviewer_has_scored_all_their_records_by_keyboard(reviewed: Walk) -> None:
    assert set(reviewed.scored) == set(walk.REVIEWERS)
    assert min(reviewed.scored.values()) >= 10
    assert sum(reviewed.scored.values()) == 24 + 20 + 24 + 58  # each record of each round by two people


def test_a_training_machine_reads_the_release_by_its_prefix_the_same_way_twice(training: Training) -> None:
    assert consume.read_by_prefix(training) == consume.read_by_prefix(training)


def test_a_demo_is_refused_unless_it_is_asked_for(training: Training) -> None:
    code, report = training.machine.smoke(training.prefix, "--steps", "1")
    assert (code != 0, report["verified"], report["records"]) == (True, False, 0)
    assert "demo" in report["error"]["message"]


def test_what_was_read_stands_on_the_page_of_the_release(training: Training, reviewed: Walk) -> None:
    token = training.token()
    records = consume.read_and_report(training, token)
    walk.see_consumption(reviewed, records)
    version, to_train_on = consume.read_by_channel(training, token)
    assert version in training.prefix
    assert to_train_on > 0


@pytest.mark.parametrize("path", ["data/train/edge_cases/part-00000.jsonl", "manifest.json"])
def test_one_flipped_byte_is_refused(training: Training, path: str) -> None:
    folder = Path(training.prefix.removeprefix("file://"))

    def put(path: str, body: bytes) -> None:
        (folder / path).chmod(0o600)
        (folder / path).write_bytes(body)

    consume.refuse_damage(training, path, lambda path: (folder / path).read_bytes(), put)
