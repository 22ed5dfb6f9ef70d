"""Turns a hit's score into basis points, so that 4,000 means "redact". Owns every place where we disagree with
Presidio's score.

Only lowers, and each case says why: precision is part of the promise, because a detector that fires on every sentence
is as useless as none. What is lowered is still reported, under the threshold, and ranks the privacy sample.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from .base import Hit
from .crisis_lines import CrisisLines
from .rules.common import digits

WEAK_BP = 3000
# Endings that are no common English word: a bare two-part host counts as an address only with one of these.
STRONG_ENDINGS = frozenset(
    [
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "info",
        "biz",
        "io",
        "co",
        "uk",
        "ca",
        "au",
        "de",
        "fr",
        "nl",
        "ie",
        "nz",
        "cn",
        "jp",
        "eu",
        "ru",
        "br",
        "ch",
        "se",
        "dk",
        "fi",
        "pl",
        "cz",
        "gr",
        "hk",
        "tw",
        "kr",
        "app",
        "dev",
        "ly",
        "tv",
        "gg",
    ]
)
_SCHEME = regex.compile(r"[\"']?(?:https?://|www\d{0,3}\.)", regex.IGNORECASE)
_QUOTES = "\"'"
MIN_LICENCE_DIGITS = 5
MIN_SURE_PHONE_DIGITS = 7


def basis_points(hit: Hit, text: str, lines: CrisisLines, known_suffix: Callable[[str], bool]) -> int | None:
    """0..10000, or None where the finding is a public crisis line and no finding at all."""
    value = text[hit.start : hit.end]
    if lines.has_number(value) or (hit.entity == "URL" and lines.has_host(value)):
        return None
    score = round(hit.score * 10_000)
    return min(score, WEAK_BP) if _is_weak(hit, text, known_suffix) else score


def _is_weak(hit: Hit, text: str, known_suffix: Callable[[str], bool]) -> bool:
    value = text[hit.start : hit.end]
    if hit.entity == "URL":
        # "trace.append(" is cut to "trace.app" by the list of endings
        cut_short = text[hit.end : hit.end + 1].isalnum() and "/" not in value
        return cut_short or not plausible_url(value, known_suffix)
    if hit.rule == "UsLicenseRecognizer":
        # "B12" and "F32" (a vitamin, a diagnosis code) near any word that holds "lic" or "permit"
        return len(digits(value)) < MIN_LICENCE_DIGITS
    if hit.rule == "IpRecognizer" and ":" in value:
        # "::" near any word that holds "ip", such as "relationship"; a lone colon pair between hex letters
        return len(value.replace(":", "")) < 4
    if hit.rule == "DateRecognizer":
        # "10/10" near "update" is a rating, "12/99" without a day is month and year of nothing in particular
        return hit.pattern == "mm/yy or m/yy"
    return hit.rule == "PhoneRecognizer" and _is_list_of_numbers(value)


def _is_list_of_numbers(value: str) -> bool:
    """ "10 20 30 40 50" and year ranges parse as numbers of some region; a phone number has a group of three digits or
    more that is not a year, or starts with a plus.
    """
    groups = regex.findall(r"\d+", value)
    if value.lstrip().startswith(("+", "＋")):
        return False
    years = all(len(group) == 4 and group[:2] in ("19", "20") for group in groups)
    return years or max(map(len, groups)) < 3 or sum(map(len, groups)) < MIN_SURE_PHONE_DIGITS


def plausible_url(value: str, known_suffix: Callable[[str], bool]) -> bool:
    """Presidio reads "tired.It" (a missing space) as a host. An address has a scheme, a www, a path, three labels, or a
    strong ending; and its ending is on the public suffix list.
    """
    bare = value.strip(_QUOTES)
    scheme = bool(_SCHEME.match(bare))
    host, _, path = bare.split("://")[-1].partition("/")
    labels = [label for label in host.split(".") if label]
    if len(labels) < 2 or not known_suffix(host.lower()):
        return scheme and len(labels) >= 1 and bare.lower().startswith("http")
    if scheme or path:
        return True
    ending = labels[-1]
    if ending.lower() not in STRONG_ENDINGS or ending[:1].isupper() != ending[-1:].isupper():
        return len(labels) > 2 and host.islower() and ending in STRONG_ENDINGS
    return all(label.strip("-") for label in labels)
