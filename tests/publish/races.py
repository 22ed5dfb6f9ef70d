"""Two leads press at the same time: one publication, one refusal in words, nothing in between.

Needs PostgreSQL (two connections that write at once): ``test_race.py`` runs it there.
"""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from mhds.errors import MhdsError
from mhds.models import WorkItem
from mhds.roles import Role
from releases.lifecycle import Action, State
from releases.models import Candidate, CandidateEvent, Publication
from releases.publishing.services import PUBLISH, publish_now, start_publish
from tests.publish.candidates import person

pytestmark = pytest.mark.publish
TRIES = 5


@pytest.fixture
def emptied(transactional_db):
    """Append-only tables refuse to be emptied; the end of a test is the one place where they are."""
    role = "SET session_replication_role = {}"
    with connection.cursor() as cursor:
        cursor.execute(role.format("DEFAULT"))
    yield
    with connection.cursor() as cursor:
        cursor.execute(role.format("replica"))


def at_once(candidate, leads, way):
    """The outcomes of both presses, begun together: None for a success, else the refusal."""
    gate, outcomes = threading.Barrier(len(leads)), []

    def press(lead):
        mine = Candidate.objects.select_related("release", "catalog_version", "snapshot").get(pk=candidate.pk)
        gate.wait()
        try:
            way(mine, lead, mine.content_digest)
            outcomes.append(None)
        except MhdsError as error:
            outcomes.append(error)
        finally:
            connection.close()  # this thread's own

    threads = [threading.Thread(target=press, args=(lead,)) for lead in leads]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return outcomes


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("_try", range(TRIES))
def test_two_leads_at_once_start_one_publication(candidate, lead, _try):
    outcomes = at_once(candidate, [lead, person("lead2", Role.LEAD)], start_publish)
    assert sum(one is None for one in outcomes) == 1
    [refused] = [one for one in outcomes if one is not None]
    assert refused.status == 409
    assert WorkItem.objects.filter(kind=PUBLISH).count() == 1
    assert CandidateEvent.objects.filter(candidate=candidate, action=Action.PUBLISH).count() == 1


@pytest.mark.usefixtures("emptied")
def test_two_processes_that_both_write_end_in_one_release(candidate, lead):
    outcomes = at_once(candidate, [lead, person("lead2", Role.LEAD)], publish_now)
    assert any(one is None for one in outcomes)
    assert all(one is None or one.status == 409 for one in outcomes)
    candidate.refresh_from_db()
    assert candidate.state == State.PUBLISHED
    assert Publication.objects.count() == 1
    assert CandidateEvent.objects.filter(candidate=candidate, action=Action.PUBLISHED).count() == 1
