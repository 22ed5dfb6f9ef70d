"""The doctor must find what holds, and must find what does not."""

from __future__ import annotations

import json
from threading import Event

import pytest

from mhds.errors import ObjectConflict, StorageRefused
from mhds.storage.directory import DirectoryStore
from mhds.storage.doctor import PREFIX, Check, examine, level_of
from mhds.storage.s3 import S3Store, make_client

pytestmark = pytest.mark.publish


def failed(report) -> set[str]:
    return {check.id for check in report.checks if not check.held}


def test_a_local_directory_holds_everything(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put_if_absent("facts/kept", b"x")
    report = examine(store)
    assert (report.level, failed(report), report.endpoint_class) == ("A", set(), "directory")
    assert [info.key for info in store.list()] == ["facts/kept"]


def test_a_store_that_accepts_a_wrong_checksum_is_level_b(s3_bucket):
    store = S3Store(s3_bucket)
    report = examine(store, writers=2, rounds=1)
    # The test server checks and writes without a lock, so its own race may go either way.
    checks = [check for check in report.checks if check.id != "create-race"]
    assert {check.id for check in checks if not check.held} == {"checksum"}
    assert level_of(checks) == "B"
    assert report.endpoint_class == "s3-compatible"
    assert list(store.list()) == []


@pytest.mark.parametrize(
    ("header", "found"),
    [("If-None-Match", {"create-once", "compare-and-swap", "create-race"}), ("If-Match", {"compare-and-swap"})],
)
def test_a_store_that_ignores_a_condition_is_level_c(s3_bucket, header, found):
    client = make_client()

    def ignore(request, **_):
        request.headers.pop(header, None)

    client.meta.events.register("before-send.s3.PutObject", ignore)
    report = examine(S3Store(s3_bucket, client=client), writers=2, rounds=3)
    assert report.level == "C"
    assert found <= failed(report)


class Racy(DirectoryStore):
    """Looks, and later writes: right for one writer after another, wrong for two at once."""

    def put_if_absent(self, key, body):
        absent = self._paths().find(key) is None
        Event().wait(0.02)
        try:
            return super().put_if_absent(key, body)
        except ObjectConflict:
            if not absent:
                raise
        return super().compare_and_swap(key, body, expected_etag=self.head(key).etag)


class Forgetful(DirectoryStore):
    """Never lists what another client wrote last."""

    def list(self, prefix=""):
        yield from sorted(super().list(prefix), key=lambda info: info.modified)[:-1]

    def another_client(self):
        return self


class Careless(DirectoryStore):
    """Stores a body whatever its checksum."""

    def rejects_wrong_checksum(self, key):
        return not self.put_if_absent(key, b"body").created


@pytest.mark.parametrize(
    ("kind", "level", "found"),
    [
        (Racy, "C", {"create-race"}),
        (Forgetful, "C", {"visible", "keys"}),
        (Careless, "B", {"checksum"}),
    ],
)
def test_each_fault_is_found_and_named(tmp_path, kind, level, found):
    report = examine(kind(tmp_path), writers=4, rounds=4)
    assert report.level == level
    assert failed(report) == found


def test_an_endpoint_that_does_not_answer_is_level_c(aws_environment, no_waiting):
    aws_environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    report = examine(S3Store("bucket"), writers=2, rounds=1)
    assert report.level == "C"
    assert not any(check.held for check in report.checks)


def test_the_report_is_json_and_holds_no_secret_and_no_place(tmp_path, s3_bucket, s3_endpoint):
    for store in (DirectoryStore(tmp_path), S3Store(s3_bucket, "hidden-prefix")):
        text = json.dumps(examine(store, writers=2, rounds=1).as_json())
        for secret in (str(tmp_path), s3_bucket, s3_endpoint, "hidden-prefix", "127.0.0.1", PREFIX):
            assert secret not in text
        assert json.loads(text)["clients"]["boto3"]


def test_a_read_only_store_cannot_be_examined(tmp_path):
    with pytest.raises(StorageRefused):
        examine(DirectoryStore(tmp_path, read_only=True))


def test_nothing_measured_is_level_c():
    held = Check(id="x", title="x", needed_for="B", held=True, detail="")
    assert level_of([]) == "C"
    assert level_of([held]) == "A"
    assert level_of([held, Check(id="y", title="y", needed_for="A", held=False, detail="")]) == "B"
