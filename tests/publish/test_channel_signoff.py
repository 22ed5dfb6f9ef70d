"""A channel says whether its release is still signed: at once when a signer withdraws, soon when something outdates."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from releases import channels, evidence
from releases.lifecycle import Evidence
from releases.models import Channel
from releases.publishing.services import publish_now

pytestmark = pytest.mark.publish


def current():
    return Channel.objects.get(name=channels.LATEST).signoff_current


def test_what_outdates_in_silence_is_found_by_the_reconciler_and_so_is_its_end(candidate, lead, monkeypatch):
    publish_now(candidate, lead, candidate.content_digest)
    outdated = Evidence("signatures", ("the signature of the lead is outdated",))
    with monkeypatch.context() as meanwhile:
        meanwhile.setitem(evidence.COLLECTORS, "signatures", lambda _candidate: outdated)
        call_command("reconcile", "--once")
        assert current() is False
    assert channels.refresh_signoffs() == 1
    assert current() is True
    assert channels.refresh_signoffs() == 0


def test_a_missing_collector_is_no_sign_off(candidate, lead, monkeypatch):
    publish_now(candidate, lead, candidate.content_digest)
    monkeypatch.delitem(evidence.COLLECTORS, "signatures")
    channels.refresh_signoffs()
    assert current() is False
