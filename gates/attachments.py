"""What the gates put into a release: the report of each current result, and what the scan counted. Writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from gates.scan.facts import Facts
from gates.scanning import load_facts
from gates.standing import current_results, waived_families
from mhds.errors import Blocked, ObjectDamaged
from releases import stores
from releases.models import Candidate
from releases.publishing.attachments import Attachment, Figures, ShardFigures


def gate_reports(candidate: Candidate) -> Iterator[Attachment]:
    """``gates/<gate>.json`` of every gate of the policy, the very bytes that were kept when it was judged."""
    bucket = stores.bucket()
    for gate, result in sorted(current_results(candidate).items()):
        if result is None:
            raise Blocked(f"publish: the gate {gate} has no current result.", blockers=[f"no current result of {gate}"])
        body = bucket.read_bytes(result.report_key)
        if hashlib.sha256(body).hexdigest() != result.report_sha256:
            raise ObjectDamaged(f"the report of the gate {gate} was changed", hint="Run the gates again.")
        yield Attachment(f"gates/{gate}.json", "gate", body)


def figures(candidate: Candidate) -> Figures:
    """Tokens and redaction status by shard, from the facts of the scanner in use."""
    # Loads recognisers and vocabularies, and must not be imported before a worker forks.
    from gates import engine  # noqa: PLC0415

    facts = load_facts(candidate, stores.bucket(), engine.scanner())
    return Figures(facts.tokenizer, shard_figures(facts), waived=waived_families(candidate))


def shard_figures(facts: Facts) -> dict[str, ShardFigures]:
    found = {}
    for shard in facts.shards:
        rows: pa.Table = facts.records.filter(pc.equal(facts.records["shard"], shard.path))
        counts = pc.value_counts(rows["pii_status"]).to_pylist()
        pii = {one["values"]: one["counts"] for one in counts}
        found[shard.path] = ShardFigures(int(pc.sum(rows["tokens"]).as_py() or 0), pii)
    return found
