"""Reading over real HTTP from S3: the whole release, and each way in which a store can fail."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import boto3
import pytest

from mhds.client import (
    ClientError,
    DigestMismatch,
    IntegrityError,
    NotPublished,
    Release,
    StorageForbidden,
    StorageUnavailable,
)
from mhds.client.transport import DirectoryTransport, connect, read_small, stream
from tests.client.conftest import s3_environment
from tests.client.releases import Published, publish
from tests.client.servers import Handler, running

pytestmark = pytest.mark.client

SHARD = "data/train/priority/part-00001.jsonl"


def use(monkeypatch, endpoint: str) -> None:
    for name, value in s3_environment(endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.001)


def upload(endpoint: str, bucket: str, release: Published) -> None:
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=bucket)
    for path in release.exports.rglob("*"):
        if path.is_file():
            key = f"mhds/exports/{path.relative_to(release.exports)}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())


@pytest.fixture
def store(monkeypatch, tmp_path):
    """A server that answers like S3 with the bucket ``tmp_path``/bucket, and can be told to fail."""
    with running(Handler, tmp_path) as server:
        use(monkeypatch, server.url)
        yield server


@pytest.fixture
def release(tmp_path):
    return publish(tmp_path / "bucket" / "exports")


PREFIX = "s3://bucket/exports/releases/v2026-01-07/"
KEY = f"/bucket/exports/releases/v2026-01-07/{SHARD}"


def refusal(prefix: str = PREFIX) -> ClientError:
    with pytest.raises(ClientError) as caught, Release.open(prefix) as opened:
        opened.verify(full=True)
    return caught.value


def test_a_release_in_s3_reads_like_the_one_on_disk(release, s3_endpoint, monkeypatch):
    use(monkeypatch, s3_endpoint)
    release.point()
    upload(s3_endpoint, "first", release)

    with Release.open(release.prefix) as here, Release.open("s3://first/mhds/exports/", channel="latest") as there:
        assert there.prefix == "s3://first/mhds/exports/releases/v2026-01-07/"
        assert there.verify(full=True) == here.verify(full=True)
        assert list(there.records()) == list(here.records())
        assert list(islice(there.sample(seed=7), 60)) == list(islice(here.sample(seed=7), 60))


def test_a_tombstone_in_s3_withdraws(release, s3_endpoint, monkeypatch):
    use(monkeypatch, s3_endpoint)
    release.withdraw("quality", "labels were wrong")
    upload(s3_endpoint, "second", release)

    error = refusal("s3://second/mhds/exports/releases/v2026-01-07/")
    assert error.exit_code == 5
    assert "quality, labels were wrong" in str(error)


def test_an_empty_bucket_is_not_published_and_a_bucket_that_is_none_is_storage(s3_endpoint, monkeypatch):
    use(monkeypatch, s3_endpoint)
    boto3.client("s3").create_bucket(Bucket="empty")

    assert isinstance(refusal("s3://empty/exports/releases/v2026-01-07/"), NotPublished)
    assert refusal("s3://nowhere/exports/releases/v2026-01-07/").exit_code == 7


def test_only_explicit_keys_are_asked_for_and_never_a_listing(release, store):
    with Release.open(PREFIX) as opened:
        opened.verify(full=True)

    asked = {path for _, path, _ in store.seen}
    names = {*release.entries, "SHA256SUMS", "manifest.json", "manifest.dsse.json"}
    expected = {f"/bucket/exports/releases/v2026-01-07/{name}" for name in names}
    assert asked == expected | {"/bucket/exports/withdrawals/v2026-01-07.json"}


def test_a_cut_body_is_resumed_where_it_stopped_from_the_same_object(release, store):
    store.faults[KEY] = [("cut", 1000), ("cut", 500)]

    with Release.open(PREFIX) as opened:
        assert len(list(opened.records(split="train", family="priority"))) == 75
    ranges = [(h.get("Range"), "If-Match" in h) for _, path, h in store.seen if path == KEY]
    assert ranges == [(None, False), ("bytes=1000-", True), ("bytes=1500-", True)]


def test_an_object_that_changed_between_the_pieces_is_refused(release, store):
    store.faults[KEY] = [("cut", 1000), 412, ("cut", 1000), 412]

    assert isinstance(refusal(), IntegrityError)


def test_a_store_that_is_busy_for_a_while_is_asked_again(release, store):
    store.faults[KEY] = [503, 503, 503]

    with Release.open(PREFIX) as opened:
        assert opened.verify(full=True).version == release.version


def test_a_store_that_stays_down_ends_the_run_after_a_bounded_number_of_tries(release, store):
    store.faults[KEY] = [503] * 100

    assert isinstance(refusal(), StorageUnavailable)
    assert 100 - len(store.faults[KEY]) == 8


@pytest.mark.parametrize("name", [KEY, "/bucket/exports/withdrawals/v2026-01-07.json"])
def test_a_refused_key_is_forbidden_and_never_taken_for_absence(release, store, name):
    store.faults[name] = [403]

    error = refusal()
    assert isinstance(error, StorageForbidden)
    assert error.exit_code == 7
    assert "s3:ListBucket" in error.hint


def test_a_wrong_download_is_fetched_once_more(release, store, monkeypatch):
    """A proxy that cut the body at a sound length once: the second copy is whole."""
    right = release.files[SHARD]
    release.put(SHARD, right[:-10])
    served = []
    serve = Handler.serve

    def mend(self, path, fault=None):
        serve(self, path, fault)
        if path == release.path(SHARD):
            served.append(path)
            release.put(SHARD, right)

    monkeypatch.setattr(Handler, "serve", mend)
    with Release.open(PREFIX) as opened:
        assert len(list(opened.records(split="train", family="priority"))) == 75
    assert len(served) == 2


def test_without_credentials_or_with_a_dead_endpoint_storage_is_the_reason(release, store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert isinstance(refusal(), StorageUnavailable)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert isinstance(refusal(), StorageForbidden)


def test_a_small_object_that_is_too_long_is_not_read_to_its_end(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    transport = DirectoryTransport(tmp_path)

    with pytest.raises(IntegrityError):
        read_small(transport, "big", limit=10)
    assert len(read_small(transport, "big", limit=5_000_000)) == 5_000_000


@pytest.mark.parametrize("size", [0, 1, 2_999_999, 3_000_001])
def test_a_stream_is_exactly_as_long_as_the_manifest_says(tmp_path, size):
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    transport = connect(str(tmp_path))

    with pytest.raises(DigestMismatch, match="bytes of file"):
        list(stream(transport, "file", size))
    assert sum(map(len, stream(transport, "file", 3_000_000))) == 3_000_000


def test_importing_the_client_imports_neither_django_nor_boto3(release):
    program = (
        "import sys; from mhds.client import Release; r = Release.open(sys.argv[1]); r.verify(full=True); r.close();"
        "print(sorted(n for n in sys.modules if n in {'django', 'celery', 'boto3', 'botocore', 'numpy', 'requests'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, release.prefix],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"
