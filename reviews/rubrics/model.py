"""The shape of a rubric, and the loader that reads, checks and digests one. Knows nothing of scores already given."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Any

import msgspec

from mhds.errors import InvalidInput, NotFound

DATA = resources.files("reviews.rubrics") / "data"
Text = Annotated[str, msgspec.Meta(min_length=1)]


class NotePolicy(StrEnum):
    """``FORBIDDEN`` where a note could only repeat what must never be typed (the privacy round)."""

    WHEN_BELOW_MINIMUM = "when_below_minimum"
    FORBIDDEN = "forbidden"


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A typing error in a rubric file is refused, not ignored."""


class Anchor(Frozen, frozen=True):
    """What the scores ``low`` to ``high`` (both included) stand for; ``label`` is on the button where no number is."""

    low: int
    high: int
    text: Text
    label: str = ""


class FollowUp(Frozen, frozen=True):
    """A yes/no question asked when the dimension is not applicable; *yes* counts as a score."""

    id: Text
    text: Text
    yes_counts_as: int


class Dimension(Frozen, frozen=True):
    """One scored question. ``na_when`` says when *not applicable* is right; empty means it may not be chosen.

    ``minimum`` is the lowest acceptable score. ``weight`` is in per cent, 0 where the rubric has no overall score.
    ``needs_finding`` ties a score below the minimum to at least one finding (kind and turn).
    """

    id: Text
    title: Text
    question: Text
    low: int
    high: int
    minimum: int
    anchors: tuple[Anchor, ...]
    na_when: str = ""
    weight: int = 0
    needs_finding: bool = False
    follow_up: FollowUp | None = None

    def anchor(self, score: int) -> Anchor:
        return next(anchor for anchor in self.anchors if anchor.low <= score <= anchor.high)


class Critical(Frozen, frozen=True):
    """A failure that no score makes good; always tied to a turn."""

    id: Text
    title: Text
    text: Text


class FindingKind(Frozen, frozen=True):
    """A kind of identifier; a finding is a kind and a turn, never a value."""

    id: Text
    title: Text
    text: Text


class Rubric(Frozen, frozen=True):
    """One version of one rubric.

    A score is unacceptable when a dimension is below its minimum, when ``weak_limit`` or more dimensions are at
    ``weak_score`` (0 switches this off), or when the weighted overall score, in tenths, is below
    ``overall_minimum_tenths`` (0: there is none). Two scores of one dimension split at ``split_distance`` points.
    ``na_together`` lists dimensions that are not applicable together or not at all. ``cannot_judge`` is the words of
    that choice, empty where it is not offered. ``digest`` covers every text and number, loader's defaults included.
    """

    id: Text
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Text
    note: NotePolicy
    unsure: bool
    split_distance: Annotated[int, msgspec.Meta(ge=1)]
    guideline: Text
    dimensions: Annotated[tuple[Dimension, ...], msgspec.Meta(min_length=1)]
    cannot_judge: str = ""
    readers: Annotated[int, msgspec.Meta(ge=1)] = 2
    weak_score: int = 0
    weak_limit: int = 0
    overall_minimum_tenths: int = 0
    na_together: tuple[tuple[str, ...], ...] = ()
    criticals: tuple[Critical, ...] = ()
    criticals_of: str = ""
    finding_kinds: tuple[FindingKind, ...] = ()
    digest: str = ""

    def dimension(self, dimension_id: str) -> Dimension:
        return next(dimension for dimension in self.dimensions if dimension.id == dimension_id)


def rubric_ids() -> tuple[str, ...]:
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in DATA.iterdir() if entry.name.endswith(".toml")))


@cache
def load(rubric_id: str) -> Rubric:
    """The shipped rubric of that id; NotFound where there is none."""
    if rubric_id not in rubric_ids():
        raise NotFound(f"There is no rubric {rubric_id!r}.", hint=f"Known rubrics: {', '.join(rubric_ids())}.")
    return parse(_read(rubric_id))


