"""The privacy gate's machine part: no identifier at or over the threshold is left, and everything could be scanned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gates.policy import Policy
from gates.rules.base import SHOWN, Finding, Gate, GateInputs, Outcome, conclude, doubtful, many, share_bp

RULES = {
    "privacy.P001": "no finding at or over the threshold is left in the compiled text",
    "privacy.P002": "no record awaits review of its identifiers",
    "privacy.P003": "every record could be scanned by recognisers of its language",
    "privacy.P004": "every record is in a language that catalog and policy list",
    "privacy.P005": "redaction kept crisis language",
    "privacy.P006": "redaction kept the text",
    "privacy.P007": "the build says what redaction did",
}
SHIPPABLE = pa.array(["scrubbed", "none_detected"])
DETECTED = ("record is detected as", "records are detected as")
DECLARED = ("record calls itself", "records call themselves")


def judge(inputs: GateInputs, policy: Policy) -> Outcome:
    """Examined: records of the facts."""
    findings_table = _flat(inputs)
    rules = (
        _left(findings_table, policy),
        _awaiting(inputs),
        _unscannable(inputs),
        _languages(inputs, policy),
        _redaction(inputs, policy),
    )
    return conclude(
        "privacy",
        inputs,
        examined=inputs.scanned.records.num_rows,
        expected=inputs.compiled,
        findings=[finding for rule in rules for finding in rule],
        figures=_figures(findings_table, inputs, policy),
    )


def _flat(inputs: GateInputs) -> pa.Table:
    """One row per finding: the fields of FINDING, and family, split, record_id and shard of its record."""
    records = inputs.scanned.records
    findings = records["findings"].combine_chunks()
    owners = pc.list_parent_indices(findings)
    table = pa.Table.from_struct_array(pc.list_flatten(findings))
    for name in ("family", "split", "record_id", "shard"):
        table = table.append_column(name, records[name].take(owners))
    return table


def _left(found: pa.Table, policy: Policy) -> Iterator[Finding]:
    if any(found[name].null_count for name in found.column_names):
        yield doubtful("privacy.P001", "A finding has gaps. Scan the candidate again.")
    odd = pc.or_(pc.less(found["score_bp"], 0), pc.greater(found["score_bp"], 10_000))
    if pc.any(odd).as_py():
        yield doubtful("privacy.P001", "A finding has a score that is none. Scan the candidate again.")
    left = found.filter(pc.greater_equal(found["score_bp"], policy.privacy.threshold_bp))
    counts = Counter(zip(left["entity"].to_pylist(), left["family"].to_pylist(), strict=True))
    for (entity, family), count in sorted(counts.items()):
        mine = left.filter(pc.and_(pc.equal(left["entity"], entity), pc.equal(left["family"], family))).slice(0, SHOWN)
        shown = mine.select(["record_id", "shard", "turn", "start", "end", "view", "rule", "score_bp"]).to_pylist()
        words = (
            f"{count} findings of {entity} are left in {family}. Build again so that they are redacted, "
            "or have two people dismiss them first."
        )
        yield Finding("privacy.P001", words, f"{entity}:{family}", count, {"findings": shown})


def _awaiting(inputs: GateInputs) -> Iterator[Finding]:
    records = inputs.scanned.records
    held = records.filter(pc.invert(pc.is_in(records["pii_status"], SHIPPABLE)))
    for status, count in sorted(Counter(held["pii_status"].to_pylist()).items()):
        begins = many(count, "record ships", "records ship")
        words = f"{begins} with the status {status}. Build a new candidate that excludes them."
        ids = held.filter(pc.equal(held["pii_status"], status))["record_id"].slice(0, SHOWN).to_pylist()
        yield Finding("privacy.P002", words, status, count, {"record_ids": ids})


def _unscannable(inputs: GateInputs) -> Iterator[Finding]:
    records = inputs.scanned.records
    blind = records.filter(pc.invert(records["scannable"]))
    for language, count in sorted(Counter(blind["language"].to_pylist()).items()):
        begins = many(count, "record", "records")
        words = f"{begins} in {language} could not be scanned. Add recognisers, or build without that language."
        ids = blind.filter(pc.equal(blind["language"], language))["record_id"].slice(0, SHOWN).to_pylist()
        yield Finding("privacy.P003", words, language, count, {"record_ids": ids})


def _languages(inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    listed = set(inputs.catalog.languages) & set(policy.privacy.languages)
    records = inputs.scanned.records
    for column in ("language", "declared_language"):
        for language, count in sorted(Counter(records[column].to_pylist()).items()):
            if language not in listed:
                said = DETECTED if column == "language" else DECLARED
                words = f"{many(count, *said)} {language}, which is not listed. List it, or exclude them."
                ids = records.filter(pc.equal(records[column], language))["record_id"].slice(0, SHOWN).to_pylist()
                yield Finding("privacy.P004", words, f"{column}:{language}", count, {"record_ids": ids})


NEEDED = ("chars_before", "chars_after", "crisis_terms_before", "crisis_terms_after", "records_scrubbed")


def _redaction(inputs: GateInputs, policy: Policy) -> Iterator[Finding]:
    told = inputs.build_facts.get("redaction", {})
    if any(type(told.get(name)) is not int or told[name] < 0 for name in NEEDED) or "replaced" not in told:
        yield doubtful("privacy.P007", "The build does not say what redaction did. Build a new candidate.")
        return
    scrubbed = pc.sum(pc.equal(inputs.scanned.records["pii_status"], "scrubbed")).as_py() or 0
    if scrubbed > told["records_scrubbed"] or not told["chars_before"]:
        yield doubtful("privacy.P007", "More records call themselves scrubbed than the build redacted. Build again.")
    crisis = told["crisis_terms_before"] - told["crisis_terms_after"]
    # Written as products: no division, so no share of nothing, and no rounding in favour.
    if crisis * 10_000 > policy.privacy.crisis_loss_bp * told["crisis_terms_before"]:
        words = f"Redaction lost {crisis} of {told['crisis_terms_before']} crisis terms. Mend the rule that takes them."
        yield Finding("privacy.P005", words, count=crisis)
    lost = told["chars_before"] - told["chars_after"]
    if lost * 10_000 > policy.privacy.text_loss_bp * told["chars_before"]:
        words = "Redaction took more of the text than the policy allows. Look for a recogniser that fires everywhere."
        yield Finding("privacy.P006", words, count=lost)


def _figures(found: pa.Table, inputs: GateInputs, policy: Policy) -> dict[str, Any]:
    under = found.filter(pc.less(found["score_bp"], policy.privacy.threshold_bp))
    told = inputs.build_facts.get("redaction", {})
    before = told.get("chars_before", 0)
    lost = before - told.get("chars_after", 0)
    return {
        "under_threshold": _by(under),
        "at_or_over_threshold": found.num_rows - under.num_rows,
        "threshold_bp": policy.privacy.threshold_bp,
        "redaction": dict(told),
        "text_loss_bp": share_bp(lost, before) if before else None,
        "scanner": dict(inputs.scanned.scanner),
        "languages": dict(sorted(Counter(inputs.scanned.records["language"].to_pylist()).items())),
        "pii_status": dict(sorted(Counter(inputs.scanned.records["pii_status"].to_pylist()).items())),
    }


def _by(found: pa.Table) -> list[dict[str, Any]]:
    """Counts by entity, family and split."""
    names = ["entity", "family", "split"]
    counted = found.group_by(names).aggregate([([], "count_all")]).to_pylist()
    rows = [{name: row[name] for name in names} | {"findings": row["count_all"]} for row in counted]
    return sorted(rows, key=lambda row: [row[name] for name in names])


GATE = Gate("privacy", "P", "No identifier is left in the text", RULES, judge)
