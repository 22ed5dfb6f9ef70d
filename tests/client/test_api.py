"""The REST API as the client uses it: the poll, files by presigned URL, the consumption report."""

from __future__ import annotations

import pytest

from mhds.client import (
    Api,
    ClientError,
    IntegrityError,
    NotPublished,
    Release,
    ReleaseWithdrawn,
    StorageForbidden,
    StorageUnavailable,
    UsageError,
)
from tests.client.servers import ApiHandler, running

pytestmark = pytest.mark.client

SHARD = "data/train/priority/part-00001.jsonl"


@pytest.fixture
def server(release, tmp_path):
    with running(ApiHandler, tmp_path, release) as running_server:
        yield running_server


def open_release(server, **asked) -> Release:
    return Release.open(api=server.url, token="mhds_token", **({"channel": "latest"} | asked))


def refusal(server, **asked) -> ClientError:
    with pytest.raises(ClientError) as caught, open_release(server, **asked) as opened:
        opened.verify(full=True)
    return caught.value


@pytest.mark.parametrize("asked", [{"channel": "latest"}, {"channel": None, "version": "v2026-01-07"}])
def test_a_release_reads_through_the_api_without_storage_credentials(release, server, asked):
    with open_release(server, **asked) as there, Release.open(release.prefix) as here:
        assert there.verify(full=True) == here.verify(full=True)
        assert list(there.records(split="val")) == list(here.records(split="val"))


def test_the_token_goes_to_the_api_and_never_along_with_a_presigned_url(server):
    with open_release(server) as opened:
        opened.verify(full=True)

    assert all(("Authorization" in headers) == path.startswith("/api/") for _, path, headers in server.seen)


def test_a_redirect_is_not_followed(server):
    server.faults["/api/v1/channels/latest"] = [302]

    assert isinstance(refusal(server), UsageError)
    assert not [path for _, path, _ in server.seen if path == "/elsewhere"]


def test_a_cut_download_resumes_by_range(server):
    server.faults[f"/signed/{SHARD}"] = [("cut", 700)]

    with open_release(server) as opened:
        assert len(list(opened.records(split="train", family="priority"))) == 75
    pieces = [headers.get("Range") for _, path, headers in server.seen if path.startswith(f"/signed/{SHARD}")]
    assert pieces == [None, "bytes=700-"]


def test_an_expired_presigned_url_is_asked_for_again(server):
    server.faults[f"/signed/{SHARD}"] = [403]

    with open_release(server) as opened:
        assert len(list(opened.records(split="train", family="priority"))) == 75


def test_a_url_that_is_no_http_url_is_refused(server, monkeypatch):
    answer = ApiHandler.json

    def misdirect(self, value, headers=None, status=200):
        answer(self, {"url": "file:///etc/passwd"} if "url" in value else value, headers, status)

    monkeypatch.setattr(ApiHandler, "json", misdirect)
    assert isinstance(refusal(server), IntegrityError)


def test_errors_hold_no_query_string_of_a_presigned_url(server):
    server.faults[f"/signed/{SHARD}"] = [500] * 50

    error = refusal(server)
    assert isinstance(error, StorageUnavailable)
    assert "secret" not in str(error)


def test_a_changed_shard_is_refused_through_the_api_too(release, server):
    release.flip(SHARD)

    assert refusal(server).exit_code == 3


def test_gone_means_withdrawn_with_the_reason_of_the_problem_document(release, server):
    release.withdraw("consent")

    for asked in ({"channel": "latest"}, {"channel": None, "version": "v2026-01-07"}):
        error = refusal(server, **asked)
        assert isinstance(error, ReleaseWithdrawn)
        assert "consent: a source withdrew" in str(error)


def test_an_unknown_channel_or_version_is_not_published(server):
    assert isinstance(refusal(server, channel="prod"), NotPublished)
    assert isinstance(refusal(server, channel=None, version="v2030-01-01"), NotPublished)


def test_a_refused_token_is_forbidden_and_an_empty_one_a_usage_error(server):
    with pytest.raises(StorageForbidden, match="401"):
        Release.open(channel="latest", api=server.url, token="mhds_other")
    for asked in ({"token": ""}, {"token": "a\nb"}, {"api": "ftp://x"}, {"channel": None}, {"version": "v2026-01-07"}):
        with pytest.raises(UsageError):
            Release.open(**({"channel": "latest", "api": server.url, "token": "mhds_token"} | asked))


def test_a_channel_that_went_back_is_refused(server):
    assert refusal(server, min_sequence=8).exit_code == 3
    assert open_release(server, min_sequence=7).version == "v2026-01-07"


def test_the_poll_answers_nothing_new_for_a_known_etag(server):
    api = Api(server.url, "mhds_token")

    state = api.channel("latest")
    assert state is not None
    assert (state.sequence, state.version, state.poll_after_s, state.etag) == (7, "v2026-01-07", 60, '"7"')
    assert api.channel("latest", etag=state.etag) is None


def test_a_consumption_report_carries_its_idempotency_key(server):
    Api(server.url, "mhds_token").report_consumption({"version": "v2026-01-07", "records": 8}, "run-1")

    assert server.posted == [{"version": "v2026-01-07", "records": 8}]
    method, path, headers = server.seen[-1]
    assert (method, path, headers["Idempotency-Key"]) == ("POST", "/api/v1/consumptions", "run-1")


def test_a_server_that_is_not_there_is_unavailable():
    with pytest.raises(StorageUnavailable):
        Api("http://127.0.0.1:9", "mhds_token").channel("latest")
