"""What only a directory can get wrong: names, links, people's files, crashes and races."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mhds.errors import ObjectConflict, ObjectMissing, StorageRefused, StorageUnavailable
from mhds.storage.directory import DirectoryStore
from mhds.storage.keys import PRIVATE

pytestmark = pytest.mark.publish


def keys_of(store, prefix="") -> list[str]:
    return [info.key for info in store.list(prefix)]


def fingerprint(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Every name below ``root`` with its kind, times and bytes."""
    found = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def source(tmp_path):
    """A directory as people lay it out, beside a file that must not be reached."""
    root = tmp_path / "source"
    for key in ("b/x y.jsonl", "b/对话.csv", "a.txt", "a/b", ".mhds~=odd", ".hidden", "%00", "back\\slash"):
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.encode())
    (root / "empty").mkdir()
    (tmp_path / "outside.txt").write_text("outside")
    return root


def test_the_keys_of_a_source_are_its_relative_paths(source):
    store = DirectoryStore(source, read_only=True)
    keys = keys_of(store)
    assert keys == ["%00", ".hidden", ".mhds~=odd", "a.txt", "a/b", "b/x y.jsonl", "b/对话.csv", "back\\slash"]
    assert all(store.read_bytes(key) == key.encode() for key in keys)
    assert keys_of(store, "b/") == ["b/x y.jsonl", "b/对话.csv"]


def test_a_source_is_untouched_by_all_that_a_reader_does(source):
    before = fingerprint(source)
    store = DirectoryStore(source, read_only=True)
    for info in store.list():
        assert store.head(info.key) == info
        store.read_bytes(info.key)
        store.read_range(info.key, 0, 1)
        for act in (lambda k: store.put_if_absent(k, b"x"), store.delete):
            with pytest.raises(StorageRefused):
                act(info.key)
    assert fingerprint(source) == before


@pytest.mark.parametrize(
    "key", ["../outside.txt", "b/../../outside.txt", "b/../a.txt", "./a.txt", "b//x y.jsonl", "/a.txt"]
)
def test_no_key_climbs_out_of_a_source(source, key):
    store = DirectoryStore(source, read_only=True)
    with pytest.raises(ObjectMissing):
        store.read_bytes(key)
    assert keys_of(store, key) == []


def test_a_link_to_a_file_inside_is_that_file(source):
    (source / "b/link").symlink_to("../a.txt")
    store = DirectoryStore(source, read_only=True)
    assert store.read_bytes("b/link") == b"a.txt"
    assert "b/link" in keys_of(store)


@pytest.mark.parametrize("target", ["../outside.txt", "/etc/hostname", "b", "nowhere"])
def test_it_refuses_a_link_that_leads_out_or_to_a_folder_or_nowhere(source, target):
    (source / "link").symlink_to(target)
    store = DirectoryStore(source, read_only=True)
    for act in (lambda: store.read_bytes("link"), lambda: store.head("link"), lambda: keys_of(store)):
        with pytest.raises(StorageRefused, match="link"):
            act()


def test_it_refuses_to_look_through_a_linked_folder(source, tmp_path):
    (source / "up").symlink_to(tmp_path)
    store = DirectoryStore(source, read_only=True)
    for act in (lambda: store.read_bytes("up/outside.txt"), lambda: keys_of(store, "up/")):
        with pytest.raises(StorageRefused):
            act()


def test_it_refuses_what_is_neither_file_nor_folder(source):
    os.mkfifo(source / "pipe")
    store = DirectoryStore(source, read_only=True)
    for act in (lambda: store.read_bytes("pipe"), lambda: keys_of(store)):
        with pytest.raises(StorageRefused):
            act()


