"""An installation whose worker stops at a place of publishing: ``python -m tests.publish.worker STEP``.

``ask`` migrates, builds an approved candidate and lets a lead press *publish*; ``work`` is a Celery worker that stands
still where ``TEST_STOP_AT`` names a place, so that it can be killed right there; ``reconcile`` is the reconciler beside
it; ``tell`` prints what there is. Production has no failpoints: the worker's own are put in their place here.
"""

from __future__ import annotations

import json
import os
import sys
import time

import django

STOP_AT = os.environ.get("TEST_STOP_AT", "")


def stand_still(name: str) -> None:
    """In the place of ``failpoint``: say that it was passed; do not come back where the test kills."""
    sys.stderr.write(f"passed {name}\n")
    sys.stderr.flush()
    if name == STOP_AT:
        time.sleep(600)


def ask() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    from releases.publishing import services  # noqa: PLC0415
    from tests.publish import candidates  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    lead = candidates.people()
    candidates.fill_source()
    candidate = candidates.approved_candidate()
    services.start_publish(candidate, lead, candidate.content_digest)


def tell() -> None:
    from mhds.audit import broken_links  # noqa: PLC0415
    from mhds.models import WorkItem  # noqa: PLC0415
    from releases.models import Candidate, CandidateEvent, ChannelMove, Publication  # noqa: PLC0415

    publication = Publication.objects.get()
    told = {
        "state": Candidate.objects.get().state,
        "prefix": publication.prefix,
        "manifest_sha256": publication.manifest_sha256,
        "rows": list(WorkItem.objects.values("kind", "state", "attempt")),
        "moves": list(ChannelMove.objects.order_by("sequence").values_list("sequence", "publication__version")),
        "published": CandidateEvent.objects.filter(to_state="published").count(),
        "broken": list(broken_links()),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def main(step: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
    django.setup()
    from releases.publishing import write  # noqa: PLC0415
    from tests.publish import candidates  # noqa: PLC0415

    candidates.install(lambda registry, name, value: registry.__setitem__(name, value))
    write.failpoint = stand_still
    if step == "ask":
        ask()
    elif step == "tell":
        tell()
    elif step == "reconcile":
        from django.core.management import call_command  # noqa: PLC0415

        call_command("reconcile", every=1)
    elif step == "work":
        from mhds.celery import app  # noqa: PLC0415

        app.worker_main(["worker", "--pool", "solo", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main(sys.argv[1])
