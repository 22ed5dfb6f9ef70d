"""The source of the journey: every family of the checklist with few records, one broken upload, one unapproved source.

Conversations and faults are the demo's own, made by its composers; only how many there are is decided here, so that
each round's population is small enough for all of it to be scored in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from mhds.demo import compose, plant
from mhds.demo.bucket import BROKEN, UNAPPROVED
from mhds.demo.compose import Composer, Conversation
from mhds.demo.containers import as_json, chatml, jsonl
from mhds.demo.fragments import Draw
from mhds.demo.setup import CATALOG
from mhds.demo.sources import PROCESSED

SEED = 11
BROKEN_NAME = "cut upload.jsonl.gz"
BROKEN_KEY = BROKEN + BROKEN_NAME
# Prefix, what it holds, how many: 12 records of stage 1, 10 of stage 3, 7 that only the privacy round reads.
PARTS: tuple[tuple[str, Composer, int], ...] = (
    (f"{PROCESSED}professional_therapeutic/harbour_clinic_dialogues/", compose.therapy_session, 6),
    (f"{PROCESSED}priority/short_dialogues/", compose.short_dialogue, 6),
    (f"{PROCESSED}edge_cases/crisis_drills/", compose.crisis_dialogue, 10),
    (f"{PROCESSED}cot_reasoning/clinical_reasoning/", compose.clinical_reasoning, 4),
    ("voice/warm_line/", compose.warm_talk, 3),
)
SPLITS = "splits_bp = { train = 9000, val = 500, test = 500 }"
# So few records, and still some in each split.
FEW_SPLITS = "splits_bp = { train = 6000, val = 2000, test = 2000 }"


def catalog() -> str:
    """The demo's catalog for so few records: shares of the splits, and no source that is not there."""
    text = CATALOG.read_text(encoding="utf-8")
    assert SPLITS in text
    head, *rows = re.split(r"(?=^\[\[source\]\]$)", text.replace(SPLITS, FEW_SPLITS), flags=re.MULTILINE)
    wanted = {prefix for prefix, _make, _count in PARTS} | {BROKEN, UNAPPROVED}
    return head + "".join(row for row in rows if any(f'prefix = "{prefix}"' in row for prefix in wanted))


def objects() -> Iterator[tuple[str, bytes]]:
    for prefix, make, count in PARTS:
        yield f"{prefix}part-00000.jsonl", jsonl([chatml(one) for one in _talks(prefix, make, count)])
    profiles = Draw(SEED, "profiles")
    rows = [{"id": f"p{number}", **compose.persona_profile(profiles)} for number in range(2)]
    yield "voice/warm_line/persona_profiles.json", as_json(rows)
    yield f"{UNAPPROVED}threads.jsonl", jsonl([chatml(one) for one in _talks("forum", compose.question_and_answer, 3)])
    broken = plant.broken_files(list(_talks("broken", compose.short_dialogue, 8)))
    yield BROKEN_KEY, broken[BROKEN_NAME]


def _talks(purpose: str, make: Composer, count: int) -> Iterator[Conversation]:
    return islice(compose.endless(make, Draw(SEED, purpose)), count)