def parse(data: Mapping[str, Any]) -> Rubric:
    """Check the parsed TOML of a rubric and digest it; InvalidInput names the rubric and the fault."""
    name = data.get("id", "?")
    if "digest" in data:
        raise InvalidInput(f"Rubric {name} states its own digest; it is computed, take it out.")
    try:
        rubric = msgspec.convert(_with_criticals(data), Rubric)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"Rubric {name} cannot be used: {error}.") from None
    faults = _faults(rubric)
    if faults:
        raise InvalidInput(f"Rubric {name} cannot be used: {'; '.join(faults)}.")
    return msgspec.structs.replace(rubric, digest=_digest(rubric))


def _read(rubric_id: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{rubric_id}.toml").read_text(encoding="utf-8"))


def _with_criticals(data: Mapping[str, Any]) -> dict[str, Any]:
    """Texts taken over from another rubric become part of this one, and so of its digest."""
    source = data.get("criticals_of")
    if not source:
        return dict(data)
    if data.get("criticals") or source not in rubric_ids():
        raise InvalidInput(f"Rubric {data.get('id', '?')}: criticals_of must name a shipped rubric, and stand alone.")
    return {**data, "criticals": _read(source)["criticals"]}


def _digest(rubric: Rubric) -> str:
    """SHA-256 over canonical JSON, so that the comments, line ends and layout of the file do not count."""
    body = json.dumps(msgspec.to_builtins(rubric), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(body.encode("utf-8")).hexdigest()


def _faults(rubric: Rubric) -> list[str]:
    faults = [fault for dimension in rubric.dimensions for fault in _dimension_faults(dimension)]
    ids = [entry.id for group in (rubric.dimensions, rubric.criticals, rubric.finding_kinds) for entry in group]
    faults += [f"id {double} stands twice" for double in sorted({entry for entry in ids if ids.count(entry) > 1})]
    faults += _overall_faults(rubric)
    may_be_na = {dimension.id for dimension in rubric.dimensions if dimension.na_when}
    if any(set(group) - may_be_na for group in rubric.na_together):
        faults.append("na_together names a dimension that cannot be not applicable")
    if any(dimension.needs_finding for dimension in rubric.dimensions) != bool(rubric.finding_kinds):
        faults.append("finding_kinds and needs_finding go together")
    if bool(rubric.weak_limit) != bool(rubric.weak_score):
        faults.append("weak_score and weak_limit go together")
    return faults


def _overall_faults(rubric: Rubric) -> list[str]:
    weights = sum(dimension.weight for dimension in rubric.dimensions)
    if rubric.overall_minimum_tenths == 0:
        return ["weights without overall_minimum_tenths"] if weights else []
    if weights != 100:
        return [f"weights sum to {weights}, not to 100"]
    if any(dimension.na_when for dimension in rubric.dimensions):
        return ["an overall score is not defined where a dimension may be not applicable"]
    return []


def _dimension_faults(dimension: Dimension) -> list[str]:
    faults = []
    covered = sorted(score for anchor in dimension.anchors for score in range(anchor.low, anchor.high + 1))
    if covered != list(range(dimension.low, dimension.high + 1)):
        faults.append(f"{dimension.id}: every score from {dimension.low} to {dimension.high} needs exactly one anchor")
    if not dimension.low < dimension.minimum <= dimension.high:
        faults.append(f"{dimension.id}: the minimum must lie above {dimension.low} and not above {dimension.high}")
    if dimension.weight < 0:
        faults.append(f"{dimension.id}: a weight cannot be negative")
    if dimension.follow_up is not None:
        if not dimension.na_when:
            faults.append(f"{dimension.id}: a follow-up is asked only where not applicable may be chosen")
        if not dimension.low <= dimension.follow_up.yes_counts_as <= dimension.high:
            faults.append(f"{dimension.id}: yes_counts_as is off the scale")
    return faults
