"""An object key as text that recognisers of prose can read. Owns the readings; knows no recogniser and no store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

_ADDRESS = re.compile(r"\S+@\S+")
_JOINT = re.compile(r"[.\-]")


def readable(key: str) -> str:
    """The key's words, and each address in it once more without what may be an extension or a suffix.

    ``jane.doe@example.org.jsonl`` names no host that exists, ``jane.doe@example.org`` does: only the recogniser can
    tell where the host ends, so it is shown every end.
    """
    text = _words(key)
    plain = _words(unicodedata.normalize("NFKC", unquote(key)))
    readings = [text] if plain == text else [text, plain]
    return "\n".join([*readings, *(one for found in _ADDRESS.findall(plain) for one in _shorter(found))])


def _words(key: str) -> str:
    return key.replace("/", " ").replace("_", " ")


def _shorter(address: str) -> Iterator[str]:
    host = address.rindex("@") + 1
    for joint in _JOINT.finditer(address, host):
        yield address[: joint.start()]
