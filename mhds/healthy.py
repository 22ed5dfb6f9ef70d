"""``python -m mhds.healthy web|worker|reconciler``: exit 0 when that process beside this one does its work, else 1.

What a container asks about itself. Knows how each process shows that it lives, and nothing of what it does.
"""

from __future__ import annotations

import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from mhds import env

BEAT = "reconciler.beat"  # in the data directory; the reconciler touches it after each round
BEAT_SECONDS = 60


def web() -> str:
    """Asks under a name that the site answers to; the check comes from inside and knows no other."""
    host = next((name.lstrip(".") for name in env.words("ALLOWED_HOSTS") if name != "*"), "localhost")
    address = f"http://127.0.0.1:{env.whole('MHDS_PORT', 8000)}/readyz"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host}), timeout=8):
            return ""
    except urllib.error.HTTPError as error:
        return f"/readyz answers {error.code}"
    except OSError as error:
        return f"/readyz does not answer ({type(error).__name__})"


def worker() -> str:
    """The worker of this host answers over the broker."""
    # Celery and the settings take a second to load: only this check needs them.
    from mhds.celery import app  # noqa: PLC0415

    name = f"celery@{socket.gethostname()}"
    try:
        answers = app.control.inspect(destination=[name], timeout=5).ping()
    except Exception as error:  # whatever the broker's client raises, it is no answer
        return f"the broker does not answer ({type(error).__name__})"
    return "" if answers else f"{name} does not answer"


def reconciler() -> str:
    try:
        age = time.time() - (Path(env.text("MHDS_DATA_DIR")) / BEAT).stat().st_mtime
    except OSError:
        return "the reconciler made no round yet"
    return "" if age < BEAT_SECONDS else f"the reconciler's last round was {age:.0f} s ago"


CHECKS: dict[str, Callable[[], str]] = {"web": web, "worker": worker, "reconciler": reconciler}


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in CHECKS:
        sys.stderr.write(f"usage: python -m mhds.healthy {'|'.join(CHECKS)}\n")
        return 2
    wrong = CHECKS[argv[0]]()
    sys.stderr.write(f"{wrong}\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
