"""Strict JSON: refuses what a lenient parser lets through, with reason and byte offset. Knows no record shape."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import NoReturn

from mhds.errors import InvalidInput

MAX_DEPTH = 64
MAX_RECORD_BYTES = 8 * 1024 * 1024
MAX_INT_DIGITS = 4300

# One token: a whole string (or one that never closes, taken to the end so that the scan stays linear), or a bracket.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictError(InvalidInput):
    """``reason`` is a reason id; ``offset`` counts bytes from the start of the value (0 where unknown)."""

    code = "bad-record"

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(f"not acceptable: {reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


def decode_utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictError("invalid_utf8", error.start) from None


def loads_strict(raw: bytes, *, limit: int = MAX_RECORD_BYTES) -> object:
    """One JSON value, white space around it allowed. Reasons: ``too_large``, ``invalid_utf8``, ``too_deep``, ``nul``,
    ``duplicate_key``, ``not_finite``, ``number_too_long``, ``lone_surrogate``, ``trailing_data``, ``invalid_json``.
    """
    if len(raw) > limit:
        raise StrictError("too_large", limit)
    text = decode_utf8(raw)
    if b"\x00" in raw:
        raise StrictError("nul", raw.index(b"\x00"))
    _check_depth(raw)
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = "trailing_data" if error.msg == "Extra data" else "invalid_json"
        offset = len(text[: error.pos].encode("utf-8"))
        raise StrictError(reason, offset) from None
    _check_strings(raw, value)
    return value


def _check_depth(raw: bytes) -> None:
    # Before parsing, because the parser recurses: 100,000 brackets would be a RecursionError instead of a verdict.
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(raw):
        mark = raw[token.start()]
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise StrictError("too_deep", token.start())
        elif mark in b"]}":
            depth -= 1


def _check_strings(raw: bytes, value: object) -> None:
    """Escapes can smuggle in what raw UTF-8 cannot hold; the walk is paid for only where such an escape stands."""
    surrogates = _SURROGATE_ESCAPE.search(raw)
    nul = raw.find(b"\\u0000")
    if surrogates is None and nul < 0:
        return
    for text in strings_of(value):
        if surrogates is not None and _SURROGATE.search(text):
            raise StrictError("lone_surrogate", surrogates.start())
        if "\x00" in text:
            raise StrictError("nul", nul)


def strings_of(value: object) -> list[str]:
    """Every string of a parsed value, keys included."""
    found: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.keys())
            stack.extend(item.values())
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictError("duplicate_key")
    if not all(map(str.isascii, found)) and len({unicodedata.normalize("NFC", key) for key in found}) != len(found):
        raise StrictError("duplicate_key")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise StrictError("number_too_long")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise StrictError("not_finite")
    return number


def _constant(_name: str) -> NoReturn:
    raise StrictError("not_finite")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=True
)
