"""The integrity gate: the compiled bytes are records of the contract, and everything read is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow.compute as pc

from gates.policy import Policy
from gates.rules.base import SHOWN, Finding, Gate, GateInputs, Issue, Outcome, conclude, doubtful, many
from releases.build.plan import NOT_APPROVED
from releases.build.types import ObjectStatus

RULES = {
    "integrity.I001": "every line of every shard is a record",
    "integrity.I002": "every record meets the contract",
    "integrity.I003": "every shard has the same keys and types",
    "integrity.I004": "records in are records out plus exclusions, in all and object by object",
    "integrity.I005": "every key of the inventory ended in exactly one way, and nothing else did",
    "integrity.I006": "every refused object has a decision",
    "integrity.I007": "every bad source record has a decision",
    "integrity.I008": "index and config files hash to what was frozen",
    "integrity.I009": "the list of what must be decided is complete",
}


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: lines of the shards, good and bad."""
    shards = inputs.scanned.shards
    bad = sum(len(shard.bad_lines) for shard in shards)
    rules = (
        _bad_lines(inputs),
        _problems(inputs),
        _shapes(inputs),
        _counts(inputs),
        _listing(inputs),
        _undecided(inputs, policy),
        _complete(inputs, policy),
        _measured(inputs),
    )
    figures = {
        "records": inputs.scanned.records.num_rows,
        "bad_lines": bad,
        "shards": len(shards),
        "records_in": inputs.records_in,
        "records_excluded": inputs.records_excluded,
        "exclusions": dict(inputs.exclusions),
        "objects": dict(inputs.objects_by_status),
        "excluded_by_decision": sum(one.decided_as in inputs.excluded_by_decision for one in inputs.issues),
    }
    return conclude(
        "integrity",
        inputs,
        examined=inputs.scanned.records.num_rows + bad,
        expected=inputs.compiled,
        findings=[finding for rule in rules for finding in rule],
        figures=figures,
    )


def _bad_lines(inputs: GateInputs) -> Iterator[Finding]:
    for shard in inputs.scanned.shards:
        if shard.bad_lines:
            begins = many(len(shard.bad_lines), "line that is no record", "lines that are no records")
            words = f"{shard.path} holds {begins}. Build a new candidate."
            shown = [asdict(line) for line in shard.bad_lines[:SHOWN]]
            yield Finding("integrity.I001", words, shard.path, len(shard.bad_lines), {"lines": shown})


def _problems(inputs: GateInputs) -> Iterator[Finding]:
    records = inputs.scanned.records
    broken = records.filter(pc.greater(pc.list_value_length(records["problems"]), 0))
    counts = Counter(problem for problems in broken["problems"].to_pylist() for problem in problems)
    rows = broken.select(["shard", "offset", "record_id", "problems"]).slice(0, 10_000).to_pylist()
    for problem in sorted(counts):
        begins = many(counts[problem], "record breaks", "records break")
        words = f"{begins} the contract: {problem.replace('_', ' ')}. Build a new candidate."
        shown = [
            {name: row[name] for name in ("shard", "offset", "record_id")} for row in rows if problem in row["problems"]
        ]
        yield Finding("integrity.I002", words, problem, counts[problem], {"records": shown[:SHOWN]})
    undeclared = pc.sum(pc.not_equal(records["content_hash"], records["declared_hash"])).as_py() or 0
    if undeclared and "content_hash_mismatch" not in counts:
        begins = many(undeclared, "record declares", "records declare")
        words = f"{begins} another content hash than the text has. Build a new candidate."
        yield Finding("integrity.I002", words, "declared_hash", undeclared)


def _shapes(inputs: GateInputs) -> Iterator[Finding]:
    shapes = {shape for shard in inputs.scanned.shards for shape in shard.key_shapes}
    if len(shapes) > 1:
        words = f"Records have {len(shapes)} different sets of keys and types. Build a new candidate."
        yield Finding("integrity.I003", words, count=len(shapes))
    for shard in inputs.scanned.shards:
        if shard.records and not shard.key_shapes:
            yield doubtful("integrity.I003", f"{shard.path}: its keys were not looked at. Scan again.")


