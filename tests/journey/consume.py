"""The training side of the journey: what a machine that has nothing but the client does with a published release."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.journey.client_env import TrainingMachine
from tests.journey.walk import TRAINING_JOB
from tests.pages.site import Site

STEPS, BATCH = 3, 8
FIELDS = {
    "version", "prefix", "content_digest", "manifest_sha256", "verified", "steps", "records", "tokens", "by_family",
    "order_sha256", "seconds", "error",
}  # fmt: skip
CHANNEL = """
import json, os, sys
from mhds.client import Release
asked = {"api": sys.argv[1], "token": os.environ["MHDS_TOKEN"], "channel": "latest", "allow_demo": bool(sys.argv[2])}
with Release.open(**asked) as release:
    checked = release.verify(full=True)
    print(json.dumps([release.version, checked.manifest_sha256, sum(1 for _ in release.records(split="train"))]))
"""


@dataclass(frozen=True)
class Training:
    """One training machine, one published release. ``env`` is what reaches the bucket, and nothing else."""

    machine: TrainingMachine
    site: Site
    prefix: str
    env: Mapping[str, str] = field(default_factory=dict)
    demo: bool = False

    @property
    def argv(self) -> list[str]:
        return [self.prefix, "--steps", str(STEPS), *(["--allow-demo"] if self.demo else [])]

    def token(self) -> str:
        """Made by the command that an administrator runs, shown once."""
        made = self.site.run(
            "manage.py", "create_token", TRAINING_JOB, "--scope", "read", "--scope", "consume", "--json"
        )
        return str(json.loads(made)["token"])


def read_by_prefix(training: Training) -> str:
    """Read from the bucket alone; the hash of the order of reading."""
    code, report = training.machine.smoke(*training.argv, env=training.env)
    assert code == 0, report
    assert set(report) == FIELDS
    assert (report["verified"], report["steps"], report["records"], report["error"]) == (
        True,
        STEPS,
        STEPS * BATCH,
        None,
    )
    assert report["prefix"] == training.prefix
    assert sum(report["by_family"].values()) == STEPS * BATCH
    assert report["tokens"] > STEPS * BATCH
    return str(report["order_sha256"])


def read_and_report(training: Training, token: str) -> int:
    """The same, and the server is told; the number of records that were read."""
    env = {**training.env, "MHDS_TOKEN": token}
    code, report = training.machine.smoke(*training.argv, "--api", training.site.url, env=env)
    assert code == 0, report
    return int(report["records"])


def read_by_channel(training: Training, token: str) -> tuple[str, int]:
    """Whatever the channel means, through the API alone: (version, records to train on)."""
    demo = "demo" if training.demo else ""
    done = training.machine.run(
        str(training.machine.bin / "python"), "-c", CHANNEL, training.site.url, demo, env={"MHDS_TOKEN": token}
    )
    assert done.returncode == 0, done.stderr[-1500:]
    version, _manifest, records = json.loads(done.stdout)
    return version, records


def flipped(body: bytes) -> bytes:
    """One bit of one byte in the middle is another one."""
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def refuse_damage(
    training: Training, path: str, get: Callable[[str], bytes], put: Callable[[str, bytes], None]
) -> None:
    """One flipped byte in ``path`` is exit code 3; the right bytes back, all is well again."""
    body = get(path)
    put(path, flipped(body))
    code, report = training.machine.smoke(*training.argv, env=training.env)
    put(path, body)
    assert (code, report["error"] is not None, report["records"]) == (3, True, 0), report
    assert training.machine.smoke(*training.argv, env=training.env)[0] == 0
