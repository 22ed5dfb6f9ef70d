"""Named places where a test may kill the process: ``MHDS_FAILPOINTS=publish.after_shard:2``. Knows no step by itself.

Never in production: there the settings refuse to start with the variable set, and this looks once more.
"""

from __future__ import annotations

import os
import threading
from collections import Counter

from django.conf import settings

EXIT_CODE = 9
_hits: Counter[str] = Counter()
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Die here, without any clean-up, when the environment names this place (``:n``: at the n-th pass, default 1)."""
    wanted = os.environ.get("MHDS_FAILPOINTS", "")
    if not wanted or not settings.EMBEDDED:
        return
    with _lock:
        _hits[name] += 1
        if _hits[name] == _asked(wanted).get(name):
            os._exit(EXIT_CODE)


def _asked(wanted: str) -> dict[str, int]:
    """``a:2,b`` -> ``{"a": 2, "b": 1}``."""
    found = {}
    for one in wanted.split(","):
        name, _, number = one.strip().partition(":")
        found[name] = int(number or 1)
    return found
