"""What every object store must do, checked on each implementation."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from mhds.errors import InvalidInput, ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused
from mhds.storage.base import ObjectStore

pytestmark = pytest.mark.publish

ODD_KEYS = [
    "plain.txt",
    "a",
    "a/b",
    "a/b/c",
    "a.txt",
    "a-b",
    "a//b",
    "a/",
    "/leading",
    "//",
    "with space/and  two .jsonl",
    "心理咨询/对话.jsonl",
    "CASE",
    "case",
    "caf\u00e9",
    "cafe\u0301",
    "n" * 255,
    "n" * 256,
    "n" * 300,
    "n" * 256 + "/below",
    "界" * 100,
    "界" * 100 + "/" + "x" * 240,
    "dot/./x",
    "dot/../x",
    ".",
    "..",
    "../outside",
    "ends/..",
    ".mhds~=x",
    ".mhds~private/lock",
    ".mhds~",
    "nul\0byte",
    "percent%00%25",
    "plus+and%20",
    "query?x=1#frag",
    "back\\slash",
    "tab\tend",
    "rtl\u202etxt",
    "\U0001f600",
    "\uffee",
    "deep/" * 120 + "x",
]


def keys_of(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def by_bytes(keys) -> list[str]:
    return sorted(keys, key=str.encode)


@pytest.fixture
def full_of_odd_keys(store):
    for key in ODD_KEYS:
        store.put_if_absent(key, key.encode())
    return store


def test_any_key_is_stored_read_and_listed_exactly(full_of_odd_keys):
    store = full_of_odd_keys
    assert keys_of(store) == by_bytes(ODD_KEYS)
    for key in ODD_KEYS:
        assert store.read_bytes(key) == key.encode()
        assert store.head(key).size == len(key.encode())


def test_any_prefix_lists_exactly_the_keys_that_begin_with_it(full_of_odd_keys):
    prefixes = {key[:length] for key in ODD_KEYS for length in (1, 2, 6, 255, 256, 257)} | {
        "none",
        "a/b/c/d",
        "plain.txt/",
    }
    for prefix in prefixes:
        assert keys_of(full_of_odd_keys, prefix) == by_bytes(k for k in ODD_KEYS if k.startswith(prefix)), prefix


def test_the_order_of_storing_changes_nothing(open_again):
    store = open_again()
    for key in reversed(ODD_KEYS):
        store.put_if_absent(key, key.encode())
    assert keys_of(store) == by_bytes(ODD_KEYS)
    assert all(store.read_bytes(key) == key.encode() for key in ODD_KEYS)


def test_a_listing_agrees_with_the_heads(store):
    put = store.put_if_absent("one/x", b"12345")
    [info] = store.list()
    assert info == store.head("one/x")
    assert (info.size, info.etag) == (5, put.etag)
    assert info.modified.tzinfo is not None


def test_a_listing_of_more_than_a_page_is_whole_and_in_order(store):
    keys = [f"many/{number}" for number in range(1050)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: store.put_if_absent(key, b"x"), keys))
    assert keys_of(store, "many/") == by_bytes(keys)


def test_the_same_bytes_again_are_no_conflict(store, tmp_path):
    first = store.put_if_absent("k", b"same")
    path = tmp_path / "body"
    path.write_bytes(b"same")
    again = store.put_if_absent("k", path)
    assert (first.created, again.created, again.etag) == (True, False, first.etag)


@pytest.mark.parametrize("other", [b"", b"othe", b"other", b"same and more"])
def test_it_refuses_other_bytes_for_a_key_that_exists(store, other):
    store.put_if_absent("k", b"same")
    with pytest.raises(ObjectConflict):
        store.put_if_absent("k", other)
    assert store.read_bytes("k") == b"same"


def test_a_file_is_stored_as_it_is(store, tmp_path):
    path = tmp_path / "body"
    path.write_bytes(bytes(range(256)) * 12_000)
    store.put_if_absent("big", path)
    with store.read("big") as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(path.read_bytes()).digest()
    assert path.exists()


def test_it_refuses_a_body_that_is_no_file(store, tmp_path):
    with pytest.raises(InvalidInput):
        store.put_if_absent("k", tmp_path / "absent")
    assert keys_of(store) == []


def test_an_empty_object_is_an_object(store):
    store.put_if_absent("empty", b"")
    assert store.read_bytes("empty") == b""
    assert store.read_range("empty", 0, 0) == b""
    assert store.head("empty").size == 0


def test_a_stream_gives_lines_and_pieces(store):
    store.put_if_absent("lines", b"one\ntwo\n" * 100_000)
    with store.read("lines") as stream:
        assert stream.readline() == b"one\n"
        assert stream.read(6) == b"two\non"
        assert sum(1 for _ in stream) == 199_998
        assert stream.read() == b""


def test_a_reader_may_stop_early(store):
    store.put_if_absent("k", b"x" * 3_000_000)
    with store.read("k") as stream:
        assert stream.read(1) == b"x"


def test_a_range_is_exact_or_an_error(store):
    store.put_if_absent("k", b"0123456789")
    assert store.read_range("k", 0, 10) == b"0123456789"
    assert store.read_range("k", 3, 4) == b"3456"
    assert store.read_range("k", 9, 1) == b"9"
    for start, length in ((8, 3), (10, 1), (50, 5)):
        with pytest.raises(ObjectDamaged):
            store.read_range("k", start, length)
    with pytest.raises(ValueError, match="at least 0"):
        store.read_range("k", -1, 2)


def test_what_is_absent_is_missing(store):
    store.put_if_absent("folder/file", b"x")
    for key in ("absent", "folder", "folder/", "folder/file/below", "folder/fil", "folder/../folder/file"):
        for act in (
            store.head,
            store.read_bytes,
            lambda k: store.read_range(k, 0, 0),
            lambda k: store.read_range(k, 0, 1),
        ):
            with pytest.raises(ObjectMissing):
                act(key)


@pytest.mark.parametrize("key", ["", "x" * 1025, "界" * 342, "lone\ud800surrogate"])
def test_it_refuses_a_key_that_s3_could_not_hold(store, key):
    for act in (store.head, lambda k: store.put_if_absent(k, b"x"), store.delete):
        with pytest.raises(StorageRefused):
            act(key)


def test_a_pointer_changes_only_from_the_state_that_was_read(store):
    first = store.compare_and_swap("p", b"1", expected_etag=None)
    with pytest.raises(ObjectConflict):
        store.compare_and_swap("p", b"2", expected_etag=None)
    second = store.compare_and_swap("p", b"2", expected_etag=first.etag)
    assert second.created
    assert store.head("p").etag == second.etag != first.etag
    with pytest.raises(ObjectConflict):
        store.compare_and_swap("p", b"3", expected_etag=first.etag)
    with pytest.raises(ObjectConflict):
        store.compare_and_swap("absent", b"3", expected_etag=first.etag)
    assert store.read_bytes("p") == b"2"
    assert keys_of(store) == ["p"]


def test_a_swap_whose_answer_was_lost_may_be_repeated(store):
    first = store.compare_and_swap("p", b"1", expected_etag=None)
    second = store.compare_and_swap("p", b"2", expected_etag=first.etag)
    again = store.compare_and_swap("p", b"2", expected_etag=first.etag)
    assert (again.created, again.etag) == (False, second.etag)
    assert not store.compare_and_swap("p", b"2", expected_etag=None).created


def test_a_deleted_object_is_gone_and_deleting_again_is_no_error(store):
    store.put_if_absent("staging/c/part", b"x")
    store.delete("staging/c/part")
    store.delete("staging/c/part")
    assert keys_of(store) == []
    assert store.put_if_absent("staging/c/part", b"other").created


def test_it_refuses_to_delete_what_is_published(store):
    store.put_if_absent("exports/releases/v2026-01-07/manifest.json", b"{}")
    with pytest.raises(StorageRefused):
        store.delete("exports/releases/v2026-01-07/manifest.json")
    assert store.read_bytes("exports/releases/v2026-01-07/manifest.json") == b"{}"


def test_a_read_only_store_refuses_every_write(store, open_again):
    etag = store.put_if_absent("staging/k", b"x").etag
    reader = open_again(read_only=True)
    for act in (
        lambda: reader.put_if_absent("staging/k", b"x"),
        lambda: reader.put_if_absent("new", b"x"),
        lambda: reader.compare_and_swap("staging/k", b"y", expected_etag=etag),
        lambda: reader.compare_and_swap("new", b"y", expected_etag=None),
        lambda: reader.delete("staging/k"),
    ):
        with pytest.raises(StorageRefused):
            act()
    assert reader.read_bytes("staging/k") == b"x"
    assert keys_of(reader) == ["staging/k"]


def test_a_read_only_view_of_a_bucket_shows_the_same_keys(full_of_odd_keys, open_again):
    assert keys_of(open_again(read_only=True)) == keys_of(full_of_odd_keys)


def test_an_error_shows_the_key_and_never_the_bytes(store):
    store.put_if_absent("some/key", b"secret conversation")
    with pytest.raises(ObjectConflict) as caught:
        store.put_if_absent("some/key", b"another secret")
    assert "some/key" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_url_is_signed_where_the_store_has_urls(store, kind):
    store.put_if_absent("k", b"x")
    url = store.presign("k", expires_s=60)
    assert (url is None) == (kind == "directory")
    if url is not None:
        assert "X-Amz-Expires=60" in url
