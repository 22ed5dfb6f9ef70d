"""Publishing goes by what the doctor measured on the bucket: never measured, too low and too old are all a no."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from mhds.errors import Blocked, ConfigurationError
from mhds.models import AuditEvent
from mhds.roles import Role
from mhds.triggers import missing_triggers
from releases import storage_level, stores
from releases.models import Publication, StorageMeasurement
from releases.publishing.services import start_publish
from tests.publish.candidates import confirm_sources, person
from tests.publish.test_publish import publish_now

pytestmark = pytest.mark.publish
S3 = "s3://bucket/prefix"


def kept(level, *, url="", ago=timedelta(0)):
    return StorageMeasurement.objects.create(
        bucket=storage_level._name(url or stores.bucket().url),
        level=level,
        report={},
        measured_at=timezone.now() - ago,
    )


def doubts(url=S3):
    return list(storage_level.doubts(url, timezone.now()))


def refusal(candidate, lead):
    with pytest.raises(Blocked) as refused:
        start_publish(candidate, lead, candidate.content_digest)
    return refused.value.blockers


def test_the_doctor_measures_the_bucket_and_keeps_what_it_saw(candidate, capsys):
    call_command("doctor", as_json=True)
    said = json.loads(capsys.readouterr().out)
    row = StorageMeasurement.objects.get()
    assert (said["level"], said["demanded"], said["source_answers"]) == ("A", "0", True)
    assert (row.level, row.report["level"]) == ("A", "A")
    assert AuditEvent.objects.filter(action="storage.measured").count() == 1
    assert str(stores.bucket().url) not in json.dumps(row.report) + row.bucket + json.dumps(said)
    assert not list(stores.bucket().list("staging/doctor/"))


def test_a_directory_is_published_to_without_a_measurement_and_the_manifest_says_so(candidate, lead):
    publish_now(candidate, lead, candidate.content_digest)
    assert json.loads(bytes(Publication.objects.get().manifest))["storage"] == {"level": 0}


def test_the_measured_level_is_written_into_the_manifest(candidate, lead, settings):
    settings.MHDS_STORAGE_LEVEL = "B"
    assert refusal(candidate, lead) == ["nobody measured the bucket, level B is demanded: run manage.py doctor"]
    call_command("doctor", as_json=True)
    publish_now(candidate, lead, candidate.content_digest)
    assert json.loads(bytes(Publication.objects.get().manifest))["storage"] == {"level": 3}


def test_a_bucket_that_holds_less_than_is_demanded_is_refused(candidate, lead, settings):
    settings.MHDS_STORAGE_LEVEL = "A"
    kept("A", ago=timedelta(days=1))
    kept("B")
    assert refusal(candidate, lead) == ["the bucket holds level B, level A is demanded"]


def test_on_s3_level_b_is_demanded_unless_it_is_set(s3, candidate, lead, settings):
    settings.MHDS_STORAGE_LEVEL = ""
    confirm_sources(person("compliance", Role.COMPLIANCE))
    assert refusal(candidate, lead) == ["nobody measured the bucket, level B is demanded: run manage.py doctor"]


@pytest.mark.parametrize(
    ("ago", "holds"),
    [
        (timedelta(days=6, hours=23), True), (timedelta(days=7, minutes=1), False), (timedelta(minutes=-1), False),
    ],
)  # fmt: skip
def test_a_measurement_lasts_a_week_and_none_comes_from_the_future(ago, holds):
    kept("A", url=S3, ago=ago)
    assert (doubts() == []) is holds


def test_the_measurement_of_another_bucket_says_nothing():
    kept("A", url="s3://another/prefix")
    assert doubts() == ["nobody measured the bucket, level B is demanded: run manage.py doctor"]


@pytest.mark.parametrize("word", ["D", "HIGH", "-1", "2"])
def test_a_level_that_does_not_exist_is_no_level_that_passes(word, settings):
    settings.MHDS_STORAGE_LEVEL = word
    with pytest.raises(ConfigurationError, match=word):
        doubts()


def test_a_measurement_is_never_changed():
    row = kept("C")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE releases_storagemeasurement SET level = 'A' WHERE id = %s", [row.pk])
    assert missing_triggers() == []
