"""An installation with slow work, for the tests that kill its worker: ``python -m tests.mhds.worker STEP [N]``.

``ask N`` migrates and asks for N pieces of work; ``work`` is a Celery worker that can do them; ``reconcile`` is the
reconciler beside it; ``tell`` prints how each row stands. A result is one audit event, written with the end of its row.
"""

from __future__ import annotations

import json
import os
import sys
import time

import django

KIND = "test.slow"
SECONDS = float(os.environ.get("TEST_WORK_SECONDS", "0.3"))


def register() -> None:
    from django.db import transaction  # noqa: PLC0415  models load after set-up

    from mhds import audit  # noqa: PLC0415
    from mhds.models import WorkItem  # noqa: PLC0415
    from mhds.work import run, services  # noqa: PLC0415

    def handle(item: WorkItem) -> None:
        sys.stderr.write(f"begun {item.key}\n")
        sys.stderr.flush()
        time.sleep(SECONDS)
        with transaction.atomic():
            audit.record(None, "test.result", item.key, attempt=item.attempt)
            services.finish(item)

    run.register(KIND, handle, lambda _item: None)


def ask(count: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415

    from mhds.work import services  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for number in range(count):
        services.enqueue(KIND, f"piece {number}", {})


def tell() -> None:
    from mhds.audit import broken_links  # noqa: PLC0415
    from mhds.models import AuditEvent, WorkItem  # noqa: PLC0415

    rows = list(WorkItem.objects.order_by("key").values("key", "state", "attempt"))
    results = sorted(AuditEvent.objects.filter(action="test.result").values_list("subject", flat=True))
    sys.stdout.write(json.dumps({"rows": rows, "results": results, "broken": list(broken_links())}) + "\n")


def main(step: str, count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
    django.setup()
    if step == "ask":
        ask(count)
    elif step == "tell":
        tell()
    elif step == "reconcile":
        register()
        from django.core.management import call_command  # noqa: PLC0415

        call_command("reconcile", every=1)
    elif step == "work":
        register()
        from mhds.celery import app  # noqa: PLC0415

        app.worker_main(["worker", "--pool", "solo", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
