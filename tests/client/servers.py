"""Small HTTP servers of a release folder that can be told to fail: one answers like S3, one like the REST API."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.client.releases import Published


class Handler(BaseHTTPRequestHandler):
    """Serves byte ranges of ``server.root``. ``faults``: path -> list of what happens to the next requests for it:
    a status to answer with, or ``("cut", n)`` to send n bytes and hang up."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out as two writes
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append(("GET", self.path, dict(self.headers)))
        fault = self.server.next_fault(unquote(urlsplit(self.path).path))
        if isinstance(fault, int):
            self.fail(fault)
        else:
            self.answer(fault)

    def answer(self, fault: tuple[str, int] | None) -> None:
        self.serve(self.server.root / unquote(urlsplit(self.path).path).lstrip("/"), fault)

    def serve(self, path: Path, fault: tuple[str, int] | None = None) -> None:
        if not path.is_file():
            self.fail(404)
            return
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if self.headers.get("If-Match", etag) != etag:
            self.fail(412)
            return
        start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")) if "Range" in self.headers else 0
        self.send(206 if start else 200, body[start:], {"ETag": etag}, fault[1] if fault else None)

    def fail(self, status: int) -> None:
        code = {403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed", 503: "SlowDown"}.get(status, "Odd")
        self.send(status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"})

    def send(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


class ApiHandler(Handler):
    """``/api/v1/...`` for one release; files are handed out as URLs of the same server under ``/signed/``."""

    def answer(self, fault: tuple[str, int] | None) -> None:
        release, path = self.server.release, urlsplit(self.path).path
        own = f"/api/v1/releases/{release.version}"
        if path.startswith("/signed/"):
            self.serve(release.path(unquote(path.removeprefix("/signed/"))), fault)
        elif self.headers.get("Authorization") != "Bearer mhds_token":
            self.problem(401, "no-token")
        elif (release.exports / "withdrawals").exists():
            self.problem(410, "release-withdrawn", detail="consent: a source withdrew")
        elif path == f"{own}/manifest":
            self.serve(release.path("manifest.json"), fault)
        elif path.startswith(f"{own}/files/") and release.path(unquote(path.removeprefix(f"{own}/files/"))).is_file():
            name = path.removeprefix(f"{own}/files/")
            self.json({"url": f"{self.server.url}/signed/{name}?signature=secret"})
        elif path == own:
            self.json({"version": release.version, "state": "published", "agreement": 0.93})
        elif path == "/api/v1/channels/latest":
            self.channel()
        else:
            self.problem(404, "no-release")

    def channel(self) -> None:
        if self.headers.get("If-None-Match") == '"7"':
            self.send(304, b"", {"ETag": '"7"'})
            return
        release = self.server.release
        state = {
            "channel": "latest",
            "sequence": 7,
            "version": release.version,
            "prefix": release.prefix,
            "content_digest": release.manifest["content"]["digest"],
            "manifest_sha256": hashlib.sha256(release.path("manifest.json").read_bytes()).hexdigest(),
            "state": "published",
            "signoff_current": True,
            "published_at": "2026-01-07T12:00:00Z",
            "poll_after_s": 60,
        }
        self.json(state, {"ETag": '"7"'})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(("POST", self.path, dict(self.headers)))
        fault = self.server.next_fault(self.path)
        if isinstance(fault, int):
            self.problem(fault, "told-to-fail")
            return
        self.server.posted.append(body)
        self.json(body, status=201)

    def json(self, value: object, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def problem(self, status: int, title: str, detail: str = "") -> None:
        self.json({"type": f"urn:{title}", "title": title, "detail": detail}, status=status)

    def fail(self, status: int) -> None:
        if status == 302:
            self.send(302, b"", {"Location": f"{self.server.url}/elsewhere"})
        else:
            self.problem(status, "told-to-fail")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # the client opens several connections at once

    def __init__(self, handler: type[Handler], root: Path, release: Published | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.root = root
        self._release = release
        self.faults: dict[str, list[int | tuple[str, int]]] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.posted: list[dict[str, object]] = []

    @property
    def release(self) -> Published:
        assert self._release is not None, "this handler serves a release"
        return self._release

    def next_fault(self, path: str) -> int | tuple[str, int] | None:
        waiting = self.faults.get(path, [])
        return waiting.pop(0) if waiting else None


@contextmanager
def running(handler: type[Handler], root: Path, release: Published | None = None) -> Iterator[Server]:
    server = Server(handler, root, release)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
