"""The provenance gate: every record leads back to an object of the inventory and a source that may be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow.compute as pc

from gates.policy import Policy
from gates.rules.base import SHOWN, Finding, Gate, GateInputs, ObjectAccount, Outcome, conclude, many, share_bp
from releases.build.plan import NOT_APPROVED
from releases.catalog.types import Source

RULES = {
    "provenance.R001": "every record names family, stage, source key and source record",
    "provenance.R002": "the source key is an object of the account that was read, with the inventory's etag",
    "provenance.R003": "every processing step names itself and its version",
    "provenance.R004": "the record's source has an approval in force",
    "provenance.R005": "the record's licence, family and stage are those of the catalog",
    "provenance.R006": "no object was left unread for want of an approval, unless compliance excluded its source",
    "provenance.R007": "as many records name an object as the account says it gave",
}


class _Group(NamedTuple):
    """Records that agree in everything that provenance asks."""

    source_key: str
    family: str
    phase: str
    licence: str
    records: int


def judge(inputs: GateInputs, policy: Policy) -> Outcome:  # noqa: ARG001  the signature is every gate's
    """Examined: records of the facts."""
    groups = _groups(inputs)
    accounts = {f"s3://{inputs.source_name}/{one.key}": one for one in inputs.accounts}
    findings = [
        *_unnamed(inputs),
        *_steps(inputs),
        *_objects(groups, accounts, inputs),
        *_sources(groups, accounts, inputs),
        *_unread(inputs),
    ]
    return conclude(
        "provenance",
        inputs,
        examined=inputs.scanned.records.num_rows,
        expected=inputs.compiled,
        findings=findings,
        figures=_figures(groups, accounts, inputs),
    )


def standing(source: Source, decisions: dict[tuple[str, str], str] | Any) -> str:
    """ "" when the source may be used, else why not. A decision about this very row goes before what the row says."""
    return source.standing(decisions.get((source.id, source.digest), ""))


def _groups(inputs: GateInputs) -> list[_Group]:
    names = ["source_key", "family", "phase", "license_tag"]
    counted = inputs.scanned.records.group_by(names).aggregate([([], "count_all")])
    rows = counted.select([*names, "count_all"]).to_pylist()
    return sorted(_Group(*(row[name] for name in [*names, "count_all"])) for row in rows)


def _unnamed(inputs: GateInputs) -> Iterator[Finding]:
    for name in ("family", "phase", "source_key", "source_record", "license_tag"):
        lacking = pc.sum(pc.equal(inputs.scanned.records[name], "")).as_py() or 0
        if lacking:
            begins = many(lacking, "record does", "records do")
            words = f"{begins} not name the {name.replace('_', ' ')}. Build a new candidate."
            yield Finding("provenance.R001", words, name, lacking)


def _steps(inputs: GateInputs) -> Iterator[Finding]:
    steps = inputs.scanned.records["steps"]
    none = pc.sum(pc.equal(pc.list_value_length(steps), 0)).as_py() or 0
    if none:
        yield Finding(
            "provenance.R003",
            f"{many(none, 'record names', 'records name')} no processing step. Build a new candidate.",
            count=none,
        )
    for step in sorted(pc.unique(pc.list_flatten(steps)).to_pylist()):
        name, _at, version = step.partition("@")
        if not name or not version:
            yield Finding("provenance.R003", f"The step {step!r} has no name or version. Build a new candidate.", step)


def _objects(groups: list[_Group], accounts: dict[str, ObjectAccount], inputs: GateInputs) -> Iterator[Finding]:
    given = Counter[str]()
    for group in groups:
        given[group.source_key] += group.records
    strays = {key: why for key in sorted(given) if (why := _stray(accounts.get(key), inputs))}
    for why in sorted(set(strays.values())):
        keys = [key for key in strays if strays[key] == why]
        begins = many(len(keys), "source key of records is", "source keys of records are")
        words = f"{begins} {why}. Take an inventory and build again."
        count = sum(given[key] for key in keys)
        yield Finding("provenance.R002", words, why.replace(" ", "_"), count, {"source_keys": keys[:SHOWN]})
    uneven = [key for key, one in sorted(accounts.items()) if one.records_out != given[key] and key not in strays]
    if uneven:
        begins = many(len(uneven), "object", "objects")
        words = f"{begins} gave another number of records than the account says. Build a new candidate."
        yield Finding("provenance.R007", words, count=len(uneven), evidence={"source_keys": uneven[:SHOWN]})


def _stray(account: ObjectAccount | None, inputs: GateInputs) -> str:
    """Why an object cannot be where records come from; "" when it can. An alias is matched by integrity.I005."""
    if account is None:
        return "not in the account"
    if account.status != "read":
        return "not read"
    listed = inputs.listing.get(account.key)
    if listed is None:
        alike = any((one.size, one.etag) == (account.size, account.etag) for one in inputs.listing.values())
        return "" if account.key.startswith("k_") and alike else "not in the inventory"
    return "" if listed.etag == account.etag else "of another etag than the inventory has"


def _sources(groups: list[_Group], accounts: dict[str, ObjectAccount], inputs: GateInputs) -> Iterator[Finding]:
    without = Counter[tuple[str, str]]()
    differing = Counter[tuple[str, str]]()
    for group in groups:
        account = accounts.get(group.source_key)
        if account is None:
            continue
        source = inputs.catalog.source_by_id.get(account.source)
        why = standing(source, inputs.source_decisions) if source else "no row of the catalog covers it"
        if why:
            without[account.source or account.family, why] += group.records
        for what in _differences(group, account, source, inputs):
            differing[account.source or account.family, what] += group.records
    for (name, why), count in sorted(without.items()):
        begins = many(count, "record comes", "records come")
        words = f"{begins} from {name}: {why}. Have compliance approve it, or exclude it and build again."
        yield Finding("provenance.R004", words, name, count)
    for (name, what), count in sorted(differing.items()):
        begins = many(count, f"record from {name} names", f"records from {name} name")
        words = f"{begins} another {what} than the catalog. Build a new candidate."
        yield Finding("provenance.R005", words, f"{name}:{what}", count)


def _differences(group: _Group, account: ObjectAccount, source: Source | None, inputs: GateInputs) -> Iterator[str]:
    family = inputs.catalog.family_by_id.get(group.family)
    if group.family != account.family or (source is not None and source.family != group.family):
        yield "family"
    if family is None or family.stage != group.phase:
        yield "stage"
    if source is not None and source.license_tag != group.licence:
        yield "licence"
    if account.key in inputs.listing:
        covering = inputs.catalog.source_of(account.key, account.family)
        if covering is None or covering.id != account.source:
            yield "source"


def _unread(inputs: GateInputs) -> Iterator[Finding]:
    unread: dict[tuple[str, str], list[str]] = {}
    for one in inputs.accounts:
        if one.status == "refused" and one.reason == NOT_APPROVED:
            unread.setdefault((one.source, one.family), []).append(one.key)
    for (source_id, family), keys in sorted(unread.items()):
        source = inputs.catalog.source_by_id.get(source_id)
        decision = inputs.source_decisions.get((source_id, source.digest)) if source else None
        if decision == "excluded":
            continue
        if source is None:
            todo = "No source of the catalog covers them. Add a row, have compliance decide, and build again."
        elif source.forbidden:
            todo = f"Its row: {source.forbidden}, and no approval heals that. Mend the row, or record it as excluded."
        elif decision == "approved":
            todo = "It was approved after the build. Build again to read it."
        else:
            why = "; ".join(source.doubts) or "it was not approved when the candidate was built"
            todo = f"Its row: {why}. Have compliance approve the source and build again, or record it as excluded."
        whose = source_id or family
        words = f"{many(len(keys), f'object of {whose} was', f'objects of {whose} were')} not read. {todo}"
        evidence = {"keys": sorted(keys, key=str.encode)[:SHOWN]}
        yield Finding("provenance.R006", words, source_id or family, len(keys), evidence)


def _figures(groups: list[_Group], accounts: dict[str, ObjectAccount], inputs: GateInputs) -> dict[str, Any]:
    by_source, by_licence = Counter[str](), Counter[str]()
    for group in groups:
        account = accounts.get(group.source_key)
        by_source[account.source if account else ""] += group.records
        by_licence[group.licence] += group.records
    total = inputs.scanned.records.num_rows
    return {
        name: {key: {"records": count, "share_bp": share_bp(count, total)} for key, count in sorted(counts.items())}
        for name, counts in (("by_source", by_source), ("by_licence", by_licence))
    } | {
        "steps": sorted(pc.unique(pc.list_flatten(inputs.scanned.records["steps"])).to_pylist()),
        "sources_excluded": sorted(
            name for (name, _row), kind in inputs.source_decisions.items() if kind == "excluded"
        ),
    }


GATE = Gate("provenance", "R", "Every record leads back to an approved source", RULES, judge)
