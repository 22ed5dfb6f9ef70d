"""``mhds-smoke`` as a training machine runs it: another process, where nothing of the server can be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from mhds.client.smoke import main, tokenise
from tests.client.conftest import s3_environment
from tests.client.releases import build, public_pem, publish
from tests.client.servers import ApiHandler, running

pytestmark = pytest.mark.client

KEYS = ["version", "prefix", "content_digest", "manifest_sha256", "verified", "steps", "records", "tokens"]
KEYS += ["by_family", "order_sha256", "seconds", "error"]
ROOT = Path(__file__).parents[2]
# What `pip install .` does not bring must not be needed, whatever this environment holds.
TRAINING_MACHINE = """
import importlib.abc, runpy, sys
absent = {"django", "celery", "rest_framework", "msgspec", "numpy", "pyarrow", "tiktoken", "releases", "gates"}
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
runpy.run_module("mhds.client", run_name="__main__", alter_sys=True)
"""


def smoke(*arguments: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING_MACHINE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
    )
    assert done.stdout.count("\n") == 1, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_it_reads_a_release_by_its_prefix_alone_and_reports_one_object(release):
    code, report, errors = smoke(release.prefix, "--steps", "5")

    assert code == 0, errors
    assert list(report) == KEYS
    assert report["verified"] is True
    assert report["error"] is None
    assert (report["version"], report["prefix"]) == (release.version, release.prefix)
    assert report["content_digest"] == release.manifest["content"]["digest"]
    assert (report["steps"], report["records"]) == (5, 40)
    assert report["by_family"] == {"edge_cases": 4, "priority": 20, "professional_therapeutic": 16}
    assert report["tokens"] > 40 * 4


def test_it_reads_the_same_release_from_s3_with_nothing_local_and_in_the_same_order(release, s3_endpoint):
    environment = s3_environment(s3_endpoint)
    client = boto3.client(
        "s3", endpoint_url=s3_endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    client.create_bucket(Bucket="smoke")
    for path in release.root.rglob("*"):
        if path.is_file():
            client.put_object(Bucket="smoke", Key=str(path.relative_to(release.exports.parent)), Body=path.read_bytes())

    local = smoke(release.prefix, "--steps", "3")[1]
    code, report, errors = smoke(f"s3://smoke/exports/releases/{release.version}/", "--steps", "3", **environment)
    assert code == 0, errors
    for key in ("order_sha256", "tokens", "by_family", "content_digest", "manifest_sha256"):
        assert report[key] == local[key]


def run(capsys, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The same in this process, for what needs no other environment."""
    code = main(arguments)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    report = json.loads(out)
    assert list(report) == KEYS
    return code, report


def test_the_order_is_the_same_every_time_and_another_for_another_release(release, tmp_path, capsys):
    other = build(tmp_path / "other", weights={"edge_cases": 2000, "priority": 4000, "professional_therapeutic": 4000})
    orders = [run(capsys, prefix, "--steps", "4")[1]["order_sha256"] for prefix in [release.prefix] * 2]
    orders.append(run(capsys, other.write().prefix, "--steps", "4")[1]["order_sha256"])

    assert orders[0] == orders[1] != orders[2]


def test_the_batch_size_changes_the_steps_and_not_the_order(release, capsys):
    small = run(capsys, release.prefix, "--steps", "8", "--batch", "3")[1]
    large = run(capsys, release.prefix, "--steps", "2", "--batch", "12")[1]

    assert (small["steps"], large["steps"], small["records"]) == (8, 2, large["records"])
    assert small["order_sha256"] == large["order_sha256"]


def test_tokens_are_the_bytes_of_the_content_between_marks():
    record = {"messages": [{"role": "user", "content": "hé"}, {"role": "assistant", "content": "a"}]}

    assert tokenise(record) == [257, 104, 195, 169, 259, 258, 97, 259]