def _counts(inputs: GateInputs) -> Iterator[Finding]:
    accounts = inputs.accounts
    sums = {
        "in": (inputs.records_in, sum(one.records_in for one in accounts)),
        "out": (inputs.records_out, sum(one.records_out for one in accounts)),
        "excluded": (inputs.records_excluded, sum(sum(one.excluded.values()) for one in accounts)),
        "excluded by reason": (inputs.records_excluded, sum(inputs.exclusions.values())),
        "in, against out plus excluded": (inputs.records_in, inputs.records_out + inputs.records_excluded),
        "out, against the shards": (inputs.records_out, inputs.compiled),
    }
    for what, (stated, counted) in sums.items():
        if stated != counted:
            words = f"Records {what}: {stated} stated, {counted} counted. Build a new candidate."
            yield Finding("integrity.I004", words, what.replace(" ", "_").replace(",", ""))
    uneven = [one.key for one in accounts if one.records_in != one.records_out + sum(one.excluded.values())]
    if uneven:
        begins = many(len(uneven), "object", "objects")
        words = f"{begins} gave records that are neither out nor excluded. Build a new candidate."
        yield Finding("integrity.I004", words, "objects", len(uneven), {"keys": uneven[:SHOWN]})
    reasons = Counter[str]()
    for one in accounts:
        reasons.update(one.excluded)
    if +reasons != +Counter(inputs.exclusions):
        yield Finding(
            "integrity.I004", "Exclusions by reason differ from the objects'. Build a new candidate.", "reasons"
        )


def _listing(inputs: GateInputs) -> Iterator[Finding]:
    """Aliased keys cannot be looked up, so they must match what is left of the listing by (size, etag)."""
    shown = Counter(one.key for one in inputs.accounts)
    twice = [key for key, count in shown.items() if count > 1]
    left = Counter((one.size, one.etag) for key, one in inputs.listing.items() if key not in shown)
    aliased = Counter((one.size, one.etag) for one in inputs.accounts if one.key not in inputs.listing)
    changed = [
        one.key
        for one in inputs.accounts
        if (listed := inputs.listing.get(one.key)) and (listed.size, listed.etag) != (one.size, one.etag)
    ]
    unknown = [one.status for one in inputs.accounts if one.status not in set(ObjectStatus)]
    if twice or left != aliased or changed or unknown or not inputs.accounts:
        words = "The account of the source objects is not that of the inventory. Take an inventory and build again."
        counts = {"twice": len(twice), "missing": (left - aliased).total(), "foreign": (aliased - left).total()}
        yield doubtful("integrity.I005", words, counts=counts, changed=len(changed), unknown=len(unknown))
    statuses = Counter(one.status for one in inputs.accounts)
    if +statuses != +Counter(inputs.objects_by_status):
        yield doubtful("integrity.I005", "Objects by status are not those of the account. Build again.")


def _undecided(inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    open_objects: list[Finding] = []
    for one in inputs.accounts:
        asked = (one.key, one.etag, "", one.reason)
        if one.status == "refused" and one.reason != NOT_APPROVED and asked not in inputs.excluded_by_decision:
            words = f"{one.key} was refused ({one.reason}). Mend the file, or record: exclude, because ..."
            open_objects.append(Finding("integrity.I006", words, one.key, 1, {"reason": one.reason, "etag": one.etag}))
    by_key: dict[tuple[str, str], list[Issue]] = {}
    for issue in inputs.issues:
        if issue.source_record and issue.decided_as not in inputs.excluded_by_decision:
            by_key.setdefault((issue.key, issue.reason), []).append(issue)
    records = [_bad_records(key, reason, issues) for (key, reason), issues in sorted(by_key.items())]
    yield from _listed(open_objects, policy.integrity.listed)
    yield from _listed(records, policy.integrity.listed)


def _bad_records(key: str, reason: str, issues: Sequence[Issue]) -> Finding:
    shown: list[dict[str, Any]] = [
        {"source_record": one.source_record, "offset": one.offset, "detail": one.detail} for one in issues[:SHOWN]
    ]
    begins = many(len(issues), f"record of {key} is", f"records of {key} are")
    words = f"{begins} bad ({reason}). Mend the file, or record: exclude, because ..."
    return Finding("integrity.I007", words, f"{key}:{reason}", len(issues), {"records": shown})


def _listed(findings: list[Finding], limit: int) -> Iterator[Finding]:
    yield from findings[:limit]
    rest = findings[limit:]
    if rest:
        words = f"{len(rest)} more of the same kind are not listed here. Decide about them on the release page."
        yield Finding(rest[0].rule, words, "more", sum(one.count for one in rest))


def _complete(inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    """As many bad records are listed as the account excludes: a lost row must not look like a decision."""
    listed = Counter((one.key, one.reason) for one in set(inputs.issues) if one.source_record)
    excluded = Counter[tuple[str, str]]()
    for account in inputs.accounts:
        for reason in policy.integrity.decide:
            excluded[account.key, reason] += account.excluded.get(reason, 0)
    if +listed != +excluded:
        words = "The bad records that are listed are not those that were excluded. Build a new candidate."
        yield doubtful("integrity.I009", words, listed=listed.total(), excluded=excluded.total())


def _measured(inputs: GateInputs) -> Iterator[Finding]:
    for file in inputs.files:
        if file.role != "data" and inputs.measured.get(file.path) != (file.bytes, file.sha256):
            words = f"{file.path} is missing or not as it was frozen. Build a new candidate."
            yield doubtful("integrity.I008", words, subject=file.path)


GATE = Gate("integrity", "I", "The bytes are whole and everything is accounted for", RULES, judge)