def test_it_refuses_a_file_name_that_is_not_utf8(source):
    (Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9"))).write_text("x")
    with pytest.raises(StorageRefused, match="UTF-8"):
        keys_of(DirectoryStore(source, read_only=True))


def test_a_source_that_does_not_exist_is_not_an_empty_one(tmp_path):
    store = DirectoryStore(tmp_path / "unmounted", read_only=True)
    for act in (lambda: keys_of(store), lambda: store.head("k")):
        with pytest.raises(StorageUnavailable):
            act()
    assert keys_of(DirectoryStore(tmp_path / "new")) == []


def test_a_release_prefix_can_be_checked_with_sha256sum(tmp_path):
    store = DirectoryStore(tmp_path)
    release = "exports/releases/v2026-01-07/"
    sums = ""
    for path in ("data/train/priority/part-00000.jsonl", "docs/README.md", "config/routing.json"):
        store.put_if_absent(release + path, path.encode())
        sums += f"{hashlib.sha256(path.encode()).hexdigest()}  {path}\n"
    store.put_if_absent(release + "SHA256SUMS", sums.encode())
    subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path / release, check=True, capture_output=True
    )


def test_a_foreign_name_in_a_bucket_is_refused_and_not_skipped(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put_if_absent("k", b"x")
    (tmp_path / ".mhds~=k").write_text("a second file for the same key")
    with pytest.raises(StorageRefused):
        keys_of(store)


def test_any_history_of_files_beside_folders_agrees_with_a_dictionary(tmp_path):
    rng = random.Random(20260107)
    store = DirectoryStore(tmp_path)
    model: dict[str, bytes] = {}
    names = ["a", "a/", "a//", "a/b", "a/b/c", "a/b/", "a/../b", "l" * 260, "l" * 260 + "/b", "l" * 260 + "m", "/a"]
    for step in range(400):
        key, body = rng.choice(names), b"%d" % step
        if rng.random() < 0.5:
            store.delete(key)
            model.pop(key, None)
        elif key in model:
            with pytest.raises(ObjectConflict):
                store.put_if_absent(key, body)
        else:
            assert store.put_if_absent(key, body).created
            model[key] = body
        if step % 10 == 0:
            assert {info.key: store.read_bytes(info.key) for info in store.list()} == model
    for key in names:
        store.delete(key)
    assert names_in(tmp_path) == [PRIVATE]


def test_of_many_threads_exactly_one_swaps_each_state(tmp_path):
    """A counter that is raised by swapping loses no increment."""
    DirectoryStore(tmp_path).compare_and_swap("counter", b"0", expected_etag=None)

    def raise_it(worker: int) -> int:
        store, wins = DirectoryStore(tmp_path), 0
        while wins < 10:
            etag = store.head("counter").etag
            value = int(store.read_bytes("counter").split()[0])
            if store.head("counter").etag != etag:
                continue
            try:
                # The worker's number makes the bytes its own: equal bytes would be a repeated request.
                wins += store.compare_and_swap("counter", b"%d by %d" % (value + 1, worker), expected_etag=etag).created
            except ObjectConflict:
                continue
        return wins

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(raise_it, range(6))) == 60
    assert int(DirectoryStore(tmp_path).read_bytes("counter").split()[0]) == 60


def test_an_etag_never_comes_back_though_the_clock_stands_still(tmp_path, monkeypatch):
    """Inodes are reused at once and sizes repeat, so the time alone must tell the states apart."""
    monkeypatch.setattr("mhds.storage.directory.time.time_ns", lambda: 1_000_000_000)
    store = DirectoryStore(tmp_path)
    etags = [store.compare_and_swap("p", b"x0", expected_etag=None).etag]
    for number in range(1, 60):
        etags.append(store.compare_and_swap("p", b"x%d" % (number % 10), expected_etag=etags[-1]).etag)
    assert len({etag.split("-")[1] for etag in etags}) == 60
    assert store.head("p").modified.year == 1970


def _create(root: Path, number: int, results) -> None:
    try:
        results.put(DirectoryStore(root).put_if_absent("k", b"process %d" % number).created)
    except ObjectConflict:
        results.put(False)


def test_of_many_processes_exactly_one_creates(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_create, args=(tmp_path, number, results)) for number in range(6)]
    for process in processes:
        process.start()
    outcomes = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(outcomes) == [False] * 5 + [True]


