"""What a training machine gets with the wheel: the client and its two dependencies, no Django and no server."""

from __future__ import annotations

import json

import pytest

from tests.journey.client_env import TrainingMachine

pytestmark = pytest.mark.client


def test_the_client_is_there_and_no_server(training_machine: TrainingMachine) -> None:
    code = """
import importlib.util, json, sys
import mhds.client.smoke
found = [name for name in ("django", "celery", "rest_framework", "pyarrow", "boto3", "cryptography")
         if importlib.util.find_spec(name)]
print(json.dumps([found, sorted(name for name in sys.modules if name.startswith(("releases", "gates", "reviews")))]))
"""
    done = training_machine.python(code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["boto3", "cryptography"], []]


def test_the_command_is_on_the_path_and_explains_itself(training_machine: TrainingMachine) -> None:
    done = training_machine.run(str(training_machine.bin / "mhds-smoke"), "--help")
    assert (done.returncode, "--allow-demo" in done.stdout) == (0, True)


def test_a_release_that_is_not_there_is_6_and_says_so(training_machine: TrainingMachine) -> None:
    code, report = training_machine.smoke("nowhere/v2026-01-07", "--steps", "1")
    assert code == 6
    assert (report["verified"], report["error"]["code"]) == (False, "not-published")
