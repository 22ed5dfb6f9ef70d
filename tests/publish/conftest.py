"""An installation for each test: source, bucket (a directory or S3 over real HTTP), people, one candidate."""

from __future__ import annotations

import itertools
import logging
import os
import shutil

import pytest
from moto.server import ThreadedMotoServer

from mhds.storage.s3 import make_client
from tests.publish import candidates
from tests.publish.processes import run, tree

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_endpoint():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def installation(db, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    settings.MHDS_SOURCE_URL = (tmp_path / "source").as_uri()
    settings.MHDS_BUCKET_URL = (tmp_path / "bucket").as_uri()
    candidates.install(monkeypatch.setitem)
    return settings


@pytest.fixture
def s3(installation, s3_endpoint, monkeypatch):
    """The bucket is a fresh one on S3, with a prefix inside it; its URL is returned."""
    given = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    bucket = f"publish-{next(_numbers)}"
    make_client().create_bucket(Bucket=bucket)
    installation.MHDS_BUCKET_URL = f"s3://{bucket}/some/prefix"
    installation.MHDS_STORAGE_LEVEL = "0"
    return installation.MHDS_BUCKET_URL


@pytest.fixture
def lead():
    return candidates.people()


@pytest.fixture
def candidate(installation, lead):
    candidates.fill_source()
    return candidates.approved_candidate()


@pytest.fixture(scope="session")
def approved(tmp_path_factory):
    """An installation with one approved candidate."""
    root = tmp_path_factory.mktemp("approved") / "data"
    assert run(root, "prepare").returncode == 0
    return root


@pytest.fixture(scope="session")
def prepared(approved, tmp_path_factory):
    """An installation whose plan is frozen; the exports of one published from it without a fault; where that one is."""
    root = tmp_path_factory.mktemp("kill")
    shutil.copytree(approved, root / "start")
    assert run(root / "start", "plan").returncode == 0
    shutil.copytree(root / "start", root / "whole")
    assert run(root / "whole", "publish").returncode == 0
    return root / "start", tree(root / "whole"), root / "whole"
