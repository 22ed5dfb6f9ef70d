"""A good release for each test, and an S3 server over real HTTP for those that need one."""

from __future__ import annotations

import logging
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from moto.server import ThreadedMotoServer

from tests.client.releases import publish


@pytest.fixture
def release(tmp_path):
    return publish(tmp_path / "exports")


@pytest.fixture(scope="session")
def signing_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Attempts follow at once; how many there are is still the transport's to decide."""
    monkeypatch.setattr("mhds.client.transport.FIRST_WAIT_S", 0.001)


@pytest.fixture(scope="session")
def s3_endpoint():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
