"""What the releases before a candidate said, for its build: the leakage gate's own terms behind a port."""

from __future__ import annotations

from gates.inputs import earlier_releases
from gates.policy import current_policy
from gates.rules.earlier import History
from gates.scan.marks import long_messages
from releases import stores
from releases.build.plan import Said
from releases.build.types import Messages
from releases.models import Candidate


def history(candidate: Candidate) -> Said:
    """The splits in which earlier releases had a long message of the conversation.

    A release without the facts that it passed with is not known here either; the gate reports it as doubt.
    """
    policy = current_policy()
    known = History(earlier_releases(candidate, stores.bucket(), policy))

    def said(messages: Messages) -> frozenset[str]:
        if not known.by_message:
            return frozenset()
        hashes = long_messages(messages, policy.leakage.message_words)
        return frozenset(known.of_messages(one.hex() for one in hashes))

    return said
