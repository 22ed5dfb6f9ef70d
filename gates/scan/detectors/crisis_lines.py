"""The allow-list of public crisis lines. Owns reading it and telling whether a value is one; knows no recogniser."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mhds.errors import ConfigurationError

from .rules.common import digits

DATA = Path(__file__).parent.parent / "data" / "crisis_lines.toml"
_PREFIXES = ("", "1", "44", "61", "91", "86", "852", "886", "0")
# Characters that a written number has beside its digits; anything else makes it something other than the line.
_WRITTEN_WITH = frozenset("+-().·/#* \u00a0\u2010\u2011\u2012\u2013\u2014转")


@dataclass(frozen=True, slots=True)
class CrisisLines:
    """``numbers`` are digits only, with every country code that they may be written with."""

    numbers: frozenset[str]
    hosts: frozenset[str]

    def has_number(self, value: str) -> bool:
        plain = all(char.isdecimal() or char in _WRITTEN_WITH for char in value)
        return plain and digits(value) in self.numbers

    def has_host(self, url: str) -> bool:
        """A page of a listed service; one with a query or user part may name a person and does not count."""
        address = url.strip("\"'").lower()
        address = address.removeprefix("https://").removeprefix("http://")
        if any(char in address for char in "?@#="):
            return False
        labels = address.split("/")[0].split(":")[0].strip(".").split(".")
        return any(".".join(labels[start:]) in self.hosts for start in range(len(labels)))


def load(path: Path = DATA) -> CrisisLines:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != 1:
        raise ConfigurationError(f"{path.name}: unknown schema of the crisis lines.")
    lines = document["line"]
    return CrisisLines(
        numbers=frozenset(_written_forms(number for line in lines for number in line["numbers"])),
        hosts=frozenset(host for line in lines for host in line["hosts"]),
    )


def _written_forms(numbers: Iterable[str]) -> Iterable[str]:
    for number in numbers:
        for prefix in _PREFIXES:
            yield prefix + number
            yield prefix + number.removeprefix("0")
