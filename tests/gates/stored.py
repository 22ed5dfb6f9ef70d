"""The inputs of the factory as rows and objects of a bucket: what the services meet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from gates.models import GateResult
from gates.rules.base import GateInputs
from gates.scan.facts import facts_to_bytes
from gates.scanning import facts_keys
from gates.services import run_gates, standing_results
from mhds.models import User
from mhds.roles import Role
from mhds.storage.directory import DirectoryStore
from releases import accounts
from releases.catalog.export import export_catalog
from releases.catalog.types import Catalog
from releases.inventory import Listed, line
from releases.lifecycle import State
from releases.models import Candidate, CatalogVersion, ObjectIssue, Release, Snapshot
from tests.gates.factory import NAME, SCANNER, Row, build, catalog, family, rows, source

FAMILIES = ("professional_therapeutic", "priority", "cot_reasoning", "edge_cases", "voice")
PRESENT = FAMILIES[:4]


def release_catalog(**changed: Any) -> Catalog:
    weights = dict(zip(FAMILIES, (3000, 4000, 2000, 1000, 0), strict=True))
    return catalog(
        checklist="release-0",
        roles={"client": "user"},
        families=tuple(
            family(name, holdout_sensitive=name in {"edge_cases", "voice"}, weight_bp=weights[name])
            for name in FAMILIES
        ),
        sources=tuple(source(name) for name in FAMILIES),
        **changed,
    )


def person(name: str, *roles: Role) -> User:
    user = User.objects.create_user(f"{name}@example.org", None, name=name)
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


@dataclass
class World:
    """A frozen candidate in the database, its objects in ``bucket``, and the inputs they were made from."""

    candidate: Candidate
    bucket: DirectoryStore
    inputs: GateInputs

    def run(self, actor: User | None = None, facts: Any = ..., **given: Any) -> dict[str, GateResult]:
        facts = self.inputs.facts if facts is ... else facts
        given.setdefault("scanner_digest", SCANNER)
        results = run_gates(self.candidate, facts, actor=actor, storage=self.bucket, **given)
        return {one.gate: one for one in results}

    def standing(self) -> dict[str, Any]:
        return standing_results(self.candidate, scanner_digest=SCANNER)


def world(
    root: Path, *, families: tuple[str, ...] = PRESENT, given: list[Row] | None = None, version: str = ""
) -> World:
    """``families`` have records; the rest of the checklist is missing."""
    found = release_catalog()
    inputs = build(given or rows(families), found)
    bucket = DirectoryStore(root)
    stored = CatalogVersion.objects.filter(digest=found.digest).first() or CatalogVersion.objects.create(
        digest=found.digest, toml=export_catalog(found), is_current=True
    )
    release = Release.objects.create(version=version or inputs.version)
    candidate = Candidate.objects.create(
        release=release, number=1, state=State.GATING, catalog_version=stored, snapshot=_snapshot(inputs, bucket),
        content_digest=inputs.content_digest, frozen_at=timezone.now(), files=[asdict(one) for one in inputs.files],
        coverage=inputs.coverage, objects_by_status=dict(inputs.objects_by_status), records_in=inputs.records_in,
        records_out=inputs.records_out, build_facts=inputs.build_facts,
        objects_key=accounts.write_lines(bucket, "objects", (asdict(one) for one in inputs.accounts)),
        released_key=accounts.write_lines(bucket, "released", _released(inputs)),
    )  # fmt: skip
    for name in ("routing", "curriculum"):
        bucket.put_if_absent(f"{candidate.staging}config/{name}.json", getattr(inputs, name))
    _keep_facts(inputs, bucket)
    return World(candidate, bucket, inputs)


def _snapshot(inputs: GateInputs, bucket: DirectoryStore) -> Snapshot:
    listed = [Listed(key, one.size, one.etag) for key, one in sorted(inputs.listing.items())]
    key = accounts.write_lines(bucket, "inventory", (asdict(one) for one in listed))
    return Snapshot.objects.create(
        digest="sha256:" + "1" * 64,
        listing=key,
        source_name=NAME,
        objects_count=len(listed),
        total_bytes=sum(len(line(one)) for one in listed),
    )


def _released(inputs: GateInputs) -> Any:
    for row in inputs.scanned.records.select(["record_id", "content_hash", "split"]).to_pylist():
        yield {**row, "cluster": row["content_hash"]}


def _keep_facts(inputs: GateInputs, bucket: DirectoryStore) -> None:
    facts = inputs.scanned
    for shard in facts.shards:
        tables = (
            table.filter([path == shard.path for path in table["shard"].to_pylist()])
            for table in (facts.records, facts.messages)
        )
        bodies = facts_to_bytes(shard, *tables, scanner_digest=SCANNER)
        for key, body in zip(facts_keys(shard.sha256, shard.path, SCANNER), bodies, strict=True):
            bucket.put_if_absent(key, body)


def refuse(here: World, **changed: Any) -> ObjectIssue:
    """An issue of the candidate, as the build would keep one."""
    given = {
        "key": "priority/b.jsonl",
        "etag": "e-b",
        "family": "priority",
        "source_id": "priority",
        "reason": "truncated",
    }
    return ObjectIssue.objects.create(candidate=here.candidate, **{**given, **changed})
