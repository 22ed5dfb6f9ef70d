"""The inventory is what the source held, by key and in byte order, under a digest that says so."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

import pytest

from mhds.errors import MhdsError, StorageError
from mhds.models import AuditEvent
from mhds.storage.base import ObjectInfo
from mhds.storage.directory import DirectoryStore
from releases import building, inventory, stores
from releases.models import Snapshot
from tests.factories import write_source

pytestmark = pytest.mark.build

ODD_KEYS = ("a", "a b/c d.jsonl", "ключ/名前.jsonl", "a'b/c", "b", "a.b/x", "a/b", "é", "Z", "#%?&+=.jsonl")


@pytest.fixture
def source(tmp_path):
    keys = [key for key in ODD_KEYS if key != "a"]  # a folder and a file cannot share a name on a disk
    write_source(tmp_path / "source", {key: key.encode() * 3 for key in keys})
    return DirectoryStore(tmp_path / "source", read_only=True)


@pytest.fixture
def bucket(tmp_path):
    return DirectoryStore(tmp_path / "bucket")


def keys_of(listing, bucket):
    return [one.key for one in inventory.read_listing(bucket, listing.location)]


def test_the_listing_holds_every_key_in_byte_order_with_its_size(source, bucket):
    listing = inventory.take(source, bucket)
    found = list(inventory.read_listing(bucket, listing.location))
    assert [one.key for one in found] == sorted((key for key in ODD_KEYS if key != "a"), key=str.encode)
    assert all(one.size == len(one.key.encode()) * 3 for one in found)
    assert (listing.objects, listing.bytes) == (len(found), sum(one.size for one in found))


class Listed:
    """A store that lists what it is told; etags are the store's own."""

    url, name, read_only = "file:///elsewhere", "elsewhere", True

    def __init__(self, *keys):
        self.keys = keys

    def list(self, prefix=""):
        when = datetime(2026, 1, 1, tzinfo=UTC)
        yield from (ObjectInfo(key, len(key), f"etag of {key}", when) for key in self.keys)


def test_the_digest_is_of_keys_sizes_and_etags_alone(bucket):
    first = inventory.take(Listed("a", "b c", "é"), bucket)
    lines = b"".join(
        f'{{"key":"{key}","size":{len(key)},"etag":"etag of {key}"}}\n'.encode() for key in ("a", "b c", "é")
    )
    assert first.digest == "sha256:" + hashlib.sha256(lines).hexdigest()


@pytest.mark.parametrize("change", [{"y": b"2 "}, {"z": b"3"}, {"y": b"X"}])
def test_a_new_a_grown_and_a_changed_object_change_the_digest(tmp_path, bucket, change):
    store = DirectoryStore(write_source(tmp_path / "s", {"x": b"1", "y": b"2"}), read_only=True)
    before = inventory.take(store, bucket)
    write_source(tmp_path / "s", change)
    after = inventory.take(store, bucket)
    assert after.digest != before.digest
    assert keys_of(before, bucket) == ["x", "y"], "the earlier listing is kept"


def test_the_same_listing_is_kept_once_and_its_bytes_hold_no_clock(source, bucket):
    first, second = inventory.take(source, bucket), inventory.take(source, bucket)
    assert first == second
    with bucket.read(first.location) as stream:
        body = stream.read()
    assert body[4:8] == b"\0\0\0\0", "the time field of gzip"
    assert len(gzip.decompress(body).splitlines()) == first.objects


def test_what_the_product_keeps_itself_is_not_inventory_where_the_two_are_one(tmp_path):
    root = write_source(
        tmp_path / "both",
        {"mine/a": b"1", "exports/releases/v1/x": b"2", "staging/c/y": b"3", "facts/z": b"4", "exportsnot/a": b"5"},
    )
    listing = inventory.take(DirectoryStore(root, read_only=True), DirectoryStore(root))
    assert keys_of(listing, DirectoryStore(root)) == ["exportsnot/a", "mine/a"]


def test_a_bucket_beside_the_source_hides_nothing_of_it(tmp_path):
    source = DirectoryStore(write_source(tmp_path / "data", {"facts/a": b"1", "exports/b": b"2"}), read_only=True)
    bucket = DirectoryStore(tmp_path / "data-bucket")
    assert keys_of(inventory.take(source, bucket), bucket) == ["exports/b", "facts/a"]


def test_an_inventory_of_a_bucket_inside_the_source_does_not_count_itself(tmp_path):
    source = DirectoryStore(write_source(tmp_path / "data", {"a": b"1"}), read_only=True)
    bucket = DirectoryStore(tmp_path / "data" / "my bucket é")
    first, second = inventory.take(source, bucket), inventory.take(source, bucket)
    assert first.digest == second.digest
    assert keys_of(first, bucket) == ["a"]


def test_a_source_that_is_not_there_is_an_error_and_no_empty_inventory(home):
    home.source.rmdir()
    with pytest.raises(StorageError):
        building.take_snapshot(None)
    assert not Snapshot.objects.exists()


def test_a_snapshot_is_dated_and_audited(home):
    home.put({"x": b"1"})
    snapshot = building.take_snapshot(None)
    assert (snapshot.objects_count, snapshot.total_bytes, snapshot.source_name) == (1, 1, "local")
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.data["digest"]) == ("inventory.taken", snapshot.digest)


def test_the_source_cannot_be_written(home):
    with pytest.raises(MhdsError, match="read"):
        stores.source().put_if_absent("x", b"1")