@pytest.mark.parametrize(
    ("harm", "code", "name"),
    [
        (lambda r: r.flip("data/test/edge_cases/part-00000.jsonl"), 3, "digest-mismatch"),
        (lambda r: r.path("data/val/priority/part-00000.jsonl").unlink(), 3, "file-missing"),
        (lambda r: r.flip("manifest.json", at=0), 3, "manifest-invalid"),
        (lambda r: r.put("manifest.dsse.json", b"{}"), 4, "signature-refused"),
        (lambda r: r.withdraw(), 5, "release-withdrawn"),
        (lambda r: r.path("manifest.json").unlink(), 6, "not-published"),
        (lambda r: (r.exports / "withdrawals").write_text(""), 7, "storage-unreadable"),
    ],
)
def test_each_harm_has_its_exit_code_and_leaves_one_object_without_consumption(release, capsys, harm, code, name):
    harm(release)

    found, report = run(capsys, release.prefix, "--steps", "2")
    assert (found, report["error"]["code"]) == (code, name)
    assert report["verified"] is False
    assert (report["records"], report["by_family"], report["order_sha256"]) == (0, {}, None)
    assert "Question" not in report["error"]["message"]


@pytest.mark.parametrize(
    "arguments", [(), ("p",), ("p", "--steps", "0"), ("p", "--steps", "x"), ("p", "--steps", "1", "-z")]
)
def test_wrong_arguments_are_a_usage_error_in_json_too(capsys, arguments):
    code, report = run(capsys, *arguments)

    assert (code, report["error"]["code"]) == (2, "usage")


def test_demo_data_is_refused_without_the_flag(tmp_path, capsys):
    release = publish(tmp_path / "exports", demo=True)

    code, report = run(capsys, release.prefix, "--steps", "1")
    assert (code, report["error"]["code"]) == (3, "demo-release")
    code, report = run(capsys, release.prefix, "--steps", "1", "--allow-demo")
    assert (code, report["verified"]) == (0, True)


def test_a_public_key_file_is_used_and_a_missing_one_is_a_usage_error(release, signing_key, tmp_path, capsys):
    key = tmp_path / "key.pem"
    asked = (release.prefix, "--steps", "1", "--public-key", str(key), "--require-signature")
    assert run(capsys, *asked)[0] == 2
    key.write_bytes(public_pem(signing_key))
    assert run(capsys, *asked)[0] == 4
    release.sign(signing_key)
    assert run(capsys, *asked)[0] == 0
    assert run(capsys, release.prefix, "--steps", "1", "--require-signature")[0] == 2


def test_it_posts_what_it_read_with_the_token_of_the_named_variable(release, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "mhds_token")
    with running(ApiHandler, tmp_path, release) as server:
        server.faults["/api/v1/consumptions"] = [503]
        code, report = run(capsys, release.prefix, "--steps", "2", "--api", server.url, "--token-env", "MY_TOKEN")
        keys = [headers["Idempotency-Key"] for method, _, headers in server.seen if method == "POST"]

    assert code == 0
    (posted,) = server.posted
    assert posted.pop("run_id") == keys[0] == keys[1]
    names = ("version", "content_digest", "manifest_sha256", "records", "by_family", "order_sha256")
    assert posted == {name: report[name] for name in names}


def test_a_report_that_the_server_refuses_fails_the_run_but_keeps_what_was_verified(
    release, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("MHDS_TOKEN", "mhds_token")
    with running(ApiHandler, tmp_path, release) as server:
        server.faults["/api/v1/consumptions"] = [403]
        code, report = run(capsys, release.prefix, "--steps", "2", "--api", server.url)

    assert (code, report["error"]["code"], report["verified"], report["records"]) == (7, "storage-forbidden", True, 16)


def test_a_missing_token_is_found_before_anything_is_read(release, capsys, monkeypatch):
    monkeypatch.delenv("MHDS_TOKEN", raising=False)

    code, report = run(capsys, release.prefix, "--steps", "1", "--api", "http://127.0.0.1:9")
    assert (code, report["version"]) == (2, None)
