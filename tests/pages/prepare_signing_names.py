"""Versions of the releases that ``prepare_signing`` makes; importable without Django."""

OUTDATED = "v2026-01-05"
WAITING = "v2026-01-06"
UNREAD = "v2026-01-08"
