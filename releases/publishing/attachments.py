"""What higher apps put into a release: registries that gates and reviews fill at start-up. Knows none of them.

A contributor that is not registered is a blocker, and so is one that gives nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mhds.errors import Blocked
from releases.models import Candidate


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file for the release: ``path`` below its prefix, ``role`` as in the manifest."""

    path: str
    role: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ShardFigures:
    """What a scan counted in one shard: tokens, and records by ``pii_status``."""

    tokens: int
    pii: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of the compiled bytes by shard path, the tokenizer they are in, families let pass by a waiver."""

    tokenizer: str
    shards: Mapping[str, ShardFigures]
    tokenizer_sha256: str | None = None
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Signature:
    """One current signature, in the manifest's words. ``person`` is the id of an account, ``at`` ISO 8601 in UTC."""

    role: str
    person: str
    decision: str
    at: str
    content_digest: str


Attacher = Callable[[Candidate], Iterable[Attachment]]
Measurer = Callable[[Candidate], Figures]
Signed = Callable[[Candidate], Iterable[Signature]]
# Which part of the release each contributor may write to, and under which roles of the manifest.
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "gates": (("gates/", "gate"), ("reports/", "report")),
    "reviews": (("reviews/", "review"),),
    "signoff": (("signoff/", "signoff"),),
}
SIGNOFF_RECORD = "signoff/record.json"
BIAS_REPORT = "reports/bias.json"
ATTACHMENTS: dict[str, Attacher] = {}
MEASURERS: dict[str, Measurer] = {}
SIGNATURES: dict[str, Signed] = {}


def register(name: str, attacher: Attacher) -> None:
    """Fill one of the places; ``ValueError`` for an unknown name or a second contributor."""
    if name not in PLACES or ATTACHMENTS.get(name, attacher) is not attacher:
        raise ValueError(f"no place, or two contributors, for {name}")
    ATTACHMENTS[name] = attacher


def register_figures(measurer: Measurer) -> None:
    if MEASURERS.get("shards", measurer) is not measurer:
        raise ValueError("two measurers of shards")
    MEASURERS["shards"] = measurer


def register_signatures(signed: Signed) -> None:
    if SIGNATURES.get("signoff", signed) is not signed:
        raise ValueError("two keepers of signatures")
    SIGNATURES["signoff"] = signed


def attached(candidate: Candidate) -> list[Attachment]:
    """Everything from everybody, sorted by path. Raises Blocked naming each contributor that is absent or empty."""
    missing, found = [], []
    for name in sorted(PLACES):
        given = list(ATTACHMENTS[name](candidate)) if name in ATTACHMENTS else []
        if not given:
            missing.append(f"nothing was provided for {name}")
        found += [_in_place(name, one) for one in given]
    if not any(one.path == SIGNOFF_RECORD for one in found):
        missing.append(f"{SIGNOFF_RECORD} was not provided")
    if len({one.path for one in found}) != len(found):
        missing.append("two attachments have the same path")
    if missing:
        raise Blocked(f"publish: {missing[0]}.", blockers=missing)
    return sorted(found, key=lambda one: one.path.encode())


def _in_place(name: str, one: Attachment) -> Attachment:
    if not any(one.path.startswith(folder) and one.role == role for folder, role in PLACES[name]):
        raise Blocked(f"publish: {name} may not write {one.path} as {one.role}.", blockers=[f"{one.path} is misplaced"])
    return one


def figures_of(candidate: Candidate) -> Figures:
    """Figures for exactly the shards of the candidate, or Blocked."""
    if "shards" not in MEASURERS:
        raise Blocked("publish: nobody counts the shards.", blockers=["no figures of the shards were provided"])
    found = MEASURERS["shards"](candidate)
    expected = {row["path"]: row["records"] for row in candidate.files if row["role"] == "data"}
    counted = {path: sum(one.pii.values()) for path, one in found.shards.items()}
    if counted != expected:
        odd = min(set(counted.items()) ^ set(expected.items()))[0]
        raise Blocked(
            f"publish: the figures of {odd} are not those of the frozen bytes.",
            blockers=[f"records counted in {odd}: {counted.get(odd)}, frozen: {expected.get(odd)}"],
        )
    return found


def signatures_of(candidate: Candidate) -> list[Signature]:
    """The signatures that count now, sorted by role; empty where nobody keeps any."""
    found = SIGNATURES["signoff"](candidate) if "signoff" in SIGNATURES else ()
    return sorted(found, key=lambda one: one.role.encode())


def gate_line(one: Attachment) -> dict[str, Any]:
    """The manifest's row of a gate, read from its report: the manifest says what the report says, by construction."""
    try:
        about = json.loads(one.body)["predicate"]["mhds"]
        row = {name: about[name] for name in ("verdict", "examined", "expected")}
        settled = {finding["settled_by"] for finding in about["findings"] if finding["settled_by"]}
        if one.path != f"gates/{about['gate']}.json":
            raise ValueError
        return {"id": about["gate"], **row, "settled_by": sorted(settled)}
    except (ValueError, KeyError, TypeError):
        raise Blocked(f"publish: {one.path} is no gate report.", blockers=[f"{one.path} cannot be read"]) from None
