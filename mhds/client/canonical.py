"""One byte form for JSON that is hashed or signed, and a strict reader for it; knows nothing of what the JSON means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from mhds.client.errors import ManifestInvalid

# Beyond 2**53 - 1 readers in other languages round silently (RFC 8259 section 6, RFC 8785 section 3.2.2.3).
LARGEST_INTEGER = 2**53 - 1
DEEPEST = 32


def encode_canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys, no white space, no float and no NaN: equal values give equal bytes.

    Raises ``ManifestInvalid`` naming the place of a value that has no canonical form.
    """
    _check(value, "$", 0)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ManifestInvalid("a string holds a lone surrogate, which UTF-8 cannot carry") from None


def decode_strict(data: bytes, what: str) -> Any:
    """Parse JSON that may hold no float, NaN, duplicate key, huge integer or lone surrogate.

    ``what`` names the file in errors, which give an offset and never the content.
    """

    def refuse_float(_: str) -> NoReturn:
        raise ManifestInvalid(f"{what} holds a number that is no integer; ratios travel as integers")

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestInvalid(f"{what} is not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(
            text, parse_float=refuse_float, parse_constant=refuse_float, object_pairs_hook=_unique_keys(what)
        )
    except json.JSONDecodeError as error:
        raise ManifestInvalid(f"{what} is not JSON at character {error.pos}") from None
    except RecursionError:
        raise ManifestInvalid(f"{what} is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise ManifestInvalid(f"{what} holds an integer of too many digits") from None
    _check(value, what, 0)
    return value


def decode_canonical(data: bytes, what: str) -> Any:
    """``decode_strict``, and the bytes must be exactly the canonical form of what they say."""
    value = decode_strict(data, what)
    if encode_canonical(value) != data:
        raise ManifestInvalid(f"{what} is not in canonical form (sorted keys, no white space, UTF-8 unescaped)")
    return value


def _unique_keys(what: str) -> Any:
    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ManifestInvalid(f"{what} repeats a key inside one object")
        return found

    return build


def _check(value: object, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise ManifestInvalid(f"{where} is nested deeper than {DEEPEST} levels")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise ManifestInvalid(f"{where} is an integer beyond 2**53 - 1")
    elif isinstance(value, Mapping):
        _check_keys(value, where, depth)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check(item, f"{where}[{position}]", depth + 1)
    else:
        raise ManifestInvalid(
            f"{where} is a {type(value).__name__}; only text, integers, lists and objects are allowed"
        )


def _check_keys(value: Mapping[Any, Any], where: str, depth: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise ManifestInvalid(f"{where} has a key that is no text")
        _check(item, f"{where}.{key}", depth + 1)
