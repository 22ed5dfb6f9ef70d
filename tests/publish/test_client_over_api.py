"""The training client against a running server: channel, files by URL, report. Nothing but HTTP between them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mhds.client import Api, ClientError, IntegrityError
from mhds.client import Release as PublishedRelease
from tests.publish.candidates import VERSION
from tests.publish.processes import environment

pytestmark = pytest.mark.publish
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def server(prepared):
    """(base URL, token, data directory) of an installation with one published release."""
    data_dir = prepared[2]
    command = [sys.executable, "manage.py", "create_token", "job", "--scope", "read", "--scope", "consume", "--json"]
    made = subprocess.run(
        command, cwd=ROOT, env=environment(data_dir), capture_output=True, text=True, check=True, timeout=60
    )
    token = json.loads(made.stdout)["token"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.publish.installation", "serve"],
        env=environment(data_dir), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}", token, data_dir
    process.kill()
    process.wait()


def test_a_training_job_reads_a_release_by_its_channel_and_reports_it(server):
    base, token, _data_dir = server
    with PublishedRelease.open(api=base, token=token, channel="latest") as release:
        checked = release.verify(full=True)
        records = sum(1 for _ in release.records(split="train"))
        by_family = {
            family.id: sum(one.records or 0 for one in release.manifest.data_files("train", family.id))
            for family in release.manifest.families
        }
    api = Api(base, token)
    state = api.channel("latest")
    assert state is not None
    assert (state.manifest_sha256, api.channel("latest", state.etag)) == (checked.manifest_sha256, None)
    report = {
        "run_id": "r", "version": VERSION, "content_digest": checked.content_digest, "records": records,
        "manifest_sha256": checked.manifest_sha256, "by_family": by_family, "order_sha256": "0" * 64,
    }  # fmt: skip
    api.report_consumption(report, "r")
    api.report_consumption(report, "r")
    with pytest.raises(ClientError, match="Idempotency-Key"):
        api.report_consumption({**report, "run_id": "other"}, "r")


def test_the_smoke_test_of_training_passes_and_reports(server):
    base, token, data_dir = server
    prefix = str(data_dir / "bucket" / "exports" / "releases" / VERSION)
    command = [sys.executable, "-m", "mhds.client", prefix, "--steps", "3", "--api", base]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(data_dir, MHDS_TOKEN=token), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode, told["verified"], told["error"], told["steps"]) == (0, True, None, 3)


def test_a_flipped_byte_is_refused_also_through_the_api(server):
    base, token, data_dir = server
    target = data_dir / "bucket" / "exports" / "releases" / VERSION / "docs" / "README.md"
    body = bytearray(target.read_bytes())
    body[20] ^= 1
    target.write_bytes(body)
    with (
        PublishedRelease.open(api=base, token=token, version=VERSION) as release,
        pytest.raises(IntegrityError, match=r"sha256 of docs/README\.md"),
    ):
        release.verify()