def test_a_file_and_a_folder_of_one_name_made_at_once_both_stay(tmp_path):
    for number in range(15):
        start = threading.Barrier(2)

        def put(key: str, start: threading.Barrier = start) -> bool:
            start.wait()
            return DirectoryStore(tmp_path).put_if_absent(key, key.encode()).created

        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(put, (f"{number}", f"{number}/below")))
    store = DirectoryStore(tmp_path)
    assert len(keys_of(store)) == 30
    assert all(store.read_bytes(key) == key.encode() for key in keys_of(store))


KILLED_BEFORE_LINK = """
    import os, signal, sys
    from pathlib import Path
    from mhds.storage.directory import DirectoryStore

    def killed(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    {moment} = killed
    store = DirectoryStore(Path(sys.argv[1]))
    {act}
"""


@pytest.mark.parametrize(
    ("moment", "act", "left"),
    [
        ("os.link", "store.put_if_absent('new/k', b'new')", {"old": b"old"}),
        ("os.fsync", "store.put_if_absent('new/k', b'new')", {"old": b"old"}),
        (
            "Path.replace",
            "store.compare_and_swap('old', b'new', expected_etag=store.head('old').etag)",
            {"old": b"old"},
        ),
        ("DirectoryStore._sync", "store.put_if_absent('new/k', b'new')", {"old": b"old", "new/k": b"new"}),
    ],
)
def test_a_killed_writer_leaves_all_or_nothing_and_blocks_nobody(tmp_path, moment, act, left):
    store = DirectoryStore(tmp_path)
    store.put_if_absent("old", b"old")
    code = textwrap.dedent(KILLED_BEFORE_LINK).format(moment=moment, act=act)
    process = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=Path(__file__).parents[2], check=False)
    assert process.returncode == -signal.SIGKILL
    assert len(names_in(tmp_path / PRIVATE / "tmp")) == 1, "the test killed too early or too late"
    assert {info.key: store.read_bytes(info.key) for info in store.list()} == left
    assert store.put_if_absent("new/k", b"new").created == ("new/k" not in left)


def test_what_killed_writers_left_is_swept_after_a_day(tmp_path):
    folder = tmp_path / PRIVATE / "tmp"
    folder.mkdir(parents=True)
    for name, age_h in (("old", 25), ("fresh", 1)):
        (folder / name).write_text("x")
        moment = time.time() - age_h * 3600
        os.utime(folder / name, (moment, moment))
    DirectoryStore(tmp_path)
    assert names_in(folder) == ["fresh"]


def test_a_file_cut_while_it_is_read_is_an_error(source):
    (source / "big").write_bytes(b"x" * 2_000_000)
    with DirectoryStore(source, read_only=True).read("big") as stream:
        stream.read(10)
        os.truncate(source / "big", 1_000_000)
        with pytest.raises(StorageUnavailable):
            stream.read()


@pytest.mark.parametrize("change", [b"longer than it was", b"SHORT"])
def test_a_file_rewritten_while_it_is_read_is_an_error(source, change):
    (source / "small").write_bytes(b"short")
    os.utime(source / "small", ns=(1, 1))
    with DirectoryStore(source, read_only=True).read("small") as stream:
        (source / "small").write_bytes(change)
        with pytest.raises(StorageUnavailable):
            stream.read()


def test_a_full_disk_is_worth_a_retry_and_leaves_nothing(tmp_path):
    code = """
        import resource, signal, sys
        from pathlib import Path
        from mhds.errors import StorageUnavailable
        from mhds.storage.directory import DirectoryStore

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            DirectoryStore(Path(sys.argv[1])).put_if_absent("k", b"x" * 2_000_000)
        except StorageUnavailable:
            sys.exit(42)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], cwd=Path(__file__).parents[2], check=False
    )
    assert run.returncode == 42
    assert keys_of(DirectoryStore(tmp_path)) == []
    assert names_in(tmp_path / PRIVATE / "tmp") == []
