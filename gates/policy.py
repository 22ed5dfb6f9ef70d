"""The policy of the gates as values, read strictly from its file. Owns shapes and limits; knows no fact and no rule."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

from mhds.errors import ConfigurationError

FORMAT = "mhds.policy/1"
BASIS = 10_000
SHIPPED = Path(__file__).with_name("policy.toml")

Range = tuple[int, int]
Words = tuple[str, ...]
Counts = Mapping[str, int]
WordLists = Mapping[str, Words]


@dataclass(frozen=True)
class Coverage:
    min_records: int
    checklists: WordLists


@dataclass(frozen=True)
class Integrity:
    decide: Words
    listed: int


@dataclass(frozen=True)
class Privacy:
    threshold_bp: int
    languages: Words
    crisis_loss_bp: int
    text_loss_bp: int


@dataclass(frozen=True)
class Duplicates:
    near_threshold_bp: int
    near_share_bp: int
    cluster_share_bp: int
    cluster_min_members: int


@dataclass(frozen=True)
class Leakage:
    message_words: int
    share_bp: int


@dataclass(frozen=True)
class FamilyRanges:
    """Least and most, both allowed, of a family's figures in each split."""

    tokens_mean: Range
    tokens_max: Range
    turns_mean: Range
    turns_max: Range


@dataclass(frozen=True)
class Distribution:
    min_records: int
    tolerance_bp: int
    share_tolerance_bp: int
    strata: Counts
    ranges: Mapping[str, FamilyRanges]


@dataclass(frozen=True)
class Routing:
    strategies: Words
    max_window: int


@dataclass(frozen=True)
class Policy:
    """Everything the gates demand. ``digest`` is over the values, so a comment changes nothing."""

    format: str
    gates: Words
    tokenizer: str
    coverage: Coverage
    integrity: Integrity
    privacy: Privacy
    duplicates: Duplicates
    leakage: Leakage
    distribution: Distribution
    routing: Routing

    @cached_property
    def digest(self) -> str:
        body = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()

    @property
    def threshold_bp(self) -> int:
        return self.privacy.threshold_bp

    @property
    def near_threshold_bp(self) -> int:
        return self.duplicates.near_threshold_bp


T = TypeVar("T")


def _refuse(where: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"policy: {where} {why}.", hint="Mend the policy file; there is no default policy.")


def _whole(value: object, where: str) -> int:
    if type(value) is not int or value < 0:  # a bool is an int, and NaN is neither over nor under a limit
        raise _refuse(where, "is no whole number of zero or more")
    if where.endswith("_bp") and value > BASIS:
        raise _refuse(where, f"is over {BASIS} basis points")
    return value


def _word(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _refuse(where, "is no text")
    return value


def _words(value: object, where: str) -> Words:
    if not isinstance(value, list) or not value:
        raise _refuse(where, "is no list, or an empty one")
    found = tuple(_word(item, where) for item in value)
    if len(set(found)) != len(found):
        raise _refuse(where, "names something twice")
    return found


def _range(value: object, where: str) -> Range:
    if not isinstance(value, list) or len(value) != 2:
        raise _refuse(where, "is no pair of least and most")
    least, most = (_whole(item, where) for item in value)
    if least > most:
        raise _refuse(where, "has its least over its most")
    return least, most


def _mapping(read: Callable[[object, str], T]) -> Callable[[object, str], Mapping[str, T]]:
    def table(value: object, where: str) -> Mapping[str, T]:
        if not isinstance(value, dict) or not value:
            raise _refuse(where, "is no table, or an empty one")
        return {key: read(item, f"{where}.{key}") for key, item in value.items()}

    return table


def _struct(cls: type[T]) -> Callable[[object, str], T]:
    """Reads a table whose keys are exactly the fields of ``cls``."""
    hints = get_type_hints(cls)

    def read(value: object, where: str) -> T:
        names = [field.name for field in fields(cast(Any, cls))]
        if not isinstance(value, dict):
            raise _refuse(where, "is no table")
        for name in sorted(set(value) ^ set(names)):
            raise _refuse(f"{where}.{name}", "is unknown" if name in value else "is missing")
        return cls(**{name: _reader(hints[name])(value[name], f"{where}.{name}") for name in names})

    return read


def _reader(kind: Any) -> Callable[[object, str], Any]:
    simple: dict[Any, Callable[[object, str], Any]] = {
        int: _whole,
        str: _word,
        Range: _range,
        Words: _words,
        Counts: _mapping(_whole),
        WordLists: _mapping(_words),
    }
    if kind == Mapping[str, FamilyRanges]:
        return _mapping(_struct(FamilyRanges))
    return simple.get(kind) or _struct(kind)


def parse_policy(toml: str) -> Policy:
    """The policy that ``toml`` states. Raises ConfigurationError for what is unknown, missing, empty or twice there."""
    try:
        document = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise _refuse("the file", f"is no TOML ({error})") from None
    policy = _struct(Policy)(document, "policy")
    if policy.format != FORMAT:
        raise _refuse("format", f"is not {FORMAT}")
    unknown = set(policy.distribution.strata) - {"train", "val", "test"}
    if unknown:
        raise _refuse("distribution.strata", "names a split that does not exist")
    return policy


@cache
def current_policy() -> Policy:
    """The policy in force: the file beside this module, read once per process."""
    try:
        text = SHIPPED.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refuse("the file", f"cannot be read ({type(error).__name__})") from None
    return parse_policy(text)
