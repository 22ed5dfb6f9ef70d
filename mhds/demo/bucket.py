"""Writes the demo's synthetic source bucket, the same bytes for the same size and seed; knows no store but ``put``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice

from mhds.demo import compose, plant
from mhds.demo.compose import Conversation, endless
from mhds.demo.containers import as_json, chatml, gzip_stored, jsonl, zstd
from mhds.demo.fragments import Draw
from mhds.demo.handwritten import handwritten, shared_replies
from mhds.demo.sources import HOLDOUT, PLANS, PROCESSED, SourcePlan
from mhds.errors import InvalidInput

MIN_BYTES = 1_000_000
MAX_BYTES = 2_000_000_000
UNAPPROVED = PROCESSED + "priority/unlicensed_forum/"
BROKEN = PROCESSED + "priority/broken_uploads/"
JOINED = PROCESSED + "priority/helpdesk_join/"
PROMPTS = "edge_cases/red_flag_prompts/"
OUTSIDE_KEY = "scratch/notes to self.txt"
_UNAPPROVED_BP, _JOINED_BP = 100, 450
_LEAST_PART = 2_000  # what is left below this is not worth another object
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_WRAP: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip_stored, ".zst": zstd}

Put = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class PlantedIdentifier:
    """``source_record`` is the index in the object ``key``; ``turn`` counts messages without a system message."""

    key: str
    source_record: str
    turn: int
    entity: str
    value: str


@dataclass(slots=True)
class PlantedSummary:
    """What was written and what was planted in it."""

    size: int
    seed: int
    total_bytes: int = 0
    objects: int = 0
    records: Counter[str] = field(default_factory=Counter)
    identifiers: list[PlantedIdentifier] = field(default_factory=list)
    exact_copies: int = 0
    near_copies: int = 0
    copied_objects: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unapproved: list[str] = field(default_factory=list)
    shared_replies: dict[str, str] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)

    def to_json(self) -> bytes:
        """``planted.json``: for tests and for the person who runs the demo, never written into the bucket."""
        found = [[p.key, p.source_record, p.turn, p.entity, p.value] for p in self.identifiers]
        return as_json(
            {
                "size": self.size,
                "seed": self.seed,
                "total_bytes": self.total_bytes,
                "objects": self.objects,
                "records": dict(sorted(self.records.items())),
                "identifiers": {"by_entity": dict(sorted(self.by_entity().items())), "planted": found},
                "exact_copies": self.exact_copies,
                "near_copies": self.near_copies,
                "copied_objects": self.copied_objects,
                "broken": self.broken,
                "unapproved": self.unapproved,
                "shared_replies": self.shared_replies,
                "outside": self.outside,
            }
        )

    def by_entity(self) -> Counter[str]:
        return Counter(planted.entity for planted in self.identifiers)


def parse_size(text: str) -> int:
    """Bytes of ``20m``, ``1.5g``, ``800k`` (decimal units). Raises InvalidInput outside 1 MB to 2 GB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", text.strip().lower())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if not MIN_BYTES <= size <= MAX_BYTES:
        raise InvalidInput("The size of the demo bucket must lie between 1m and 2g.", hint="Try --size 20m.")
    return size


