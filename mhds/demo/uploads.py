"""When which object of the demo's bucket arrives: three uploads, one before each release. Writes and reads nothing.

Each release holds all that came before it, so that its bytes are its own and the gates have an earlier release to
compare with. The gates hold the demo to the rules like anybody: hold-outs come with the first upload, because what was
trained on once can never be held out again, and so do the parts with the longest conversations, because a figure that
moves by a quarter between two releases stops the second.
"""

from __future__ import annotations

import re
from enum import IntEnum

from mhds.demo.bucket import BROKEN, JOINED, OUTSIDE_KEY, UNAPPROVED
from mhds.demo.sources import HOLDOUT, PROCESSED

_NUMBER = re.compile(r"\d{2,}")
_SHARES = 6  # a sixth of the numbered objects comes first, another one second


class Upload(IntEnum):
    FIRST, SECOND, LAST = range(3)


_LONG = (("crisis_drills", 2), ("safety_scenarios", 2))  # besides number 0, which holds what was written by hand


def upload_of(key: str) -> Upload:
    """The upload that brings this object; faults come with the last one."""
    if is_fault(key):
        return Upload.LAST
    if key.startswith(JOINED):  # questions and answers lie in different objects and belong together
        return Upload.SECOND
    number = _NUMBER.search(key.rpartition("/")[2])
    if number is None or key.startswith(f"{PROCESSED}{HOLDOUT}/"):
        return Upload.FIRST
    share = int(number[0]) % _SHARES
    if share == 0 or (key.split("/")[-2], share) in _LONG:
        return Upload.FIRST
    return Upload.SECOND if share == 1 else Upload.LAST


def is_fault(key: str) -> bool:
    return key.startswith((UNAPPROVED, BROKEN)) or key == OUTSIDE_KEY
