"""The contract of the REST API: every answer that a training job may meet, over the real URLs."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mhds.errors import InvalidInput
from mhds.models import AuditEvent
from releases import channels, evidence, tokens
from releases.lifecycle import Action, Evidence
from releases.models import Candidate, Consumption, ServiceToken
from releases.publishing.services import publish_now, start_publish
from releases.services import transition
from tests.publish.candidates import VERSION, approved_candidate

pytestmark = pytest.mark.publish
CHANNEL = "/api/v1/channels/latest"
RELEASE = f"/api/v1/releases/{VERSION}"


@pytest.fixture
def token(db):
    return tokens.create_token("job", ["read", "consume"], 90)


@pytest.fixture
def get(client, token):
    def ask(path, **headers):
        return client.get(path, headers={"Authorization": f"Bearer {token[1]}", **headers})

    return ask


@pytest.fixture
def published(candidate, lead):
    return publish_now(candidate, lead, candidate.content_digest)


def problem_of(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"/api/v1/problems/{body['code']}"
    assert body["status"] == response.status_code
    return body["code"]


# --- the poll ---


def test_a_poll_tells_the_release_and_repeats_with_304(get, published):
    first = get(CHANNEL)
    told = first.json()
    assert first.status_code == 200
    assert told == {
        "channel": "latest",
        "sequence": 1,
        "version": VERSION,
        "prefix": told["prefix"],
        "content_digest": published.content_digest,
        "manifest_sha256": published.manifest_sha256,
        "state": "published",
        "signoff_current": True,
        "published_at": told["published_at"],
        "poll_after_s": 60,
    }
    assert told["prefix"].endswith(f"/bucket/exports/releases/{VERSION}/")
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = get(CHANNEL, **{"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert again.headers["Retry-After"] == "60"
    assert get(CHANNEL, **{"If-None-Match": '"other"'}).status_code == 200


def test_an_unchanged_poll_costs_two_reads_and_no_write(get, published):
    etag = get(CHANNEL).headers["ETag"]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert get(CHANNEL, **{"If-None-Match": etag}).status_code == 304
    assert len(queries) <= 2
    assert all(one["sql"].startswith("SELECT") for one in queries)
    assert not [one for one in queries if '"manifest"' in one["sql"] or '"files"' in one["sql"]]


def test_the_etag_changes_with_the_signature_and_with_the_next_release(get, published, candidate, lead, monkeypatch):
    seen = [get(CHANNEL).headers["ETag"]]
    monkeypatch.setitem(evidence.COLLECTORS, "signatures", lambda _c: Evidence("signatures", ("withdrawn",)))
    channels.refresh_signoff(candidate)
    assert get(CHANNEL).json()["signoff_current"] is False
    seen.append(get(CHANNEL).headers["ETag"])
    monkeypatch.setitem(evidence.COLLECTORS, "signatures", lambda _c: Evidence("signatures"))
    second = approved_candidate(f"{VERSION}.2")
    publish_now(second, lead, second.content_digest)
    assert get(CHANNEL).json()["version"] == f"{VERSION}.2"
    seen.append(get(CHANNEL).headers["ETag"])
    assert len(set(seen)) == 3


def test_nothing_published_is_a_404_of_its_own_type(get, candidate, lead):
    assert problem_of(get(CHANNEL)) == "no-release"
    start_publish(candidate, lead, candidate.content_digest)
    response = get(CHANNEL)
    assert (response.status_code, response.headers["Retry-After"]) == (404, "60")
    assert problem_of(get("/api/v1/channels/other")) == "no-release"


# --- who may ask ---


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer mhds_wrong", "Bearer ünknown", "mhds_x"])
def test_without_a_token_in_force_everything_is_401(client, published, header):
    headers = {} if header is None else {"Authorization": header}
    for path in (CHANNEL, "/api/v1/releases", RELEASE, f"{RELEASE}/manifest", f"{RELEASE}/files/SHA256SUMS"):
        response = client.get(path, headers=headers)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        problem_of(response)
    assert client.post("/api/v1/consumptions", {}, "application/json", headers=headers).status_code == 401


def test_a_revoked_token_is_dead_at_once_and_so_is_an_expired_one(get, published, token):
    assert get(CHANNEL).status_code == 200
    tokens.revoke(token[0])
    assert get(CHANNEL).status_code == 401
    ServiceToken.objects.filter(pk=token[0].pk).update(revoked_at=None, expires_at=timezone.now())
    assert get(CHANNEL).status_code == 401
    ServiceToken.objects.filter(pk=token[0].pk).update(expires_at=timezone.now() + timedelta(minutes=1))
    assert get(CHANNEL).status_code == 200


def test_a_scope_opens_only_its_own_calls(client, published):
    _row, reader = tokens.create_token("reader", ["read"], 1)
    _row, reporter = tokens.create_token("reporter", ["consume"], 1)
    denied = client.get(CHANNEL, headers={"Authorization": f"Bearer {reporter}"})
    assert (denied.status_code, problem_of(denied)) == (403, "permission-denied")
    denied = client.post("/api/v1/consumptions", {}, "application/json", headers={"Authorization": f"Bearer {reader}"})
    assert denied.status_code == 403


def test_only_the_hash_of_a_token_is_kept_and_no_log_holds_it(get, published, token, caplog):
    with caplog.at_level(logging.DEBUG):
        get(CHANNEL)
        get("/api/v1/releases/v1999-01-01")
    assert token[1] not in caplog.text
    row = ServiceToken.objects.get(pk=token[0].pk)
    assert row.sha256 == hashlib.sha256(token[1].encode()).hexdigest()
    assert row.last_used_at is not None
    assert not [one for one in AuditEvent.objects.all() if token[1] in json.dumps(one.data)]


@pytest.mark.parametrize(("scopes", "days"), [([], 1), (["write"], 1), (["read"], 0), (["read"], 366)])
def test_a_token_needs_known_scopes_and_an_end(db, scopes, days):
    with pytest.raises(InvalidInput):
        tokens.create_token("job", scopes, days)


def test_the_command_prints_the_token_once_as_json(db, client, capsys):
    call_command("create_token", "nightly", "--scope", "read", "--scope", "consume", "--days", "30", "--json")
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"name", "token", "scopes", "expires_at"}
    assert (told["name"], told["scopes"]) == ("nightly", ["read", "consume"])
    assert client.get(CHANNEL, headers={"Authorization": f"Bearer {told['token']}"}).status_code == 404
    with pytest.raises(CommandError):
        call_command("create_token", "nightly", "--scope", "everything")


def test_an_unknown_address_is_a_problem_like_any_other(get, client):
    for path in ("/api/v1/nothing", "/api/v1/releases/", f"{RELEASE}/other"):
        assert (get(path).status_code, problem_of(get(path))) == (404, "not-found")
        assert client.get(path).status_code == 401


def test_a_person_who_is_signed_in_is_no_token(client, published, lead):
    client.force_login(lead)
    assert client.get(CHANNEL).status_code == 401


# --- releases ---


def test_releases_are_listed_newest_first_page_by_page(get, published, lead, monkeypatch):
    second = approved_candidate(f"{VERSION}.2")
    publish_now(second, lead, second.content_digest)
    monkeypatch.setattr("releases.api.views.NewestFirst.page_size", 1)
    first = get("/api/v1/releases").json()
    assert [one["version"] for one in first["results"]] == [f"{VERSION}.2"]
    last = get(first["next"]).json()
    assert ([one["version"] for one in last["results"]], last["next"]) == ([VERSION], None)


def test_a_release_tells_what_its_manifest_says(get, published):
    told, manifest = get(RELEASE).json(), json.loads(bytes(published.manifest))
    assert told["state"] == "published"
    assert told["records"] == manifest["content"]["records"]
    assert {one["id"]: one["verdict"] for one in told["gates"]} == {one["id"]: "PASS" for one in manifest["gates"]}
    assert {one["content_digest"] for one in told["signoffs"]} == {published.content_digest}
    assert published.content_digest in told["signoff_statement"]
    assert told["waivers"] == []


def test_the_manifest_comes_as_its_exact_bytes(get, published):
    response = get(f"{RELEASE}/manifest")
    assert hashlib.sha256(response.content).hexdigest() == published.manifest_sha256
    assert response.headers["ETag"] == f'"{published.manifest_sha256}"'
    assert get(f"{RELEASE}/manifest", **{"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("part", ["", "/manifest", "/files/SHA256SUMS", "/events"])
def test_what_is_not_published_does_not_exist_for_a_token(get, candidate, lead, part):
    for moved in (False, True):
        if moved:
            start_publish(candidate, lead, candidate.content_digest)
        for version in (VERSION, "v1999-01-01", "nonsense"):
            response = get(f"/api/v1/releases/{version}{part}")
            assert (response.status_code, problem_of(response)) == (404, "release-not-found")
    assert get("/api/v1/releases").json()["results"] == []


def test_a_withdrawn_release_is_gone_and_says_why(get, published, candidate, lead):
    url = get(f"{RELEASE}/files/SHA256SUMS").json()["url"]
    transition(Candidate.objects.get(pk=candidate.pk), Action.WITHDRAW, actor=lead, reason="a person can be identified")
    for path in (CHANNEL, RELEASE, f"{RELEASE}/manifest", f"{RELEASE}/files/SHA256SUMS", url):
        response = get(path)
        assert (response.status_code, problem_of(response)) == (410, "release-withdrawn")
        assert response.json()["detail"] == "a person can be identified"
    assert [one["state"] for one in get(f"{RELEASE}/events").json()["events"]] == ["published", "withdrawn"]
    assert get("/api/v1/releases").json()["results"] == []


def test_events_tell_moves_without_names_or_words(get, published):
    told = get(f"{RELEASE}/events").json()
    assert [set(one) for one in told["events"]] == [{"seq", "action", "state", "at"}]


# --- files ---


def test_a_file_comes_by_a_url_that_needs_no_token_and_ends(get, client, published, monkeypatch):
    path = "data/train/priority/part-00000.jsonl"
    told = get(f"{RELEASE}/files/{path}").json()
    assert set(told) == {"url", "expires_at", "bytes", "sha256"}
    whole = client.get(told["url"])
    body = b"".join(whole.streaming_content)
    assert hashlib.sha256(body).hexdigest() == told["sha256"]
    assert (len(body), whole.headers["Content-Length"]) == (told["bytes"], str(told["bytes"]))
    assert whole.headers["ETag"] == f'"{told["sha256"]}"'
    part = client.get(told["url"], headers={"Range": "bytes=100-", "If-Match": whole.headers["ETag"]})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, body[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(body) - 1}/{len(body)}"
    some = client.get(told["url"], headers={"Range": "bytes=5-9"})
    assert b"".join(some.streaming_content) == body[5:10]
    monkeypatch.setattr("releases.api.urls_signed.LIFETIME_S", -1)
    late = client.get(told["url"])
    assert (late.status_code, problem_of(late)) == (403, "url-refused")


def test_a_signed_url_serves_nothing_else(get, client, published):
    url = get(f"{RELEASE}/files/docs/README.md").json()["url"]
    for other in (url[:-1] + ("a" if url[-1] != "a" else "b"), url.rsplit("/", 1)[0] + "/x"):
        assert client.get(other).status_code == 403
    assert client.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416
    assert client.get(url, headers={"Range": "bytes=1-2,4-5"}).status_code == 416
    assert client.get(url, headers={"If-Match": '"other"'}).status_code == 412


@pytest.mark.parametrize(
    "path", ["nothing.txt", "manifest.dsse.json", "../../channels/latest.json", "data/", "%2e%2e/x"]
)
def test_a_file_that_the_manifest_does_not_list_has_no_url(get, published, path):
    response = get(f"{RELEASE}/files/{path}")
    assert (response.status_code, problem_of(response)) == (404, "file-not-listed")


# --- consumptions ---


def report_of(published, **changed):
    rows = [row for row in published.files if row["role"] == "data" and row["split"] == "train"]
    by_family = {row["family"]: row["records"] for row in rows}
    return {
        "run_id": "run-1",
        "version": VERSION,
        "content_digest": published.content_digest,
        "manifest_sha256": published.manifest_sha256,
        "records": sum(by_family.values()),
        "by_family": by_family,
        "order_sha256": "0" * 64,
        **changed,
    }


@pytest.fixture
def post(client, token):
    def send(body, key="key-1"):
        headers = {"Authorization": f"Bearer {token[1]}"} | ({"Idempotency-Key": key} if key is not None else {})
        return client.post("/api/v1/consumptions", json.dumps(body), "application/json", headers=headers)

    return send


def test_a_report_counts_once_however_often_it_is_sent(post, published):
    first, again = post(report_of(published)), post(report_of(published))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Consumption.objects.count() == 1
    other = post(report_of(published, run_id="run-2"))
    assert (other.status_code, problem_of(other)) == (409, "idempotency-key-reused")
    assert post(report_of(published, run_id="run-2"), "key-2").status_code == 201
    assert Consumption.objects.count() == 2


@pytest.mark.parametrize("key", [None, "", "x" * 201])
def test_a_report_needs_a_key(post, published, key):
    response = post(report_of(published), key)
    assert (response.status_code, problem_of(response)) == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"content_digest": "sha256:" + "0" * 64}, 409),
        ({"manifest_sha256": "0" * 64}, 409),
        ({"version": "v1999-01-01"}, 404),
        ({"records": 1}, 400),
        ({"records": 0, "by_family": {"other": 0}}, 409),
        ({"by_family": {"priority": -1}}, 400),
        ({"surprise": 1}, 400),
        ({"run_id": None}, 400),
        ({"order_sha256": "x"}, 400),
    ],
)
def test_a_report_that_does_not_fit_the_release_is_refused(post, published, changed, status):
    response = post(report_of(published, **changed))
    assert response.status_code == status
    problem_of(response)
    assert not Consumption.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_a_report_that_is_no_object_is_refused(post, published, body):
    assert post(body).status_code == 400


# --- the schema ---


def test_the_schema_is_valid_openapi_3_1_without_a_warning(db):
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    schema = json.loads(out.getvalue())
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/api/v1/channels/{name}",
        "/api/v1/releases",
        "/api/v1/releases/{version}",
        "/api/v1/releases/{version}/manifest",
        "/api/v1/releases/{version}/files/{path}",
        "/api/v1/releases/{version}/events",
        "/api/v1/consumptions",
    }
    assert schema["components"]["securitySchemes"]["serviceToken"]["scheme"] == "bearer"


def test_the_schema_is_served_to_everyone(db, client):
    response = client.get("/api/v1/schema")
    assert (response.status_code, response.json()["info"]["title"]) == (200, "MHDS release API")
