"""The routing gate: training is told to draw exactly what ships, in the catalog's proportions, in a fixed order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from gates.policy import Policy
from gates.rules.base import SHOWN, Finding, Gate, GateInputs, Outcome, conclude, doubtful
from mhds.client.canonical import decode_strict
from mhds.client.errors import ManifestInvalid
from releases.build.routing import effective_weights

RULES = {
    "routing.T001": "routing and curriculum are the frozen bytes and parse strictly",
    "routing.T002": "effective weights sum to 10,000 and a disabled family has none",
    "routing.T003": "routing names exactly the families that have records",
    "routing.T004": "every path lies in the release, each shard is named once, by its own family and split",
    "routing.T005": "sampling strategy, window, seed and version are pinned",
    "routing.T006": "phases and curriculum follow the catalog's stages",
    "routing.T007": "weights are the catalog's, those of absent families spread in proportion",
}
BASIS = 10_000
Json = Mapping[str, Any]


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: families with records."""
    families = sorted(name for name, count in inputs.records_by_family.items() if count)
    findings = list(_frozen(inputs))
    figures: dict[str, Any] = {"families_with_records": families}
    examined = 0
    if not findings:
        routing: Json = decode_strict(inputs.routing or b"", "config/routing.json")
        curriculum: Json = decode_strict(inputs.curriculum or b"", "config/curriculum.json")
        rows: list[Json] = list(routing["families"])
        examined = len(families)
        findings += [
            *_weights(rows),
            *_families(rows, families, inputs),
            *_paths(rows, inputs),
            *_pinned(routing, curriculum, inputs, policy),
            *_phases(routing, curriculum, rows, inputs),
        ]
        figures["weights"] = [
            {name: row[name] for name in ("id", "stage", "enabled", "catalog_bp", "effective_bp")} for row in rows
        ]
        figures["sampling"] = dict(routing["sampling"]) | {"seed": routing["seed"]}
    return conclude("routing", inputs, examined=examined, expected=len(families), findings=findings, figures=figures)


def _frozen(inputs: GateInputs) -> Iterator[Finding]:
    frozen = {file.path: file for file in inputs.files if file.role == "config"}
    for path, body in (("config/routing.json", inputs.routing), ("config/curriculum.json", inputs.curriculum)):
        file = frozen.get(path)
        if file is None or body is None:
            yield doubtful("routing.T001", f"{path} is missing. Build a new candidate.", subject=path)
        elif (len(body), hashlib.sha256(body).hexdigest()) != (file.bytes, file.sha256):
            yield doubtful("routing.T001", f"{path} is not as it was frozen. Build a new candidate.", subject=path)
        else:
            yield from _parses(path, body)


def _parses(path: str, body: bytes) -> Iterator[Finding]:
    try:
        decode_strict(body, path)
    except ManifestInvalid as error:
        yield doubtful("routing.T001", f"{error}. Build a new candidate.", subject=path)


def _wrong(rule: str, words: str, subject: str, **evidence: Any) -> Finding:
    return Finding(rule, f"{words} Mend the catalog and build a new candidate.", subject, 1, evidence, waivable=True)


def _weight(value: object) -> bool:
    return type(value) is int and 0 <= value <= BASIS


def _weights(rows: list[Json]) -> Iterator[Finding]:
    for row in rows:
        if not _weight(row["effective_bp"]) or not _weight(row["catalog_bp"]) or type(row["enabled"]) is not bool:
            yield doubtful("routing.T002", f"{row['id']} has a weight that is none. Build again.", subject=row["id"])
            return
        if row["enabled"] != (row["effective_bp"] > 0):
            yield _wrong("routing.T002", f"{row['id']} is disabled with a weight, or enabled without.", row["id"])
    total = sum(row["effective_bp"] for row in rows if row["enabled"])
    if total != BASIS:
        yield _wrong("routing.T002", f"Weights sum to {total}, not {BASIS}.", "sum", total=total)


def _families(rows: list[Json], families: list[str], inputs: GateInputs) -> Iterator[Finding]:
    named = [row["id"] for row in rows]
    if sorted(named) != families:
        lacking, extra = sorted(set(families) - set(named)), sorted(set(named) - set(families))
        words = f"Routing lacks {', '.join(lacking) or 'none'} and has beyond the records {', '.join(extra) or 'none'}."
        yield _wrong("routing.T003", words, "families", lacking=lacking, extra=extra)
        return
    effective = effective_weights(inputs.catalog.families, set(families))
    for row in rows:
        family = inputs.catalog.family_by_id.get(row["id"])
        stated = (row["stage"], row["catalog_bp"], row["effective_bp"])
        if family is None or stated != (family.stage, family.weight_bp, effective[family.id]):
            yield _wrong("routing.T007", f"{row['id']}: stage or weights are not the catalog's.", row["id"])


def _paths(rows: list[Json], inputs: GateInputs) -> Iterator[Finding]:
    shipped = sorted((file.path, file.family, file.split) for file in inputs.shards)
    named = sorted((path, row["id"], split) for row in rows for split, paths in row["shards"].items() for path in paths)
    if shipped != named:
        foreign = sorted({one[0] for one in named} - {one[0] for one in shipped})
        missing = sorted({one[0] for one in shipped} - {one[0] for one in named})
        words = (
            f"{len(foreign)} paths are not in the release, {len(missing)} shards are not named, or one is misplaced."
        )
        yield _wrong("routing.T004", words, "paths", foreign=foreign[:SHOWN], missing=missing[:SHOWN])


def _pinned(routing: Json, curriculum: Json, inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    sampling = routing["sampling"]
    window = sampling["window"]
    holds = {
        "schema": routing["schema"] == "mhds.routing/1" and curriculum["schema"] == "mhds.curriculum/1",
        "version": routing["version"] == inputs.version,
        "seed": type(routing["seed"]) is int and routing["seed"] == inputs.catalog.seed,
        "strategy": sampling["strategy"] in policy.routing.strategies,
        "window": type(window) is int and 0 < window <= policy.routing.max_window,
    }
    for name, good in holds.items():
        if not good:
            yield _wrong("routing.T005", f"The {name} is not pinned to what the catalog and policy say.", name)


def _phases(routing: Json, curriculum: Json, rows: list[Json], inputs: GateInputs) -> Iterator[Finding]:
    by_stage: dict[str, list[str]] = {}
    for row in rows:
        by_stage.setdefault(row["stage"], []).append(row["id"])
    stages = [stage.id for stage in inputs.catalog.stages if stage.id in by_stage]
    phases = [(phase["stage"], sorted(phase["families"])) for phase in routing["phases"]]
    if phases != [(stage, sorted(by_stage[stage])) for stage in stages] or set(by_stage) - set(stages):
        yield _wrong("routing.T006", "The phases are not the catalog's stages with their families.", "phases")
    weights = {row["id"]: row["effective_bp"] for row in rows}
    expected = [
        (stage, order, {name: weights[name] for name in by_stage[stage] if weights[name]})
        for order, stage in enumerate(stages, start=1)
    ]
    stated = [(phase["stage"], phase["order"], dict(phase["families"])) for phase in curriculum["phases"]]
    if stated != expected:
        yield _wrong("routing.T006", "The curriculum is not the routing's phases with their weights.", "curriculum")


GATE = Gate("routing", "T", "Training draws what ships, in fixed proportions", RULES, judge, needs_facts=False)
