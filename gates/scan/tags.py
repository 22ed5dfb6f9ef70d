"""Tags of risk and topic from term lists. They route, veil and count, and never judge. Owns matching; the terms are
data.

A term matches whole words in English (``*`` at its end: any ending) and anywhere in Chinese, after case folding and
with typographic apostrophes made plain.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import re2

from mhds.errors import ConfigurationError
from releases.build.types import Messages

DATA = Path(__file__).parent / "data"
LANGUAGES = ("en", "zh")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\u00b4`", "'" * 5)


class Terms(NamedTuple):
    """The compiled terms of one language; ``owners`` names the tag of each pattern of ``any_of``."""

    any_of: re2.Set
    owners: tuple[str, ...]
    crisis: re.Pattern[str]


def tags(messages: Messages, language: str) -> tuple[str, ...]:
    """Sorted tags of a conversation; none for a language without term lists."""
    if language not in LANGUAGES:
        return ()
    terms = _terms(language)
    found = terms.any_of.Match(_encoded(messages)) or ()
    return tuple(sorted({terms.owners[index] for index in found}))


def crisis_terms(messages: Messages, language: str) -> int:
    """How many times terms of the crisis tags occur, overlaps counted once: what redaction must keep."""
    if language not in LANGUAGES:
        return 0
    return sum(1 for _ in _terms(language).crisis.finditer(_folded(messages)))


@cache
def tags_version() -> str:
    """First 16 hex digits of SHA-256 over the term lists and this module's rules of matching."""
    digest = hashlib.sha256(b"tags 1")
    for language in LANGUAGES:
        digest.update((DATA / f"tags_{language}.toml").read_bytes())
    return digest.hexdigest()[:16]


def _folded(messages: Messages) -> str:
    return "\n".join(message.content for message in messages).translate(_APOSTROPHES).casefold()


def _encoded(messages: Messages) -> bytes:
    return _folded(messages).encode(errors="replace")  # a lone surrogate is the scan's to refuse


@cache
def _terms(language: str) -> Terms:
    document = tomllib.loads((DATA / f"tags_{language}.toml").read_text(encoding="utf-8"))
    if document.get("schema") != 1:
        raise ConfigurationError(f"tags_{language}.toml: unknown schema of the term lists.")
    listed = {str(tag["id"]): [str(term) for term in tag["terms"]] for tag in document["tag"]}
    crisis = [term for tag in document["tag"] if tag["crisis"] for term in tag["terms"]]
    any_of = re2.Set.SearchSet(re2.Options())
    for tag_id, terms in listed.items():
        any_of.Add(_alternation(terms, language))
        if not terms:
            raise ConfigurationError(f"tags_{language}.toml: tag {tag_id} has no terms.")
    any_of.Compile()
    return Terms(any_of, tuple(listed), re.compile(_alternation(crisis, language), re.ASCII))


def _alternation(terms: Iterable[str], language: str) -> str:
    """Longest first, so that a count takes the longest term at a place. Same meaning in RE2 and, with ASCII words, in
    ``re``.
    """
    ordered = sorted(set(terms), key=lambda term: (-len(term), term))
    body = "|".join(map(_pattern, ordered))
    return f"(?:{body})" if language == "zh" else rf"\b(?:{body})\b"


def _pattern(term: str) -> str:
    stem = term.casefold().removesuffix("*")
    escaped = r"[\s,-]+".join(re.escape(word) for word in stem.split())
    return escaped + (r"\w*" if term.endswith("*") else "")
