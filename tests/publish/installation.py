"""A whole installation in a process of its own, for tests that kill it: ``python -m tests.publish.installation STEP``.

``prepare`` builds an approved candidate, ``plan`` freezes its plan, ``publish`` goes on with it, ``race`` lets two
leads click at the same moment and prints how each ended, ``abandon-before-commit`` and ``abandon-during-commit`` give
the candidate up just before the manifest and while it is being put, ``serve`` answers HTTP on a free port and prints
it. All of it lives in ``MHDS_DATA_DIR``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django

from mhds.errors import Conflict

if TYPE_CHECKING:
    from mhds.models import User
    from releases.models import Candidate


def main(step: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    # Models load after set-up.
    from django.core.management import call_command  # noqa: PLC0415

    from mhds.models import User  # noqa: PLC0415
    from mhds.roles import Role  # noqa: PLC0415
    from releases.models import Candidate  # noqa: PLC0415
    from releases.publishing import plan, services  # noqa: PLC0415
    from tests.publish import candidates  # noqa: PLC0415

    candidates.install(lambda registry, name, value: registry.__setitem__(name, value))
    if step == "prepare":
        call_command("migrate", verbosity=0)
        candidates.people()
        candidates.fill_source()
        candidates.approved_candidate()
        return
    candidate = Candidate.objects.select_related("release", "catalog_version", "snapshot").get()
    lead = User.objects.get(name="lead")
    if step == "plan":
        services.start_publish(candidate, lead, candidate.content_digest)
        plan.make(candidate, lead)
    elif step == "publish":
        services.publish_now(candidate, lead, candidate.content_digest)
    elif step == "race":
        sys.stdout.write(" ".join(sorted(race(candidate, [lead, candidates.person("lead2", Role.LEAD)]))))
    elif step.startswith("abandon-"):
        sys.stdout.write(abandoned(candidate, lead, during=step == "abandon-during-commit"))
    elif step == "serve":
        serve()


def serve() -> None:
    """One request at a time, until the process is ended."""
    from mhds.wsgi import application  # noqa: PLC0415

    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Standard error is for what goes wrong."""


def race(candidate: Candidate, leads: Sequence[User]) -> list[str]:
    """``won`` or ``conflict`` for each; both threads are at the door before either goes in."""
    from django.db import connection  # noqa: PLC0415

    from releases.publishing.services import start_publish  # noqa: PLC0415

    start, ended = threading.Barrier(len(leads)), []

    def click(who: User) -> None:
        seen = type(candidate).objects.get(pk=candidate.pk)
        start.wait()
        try:
            start_publish(seen, who, candidate.content_digest)
            ended.append("won")
        except Conflict:
            ended.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=(who,)) for who in leads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def abandoned(candidate: Candidate, lead: User, *, during: bool) -> str:
    """State, and how whoever was second ended: the writer ``stopped``, or the abandoning lead ``refused``."""
    from django.db import connection  # noqa: PLC0415

    from mhds.errors import Blocked  # noqa: PLC0415
    from releases import stores  # noqa: PLC0415
    from releases.abandoning import abandon  # noqa: PLC0415
    from releases.publishing import services, write  # noqa: PLC0415

    bucket, put, look, told = stores.bucket(), stores.bucket().put_if_absent, write.check_listing, []

    def give_up() -> None:
        try:
            abandon(type(candidate).objects.get(pk=candidate.pk), lead, "for good")
        except (Blocked, Conflict):  # the manifest is there, or the release is published already
            told.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=give_up)

    def slow_put(key: str, body: object) -> object:
        """The other lead clicks while the bytes of the manifest travel; their move has to wait for the outcome."""
        if key.endswith("/manifest.json"):
            thread.start()
            thread.join(1)
            assert thread.is_alive()
        return put(key, body)

    def look_and_lose(*given: object) -> None:
        look(*given)
        thread.start()
        thread.join()

    if during:
        bucket.put_if_absent = slow_put
    else:
        write.check_listing = look_and_lose
    try:
        services.publish_now(candidate, lead, candidate.content_digest)
    except Conflict:
        told.append("stopped")
    thread.join()
    candidate.refresh_from_db()
    return " ".join([candidate.state, *told])


if __name__ == "__main__":
    main(sys.argv[1])
