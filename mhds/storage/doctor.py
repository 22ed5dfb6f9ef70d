"""Owns the measuring of what an object store really honours; must not know who asks or what level they demand.

Vendors' words are not believed: some stores accept a condition and ignore it, others let two writers win a race.
Levels: **A** conditional writes hold and a wrong checksum is refused; **B** conditional writes hold, so whatever was
written must be read back and hashed; **C** anything else: not to be published to.
"""

from __future__ import annotations

import platform
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, Protocol

from mhds.errors import MhdsError, ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused
from mhds.storage.base import ObjectStore

Level = Literal["A", "B", "C"]
PREFIX = "staging/doctor/"
_CLIENTS = ("boto3", "botocore", "urllib3")
# Bytes that look like the frames of a chunked upload: some servers have stored frames, or eaten these.
_FRAMED = b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n0\r\nx-amz-checksum-sha256:AAAA\r\n\r\n\x00\xff\r\n"
_ODD_NAMES = ("a", "a/b", "A", "caf\u00e9", "cafe\u0301", "sp ace", "pl+us%20", "two//slashes")


class Examinable(ObjectStore, Protocol):
    """A store that can also be asked what only its own implementation can try."""

    def rejects_wrong_checksum(self, key: str) -> bool: ...

    def endpoint_class(self) -> str:
        """``directory``, ``aws`` or ``s3-compatible``: no host, no path."""
        ...

    def another_client(self) -> ObjectStore: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One property: ``held`` as measured; ``detail`` says what was seen, ``needed_for`` at which level it counts."""

    id: str
    title: str
    needed_for: Literal["A", "B"]
    held: bool
    detail: str


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What was measured on one store. Holds no host, path, credential, key of others, or time."""

    level: Level
    endpoint_class: str
    clients: dict[str, str]
    checks: list[Check]

    def as_json(self) -> dict[str, object]:
        """Plain values only, for ``json.dumps`` and a JSON column."""
        return asdict(self)


def examine(store: Examinable, *, writers: int = 8, rounds: int = 10) -> DoctorReport:
    """Measure ``store`` with probes below ``staging/doctor/``, deleted at the end (as far as the store lists them).

    ``rounds`` races of ``writers`` threads for one key each. A probe that raises has not held: doubt is level C.
    ``StorageRefused`` for a read-only store, of which nothing can be measured.
    """
    if store.read_only:
        raise StorageRefused("a read-only store cannot be examined", hint="open it for writing")
    base = f"{PREFIX}{secrets.token_hex(8)}/"
    try:
        checks = [_run(probe, store, base) for probe in _PROBES]
        checks.append(_run(_race_probe(writers, rounds), store, base))
    finally:
        cleaned = _run(_CLEAN, store, base)
    checks.append(cleaned)
    return DoctorReport(
        level=level_of(checks), endpoint_class=store.endpoint_class(), clients=_client_versions(), checks=checks
    )


def level_of(checks: Sequence[Check]) -> Level:
    """A if all held, B if all that B needs held, else C; nothing measured is C."""
    failed = {check.needed_for for check in checks if not check.held}
    if not checks or "B" in failed:
        return "C"
    return "B" if failed else "A"


@dataclass(frozen=True, slots=True)
class _Probe:
    id: str
    title: str
    try_it: Callable[[Examinable, str], str]
    """Returns what was seen; raises ``_NotHeld`` (or any error of the store) if the property does not hold."""
    needed_for: Literal["A", "B"] = "B"


class _NotHeld(Exception):
    """What was seen instead of what was hoped for."""


def _run(probe: _Probe, store: Examinable, base: str) -> Check:
    try:
        held, detail = True, probe.try_it(store, f"{base}{probe.id}/")
    except _NotHeld as seen:
        held, detail = False, str(seen)
    except MhdsError as error:
        # The class alone: a message may hold more than a report should.
        held, detail = False, f"failed with {type(error).__name__}"
    return Check(id=probe.id, title=probe.title, needed_for=probe.needed_for, held=held, detail=detail)


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _NotHeld(otherwise)


def _expect_conflict(act: Callable[[], object], otherwise: str) -> None:
    try:
        act()
    except ObjectConflict:
        return
    raise _NotHeld(otherwise)


def _create_once(store: Examinable, base: str) -> str:
    key = base + "object"
    _expect(store.put_if_absent(key, b"first").created, "the first writer of a key was told that it was there")
    _expect_conflict(lambda: store.put_if_absent(key, b"second"), "a second writer was accepted")
    _expect(store.read_bytes(key) == b"first", "the second writer's bytes replaced the first's")
    _expect(not store.put_if_absent(key, b"first").created, "the same bytes again counted as created")
    return "second writer refused, same bytes recognised"


