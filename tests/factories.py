"""Small sources, catalogs and people for the tests of the server: invented words, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group

from mhds.models import User
from mhds.roles import Role
from releases.services import DEFAULT_CATALOG

PASSWORD = "correct horse battery staple"
VERSION = "v2026-01-07"
FOUNDATION, PRIORITY, EDGE, VOICE = (
    "gdrive/processed/professional_therapeutic/", "gdrive/processed/priority/", "gdrive/processed/edge_cases/",
    "voice/",
)  # fmt: skip
PREFIXES = {"professional_therapeutic": FOUNDATION, "priority": PRIORITY, "edge_cases": EDGE, "voice": VOICE}

WORDS = tuple(
    """the therapist listened while I spoke about sleep work family grief anger morning evening walking breathing
    feeling tired hopeful lonely friend sister school money plan week today yesterday because when often never sometimes
    together slowly gently notice remember believe understand change small steps trust quiet letter garden river
    kitchen window music train coffee""".split()  # noqa: SIM905  a list of seventy strings would be harder to read
)


def person(name: str, *roles: Role, **fields: Any) -> User:
    user = User.objects.create_user(f"{name}@example.org", PASSWORD, name=name, **fields)
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def people() -> dict[Role, User]:
    """One person of each role, named after it."""
    return {role: person(role.value, role) for role in Role}


def sentence(seed: str, words: int = 20) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(words)).capitalize() + "."


def conversation(seed: str, turns: int = 2, words: int = 20) -> dict[str, Any]:
    """ChatML of ``turns`` messages; two seeds share no run of words worth the name."""
    roles = ("user", "assistant")
    return {
        "messages": [{"role": roles[turn % 2], "content": sentence(f"{seed} {turn}", words)} for turn in range(turns)]
    }


def jsonl(records: Iterable[object]) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records)


def conversations(seed: str, count: int = 12) -> bytes:
    return jsonl(conversation(f"{seed} {number}") for number in range(count))


def source_row(of: str, *, prefix: str = "", **changed: Any) -> str:
    """One approved ``[[source]]`` of the family ``of``; ``None`` leaves a field out."""
    fields: dict[str, Any] = {
        "id": of, "family": of, "prefix": prefix or PREFIXES[of], "license_tag": "CC0-1.0",
        "license_status": "verified", "approved_by": "Ada", "allowed_uses": ["training"], "prohibited_uses": [],
        "acquisition": "invented for a test", "attribution": "nobody",
    } | changed  # fmt: skip
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items() if value is not None]
    return "\n".join(["[[source]]", *lines, "approved_at = 2026-01-01T00:00:00Z", ""])


def catalog_toml(*sources: str, replace: Sequence[tuple[str, str]] = ()) -> str:
    """The shipped catalog with sources; by default one approved source for each family of ``PREFIXES``."""
    text = DEFAULT_CATALOG.read_text(encoding="utf-8")
    for old, new in replace:
        assert old in text, old
        text = text.replace(old, new)
    return "\n".join([text, *(sources or [source_row(family) for family in PREFIXES])])


def write_source(root: Path, objects: dict[str, bytes]) -> Path:
    for key, body in objects.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root


def small_source(root: Path) -> Path:
    """Four families with records; ``voice`` with a persona profile too, ``cot_reasoning`` missing."""
    return write_source(
        root,
        {
            f"{FOUNDATION}a.jsonl": conversations("foundation"),
            f"{PRIORITY}a.jsonl": conversations("priority"),
            f"{EDGE}a.jsonl": conversations("edge"),
            f"{VOICE}talk.jsonl": conversations("voice", 4),
            "elsewhere/notes.txt": b"not under any family\n",
        },
    )


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
