"""The stores that the contract is checked on: directories, and S3 over real HTTP on an in-process server."""

from __future__ import annotations

import itertools
import logging

import pytest
from moto.server import ThreadedMotoServer

from mhds.storage.directory import DirectoryStore
from mhds.storage.s3 import S3Store, make_client

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_endpoint():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def set_environment(monkeypatch, **more):
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    for name, value in (environment | more).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws_environment(monkeypatch):
    set_environment(monkeypatch)
    return monkeypatch


@pytest.fixture(scope="session")
def s3_client(s3_endpoint):
    """One client for all, for making one takes a tenth of a second."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch, AWS_ENDPOINT_URL=s3_endpoint)
        return make_client()


@pytest.fixture
def no_waiting(monkeypatch):
    """Attempts follow at once; how many there are is still botocore's and ours to decide."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.001)
    monkeypatch.setattr("mhds.storage.s3._WAIT_MS", 1)


@pytest.fixture
def s3_bucket(s3_endpoint, s3_client, aws_environment):
    """The name of a new bucket, with the environment pointing at its server."""
    aws_environment.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    name = f"bucket-{next(_numbers)}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["directory", "s3"])
def kind(request):
    return request.param


@pytest.fixture
def open_again(kind, request, tmp_path):
    """Opens the same empty store each time it is called, with options."""
    if kind == "directory":
        return lambda **options: DirectoryStore(tmp_path / "bucket", **options)
    bucket, client = request.getfixturevalue("s3_bucket"), request.getfixturevalue("s3_client")
    return lambda **options: S3Store(bucket, "some/prefix", client=client, **options)


@pytest.fixture
def store(open_again):
    return open_again()
