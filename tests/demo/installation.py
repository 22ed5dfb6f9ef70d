"""A small demo in a process of its own: ``python -m tests.demo.installation STEP``, in ``MHDS_DATA_DIR``.

``stumble`` prepares it and is interrupted in the middle of a build and before every part of the work, once each.
``prepare`` is what a second start does. ``look`` prints what the database holds. ``serve`` answers HTTP on a free port
and prints it.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import Any

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
django.setup()

from mhds.audit import broken_links  # noqa: E402  Django first
from mhds.demo import accounts, setup  # noqa: E402
from mhds.models import AuditEvent  # noqa: E402
from releases import services  # noqa: E402
from releases.lifecycle import Action  # noqa: E402
from releases.models import Candidate, Channel, Publication, ServiceToken  # noqa: E402
from reviews.models import Assignment, Round, Score, Signature  # noqa: E402
from tests.publish.installation import serve  # noqa: E402

setup.SIZE = 1_000_000
ABANDONED = "v2020-01-01"


class Interrupted(Exception):
    """What a person does with Ctrl-C."""


def stumble() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    heard: set[str] = set()

    def stop_once(words: str) -> None:
        if words not in heard:
            heard.add(words)
            raise Interrupted

    prepare_until(stop_once)
    half_built()
    while not prepare_until(stop_once):
        pass


def prepare_until(say: setup.Say) -> bool:
    try:
        setup.prepare(say)
    except Interrupted:
        return False
    return True


def half_built() -> None:
    """What a kill leaves in the middle of the first build: the version is kept, its candidate is being built."""
    engineer = accounts.make_accounts()["engineer"]
    setup.write_info(releases={"published": ABANDONED})
    candidate = services.create_candidate(ABANDONED, actor=engineer)
    services.transition(candidate, Action.BUILD, actor=engineer)


def look() -> dict[str, Any]:
    candidates = Candidate.objects.select_related("release").order_by("release__version", "number")
    found = Counter(
        Assignment.objects.values_list("item__round__candidate__release__version", "item__round__kind", "state")
    )
    return {
        "candidates": [[one.release.version, one.number, one.state, one.release.is_demo] for one in candidates],
        "work": sorted([*key, count] for key, count in found.items()),
        "open": sorted({f"{one.reviewer.email}/{one.item.round.kind}" for one in _waiting()}),
        "rounds": sorted([one.candidate.release.version, one.kind, one.state] for one in Round.objects.all()),
        "scores": Score.objects.count(),
        "notes": sorted({one.payload.get("note", "") for one in Score.objects.all()}),
        "signed": sorted(
            [one.signer.email, one.meaning, one.signer.is_demo, one.notes] for one in Signature.objects.all()
        ),
        "published": [[one.version, one.demo, one.sequence] for one in Publication.objects.all()],
        "channel": [[one.name, one.publication.version, one.signoff_current] for one in Channel.objects.all()],
        "tokens": [[one.name, one.scopes] for one in ServiceToken.objects.all()],
        "events": AuditEvent.objects.count(),
        "broken": list(broken_links()),
    }


def _waiting() -> list[Assignment]:
    return list(Assignment.objects.filter(state="assigned").select_related("item__round", "reviewer"))


if __name__ == "__main__":
    if sys.argv[1] == "stumble":
        stumble()
    elif sys.argv[1] == "prepare":
        setup.prepare(lambda _words: None)
    elif sys.argv[1] == "look":
        sys.stdout.write(json.dumps(look()) + "\n")
    elif sys.argv[1] == "serve":
        serve()
