"""Reads identifiers that hide in escapes and blobs: percent, HTML and backslash escapes, base64, base64url, hex. Knows
no identifier.

ROT13 and spelled-out digits are not undone (residual risks, named in the documentation).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import re
from collections.abc import Iterator

import re2

from .folding import Folded

DECODING_VERSION = "1"  # raise it with any change of what is decoded
MAX_DEPTH = 3
MIN_BLOB = 16
_PERCENT = r"(?:%[0-9A-Fa-f]{2})+"
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
_BACKSLASH = r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}"
_ESCAPE = re.compile(f"{_PERCENT}|{_ENTITY}|{_BACKSLASH}")
_BLOB = re.compile(rf"[A-Za-z0-9+/_-]{{{MIN_BLOB},}}={{0,2}}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_ANY = re2.compile(
    rf"%[0-9A-Fa-f]{{2}}|&(?:#[0-9xX]|[A-Za-z0-9]+;)|\\[ux][0-9A-Fa-f]{{2}}|[A-Za-z0-9+/_-]{{{MIN_BLOB},}}"
)


def may_decode(text: str) -> bool:
    """False proves that ``unescape`` and ``blobs`` find nothing in the text."""
    try:
        return bool(_ANY.search(text))
    except UnicodeEncodeError:
        return True  # a lone surrogate: let the scan itself refuse the text


def unescape(text: str) -> Folded | None:
    """The text with its escapes read, or None where it has none. A run that is no UTF-8 stays as it is."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, changed = 0, False
    for match in _ESCAPE.finditer(text):
        plain = _unescaped(match.group())
        if plain is None:
            continue
        changed = True
        for place in range(at, match.start()):
            chars.append(text[place])
            starts.append(place)
            ends.append(place + 1)
        chars.extend(plain)
        starts.extend([match.start()] * len(plain))
        ends.extend([match.end()] * len(plain))
        at = match.end()
    if not changed:
        return None
    chars.extend(text[at:])
    starts.extend(range(at, len(text)))
    ends.extend(range(at + 1, len(text) + 1))
    return Folded("".join(chars), starts, ends)


def _unescaped(run: str) -> str | None:
    if run.startswith("%"):
        try:
            return bytes.fromhex(run.replace("%", "")).decode()
        except UnicodeDecodeError:
            return None
    if run.startswith("\\"):
        char = chr(int(run[2:], 16))
        return None if "\ud800" <= char <= "\udfff" else char
    plain = html.unescape(run)
    return plain if plain != run else None


def blobs(text: str) -> Iterator[Folded]:
    """Readable texts inside base64 and hex tokens; every character of one stands for the whole token."""
    for match in _BLOB.finditer(text):
        for plain in _readings(match.group()):
            yield Folded(plain, [match.start()] * len(plain), [match.end()] * len(plain))


def _readings(token: str) -> list[str]:
    raw: list[bytes] = []
    if len(token) % 2 == 0 and _HEX.fullmatch(token):
        raw.append(bytes.fromhex(token))
    body = token.rstrip("=").replace("-", "+").replace("_", "/")
    with contextlib.suppress(binascii.Error):  # most words are no base64
        raw.append(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    return [text for text in map(_as_text, raw) if text]


def _as_text(raw: bytes) -> str:
    """The bytes as text, or "" where they are no printable UTF-8: a long word decodes to noise."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    return text if all(char.isprintable() or char in "\r\n\t" for char in text) else ""
