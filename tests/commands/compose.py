"""Reads docker-compose.yml, Dockerfile and .env.example as their tools do: interpolation, continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.processes import ROOT

FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
OURS = ("web", "worker", "reconciler")
LONG_RUNNING = (*OURS, "db", "redis", "s3")
USED = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(value: str, given: Mapping[str, str]) -> str:
    """``${NAME:?words}`` and ``${NAME:-default}``; raises KeyError with the words where a needed one is not given."""

    def one(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if given.get(name):
            return given[name]
        if kind != "-":
            raise KeyError(rest or name)
        return rest

    return USED.sub(one, value)


def environment_of(service: str, given: Mapping[str, str]) -> dict[str, str]:
    return {name: interpolated(str(value), given) for name, value in SERVICES[service]["environment"].items()}


def needed() -> set[str]:
    return {name for name, kind, _words in USED.findall(TEXT) if kind == "?"}


def strings(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value below a node with where it stands."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from strings(child, (*path, str(name)))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from strings(child, (*path, str(number)))
    else:
        yield path, str(node)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _equals, value in pairs}


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, with its continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for line in lines for name, _space, rest in [line.partition(" ")]]
