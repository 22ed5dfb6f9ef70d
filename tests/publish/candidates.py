"""A small candidate that was really built, and the evidence and attachments of the apps above, as plain functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group

from gates.reports import report
from gates.rules.base import Outcome, Verdict
from mhds.client.canonical import encode_canonical
from mhds.client.model import GATES, RECORD_GATES
from mhds.models import User
from mhds.roles import Role
from mhds.storage import open_store
from releases import building, evidence, services, stores
from releases.build.plan import Clusters
from releases.build.record import decode_record
from releases.build.types import Messages, PiiStatus, Redaction
from releases.building import Ports
from releases.catalog.export import export_catalog
from releases.catalog.types import Catalog, EvidenceRule, Family, Source, Stage
from releases.lifecycle import Action, Evidence, State
from releases.models import Candidate, SourceDecision
from releases.publishing import attachments
from releases.publishing.attachments import Attachment, Figures, ShardFigures, Signature

VERSION = "v2026-01-07"
FAMILIES = ("priority", "edge_cases")
ROUNDS = ("clinician_foundation", "clinician_edge", "bias_foundation")
RECORDS = 40
ABOVE = ("gates", "rounds", "signatures")


class PlainRedactor:
    """Finds one invented name, so that both statuses ship."""

    name, version = "plain", "1"

    def redact(self, messages: Messages, language: str) -> Redaction:
        found = sum("Zaphod" in one.content for one in messages)
        clean = tuple(one._replace(content=one.content.replace("Zaphod", "<PERSON>")) for one in messages)
        status = PiiStatus.SCRUBBED if found else PiiStatus.NONE_DETECTED
        return Redaction(clean, status, {"PERSON": found} if found else {}, 10, 10, 0, 0)


class English:
    name, version = "english", "1"

    def detect(self, messages: Messages) -> tuple[str, int]:
        return "en", 10_000


class Alone:
    """Every record is its own cluster."""

    name, version = "alone", "1"

    def __init__(self) -> None:
        self.hashes: list[str] = []

    def add(self, messages: Messages, content_hash: str, family: str) -> None:
        self.hashes.append(content_hash)

    def clusters(self, text_of: Callable[[int], Messages]) -> Clusters:
        return Clusters(self.hashes, [])


def ports() -> Ports:
    return Ports(
        PlainRedactor(), English(), Alone(), lambda _key: False, lambda _candidate: lambda _messages: frozenset()
    )


def small_catalog() -> Catalog:
    stage = Stage("stage1_foundation", "Foundation")
    rule = (EvidenceRule("conversations", 1),)
    return Catalog(
        checklist="release-0",
        seed=42,
        splits_bp={"train": 7000, "val": 1500, "test": 1500},
        languages=("en",),
        roles={"client": "user"},
        stages=(stage,),
        families=tuple(
            Family(name, stage.id, (f"{name}/",), True, rule, "split", False, "keep", ROUNDS, weight)
            for name, weight in ((FAMILIES[0], 6000), (FAMILIES[1], 4000))
        ),
        sources=tuple(
            Source(
                name, name, f"{name}/", "CC-BY-4.0", "verified", "Ann", "2026-01-01T00:00:00Z",
                ("training",), (), "download", f"The {name} authors",
            )
            for name in FAMILIES
        ),
    )  # fmt: skip


def fill_source() -> None:
    """``RECORDS`` conversations of each family, one of them twice, and one object that cannot be read."""
    store = open_store(settings.MHDS_SOURCE_URL)
    for family in FAMILIES:
        lines = [json.dumps(_conversation(family, number)) for number in range(RECORDS)]
        store.put_if_absent(f"{family}/a.jsonl", "\n".join([*lines, lines[0]]).encode() + b"\n")
    store.put_if_absent("priority/empty.jsonl", b"")
    store.put_if_absent("elsewhere/readme.md", b"# nothing\n")


def _conversation(family: str, number: int) -> dict[str, Any]:
    name = "Zaphod" if number % 4 == 0 else "somebody"
    return {
        "messages": [
            {"role": "user", "content": f"{family} {number}: {name} asks how to sleep well"},
            {"role": "assistant", "content": f"Answer {number}: keep a steady hour, and rest."},
        ]
    }


def person(name: str, *roles: Role, is_demo: bool = False) -> User:
    user = User.objects.create_user(f"{name}@example.org", None, name=name, is_demo=is_demo)
    user.groups.set([Group.objects.get_or_create(name=role.value)[0] for role in roles])
    return user


def approved_candidate(version: str = VERSION, *, built_by: User | None = None) -> Candidate:
    """Built from the source by the real build, then put where the lead finds it."""
    if built_by is None:
        built_by = User.objects.filter(email="engineer@example.org").first() or person("engineer", Role.ENGINEER)
    services.import_catalog(export_catalog(small_catalog()), actor=built_by)
    candidate = services.create_candidate(version, actor=built_by)
    services.transition(candidate, Action.BUILD, actor=built_by)
    built = building.build_candidate(candidate, building.take_snapshot(built_by), ports())
    assert built.pk == candidate.pk
    Candidate.objects.filter(pk=built.pk).update(state=State.APPROVED)
    return Candidate.objects.select_related("release", "catalog_version", "snapshot").get(pk=built.pk)


def confirm_sources(by: User | None) -> None:
    for source in services.current_catalog().sources:
        SourceDecision.objects.create(
            source_id=source.id, row_digest=source.digest, kind=SourceDecision.Kind.APPROVED, because="seen", by=by
        )


def gate_reports(candidate: Candidate) -> Iterator[Attachment]:
    bound = dict.fromkeys(("code", "policy", "facts", "scanner", "inputs"), "sha256:" + "1" * 64)
    for gate in GATES:
        count = candidate.records_out if gate in RECORD_GATES else len(FAMILIES)
        outcome = Outcome(gate, Verdict.PASS, count, count)
        body = report(
            outcome, version=candidate.release.version, content_digest=candidate.content_digest, bound_to=bound
        )
        yield Attachment(f"gates/{gate}.json", "gate", body)


def review_files(candidate: Candidate) -> list[Attachment]:
    return [Attachment("reviews/clinician.json", "review", encode_canonical({"digest": candidate.content_digest}))]


def signoff_files(candidate: Candidate) -> list[Attachment]:
    rows = [{"role": one.role, "person": one.person} for one in signed(candidate)]
    return [Attachment("signoff/record.json", "signoff", encode_canonical({"signatures": rows}))]


def signed(candidate: Candidate) -> Sequence[Signature]:
    found = User.objects.filter(email__in=[f"{name}@example.org" for name in ("clinician", "bias", "lead")])
    people = {user.name: str(user.pk) for user in found}
    roles = {"clinician": "clinician", "bias_reviewer": "bias", "release_lead": "lead"}
    return [
        Signature(role, people[name], "approved", "2026-01-07T11:00:00Z", candidate.content_digest)
        for role, name in roles.items()
    ]


def shard_figures(candidate: Candidate) -> Figures:
    found = {}
    for row in candidate.files:
        if row["role"] == "data":
            lines = stores.bucket().read_bytes(candidate.staging + row["path"]).splitlines()
            records = [decode_record(line) for line in lines]
            tokens = sum(len(turn.content.split()) for one in records for turn in one.messages)
            found[row["path"]] = ShardFigures(tokens, Counter(one.metadata.pii_status for one in records))
    return Figures("words", found)


def clear(name: str) -> Callable[[Candidate], Evidence]:
    return lambda _candidate: Evidence(name)


def install(setitem: Callable[[Any, str, Any], None]) -> None:
    """Stand in for gates and reviews through the registries; ``setitem`` is monkeypatch's, so that it ends."""
    for name in ABOVE:
        setitem(evidence.COLLECTORS, name, clear(name))
    setitem(attachments.ATTACHMENTS, "gates", gate_reports)
    setitem(attachments.ATTACHMENTS, "reviews", review_files)
    setitem(attachments.ATTACHMENTS, "signoff", signoff_files)
    setitem(attachments.SIGNATURES, "signoff", signed)
    setitem(attachments.MEASURERS, "shards", shard_figures)


def people() -> User:
    """The three who sign; the lead also publishes."""
    person("clinician", Role.CLINICIAN)
    person("bias", Role.BIAS)
    return person("lead", Role.LEAD)
