"""Published releases as the API sees them: finds them and says what of them is told. Knows no HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from releases import stores
from releases.api.errors import NoRelease, ReleaseNotFound, ReleaseWithdrawn
from releases.channels import POLL_AFTER_S
from releases.lifecycle import Action, State
from releases.models import Candidate, CandidateEvent, Channel, Publication

# Names and reasons are people's words and stay inside; what a training job sees is that the release moved, and when.
TOLD = (Action.PUBLISHED, Action.WITHDRAW)


def published() -> QuerySet[Publication]:
    return Publication.objects.filter(candidate__state=State.PUBLISHED)


def publication(version: str, *, withdrawn_too: bool = False) -> Publication:
    """The published release; ReleaseNotFound for anything else, ReleaseWithdrawn (410) for one that was published."""
    states = [State.PUBLISHED, State.WITHDRAWN]
    found = Publication.objects.filter(version=version, candidate__state__in=states).select_related("candidate").first()
    if found is None:
        raise ReleaseNotFound("There is no published release of that version.")
    if found.candidate.state == State.WITHDRAWN and not withdrawn_too:
        raise _withdrawn(found.candidate, version)
    return found


def _withdrawn(candidate: Candidate, version: str) -> ReleaseWithdrawn:
    event = candidate.events.filter(action=Action.WITHDRAW).last()
    return ReleaseWithdrawn(f"{version} was withdrawn.", hint=event.reason if event else "Stop runs that read it.")


def prefix_url(found: Publication) -> str:
    return f"{stores.bucket().url.rstrip('/')}/{found.prefix}"


def channel_state(name: str) -> dict[str, Any]:
    """What a poll is told, from one joined row."""
    row = (
        Channel.objects.filter(name=name, publication__isnull=False)
        .select_related("publication__candidate")
        .defer("publication__manifest", "publication__files", *_HEAVY)
        .first()
    )
    if row is None or row.publication is None:
        raise NoRelease(f"The channel {name} has no release yet.", hint=f"Ask again in {POLL_AFTER_S} seconds.")
    found = row.publication
    if found.candidate.state != State.PUBLISHED:
        raise _withdrawn(found.candidate, found.version)
    return {
        "channel": row.name,
        "sequence": row.sequence,
        "version": found.version,
        "prefix": prefix_url(found),
        "content_digest": found.content_digest,
        "manifest_sha256": found.manifest_sha256,
        "state": found.candidate.state,
        "signoff_current": row.signoff_current,
        "published_at": utc(found.published_at),
        "poll_after_s": POLL_AFTER_S,
    }


_HEAVY = tuple(
    f"publication__candidate__{name}"
    for name in ("files", "coverage", "objects_by_status", "exclusions", "build_facts", "seconds", "error")
)


def summary(found: Publication) -> dict[str, Any]:
    """One line of the list of releases."""
    return {
        "version": found.version,
        "sequence": found.sequence,
        "state": State.PUBLISHED.value,
        "demo": found.demo,
        "prefix": prefix_url(found),
        "content_digest": found.content_digest,
        "manifest_sha256": found.manifest_sha256,
        "published_at": utc(found.published_at),
    }


def detail(found: Publication) -> dict[str, Any]:
    """The release as its own manifest tells it: nothing here can say anything else."""
    told = json.loads(bytes(found.manifest))
    gates = [{name: one[name] for name in ("id", "verdict", "examined", "expected")} for one in told["gates"]]
    names = ("role", "person", "decision", "at", "content_digest")
    return {
        **summary(found),
        "records": told["content"]["records"],
        "bytes": told["content"]["bytes"],
        "tokens": told["content"]["tokens"]["count"],
        "tokenizer": told["content"]["tokens"]["tokenizer"],
        "splits": told["splits"],
        "families": {one["id"]: one["records"] for one in told["families"]},
        "gates": gates,
        "signoffs": [{name: one[name] for name in names} for one in told["signoffs"]],
        "signoff_statement": _statement(told),
        "waivers": _waivers(told),
        "storage_level": told["storage"]["level"],
    }


def _statement(told: dict[str, Any]) -> str:
    roles = ", ".join(one["role"].replace("_", " ") for one in told["signoffs"])
    return f"Signed by {roles} for content digest {told['content']['digest']}; the record is signoff/record.json."


def _waivers(told: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"gate": one["id"], "waiver": settled.removeprefix("waiver:")}
        for one in told["gates"]
        for settled in one.get("settled_by", [])
        if settled.startswith("waiver:")
    ]


def events(found: Publication) -> list[dict[str, Any]]:
    moves = CandidateEvent.objects.filter(candidate=found.candidate_id, action__in=TOLD).order_by("seq")
    return [{"seq": one.seq, "action": one.action, "state": one.to_state, "at": utc(one.at)} for one in moves]


def utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
