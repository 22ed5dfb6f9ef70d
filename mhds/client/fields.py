"""Reads one JSON object field by field; refuses what is absent, of the wrong kind or unknown; knows no schema."""

from __future__ import annotations

import re
from typing import Any

from mhds.client.errors import ManifestInvalid

SHA256 = re.compile(r"[0-9a-f]{64}")
CONTENT_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
VERSION = re.compile(r"v\d{4}-\d{2}-\d{2}(\.([2-9]|[1-9]\d+))?")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")
RECORD_ID = re.compile(r"r_[0-9a-f]{32}")
EXTENSION = "x_"


class Fields:
    """One object at ``where``. Every getter raises ``ManifestInvalid`` with the field's place, never its value."""

    def __init__(self, value: object, where: str, known: frozenset[str] | None = None) -> None:
        """``known`` closes the object: any other key not under ``x_`` is refused. None leaves it open."""
        if not isinstance(value, dict):
            raise ManifestInvalid(f"{where} must be an object")
        self.value: dict[str, Any] = value
        self.where = where
        unknown = sorted(k for k in value if known is not None and k not in known and not k.startswith(EXTENSION))
        if unknown:
            raise ManifestInvalid(
                f"{where} has unknown fields: {', '.join(unknown[:5])}", hint="Read it with a newer client, or use x_."
            )

    def _get(self, key: str) -> object:
        if key not in self.value:
            raise ManifestInvalid(f"{self.where}.{key} is missing")
        return self.value[key]

    def _wrong(self, key: str, wanted: str) -> ManifestInvalid:
        return ManifestInvalid(f"{self.where}.{key} must be {wanted}")

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        value = self._get(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "text, and not empty")
        if pattern is not None and not pattern.fullmatch(value):
            raise self._wrong(key, f"of the form {pattern.pattern}")
        return value

    def text_or_none(self, key: str, pattern: re.Pattern[str] | None = None) -> str | None:
        return None if self._get(key) is None else self.text(key, pattern)

    def choice(self, key: str, allowed: frozenset[str]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self._wrong(key, "one of " + ", ".join(sorted(allowed)))
        return value

    def count(self, key: str, least: int = 0) -> int:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._wrong(key, f"an integer of at least {least}")
        return value

    def count_or_none(self, key: str) -> int | None:
        return None if self._get(key) is None else self.count(key)

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def sha256(self, key: str) -> str:
        return self.text(key, SHA256)

    def object(self, key: str) -> dict[str, Any]:
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return value

    def filled_object(self, key: str) -> dict[str, Any]:
        """An object that says something: an empty one is the absence of evidence."""
        value = self.object(key)
        if not value:
            raise self._wrong(key, "an object that is not empty")
        return value

    def items(self, key: str) -> list[Any]:
        value = self._get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def inner(self, key: str, known: frozenset[str] | None = None) -> Fields:
        return Fields(self._get(key), f"{self.where}.{key}", known)

    def rows(self, key: str, known: frozenset[str] | None = None) -> list[Fields]:
        return [Fields(row, f"{self.where}.{key}[{n}]", known) for n, row in enumerate(self.items(key))]
