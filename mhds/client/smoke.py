"""``mhds-smoke``: a dry run of training on a published release, from its prefix alone. Prints one JSON object.

Owns the command line and the report; knows of a release only what ``mhds.client`` offers to any training job.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from mhds.client.api import Api
from mhds.client.errors import ClientError, IntegrityError, StorageUnavailable, UsageError
from mhds.client.model import SPLITS
from mhds.client.release import Release
from mhds.client.sample import Sample
from mhds.client.shards import Record

REPORT_TRIES = 3
# A byte tokenizer: 0-255 are the bytes of the content, then one id to open a turn of each role and one to close it.
TURN_IDS = {"system": 256, "user": 257, "assistant": 258}
END_OF_TURN = 259


@dataclass
class Consumption:
    """What was read so far. ``order`` hashes the record ids in the order of reading, one a line."""

    steps: int = 0
    tokens: int = 0
    by_family: Counter[str] = field(default_factory=Counter)
    order: Any = field(default_factory=hashlib.sha256)

    @property
    def records(self) -> int:
        return self.by_family.total()

    def take(self, batch: Sequence[Record]) -> None:
        self.steps += 1
        for record in batch:
            try:
                self._take_one(record)
            except (KeyError, TypeError, AttributeError):
                # ``from None``: the chained error would carry a piece of the record.
                raise IntegrityError(f"a record of step {self.steps} does not meet the record contract") from None

    def _take_one(self, record: Record) -> None:
        about = record["metadata"]
        self.tokens += len(tokenise(record))
        self.by_family[about["source_family"]] += 1
        self.order.update(f"{about['record_id']}\n".encode())


def tokenise(record: Record) -> list[int]:
    """Token ids of one conversation; the same on every machine, because nothing but UTF-8 goes in."""
    tokens: list[int] = []
    for message in record["messages"]:
        tokens.append(TURN_IDS[message["role"]])
        tokens.extend(message["content"].encode("utf-8"))
        tokens.append(END_OF_TURN)
    return tokens


def main(argv: Sequence[str] | None = None) -> int:
    """Run the smoke test; the exit code is that of the table in ``docs/training.md``."""
    started = time.monotonic()
    report = _empty_report()
    code = 0
    try:
        _run(_arguments(argv), report)
    except ClientError as error:
        code = error.exit_code
        report["error"] = {"code": error.code, "message": _sentence(error)}
        _say(f"refused: {_sentence(error)}")
    report["seconds"] = round(time.monotonic() - started, 3)
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    return code


def _run(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    report["prefix"] = asked.prefix
    api = _api(asked)
    with Release.open(
        asked.prefix,
        public_key=asked.public_key,
        require_signature=asked.require_signature,
        allow_demo=asked.allow_demo,
    ) as release:
        report["version"] = release.version
        report["content_digest"] = release.manifest.content.digest
        report["manifest_sha256"] = release.manifest_sha256
        _say(f"{release.prefix}: checking every file of {release.version}")
        checked = release.verify(full=True, keep=asked.split)
        report["verified"] = True
        _say(f"verified; signature {checked.signature}; storage level {checked.storage_level}")
        consumed = Consumption()
        sample = release.sample(split=asked.split)
        _say(f"draws by family in each window of {sample.window}: {sample.mix}")
        try:
            for batch in _batches(sample, asked.steps, asked.batch):
                consumed.take(batch)
        finally:
            _fill(report, consumed)
    if api is not None:
        _post(api, report)


def _batches(sample: Sample, steps: int, size: int) -> Iterator[list[Record]]:
    for _ in range(steps):
        yield list(islice(sample, size))


def _post(api: Api, report: dict[str, Any]) -> None:
    run_id = str(uuid.uuid4())
    keys = ("version", "content_digest", "manifest_sha256", "records", "by_family", "order_sha256")
    body = {"run_id": run_id, **{key: report[key] for key in keys}}
    for attempt in range(1, REPORT_TRIES + 1):
        try:
            api.report_consumption(body, run_id)
        except StorageUnavailable:
            if attempt == REPORT_TRIES:
                raise
            time.sleep(attempt)
        else:
            _say(f"consumption reported as run {run_id}")
            return


def _api(asked: argparse.Namespace) -> Api | None:
    """Checked before anything is read, so that a run of an hour does not end in a missing token."""
    if asked.api is None:
        return None
    token = os.environ.get(asked.token_env, "")
    if not token:
        raise UsageError(f"the environment variable {asked.token_env} holds no token for {asked.api}")
    return Api(asked.api, token)


def _empty_report() -> dict[str, Any]:
    return {
        "version": None,
        "prefix": None,
        "content_digest": None,
        "manifest_sha256": None,
        "verified": False,
        "steps": 0,
        "records": 0,
        "tokens": 0,
        "by_family": {},
        "order_sha256": None,
        "seconds": 0,
        "error": None,
    }


def _fill(report: dict[str, Any], consumed: Consumption) -> None:
    report["steps"] = consumed.steps
    report["records"] = consumed.records
    report["tokens"] = consumed.tokens
    report["by_family"] = dict(sorted(consumed.by_family.items()))
    report["order_sha256"] = consumed.order.hexdigest()


def _sentence(error: ClientError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message


def _say(words: str) -> None:
    sys.stderr.write(f"mhds-smoke: {words}\n")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=self.format_usage().strip())


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="mhds-smoke", description="Read a published release as a training job would.")
    parser.add_argument("prefix", help="s3://bucket/exports/releases/<version>/, file:///... or a path")
    parser.add_argument("--steps", type=_positive, required=True, help="batches to read")
    parser.add_argument("--batch", type=_positive, default=8, help="records in a batch (8)")
    parser.add_argument("--split", choices=SPLITS, default="train", help="what to read (train)")
    parser.add_argument("--allow-demo", action="store_true", help="accept a release of demo data")
    parser.add_argument("--api", metavar="URL", help="report the consumption to this server")
    parser.add_argument(
        "--token-env", metavar="NAME", default="MHDS_TOKEN", help="variable with the token (MHDS_TOKEN)"
    )
    parser.add_argument("--public-key", metavar="FILE", type=Path, help="PEM, P-256: the signature must verify")
    parser.add_argument("--require-signature", action="store_true", help="refuse an unsigned release")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
