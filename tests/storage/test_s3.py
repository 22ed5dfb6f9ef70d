"""What only S3 can get wrong: answers that are lost, cut, refused, repeated or late, from a server that misbehaves."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.request import urlopen

import pytest

from mhds.errors import ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused, StorageUnavailable
from mhds.storage import s3
from mhds.storage.s3 import S3Store

pytestmark = pytest.mark.publish

BODY = b"0123456789" * 100
ETAG = '"0123456789abcdef"'
DATE = "Wed, 07 Jan 2026 00:00:00 GMT"


class Answer:
    """One scripted answer. ``drop`` closes the connection without a word; ``cut`` sends only so many bytes.

    ``hold`` waits for so many seconds first; ``length=False`` leaves out Content-Length.
    """

    def __init__(self, status=200, body=b"", *, code="", cut=None, length=True, drop=False, hold=0.0, **headers):
        self.hold = hold
        self.status, self.cut, self.length, self.drop, self.headers = status, cut, length, drop, headers
        self.body = f"<Error><Code>{code}</Code></Error>".encode() if code else body


class FaultServer(ThreadingHTTPServer):
    """Answers from a script, the last answer for ever, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FaultHandler)
        self.script: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    def answers(self, *script: Answer) -> None:
        self.script = list(script)

    def next(self) -> Answer:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


class FaultHandler(BaseHTTPRequestHandler):
    server: FaultServer
    protocol_version = "HTTP/1.1"  # answers "Expect: 100-continue", for which botocore waits a second

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, {k.lower(): v for k, v in self.headers.items()}, body))
        answer = self.server.next()
        self.close_connection = True
        Event().wait(answer.hold)
        if answer.drop:
            return
        self.send_response(answer.status)
        self.send_header("ETag", ETAG)
        self.send_header("Last-Modified", DATE)
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        if answer.length:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.cut])

    do_GET = do_PUT = do_HEAD = do_DELETE = answer  # the names that http.server looks for

    def log_message(self, *args):
        pass


@pytest.fixture
def server(aws_environment, no_waiting):
    server = FaultServer()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    aws_environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def store(server):
    return S3Store("bucket", "prefix")


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("cut", [0, 1, 500, 999])
def test_a_body_cut_anywhere_is_an_error(server, store, cut, length):
    server.answers(Answer(body=BODY, cut=cut, length=length), Answer(body=BODY))
    with pytest.raises(StorageUnavailable), store.read("k") as stream:
        stream.read()


def test_a_whole_body_without_a_length_is_counted_against_the_head(server, store):
    server.answers(Answer(body=BODY, length=False), Answer(body=BODY))
    assert store.read_bytes("k") == BODY
    assert server.methods == ["GET", "HEAD"]


def test_a_body_longer_than_the_head_says_is_an_error(server, store):
    server.answers(Answer(body=BODY + b"more", length=False), Answer(body=BODY))
    with pytest.raises(StorageUnavailable):
        store.read_bytes("k")


def test_a_cut_range_is_an_error(server, store):
    server.answers(Answer(206, BODY[:10], cut=5, Content_Range="bytes 0-9/1000"))
    with pytest.raises(StorageUnavailable):
        store.read_range("k", 0, 10)
    server.answers(Answer(206, BODY[:5], length=False, Content_Range="bytes 0-4/1000"))
    with pytest.raises(ObjectDamaged):
        store.read_range("k", 0, 10)


def test_it_refuses_a_store_that_answers_a_range_with_the_whole(server, store):
    server.answers(Answer(200, BODY))
    with pytest.raises(StorageRefused):
        store.read_range("k", 0, 10)


def test_an_object_is_one_conditional_put_with_its_sha256(server, store, tmp_path):
    path = tmp_path / "shard"
    path.write_bytes(BODY)
    server.answers(Answer())
    assert store.put_if_absent("k", path).created
    [(method, headers, body)] = server.asked
    assert (method, headers["if-none-match"], body) == ("PUT", "*", BODY)
    assert headers["x-amz-checksum-sha256"] == b64encode(hashlib.sha256(BODY).digest()).decode()
    assert headers["content-length"] == "1000"


def test_a_put_whose_answer_was_lost_is_a_success(server, store):
    server.answers(Answer(drop=True), Answer(412, code="PreconditionFailed"), Answer(body=BODY))
    result = store.put_if_absent("k", BODY)
    assert (result.created, result.etag) == (False, ETAG)
    assert server.methods == ["PUT", "PUT", "GET"]


def test_a_precondition_that_failed_for_other_bytes_is_a_conflict(server, store):
    server.answers(Answer(412, code="PreconditionFailed"), Answer(body=BODY[:-1] + b"x"))
    with pytest.raises(ObjectConflict):
        store.put_if_absent("k", BODY)
    assert server.methods == ["PUT", "GET"]


def test_a_comparison_cut_short_is_neither_success_nor_conflict(server, store):
    server.answers(Answer(412, code="PreconditionFailed"), Answer(body=BODY, cut=700))
    with pytest.raises(StorageUnavailable):
        store.put_if_absent("k", BODY)


def test_a_race_in_flight_is_tried_again_with_the_same_condition_and_bytes(server, store):
    race = Answer(409, code="ConditionalRequestConflict")
    server.answers(race, race, Answer())
    assert store.put_if_absent("k", BODY).created
    assert [(m, h["if-none-match"], b) for m, h, b in server.asked] == [("PUT", "*", BODY)] * 3