def _swap(store: Examinable, base: str) -> str:
    key = base + "pointer"
    first = store.compare_and_swap(key, b"1", expected_etag=None)
    second = store.compare_and_swap(key, b"2", expected_etag=first.etag)
    _expect_conflict(lambda: store.compare_and_swap(key, b"3", expected_etag=first.etag), "a stale etag was accepted")
    _expect_conflict(lambda: store.compare_and_swap(key, b"3", expected_etag=None), "'only if absent' was ignored")
    absent = base + "absent"
    _expect_conflict(
        lambda: store.compare_and_swap(absent, b"3", expected_etag=second.etag), "an absent object was swapped"
    )
    _expect(store.read_bytes(key) == b"2", "a refused swap changed the object")
    _expect(store.head(key).etag == second.etag, "head shows another etag than the writer was given")
    return "stale, unexpected and absent all refused"


def _race_probe(writers: int, rounds: int) -> _Probe:
    def race(store: Examinable, base: str) -> str:
        for number in range(rounds):
            winners = _race(store, f"{base}{number}", writers)
            _expect(len(winners) == 1, f"round {number + 1}: {len(winners)} of {writers} writers won")
            _expect(store.read_bytes(f"{base}{number}") == winners[0], f"round {number + 1}: not the winner's bytes")
        return f"exactly one winner in {rounds} rounds of {writers} writers"

    return _Probe("create-race", "Of many writers at once, exactly one creates", race)


def _race(store: Examinable, key: str, writers: int) -> list[bytes]:
    def write(body: bytes) -> bytes | None:
        try:
            return body if store.put_if_absent(key, body).created else None
        except ObjectConflict:
            return None

    with ThreadPoolExecutor(writers) as pool:
        bodies = [b"writer %d" % number for number in range(writers)]
        return [body for body in pool.map(write, bodies) if body is not None]


def _visible_at_once(store: Examinable, base: str) -> str:
    other = store.another_client()
    for number in range(5):
        key = f"{base}{number}"
        store.put_if_absent(key, key.encode())
        _expect(other.read_bytes(key) == key.encode(), "another client does not read what was just written")
        listed = [info.key for info in other.list(base)]
        _expect(listed == [f"{base}{n}" for n in range(number + 1)], "another client does not list what was written")
    store.delete(base + "0")
    _expect(base + "0" not in [info.key for info in other.list(base)], "a deleted object is still listed")
    try:
        other.head(base + "0")
    except ObjectMissing:
        return "reads and listings of another client were current"
    raise _NotHeld("a deleted object is still there")


def _ranges(store: Examinable, base: str) -> str:
    key, body = base + "object", bytes(range(256)) * 16
    store.put_if_absent(key, body)
    for start, length in ((0, 1), (255, 258), (4095, 1), (0, 4096)):
        _expect(store.read_range(key, start, length) == body[start : start + length], "a range holds other bytes")
    try:
        store.read_range(key, 4000, 200)
    except ObjectDamaged:
        return "exact ranges, and an error past the end"
    raise _NotHeld("a range past the end was no error")


def _round_trip(store: Examinable, base: str) -> str:
    for name, body in (("framed", _FRAMED), ("empty", b""), ("large", _FRAMED * 8000)):
        store.put_if_absent(base + name, body)
        _expect(store.head(base + name).size == len(body), f"{name}: another size is stored")
        _expect(store.read_bytes(base + name) == body, f"{name}: other bytes came back")
    return "bytes that look like upload framing came back as they were"


def _exact_keys(store: Examinable, base: str) -> str:
    for name in _ODD_NAMES:
        store.put_if_absent(base + name, name.encode())
    for name in _ODD_NAMES:
        _expect(store.read_bytes(base + name) == name.encode(), f"{name!a}: bytes of another key")
    expected = sorted((base + name for name in _ODD_NAMES), key=str.encode)
    _expect([info.key for info in store.list(base)] == expected, "the listing is not exactly these keys in byte order")
    return "case, accents, spaces and slashes are kept apart and in order"


def _wrong_checksum(store: Examinable, base: str) -> str:
    _expect(store.rejects_wrong_checksum(base + "object"), "a body with a wrong checksum was stored")
    return "refused, nothing stored"


def _clean_up(store: Examinable, base: str) -> str:
    run = base.removesuffix(f"{_CLEAN_ID}/")
    for info in list(store.list(run)):
        store.delete(info.key)
    _expect(not any(store.list(run)), "deleted probes are still listed")
    return "all probes deleted"


_CLEAN_ID = "clean-up"
_CLEAN = _Probe(_CLEAN_ID, "Staged objects can be deleted", _clean_up)
_PROBES = (
    _Probe("create-once", "A key is created once", _create_once),
    _Probe("compare-and-swap", "A pointer changes only from the state that was read", _swap),
    _Probe("visible", "What was written is read and listed at once", _visible_at_once),
    _Probe("ranges", "Ranges are exact", _ranges),
    _Probe("round-trip", "Bytes come back as they were", _round_trip),
    _Probe("keys", "Keys are exact and listed in byte order", _exact_keys),
    _Probe("checksum", "A wrong checksum is refused", _wrong_checksum, needed_for="A"),
)


def _client_versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _CLIENTS:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "none"
    return versions