def write_bucket(put: Put, *, size: int, seed: int) -> PlantedSummary:
    """Hands every object to ``put(key, bytes)``, one at a time; about ``size`` bytes in all (within 5 %)."""
    if not MIN_BYTES <= size <= MAX_BYTES:
        raise InvalidInput(f"The demo bucket cannot be made of {size} bytes: 1 MB to 2 GB.", hint="Try --size 20m.")
    writer = _Writer(put, PlantedSummary(size, seed))
    writer.faults()
    writer.fixed()
    writer.joined(size * _JOINED_BP // 10_000)
    for plan in PLANS:
        left = size - writer.summary.total_bytes
        writer.source(plan, size * plan.share_bp // 10_000 if plan.share_bp else left)
    return writer.summary


class _Writer:
    def __init__(self, put: Put, summary: PlantedSummary) -> None:
        self._put = put
        self.summary = summary

    def put(self, key: str, body: bytes) -> None:
        self._put(key, body)
        self.summary.total_bytes += len(body)
        self.summary.objects += 1

    def draw(self, purpose: str) -> Draw:
        return Draw(self.summary.seed, purpose)

    def source(self, plan: SourcePlan, budget: int) -> None:
        """Hand-written conversations first, then composed ones until the budget is used."""
        draw = self.draw(plan.id)
        composed = plant.sow_identifiers(endless(plan.compose, draw), self.draw(plan.id + "/identifiers"))
        repeats = plant.Repeats(self.draw(plan.id + "/repeats"))
        talks = chain(_written_for(plan), repeats.of(composed))
        part = min(plan.shape.part_bytes, budget // 3)
        for number in count():
            batch = _take(plan, talks, min(part, budget))
            wrap = plan.wraps[number % len(plan.wraps)]
            key = plan.prefix + plan.name.format(number=number) + plan.shape.suffix + wrap
            body = _WRAP[wrap](plan.shape.assemble([encoded for _, encoded in batch]))
            self.put(key, body)
            self._note(key, plan.family, [talk for talk, _ in batch])
            if number == 1 and plan.id == "open_door_sessions":
                self._copy(plan, body)
            budget -= len(body)
            if budget < _LEAST_PART:
                break
        self.summary.exact_copies += repeats.exact
        self.summary.near_copies += repeats.near

    def _copy(self, plan: SourcePlan, body: bytes) -> None:
        key = plan.prefix + plan.name.format(number=1) + " (1)" + plan.shape.suffix
        self.put(key, body)
        self.summary.copied_objects.append(key)

    def _note(self, key: str, family: str, talks: list[Conversation]) -> None:
        self.summary.records[family] += len(talks)
        for index, talk in enumerate(talks):
            for entity, turn, value in talk.planted:
                self.summary.identifiers.append(PlantedIdentifier(key, str(index), turn, entity, value))
            for name, shared in shared_replies().items():
                if talk is shared:
                    self.summary.shared_replies[name] = f"{key}#{index}"

    def joined(self, budget: int) -> None:
        """Questions in one object, their answers in two others, tied by ``question_id``."""
        talks: list[Conversation] = []
        composed = plant.sow_identifiers(
            endless(compose.question_and_answer, self.draw("helpdesk")), self.draw("helpdesk/identifiers")
        )
        used = 0
        while used < budget:
            talks.append(next(composed))
            used += 220 + sum(len(message.content) for message in talks[-1].messages)
        questions = [
            as_json({"question_id": n, "turns": [talk.messages[0].content], "category": "invented"})
            for n, talk in enumerate(talks, start=1)
        ]
        self.put(JOINED + "question.jsonl", jsonl(questions))
        for part, model in enumerate(("team_a", "team_b")):
            key, chosen = f"{JOINED}model_answer/{model}.jsonl", list(enumerate(talks, start=1))[part::2]
            self.put(key, jsonl([_answer(number, model, talk) for number, talk in chosen]))
            self._note(key, "priority", [talk for _, talk in chosen])

    def faults(self) -> None:
        """A source that nobody approved, and a source of broken files."""
        forum = self.draw("forum")
        budget = self.summary.size * _UNAPPROVED_BP // 10_000
        lines = _until(budget, (chatml(compose.question_and_answer(forum)) for _ in iter(int, 1)))
        self.put(UNAPPROVED + "threads.jsonl", jsonl(lines))
        self.summary.unapproved.append(UNAPPROVED + "threads.jsonl")
        talks = list(islice(endless(compose.short_dialogue, self.draw("broken")), 8))
        for name, body in plant.broken_files(talks).items():
            self.put(BROKEN + name, body)
            self.summary.broken.append(BROKEN + name)

    def fixed(self) -> None:
        """Objects that are no conversations, prompts without replies, and a key outside every family."""
        harbour = PROCESSED + "professional_therapeutic/harbour_clinic_dialogues/"
        self.put(harbour + "README.md", _README.encode())
        self.put(PROCESSED + "cot_reasoning/clinical_reasoning/statistics.json", as_json(_STATISTICS))
        prompts = self.draw("prompts")
        cases = [
            {"prompt_id": f"rf{n:02d}", "category": "red_flag", "prompts": list(compose.crisis_prompts(prompts))}
            for n in range(12)
        ]
        self.put(PROMPTS + "red flag prompts.json", as_json(cases))
        profile = self.draw("profiles")
        profiles = [{"id": f"p{n:02d}", **compose.persona_profile(profile)} for n in range(8)]
        self.put("voice/warm_line/persona_profiles.json", as_json(profiles))
        self.put(OUTSIDE_KEY, b"Ask compliance about the forum export before anyone reads it.\n")
        self.summary.outside.append(OUTSIDE_KEY)


def _written_for(plan: SourcePlan) -> Iterator[Conversation]:
    """The hand-written conversations that this source carries: those of a family are dealt out among the sources that
    can hold them, so that each lies in exactly one."""
    fitting = [other for other in PLANS if other.family == plan.family]
    for index, talk in enumerate(_written(plan.family)):
        takers = [other for other in fitting if other.language == talk.language] or fitting
        takers = [other for other in takers if other.exchanges in (0, len(talk.messages) // 2)]
        if takers[index % len(takers)] is plan:
            yield talk


def _written(family: str) -> tuple[Conversation, ...]:
    planted = tuple(talk for talk in shared_replies().values() if talk.family == family)
    return planted if family == HOLDOUT else handwritten(family) + planted


def _take(plan: SourcePlan, talks: Iterator[Conversation], limit: int) -> list[tuple[Conversation, bytes]]:
    """Conversations of the next object, with their bytes: at least one, and as many as reach ``limit`` bytes."""
    batch: list[tuple[Conversation, bytes]] = []
    held = 0
    while not batch or held < limit:
        talk = next(talks)
        batch.append((talk, plan.shape.encode(talk)))
        held += len(batch[-1][1])
    return batch


def _until(budget: int, lines: Iterable[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    for line in lines:
        kept.append(line)
        budget -= len(line)
        if budget <= 0:
            break
    return kept


def _answer(number: int, model: str, talk: Conversation) -> bytes:
    choice = {"index": 0, "turns": [talk.messages[1].content]}
    return as_json({"question_id": number, "answer_id": f"{model}-{number}", "model_id": model, "choices": [choice]})


_STATISTICS = {
    "dataset": "clinical_reasoning",
    "invented": True,
    "mean_words": 190,
    "languages": {"en": 0.99, "zh": 0.01},
}
_README = """# Harbour clinic dialogues

Invented conversations, made by the project for its demo. No person said any of this.
"""
