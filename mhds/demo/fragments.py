"""The written fragments of the demo: owns their small grammar and seeded drawing; knows no record shape or container.

A fragment is one sentence with ``[a|b]`` choices and ``{name}`` slots. ``Pen`` writes one record: it repeats no
fragment within it, keeps the facts of the record (who, how long) fixed, and varies the rest.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_FIXED = ("since", "kin", "other", "job")
_RECENT = 6
_FEELINGS = 4  # a record keeps to a few feeling words, so that what one side says the other takes up
_T = TypeVar("_T")

Fragment = tuple[tuple[str, ...], ...]
Pool = tuple[Fragment, ...]


class Draw:
    """Seeded choices built on ``Random.random`` alone, the one method whose sequence Python promises to keep."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"{seed}:{purpose}").random

    def below(self, n: int) -> int:
        return int(self._random() * n)

    def pick(self, options: Sequence[_T]) -> _T:
        return options[int(self._random() * len(options))]

    def chance(self, basis_points: int) -> bool:
        return self._random() * 10_000 < basis_points


def compile_fragment(line: str) -> Fragment:
    """Literal parts become one-option tuples, so that expanding is one loop."""
    parts = _CHOICE.split(line)
    return tuple(tuple(part.split("|")) if i % 2 else (part,) for i, part in enumerate(parts) if part or i % 2)


def compile_pool(text: str) -> Pool:
    return tuple(compile_fragment(line) for line in text.splitlines() if line.strip())


@cache
def load(name: str) -> Mapping[str, Any]:
    """A fragment file as TOML, its multi-line strings compiled into pools and its lists into tuples."""
    path = Path(__file__).parent / "fragments" / f"{name}.toml"
    return _compiled(tomllib.loads(path.read_text(encoding="utf-8")))


def _compiled(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _compile_value(value) for key, value in table.items()}


def _compile_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _compiled(value)
    return compile_pool(value) if isinstance(value, str) else tuple(value)


class Pen:
    """Writes the sentences of one record."""

    def __init__(self, draw: Draw, slots: Mapping[str, Sequence[str]], *, topics: Sequence[str] = ("it",)) -> None:
        self.draw = draw
        self._slots = slots
        self._facts = {name: draw.pick(slots[name]) for name in _FIXED if name in slots}
        if "other" in self._facts and self._facts["other"] == self._facts["kin"]:
            self._facts["kin"] = slots["kin"][-1]
        self._facts["topic"] = draw.pick(topics)
        self._feelings = tuple(draw.pick(slots["feeling"]) for _ in range(_FEELINGS)) if "feeling" in slots else ()
        self._used: set[int] = set()
        self._recent: list[str] = []

    def line(self, pool: Pool) -> str:
        """One sentence of the pool that this record has not used yet (any of them once all are used)."""
        fresh = [fragment for fragment in pool if id(fragment) not in self._used] or pool
        fragment = self.draw.pick(fresh)
        self._used.add(id(fragment))
        return self.write(fragment)

    def write(self, fragment: Fragment) -> str:
        text = "".join([part[0] if len(part) == 1 else self.draw.pick(part) for part in fragment])
        return _SLOT.sub(self._fill, text) if "{" in text else text

    def lines(self, *pools: Pool, sep: str = " ") -> str:
        return sep.join([self.line(pool) for pool in pools])

    def _fill(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in self._facts:
            return self._facts[name]
        options = self._feelings if name == "feeling" else self._slots[name]
        value = self.draw.pick(options)
        for _ in range(4):
            if value not in self._recent:
                break
            value = self.draw.pick(options)
        self._recent = [*self._recent[1 - _RECENT :], value]
        return value
