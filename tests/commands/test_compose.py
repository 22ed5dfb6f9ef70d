"""docker-compose.yml, Dockerfile and .env.example: closed by default, no secret inside, an environment that starts."""

from __future__ import annotations

import math
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter

import pytest

from mhds.demo.serve import free_port
from mhds.settings import PRODUCTION_NEEDS
from tests.commands import compose
from tests.commands.compose import DOCUMENT, LONG_RUNNING, OURS, SERVICES, TEXT, environment_of, example, needed
from tests.processes import ROOT, environment, manage, production, run

pytestmark = pytest.mark.build

CODE = "\n".join(
    path.read_text(encoding="utf-8") for package in ("mhds", "releases") for path in (ROOT / package).rglob("*.py")
)
BOTOCORE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}  # boto3 reads these by itself
SECRET = re.compile(r"SECRET|PASSWORD|PEPPER|TOKEN|KEY")
PINNED = re.compile(r"[\w./-]+:(?!latest)[\w.-]*\d+\.\d+[\w.-]*|[\w./-]+:RELEASE\.\d{4}-[\w-]+")


def read_by_the_product(name):
    return name in BOTOCORE or re.search(rf"""["']{name}["']""", CODE) is not None


def looks_like_a_secret(text):
    """A run of letters and digits that nobody writes by hand: long, mixed, without a word's rhythm."""
    for one in re.findall(r"[A-Za-z0-9+/=_-]{20,}", text):
        counts = Counter(one)
        bits = -sum(n / len(one) * math.log2(n / len(one)) for n in counts.values())
        if bits > 3.6 and re.search(r"\d", one) and re.search(r"[a-z]", one) and re.search(r"[A-Z]", one):
            return True
    return "PRIVATE KEY" in text


def test_the_services_are_those_of_the_product():
    assert set(SERVICES) == {"migrate", *LONG_RUNNING}
    assert [name for name, one in SERVICES.items() if one.get("profiles")] == ["s3"]
    assert "UNTESTED HERE" in TEXT.split("\n  s3:")[0].rsplit("\n\n", 1)[1]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_for_ever_is_watched_restarted_and_may_gain_no_rights(name):
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


def test_health_is_asked_of_what_each_one_does():
    asked = {name: " ".join(SERVICES[name]["healthcheck"]["test"][1:]) for name in LONG_RUNNING}
    assert {name: asked[name] for name in OURS} == {name: f"python -m mhds.healthy {name}" for name in OURS}
    assert asked["db"].startswith("pg_isready")
    assert asked["redis"] == "redis-cli ping"


def test_images_are_pinned():
    images = [one["image"] for one in SERVICES.values()]
    images += [rest for name, rest in compose.instructions() if name == "FROM"]
    assert [image for image in images if not PINNED.fullmatch(image)] == []


@pytest.mark.parametrize("name", OURS)
def test_nothing_starts_before_the_tables_are_there(name):
    after = {other: one["condition"] for other, one in SERVICES[name]["depends_on"].items()}
    assert after["migrate"] == "service_completed_successfully"
    assert after["db"] == after["redis"] == "service_healthy"


def test_migrate_runs_once():
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]


def test_only_web_is_reached_and_only_from_this_machine():
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert list(ports) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in ports["web"])
    assert DOCUMENT["networks"]["back"] == {"internal": True}
    assert all(SERVICES[name]["networks"] == ["back"] for name in ("db", "redis", "s3"))


