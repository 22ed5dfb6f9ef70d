"""Publishing at the level of the services: the whole journey, and everything that must stop it."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from mhds.client import Release as PublishedRelease
from mhds.client.errors import ClientError
from mhds.errors import Blocked, Conflict, NotAllowed, ObjectConflict, ObjectDamaged, Stale
from mhds.models import WorkItem, WorkState
from mhds.roles import Role
from mhds.work import services as work
from releases import evidence, stores
from releases.channels import key_of, move, write_pointer
from releases.lifecycle import Evidence, State
from releases.models import Candidate, Channel, ChannelMove, ExclusionDecision, Publication, SourceDecision
from releases.publishing import attachments
from releases.publishing.services import is_unfinished, publish, publish_now, retry_publish, start_publish
from releases.publishing.telling import decisions
from tests.publish.candidates import (
    ABOVE,
    VERSION,
    approved_candidate,
    confirm_sources,
    person,
)

pytestmark = pytest.mark.publish
PREFIX = f"exports/releases/{VERSION}/"


def exported():
    bucket = stores.bucket()
    return {one.key: bucket.read_bytes(one.key) for one in bucket.list("exports/")}


def claimed(item):
    taken = work.claim(item.pk, "me")
    assert taken is not None
    return taken


def opened(**options):
    return PublishedRelease.open(f"{stores.bucket().url.rstrip('/')}/{PREFIX}", **options)


def test_an_approved_candidate_becomes_a_release_that_a_client_opens_and_verifies(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHED
    with opened() as release:
        checked = release.verify(full=True)
        records = list(release.records())
    assert checked.manifest_sha256 == publication.manifest_sha256
    assert (len(records), checked.content_digest) == (candidate.records_out, candidate.content_digest)
    assert "Zaphod" not in json.dumps(records)


def test_the_prefix_holds_the_layout_and_nothing_else(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    found = {key.removeprefix(PREFIX) for key in exported() if key.startswith(PREFIX)}
    assert found == {row["path"] for row in publication.files} | {"manifest.json"}
    wanted = {"coverage/coverage.json", "coverage/coverage.csv", "coverage/coverage.md", "provenance/sources.jsonl.gz"}
    wanted |= {"config/routing.json", "config/curriculum.json", "signoff/record.json", "reviews/clinician.json"}
    wanted |= {"docs/README.md", "docs/RELEASE_NOTES.md", "SHA256SUMS", "gates/privacy.json"}
    assert wanted <= found


def test_the_same_journey_ends_the_same_way_on_s3(s3, candidate, lead):
    confirm_sources(person("compliance", Role.COMPLIANCE))
    publish_now(candidate, lead, candidate.content_digest)
    with opened() as release:
        assert release.verify(full=True).version == VERSION
    with PublishedRelease.open(f"{s3}/exports", channel="latest") as release:
        assert release.verify().content_digest == candidate.content_digest


def test_sources_are_listed_without_etags_and_hashes_of_their_text(candidate, lead):
    publish_now(candidate, lead, candidate.content_digest)
    body = exported()[PREFIX + "provenance/sources.jsonl.gz"]
    rows = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    assert [row["key"] for row in rows] == ["edge_cases/a.jsonl", "priority/a.jsonl", "priority/empty.jsonl"]
    assert body[4:8] == b"\0\0\0\0"  # no time in the header
    assert not [name for row in rows for name in row if name in ("etag", "sha256")]
    assert sum(row["records_out"] for row in rows) == candidate.records_out


def test_the_notes_say_what_is_known_to_be_out_and_why(candidate, lead):
    issue = candidate.issues.get()
    ExclusionDecision.objects.create(
        key=issue.key, etag=issue.etag, source_record="", reason=issue.reason, because="an | empty\nupload", by=lead
    )
    publish_now(candidate, lead, candidate.content_digest)
    notes = exported()[PREFIX + "docs/RELEASE_NOTES.md"].decode()
    assert f"- `{issue.key}` ({issue.reason}): an &#124; empty upload" in notes
    assert "| exact_duplicate | 2 |" in notes
    assert "Included: priority, edge_cases. Without records: none." in notes
    assert "This release carries no bias report." in notes


def test_the_channel_points_at_the_release_with_the_bytes_that_clients_read(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    with PublishedRelease.open(f"{stores.bucket().url}/exports", channel="latest") as release:
        assert release.manifest_sha256 == publication.manifest_sha256
    channel = Channel.objects.get(name="latest")
    assert (channel.sequence, channel.publication_id, channel.signoff_current) == (1, publication.pk, True)


def test_a_second_release_follows_the_first_and_names_it(candidate, lead):
    first = publish_now(candidate, lead, candidate.content_digest)
    second = approved_candidate(f"{VERSION}.2")
    later = publish_now(second, lead, second.content_digest)
    told = json.loads(bytes(later.manifest))["release"]
    assert told == {
        "version": f"{VERSION}.2",
        "sequence": 2,
        "previous": {"version": VERSION, "manifest_sha256": first.manifest_sha256},
    }
    assert json.loads(exported()[key_of("latest")])["sequence"] == 2


def test_a_rerun_of_a_finished_publication_changes_nothing(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    before = exported()
    with pytest.raises(Conflict):
        publish_now(candidate, lead, candidate.content_digest)
    write_pointer("latest", stores.bucket())
    assert exported() == before
    assert not is_unfinished(Candidate.objects.get(pk=candidate.pk))
    assert ChannelMove.objects.filter(publication=publication).count() == 1


def test_the_work_row_does_what_the_command_does(candidate, lead):
    item = start_publish(candidate, lead, candidate.content_digest)
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHING
    publish(claimed(item))
    assert WorkItem.objects.get(pk=item.pk).state == WorkState.DONE
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHED


def test_the_command_publishes_in_one_process(candidate, lead, capsys):
    asked = ["publish_release", VERSION, "--actor", lead.email, "--digest", candidate.content_digest, "--json"]
    call_command(*asked)
    told = json.loads(capsys.readouterr().out)
    publication = Publication.objects.get(candidate=candidate)
    assert (told["state"], told["manifest_sha256"]) == ("published", publication.manifest_sha256)
    with pytest.raises(SystemExit):
        call_command(*asked)
    assert json.loads(capsys.readouterr().out)["error"]["step"] == "publish"


def test_a_source_that_compliance_excluded_is_a_known_exclusion(candidate, lead):
    source = candidate.catalog_version.catalog.sources[0]
    SourceDecision.objects.create(
        source_id=source.id, row_digest=source.digest, kind="excluded", because="consent was taken back", by=lead
    )
    told = [(one.what, one.reason, one.because) for one in decisions(candidate)]
    assert told == [(source.id, "source_excluded", "consent was taken back")]


def test_a_channel_can_be_moved_on_and_never_back(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    before = exported()[key_of("latest")]
    move("latest", publication, at=publication.published_at)
    write_pointer("latest", stores.bucket())
    after = json.loads(exported()[key_of("latest")])
    assert (json.loads(before)["sequence"], after["sequence"]) == (1, 2)
    with pytest.raises(DatabaseError), transaction.atomic():
        ChannelMove.objects.filter(sequence=2).update(sequence=1)


# --- who may, and when ---


def test_only_a_lead_publishes(candidate, lead):
    for other in (None, person("c", Role.COMPLIANCE), person("e", Role.ENGINEER), person("a", Role.ADMIN)):
        with pytest.raises(NotAllowed):
            start_publish(candidate, other, candidate.content_digest)
    assert Candidate.objects.get(pk=candidate.pk).state == State.APPROVED


def test_who_contributed_does_not_publish(candidate, lead):
    candidate.contributions.create(user=lead, how="catalog")
    with pytest.raises(NotAllowed, match="contributed"):
        start_publish(candidate, lead, candidate.content_digest)


def test_the_publisher_is_not_the_only_signer(candidate, lead, monkeypatch):
    mine = [one for one in attachments.signatures_of(candidate) if one.person == str(lead.pk)]
    monkeypatch.setitem(attachments.SIGNATURES, "signoff", lambda _candidate: mine)
    with pytest.raises(Blocked, match="other than the publisher"):
        start_publish(candidate, lead, candidate.content_digest)


@pytest.mark.parametrize("digest", ["", "sha256:" + "0" * 64])
def test_another_digest_than_the_one_looked_at_is_stale(candidate, lead, digest):
    with pytest.raises(Stale):
        start_publish(candidate, lead, digest)


@pytest.mark.parametrize("name", ["frozen", *ABOVE, "storage"])
def test_missing_evidence_refuses_and_so_does_a_missing_collector(candidate, lead, monkeypatch, name):
    monkeypatch.setitem(evidence.COLLECTORS, name, lambda _candidate: Evidence(name, (f"{name} is not there",)))
    with pytest.raises(Blocked) as refused:
        start_publish(candidate, lead, candidate.content_digest)
    assert refused.value.blockers == [f"{name} is not there"]
    monkeypatch.delitem(evidence.COLLECTORS, name)
    with pytest.raises(Blocked) as refused:
        start_publish(candidate, lead, candidate.content_digest)
    assert refused.value.blockers == [f"no evidence of {name} was collected"]
    assert not WorkItem.objects.exists()
    assert Candidate.objects.get(pk=candidate.pk).state == State.APPROVED
    assert exported() == {}


@pytest.mark.parametrize("name", ["gates", "reviews", "signoff"])
def test_a_missing_attachment_blocks_before_anything_is_written(candidate, lead, monkeypatch, name):
    monkeypatch.delitem(attachments.ATTACHMENTS, name)
    with pytest.raises(Blocked, match=f"nothing was provided for {name}"):
        publish_now(candidate, lead, candidate.content_digest)
    assert exported() == {}
    assert not Publication.objects.exists()


def test_a_gate_that_examined_less_than_the_release_holds_blocks_before_anything_is_written(
    candidate, lead, monkeypatch
):
    given = list(attachments.ATTACHMENTS["gates"](candidate))
    body = given[3].body.replace(f'"examined":{candidate.records_out}'.encode(), b'"examined":1')
    assert body != given[3].body
    given[3] = attachments.Attachment(given[3].path, "gate", body)
    monkeypatch.setitem(attachments.ATTACHMENTS, "gates", lambda _candidate: given)
    with pytest.raises(Blocked, match="gate privacy, examined"):
        publish_now(candidate, lead, candidate.content_digest)
    assert exported() == {}


def test_figures_of_other_bytes_block(candidate, lead, monkeypatch):
    found = attachments.MEASURERS["shards"](candidate)
    path = min(found.shards)
    shards = {**found.shards, path: attachments.ShardFigures(1, {"scrubbed": 1})}
    monkeypatch.setitem(attachments.MEASURERS, "shards", lambda _candidate: attachments.Figures("words", shards))
    with pytest.raises(Blocked, match="figures of"):
        publish_now(candidate, lead, candidate.content_digest)


def test_evidence_that_falls_away_before_the_manifest_leaves_the_release_invisible(candidate, lead, monkeypatch):
    item = start_publish(candidate, lead, candidate.content_digest)
    monkeypatch.setitem(evidence.COLLECTORS, "signatures", lambda _c: Evidence("signatures", ("one was withdrawn",)))
    with pytest.raises(Blocked, match="one was withdrawn"):
        publish(claimed(item))
    assert PREFIX + "manifest.json" not in exported()
    with pytest.raises(ClientError):
        opened()


def test_demo_data_is_never_published_to_s3(s3, candidate, lead, settings):
    confirm_sources(person("compliance", Role.COMPLIANCE))
    settings.DEMO = True
    with pytest.raises(Blocked, match="demo data"):
        start_publish(candidate, lead, candidate.content_digest)


def test_a_demo_release_says_so_and_clients_refuse_it(candidate, lead, settings):
    settings.DEMO = True
    publish_now(candidate, lead, candidate.content_digest)
    with opened() as release, pytest.raises(ClientError, match="demo data"):
        release.verify()
    with opened(allow_demo=True) as release:
        release.verify()


def test_approvals_that_came_by_file_refuse_s3(s3, candidate, lead):
    with pytest.raises(Blocked) as refused:
        start_publish(candidate, lead, candidate.content_digest)
    assert [text.split(" came")[0] for text in refused.value.blockers] == [
        "the approval of the source edge_cases",
        "the approval of the source priority",
    ]
    confirm_sources(None)  # a decision by nobody is none
    with pytest.raises(Blocked):
        start_publish(candidate, lead, candidate.content_digest)


def test_a_bucket_that_cannot_be_asked_refuses(s3, candidate, lead, settings):
    settings.MHDS_BUCKET_URL = "s3://no-such-bucket-anywhere/x"
    with pytest.raises(Blocked, match="could not be asked"):
        start_publish(candidate, lead, candidate.content_digest)


def test_a_second_lead_is_told_that_it_is_under_way(candidate, lead):
    start_publish(candidate, lead, candidate.content_digest)
    with pytest.raises(Conflict):
        start_publish(candidate, person("lead2", Role.LEAD), candidate.content_digest)
    assert WorkItem.objects.count() == 1


# --- other bytes ---


@pytest.mark.parametrize(
    "path", ["SHA256SUMS", "data/train/priority/part-00000.jsonl", "docs/README.md", "manifest.json", "stray.txt"]
)
def test_other_bytes_in_the_way_stop_the_publication_and_stay_as_they_are(candidate, lead, path):
    stores.bucket().put_if_absent(PREFIX + path, b"somebody else's")
    with pytest.raises(ObjectConflict):
        publish_now(candidate, lead, candidate.content_digest)
    assert exported()[PREFIX + path] == b"somebody else's"
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHING
    assert not Channel.objects.filter(publication__isnull=False).exists()


def test_the_claim_stops_a_second_publisher_before_a_shard_travels(candidate, lead):
    stores.bucket().put_if_absent(PREFIX + "SHA256SUMS", b"")
    with pytest.raises(ObjectConflict):
        publish_now(candidate, lead, candidate.content_digest)
    assert list(exported()) == [PREFIX + "SHA256SUMS"]


def test_a_staged_shard_that_was_changed_is_never_published(candidate, lead, tmp_path):
    staged = tmp_path / "bucket" / candidate.staging / "data/train/priority/part-00000.jsonl"
    staged.write_bytes(staged.read_bytes().replace(b"steady hour", b"steady houR", 1))
    with pytest.raises(ObjectDamaged, match="staged bytes"):
        publish_now(candidate, lead, candidate.content_digest)
    assert PREFIX + "manifest.json" not in exported()


def test_a_byte_flipped_after_its_writing_is_found_by_the_fresh_client(candidate, lead, tmp_path, monkeypatch):
    def flip(publication, *_):
        target = tmp_path / "bucket" / PREFIX / "data/train/priority/part-00000.jsonl"
        body = bytearray(target.read_bytes())
        body[-10] ^= 1
        target.write_bytes(body)

    monkeypatch.setattr("releases.publishing.write.check_listing", flip)
    with pytest.raises(ObjectDamaged, match="a client refuses"):
        publish_now(candidate, lead, candidate.content_digest)
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHING


def test_a_pointer_of_another_installation_is_not_overwritten(candidate, lead):
    other = {"schema": "mhds.channel-pointer/1", "channel": "latest", "sequence": 9, "version": "v2025-01-01"}
    other |= {"content_digest": "sha256:" + "1" * 64, "manifest_sha256": "1" * 64, "issued_at": "2025-01-01T00:00:00Z"}
    stores.bucket().put_if_absent(key_of("latest"), json.dumps(other).encode())
    with pytest.raises(ObjectConflict, match="sequence 9"):
        publish_now(candidate, lead, candidate.content_digest)
    assert json.loads(exported()[key_of("latest")])["sequence"] == 9
    assert is_unfinished(Candidate.objects.get(pk=candidate.pk))


def test_a_failed_publication_is_taken_up_again_by_a_lead(candidate, lead, monkeypatch):
    item = start_publish(candidate, lead, candidate.content_digest)
    with pytest.raises(Conflict, match="being written"):
        retry_publish(candidate, lead)
    work.fail(claimed(item), "storage", "down", retry=False)
    again = retry_publish(candidate, lead)
    assert again.pk != item.pk
    publish(claimed(again))
    assert Candidate.objects.get(pk=candidate.pk).state == State.PUBLISHED
    with pytest.raises(Conflict, match="nothing to go on"):
        retry_publish(candidate, lead)


def test_the_database_refuses_to_change_a_plan(candidate, lead):
    publication = publish_now(candidate, lead, candidate.content_digest)
    with pytest.raises(DatabaseError), transaction.atomic():
        Publication.objects.filter(pk=publication.pk).update(sequence=7)
    with pytest.raises(DatabaseError), transaction.atomic():
        Publication.objects.filter(pk=publication.pk).delete()
    assert hashlib.sha256(bytes(publication.manifest)).hexdigest() == publication.manifest_sha256


def test_two_contributors_for_one_place_are_refused():
    with pytest.raises(ValueError, match="contributors"):
        attachments.register("gates", lambda _candidate: [])
    with pytest.raises(ValueError, match="no place"):
        attachments.register("elsewhere", lambda _candidate: [])
