"""Versions that ``prepare`` makes beside the demo's; apart from it, because importing that one starts Django."""

BUILDING, FAILED = "v2020-01-02", "v2020-01-01"
