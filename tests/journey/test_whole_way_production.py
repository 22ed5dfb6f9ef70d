"""The whole way on PostgreSQL, Redis and S3: an installation that is no demo, whose release lands in an S3 bucket."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from playwright.sync_api import Browser

from mhds.storage.s3 import make_client
from tests.client.conftest import s3_environment
from tests.journey import consume, walk
from tests.journey.client_env import TrainingMachine
from tests.journey.consume import Training
from tests.journey.installation import DOMAIN, SECOND_LEAD
from tests.journey.walk import noted, walking
from tests.pages.site import serving
from tests.processes import production

pytestmark = [pytest.mark.pages, pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]
BUCKET = "releases"


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket on a server of its own, and the environment that reaches it."""

    env: dict[str, str]

    def _split(self, prefix: str, path: str) -> dict[str, str]:
        name, _, folder = prefix.removeprefix("s3://").partition("/")
        return {"Bucket": name, "Key": f"{folder.rstrip('/')}/{path}"}

    def get(self, prefix: str, path: str) -> bytes:
        return make_client().get_object(**self._split(prefix, path))["Body"].read()

    def put(self, prefix: str, path: str, body: bytes) -> None:
        make_client().put_object(**self._split(prefix, path), Body=body)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    env = s3_environment(f"http://{host}:{port}")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    make_client().create_bucket(Bucket=BUCKET)
    yield Bucket(env)
    server.stop()


@pytest.fixture
def environment(bucket: Bucket, tmp_path: Path, postgres_url: str, redis_prefix: tuple[str, str]) -> dict[str, str]:
    broker, keys = redis_prefix
    return (
        production(tmp_path, postgres_url, broker, keys)
        | bucket.env
        | {
            "MHDS_BUCKET_URL": f"s3://{BUCKET}/mhds",
            "MHDS_SOURCE_NAME": "source",
            "ALLOWED_HOSTS": "127.0.0.1",
            "MHDS_PLAIN_HTTP": "1",
        }
    )


def test_a_release_goes_the_whole_way_to_s3_and_is_read_from_there(
    browser: Browser, environment: dict[str, str], bucket: Bucket, tmp_path: Path, training_machine: TrainingMachine
) -> None:
    with (
        serving(tmp_path, "clinic", worker=True, prepare="tests.journey.installation", more=environment) as site,
        walking(browser, site.url, DOMAIN["clinic"]) as found,
        noted(found),
    ):
        measured = json.loads(site.run("manage.py", "doctor", "--json"))  # nobody publishes to S3 unmeasured
        assert measured["level"] in ("A", "B"), measured
        walk.build(found)
        walk.decide(found, confirm_sources=True)
        walk.pass_gates(found)
        walk.open_rounds(found)
        walk.score_all(found)
        walk.close_rounds(found)
        walk.sign(found)
        prefix = walk.publish(found, publisher=SECOND_LEAD)
        assert prefix.startswith(f"s3://{BUCKET}/mhds/exports/releases/v")
        training = Training(training_machine, site, prefix, env=bucket.env)
        consume.read_by_prefix(training)
        token = training.token()
        walk.see_consumption(found, consume.read_and_report(training, token))
        version, _records = consume.read_by_channel(training, token)
        assert version in prefix
        for path in ("data/train/edge_cases/part-00000.jsonl", "manifest.json"):
            consume.refuse_damage(
                training, path, lambda path: bucket.get(prefix, path), lambda path, body: bucket.put(prefix, path, body)
            )
