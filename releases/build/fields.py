"""The fields of one entry, found whatever the case and punctuation of their names. Knows values, no conversations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

_MAX_NAME = 64
_NOISE = re.compile(r"[\W_]+")


class WrongType(ValueError):
    """A field that a shape needs holds another type. ``reason`` is a reason id; no value is kept."""

    def __init__(self, reason: str = "wrong_type") -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=8192)
def _plain_name(name: str) -> str:
    return _NOISE.sub("", name).casefold()


def plain_name(name: str) -> str:
    """``questionTitle``, ``Question Title`` and ``question_title`` are one name; a very long name is no known one."""
    return _plain_name(name) if len(name) <= _MAX_NAME else ""


class Fields:
    """A view of one mapping. Names are asked for in plain form; what was asked for and found counts as used."""

    __slots__ = ("_by_name", "_values", "used")

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._by_name: dict[str, str] = {}
        for name in values:
            plain = plain_name(name)
            if plain not in self._by_name or name == plain:  # of "Text" and "text" the plain one is meant
                self._by_name[plain] = name
        self._by_name.pop("", None)
        self.used: set[str] = set()

    def has(self, *names: str) -> bool:
        return not self._by_name.keys().isdisjoint(names)

    def names(self) -> Iterator[str]:
        """Plain names, in the order of the source."""
        return iter(self._by_name)

    def get(self, *names: str) -> object:
        """The value of the first of ``names`` that is there (None where none is)."""
        for name in names:
            if name in self._by_name:
                self.used.add(self._by_name[name])
                return self._values[self._by_name[name]]
        return None

    def named(self, name: str) -> object:
        """The value of a field that the catalog names as its source spells it."""
        return self.get(plain_name(name))

    def text(self, *names: str) -> str:
        """The text of the first of ``names`` that is there; empty where it is null or absent."""
        value = self.get(*names)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise WrongType
        return value

    def filled(self, *names: str) -> str:
        """The first text that holds more than white space among all of ``names``, else empty."""
        return next((text for text in (self.text(name) for name in names) if text.strip()), "")

    def unused(self) -> list[str]:
        return [name for name in self._values if name not in self.used]

    def items(self) -> Iterator[tuple[str, object]]:
        """(plain name, value) pairs."""
        return ((plain, self._values[name]) for plain, name in self._by_name.items())