def test_redis_keeps_everything():
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_state_lies_in_named_volumes():
    used = {volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", [])}
    assert used == set(DOCUMENT["volumes"])
    assert not [volume for volume in used if volume.startswith((".", "/"))]


def test_every_variable_is_one_that_the_product_reads():
    odd = {name for service in OURS for name in SERVICES[service]["environment"] if not read_by_the_product(name)}
    assert odd == set()
    assert not read_by_the_product("MHDS_NO_SUCH_SETTING")


def test_every_need_of_production_is_set_and_every_needed_value_says_what_to_set():
    assert set(PRODUCTION_NEEDS) <= set(SERVICES["web"]["environment"])
    assert {"SECRET_KEY", "MHDS_PEPPER", "MHDS_SIGNING_KEY", "POSTGRES_PASSWORD", "ALLOWED_HOSTS"} <= needed()
    for name, kind, words in compose.USED.findall(TEXT):
        assert kind in ("?", "-"), name
        if kind == "?":
            assert words.startswith(f"set {name}")


def test_no_value_is_a_secret():
    for path, value in compose.strings(DOCUMENT):
        literal = compose.USED.sub("", value)
        assert not looks_like_a_secret(literal), path
        if SECRET.search(path[-1]) and "environment" in path:
            assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), f"{path[-1]} is not asked of the environment"
        assert not re.search(r"://\w+:[^$@/]+@", value), path
    assert not looks_like_a_secret((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert looks_like_a_secret("SECRET_KEY: vQ8zt1LrX0pWm4Hn7YcJd2KsBf9GaEuT")


def test_the_example_names_every_variable_and_gives_none():
    assert set(example()) == {name for name, _kind, _words in compose.USED.findall(TEXT)}
    assert set(example().values()) == {""}


@pytest.mark.parametrize("name", sorted(needed()))
def test_a_value_that_is_not_given_stops_the_start(name, given):
    del given[name]
    services = [one for one in SERVICES if name in str(SERVICES[one].get("environment"))]
    assert services
    for service in services:
        with pytest.raises(KeyError, match=f"set {name}"):
            environment_of(service, given)


@pytest.fixture
def given(tmp_path):
    """What a person would put into .env; invented here."""
    made = production(tmp_path, "", "")
    return {name: made.get(name, "an-invented-value-of-this-test-0123456789") for name in needed()} | {
        "ALLOWED_HOSTS": "mhds.example.org",
        "POSTGRES_PASSWORD": "0123456789abcdef",
    }


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular():
    steps = compose.instructions()
    installs = [rest for name, rest in steps if name == "RUN" and "install " in rest and "pip" in rest]
    assert installs
    assert all("--require-hashes" in one and "-r requirements.lock" in one for one in installs)
    assert [rest for name, rest in steps if name == "USER"] == ["mhds"]
    assert steps[-1][0] == "USER"
    copied = {word for name, rest in steps if name == "COPY" for word in rest.split()[:-1]}
    assert all((ROOT / one).exists() for one in copied)
    assert not copied & {".", "tests", ".env"}


@pytest.fixture
def started(given, tmp_path, postgres_url, redis_prefix):
    """The very environment of ``web``, pointed at this machine's services instead of the containers'."""
    broker, prefix = redis_prefix
    image = dict(word.split("=", 1) for word in _image_environment() if word.startswith(("MHDS_", "DJANGO_")))
    assert environment_of("web", given)["DATABASE_URL"] == "postgresql://mhds:0123456789abcdef@db:5432/mhds"
    env = environment(**image) | environment_of("web", given)
    here = {"MHDS_DATA_DIR": str(tmp_path / "data"), "MHDS_STATIC_DIR": str(tmp_path / "static")}
    assert set(here) <= set(image)
    return env | here | {"DATABASE_URL": postgres_url, "CELERY_BROKER_URL": broker, "MHDS_REDIS_PREFIX": prefix}


def _image_environment():
    return [word for name, rest in compose.instructions() if name == "ENV" for word in shlex.split(rest)]


def collect(env):
    """The step of the Dockerfile, as it stands there but for its throwaway folder."""
    (step,) = [rest for name, rest in compose.instructions() if name == "RUN" and "collectstatic" in rest]
    shell = step.replace("/tmp/collect", env["MHDS_DATA_DIR"] + "-collect")
    bare = environment(MHDS_STATIC_DIR=env["MHDS_STATIC_DIR"], DJANGO_SETTINGS_MODULE="mhds.settings")
    path = f"{os.path.dirname(sys.executable)}:{bare['PATH']}"  # noqa: PTH120
    done = subprocess.run(["sh", "-c", shell], env=bare | {"PATH": path}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def healthy(name, env):
    done = run("-m", "mhds.healthy", name, env=env)
    return done.returncode, done.stderr


def becomes_healthy(name, env):
    deadline = time.monotonic() + 40
    while (told := healthy(name, env))[0] and time.monotonic() < deadline:
        time.sleep(0.3)
    return told


@pytest.mark.services
def test_production_starts_with_this_environment(started):
    collect(started)
    assert manage(*SERVICES["migrate"]["command"][2:], env=started).returncode == 0
    checked = manage("check", "--deploy", "--database", "default", "--fail-level", "WARNING", env=started)
    assert checked.returncode == 0, checked.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.services
def test_each_process_shows_that_it_lives(started):
    collect(started)
    assert manage(*SERVICES["migrate"]["command"][2:], env=started).returncode == 0
    port = free_port(18_900)
    env = started | {"MHDS_PORT": str(port)}
    assert healthy("reconciler", env)[0] == 1, "no round was made yet"
    for name in OURS:
        command = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in SERVICES[name]["command"]]
        argv = command[1:] if command[0] == "python" else ["-m", *command]
        process = subprocess.Popen(
            [sys.executable, *argv], env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert becomes_healthy(name, env) == (0, ""), name
        finally:
            process.terminate()
            process.wait(30)
        if name != "reconciler":  # its last round stays fresh for a minute
            assert healthy(name, env)[0] == 1, f"{name} has ended"


def test_a_reconciler_whose_last_round_is_long_ago_is_not_healthy(tmp_path):
    beat = tmp_path / "reconciler.beat"
    beat.touch()
    assert healthy("reconciler", environment(MHDS_DATA_DIR=str(tmp_path)))[0] == 0
    os.utime(beat, (time.time() - 61, time.time() - 61))
    code, said = healthy("reconciler", environment(MHDS_DATA_DIR=str(tmp_path)))
    assert (code, "61 s ago" in said) == (1, True)


def test_health_of_something_else_is_a_usage_error():
    assert healthy("everything", environment())[0] == 2
