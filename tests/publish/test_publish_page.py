"""The page of publishing: what it asks for, who gets the button, what a refusal says, how progress and failure show."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from mhds.client.model import GATES
from mhds.models import WorkItem
from mhds.roles import Role
from mhds.work import services as work
from releases import evidence, stores
from releases.evidence import Check
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Consumption, Publication
from releases.publishing import asking, plan, preview
from releases.publishing.services import publish, publish_now, start_publish
from releases.tokens import create_token
from tests.publish.candidates import VERSION, person
from tests.publish.test_publish import claimed

pytestmark = pytest.mark.publish
URL = f"/releases/{VERSION}/publish/"
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def above(installation, monkeypatch):
    """What gates and reviews answer here: nothing is in the way."""
    said = {"gates": ("Gates", "Waivers"), "reviews": ("Rounds", "Escalations", "Signatures")}
    for app, names in said.items():
        made = [Check(name, "as it should be", holds=True) for name in names]
        monkeypatch.setitem(evidence.CHECKERS, app, lambda _candidate, _missing, made=made: made)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def page(user):
    answer = client_of(user).get(URL)
    assert answer.status_code == 200
    return answer.content.decode()


def post(user, digest, **headers):
    return client_of(user).post(URL, {"expected_digest": digest}, headers=headers)


def test_a_lead_for_whom_all_holds_gets_one_button_that_names_the_digest(candidate, lead):
    shown = page(lead)
    assert "Everything that publishing asks for holds" in shown
    assert f"Publish {VERSION} ({candidate.content_digest[7:15]})" in shown
    assert f'value="{candidate.content_digest}"' in shown
    assert shown.count("btn--primary") == 1
    assert "sequence 0 to 1" in shown


def test_what_is_not_measured_is_never_said_to_hold(candidate, lead):
    context = client_of(lead).get(URL).context
    unmeasured = {one.name for one in context["checks"] if one.holds is None}
    assert unmeasured == {"Storage level", "Signing key"}
    assert context["held"] == len(context["checks"]) - len(unmeasured)


def test_a_bucket_that_does_not_say_what_lies_under_the_prefix_is_no_empty_prefix(candidate, lead):
    checks = asking.checks(candidate, lead, evidence.collect(candidate), others=2, written=None)
    [prefix] = [one for one in checks if one.name == "Prefix"]
    assert (prefix.holds, prefix.words) == (False, "the bucket does not say what lies there")


def test_a_check_that_nobody_answers_for_does_not_hold(candidate, lead, monkeypatch):
    monkeypatch.delitem(evidence.CHECKERS, "reviews")
    checks = {one.name: one for one in client_of(lead).get(URL).context["checks"]}
    assert checks["Signatures"] == Check("Signatures", "nobody answers for this", holds=False)


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.CLINICIAN, Role.COMPLIANCE, Role.BIAS])
def test_others_see_whose_it_is_and_no_button(candidate, lead, role):
    shown = page(person(f"other {role.value}", role))
    assert "a release lead who had no hand in the candidate" in shown
    assert "btn--primary" not in shown


def test_a_contributor_sees_why_not_and_is_refused(candidate, lead):
    candidate.contributions.create(user=lead, how="catalog")
    assert "you contributed to this candidate" in page(lead)
    assert post(lead, candidate.content_digest).status_code == 403


def test_what_is_missing_is_named_with_whose_it_is(candidate, lead, monkeypatch):
    monkeypatch.setitem(evidence.COLLECTORS, "gates", lambda _c: Evidence("gates", ("the gate privacy says FAIL",)))
    monkeypatch.setitem(evidence.COLLECTORS, "rounds", lambda _c: Evidence("rounds", ("the round privacy failed",)))
    shown = page(lead)
    assert "Publishing waits for 2 things." in shown
    assert "the gate privacy says FAIL" in shown
    assert "the release lead, on the page of the rounds" in shown
    refused = post(lead, candidate.content_digest, **JSON)
    assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")
    assert refused.json()["blockers"] == ["the gate privacy says FAIL", "the round privacy failed"]
    assert "the round privacy failed" in post(lead, candidate.content_digest).content.decode()
    assert Candidate.objects.get(pk=candidate.pk).state == State.APPROVED


@pytest.mark.parametrize("digest", ["", "sha256:" + "0" * 64])
def test_another_digest_than_the_one_looked_at_is_refused_with_what_to_do(candidate, lead, digest):
    refused = post(lead, digest)
    assert refused.status_code == 409
    assert "Reload and look again" in refused.content.decode()


def test_a_second_lead_who_clicks_is_told(candidate, lead):
    second = person("lead2", Role.LEAD)
    assert post(lead, candidate.content_digest).status_code == 302
    refused = post(second, candidate.content_digest, **JSON)
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal-transition")
    assert WorkItem.objects.count() == 1


def test_objects_under_the_prefix_are_in_the_way(candidate, lead):
    stores.bucket().put_if_absent(f"exports/releases/{VERSION}/stray.txt", b"x")
    assert "1 objects lie under its prefix already" not in page(lead)
    assert "1 object lies under its prefix already" in page(lead)


def test_progress_counts_objects_and_asks_again_until_it_ends(candidate, lead):
    item = start_publish(candidate, lead, candidate.content_digest)
    asked = {"HX-Request": "true"}
    assert "a worker takes it up next" in client_of(lead).get(URL, headers=asked).content.decode()
    publication = plan.make(candidate, lead)
    whole = len(publication.files) + 1
    row = publication.files[0]
    stores.bucket().put_if_absent(publication.prefix + row["path"], stores.bucket().read_bytes(row["staged"]))
    moving = client_of(lead).get(URL, headers=asked).content.decode()
    assert f"1 of {whole} objects are written" in moving
    assert 'hx-trigger="every 2s"' in moving
    publish(claimed(item))
    ended = client_of(lead).get(URL, headers=asked).content.decode()
    assert "hx-trigger" not in ended
    assert "autofocus" not in moving + ended
    assert publication.manifest_sha256 in ended
    assert f'Release.open("{stores.bucket().url}/{publication.prefix}")' in unescape(ended)
    assert f"mhds-smoke {stores.bucket().url}/{publication.prefix}" in ended
    assert "with sequence 1" in ended


def test_a_failed_publication_shows_why_and_a_lead_tries_again(candidate, lead):
    item = start_publish(candidate, lead, candidate.content_digest)
    work.fail(claimed(item), "storage", "the bucket refused the key", retry=False)
    shown = page(lead)
    assert "the bucket refused the key" in shown
    assert "hx-trigger" not in shown
    retry = f"{URL}retry/"
    assert retry in shown
    assert retry not in page(person("c", Role.COMPLIANCE))
    assert client_of(lead).post(retry).status_code == 302
    assert WorkItem.objects.count() == 2
    assert client_of(lead).post(retry).status_code == 409


def test_the_table_of_folders_sums_to_the_plan(candidate, lead):
    before = preview.frozen(candidate.files, candidate.records_out)
    assert [one.objects for one in before if one.path.startswith("coverage")] == [None]
    publication = publish_now(candidate, lead, candidate.content_digest)
    folders = preview.planned(publication.files, len(publication.manifest))
    total = preview.total(folders)
    assert total.objects == len(publication.files) + 1
    assert total.size == sum(row["bytes"] for row in publication.files) + len(publication.manifest)
    assert next(one.objects for one in folders if one.path.startswith("gates/")) == len(GATES)


def test_a_file_that_no_folder_names_is_a_line_of_its_own():
    rows = [{"path": "new/thing.bin", "role": "other", "bytes": 7}]
    assert preview.Folder("new/thing.bin", "other", 1, 7) in preview.planned(rows, 1)


def test_the_release_page_lists_which_runs_read_it(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    token, _plain = create_token("nightly", ["read", "consume"], 30)
    Consumption.objects.create(
        publication=publication, token=token, idempotency_key="k", body_sha256="0" * 64, run_id="run-7", records=12,
        by_family={"priority": 12}, order_sha256="1" * 64,
    )  # fmt: skip
    shown = client_of(lead).get(f"/releases/{VERSION}/").content.decode()
    assert "Consumed by" in shown
    assert "run-7" in shown
    assert "nightly" in shown
    assert Publication.objects.count() == 1


def test_a_lead_gives_a_candidate_up_at_the_foot_of_its_page(candidate, lead):
    url = f"/releases/{VERSION}/abandon/"
    assert url in client_of(lead).get(f"/releases/{VERSION}/").content.decode()
    assert client_of(lead).post(url, {"reason": " "}).status_code == 409
    assert client_of(lead).post(url, {"reason": "superseded before it began"}).status_code == 302
    assert Candidate.objects.get(pk=candidate.pk).state == State.ABANDONED
    assert url not in client_of(lead).get(f"/releases/{VERSION}/").content.decode()
