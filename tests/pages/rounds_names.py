"""The releases that ``prepare_rounds`` makes, by the state that their page of rounds shows."""

from __future__ import annotations

PLAN, OPENED, DRAWN, SCORING, UNREADABLE, INCONCLUSIVE, FAILED, PASSED = (
    f"v2026-03-{day:02}" for day in (18, 11, 12, 13, 14, 15, 16, 17)
)