def test_a_race_that_does_not_end_is_given_up(server, store):
    server.answers(Answer(409, code="ConditionalRequestConflict"))
    with pytest.raises(StorageUnavailable):
        store.put_if_absent("k", BODY)
    assert len(server.asked) == 4


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented"), (400, "InvalidArgument")])
def test_a_refusal_is_final_and_no_put_goes_without_its_condition(server, store, status, code):
    server.answers(Answer(status, code=code))
    with pytest.raises(StorageRefused, match=code):
        store.put_if_absent("k", BODY)
    assert all("if-none-match" in headers for _, headers, _ in server.asked)
    assert len(server.asked) <= s3.ATTEMPTS


@pytest.mark.parametrize(
    "answer",
    [Answer(503, code="SlowDown"), Answer(500, code="InternalError"), Answer(429, code="TooMany"), Answer(drop=True)],
)
def test_trouble_is_tried_a_bounded_number_of_times_and_then_worth_a_retry(server, store, answer):
    server.answers(answer)
    with pytest.raises(StorageUnavailable):
        store.put_if_absent("k", BODY)
    assert 1 <= len(server.asked) <= s3.ATTEMPTS


def test_a_silent_endpoint_is_given_up(server, aws_environment):
    aws_environment.setattr(s3, "READ_TIMEOUT_S", 0.05)
    server.answers(Answer(body=BODY, hold=0.3))
    with pytest.raises(StorageUnavailable):
        S3Store("bucket").head("k")
    assert len(server.asked) == s3.ATTEMPTS


def test_a_swap_of_an_object_that_is_gone_is_a_conflict(server, store):
    server.answers(Answer(404, code="NoSuchKey"))
    with pytest.raises(ObjectConflict):
        store.compare_and_swap("k", BODY, expected_etag=ETAG)
    [(_, headers, _)] = server.asked
    assert headers["if-match"] == ETAG


def test_a_bucket_that_does_not_exist_is_no_missing_object(server, store):
    server.answers(Answer(404, code="NoSuchBucket"))
    with pytest.raises(StorageRefused):
        store.read_bytes("k")
    server.answers(Answer(404, code="NoSuchKey"))
    with pytest.raises(ObjectMissing):
        store.read_bytes("k")


def listing(*keys: str, more: str = "") -> Answer:
    items = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><ETag>{ETAG}</ETag>"
        "<LastModified>2026-01-07T00:00:00Z</LastModified></Contents>"
        for key in keys
    )
    token = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    text = f"<ListBucketResult><EncodingType>url</EncodingType>{token}{items}</ListBucketResult>"
    return Answer(body=text.encode(), Content_Type="application/xml")


def test_a_listing_is_decoded_and_its_keys_lose_the_prefix(server, store):
    server.answers(listing("prefix/", "prefix/a%2Bb+c%25", more="t"), listing("prefix/%E7%95%8C%0A"))
    assert [info.key for info in store.list()] == ["a+b c%", "界\n"]


@pytest.mark.parametrize("second", [("prefix/a", "prefix/b"), ("prefix/b",), ("prefix/B",)])
def test_a_repeated_or_disordered_page_is_an_error(server, store, second):
    server.answers(listing("prefix/a", "prefix/b", more="t"), listing(*second))
    with pytest.raises(StorageUnavailable):
        list(store.list())


def test_a_page_that_fails_is_no_end_of_the_listing(server, store):
    server.answers(listing("prefix/a", more="t"), Answer(503, code="SlowDown"))
    with pytest.raises(StorageUnavailable):
        list(store.list())


@pytest.mark.parametrize(("strict", "error"), [(True, ObjectDamaged), (False, None)])
def test_strict_checksums_find_a_flipped_byte(server, strict, error):
    checksum = b64encode(hashlib.sha256(BODY).digest()).decode()
    server.answers(Answer(body=b"X" + BODY[1:], x_amz_checksum_sha256=checksum))
    store = S3Store("bucket", strict_checksums=strict)
    if error is None:
        assert store.read_bytes("k") != BODY, "whoever needs right bytes hashes them"
    else:
        with pytest.raises(error):
            store.read_bytes("k")


def test_no_credentials_is_a_refusal_that_says_so(server, aws_environment):
    aws_environment.delenv("AWS_ACCESS_KEY_ID")
    aws_environment.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageRefused, match="NoCredentials") as caught:
        S3Store("bucket").head("k")
    assert "credentials" in caught.value.hint


def test_only_the_plain_endpoint_variable_counts(server, aws_environment):
    aws_environment.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    server.answers(Answer(body=BODY))
    assert S3Store("bucket").head("k").size == len(BODY)


def test_a_signed_url_gives_the_object(s3_bucket):
    store = S3Store(s3_bucket, "pre fix")
    store.put_if_absent("a b/é+%.txt", BODY)
    url = store.presign("a b/é+%.txt", expires_s=60)
    assert url is not None
    with urlopen(url) as answer:
        assert answer.read() == BODY
    for seconds in (0, 7 * 24 * 3600 + 1):
        with pytest.raises(ValueError, match="7 days"):
            store.presign("k", expires_s=seconds)
