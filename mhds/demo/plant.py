"""What is planted on purpose: invented identifiers, repeated records, broken files; knows no source.

Every identifier is made up: numbers of the 555 exchange, example domains, places that are not addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from mhds.demo.compose import Conversation
from mhds.demo.containers import as_json, chatml, gzip_stored, jsonl
from mhds.demo.fragments import Draw, Pen, load
from releases.build.types import Message

PII_BP = 300
COPY_BP = 60
_EDITS = (
    ("really", "truly"),
    ("perhaps", "maybe"),
    ("often", "usually"),
    ("a good deal", "quite a lot"),
    ("could", "might"),
)
_MIN_EDITED_WORDS = 150  # one changed word touches five shingles: enough words keep the Jaccard well over 0.8


def _value(entity: str, draw: Draw) -> str:
    """An invented identifier in the form that the entity has in real life."""
    lists = load("pii")["values"]
    texts: dict[str, Callable[[], str]] = {
        "PHONE_NUMBER": lambda: f"({draw.pick(lists['area'])}) 555-{100 + draw.below(100):04d}",
        "EMAIL_ADDRESS": lambda: (
            f"{draw.pick(lists['given'])}.{draw.pick(lists['family'])}{draw.below(90) + 10}"
            f"@example.{draw.pick(('com', 'org', 'net'))}".lower()
        ),
        "US_SSN": lambda: f"{734 + draw.below(16)}-{10 + draw.below(80)}-{1000 + draw.below(9000)}",
        "LOCATION": lambda: f"{100 + draw.below(900)} {draw.pick(lists['street'])}, {draw.pick(lists['town'])}",
        "MEDICAL_RECORD": lambda: f"{draw.below(90_000_000) + 10_000_000}",
        "PERSON": lambda: f"{draw.pick(lists['given'])} {draw.pick(lists['family'])}",
        "CN_MOBILE": lambda: f"199{draw.below(90_000_000) + 10_000_000}",
        "ZH_PERSON": lambda: draw.pick(lists["zh_name"]),
    }
    return texts[entity]()


def with_identifier(talk: Conversation, draw: Draw, entity: str = "") -> Conversation:
    """The conversation with one carrier sentence and its identifier at the end of a user turn."""
    carriers = load("pii")["zh" if talk.language == "zh" else "en"]
    entity = entity or draw.pick(tuple(carriers))
    value = _value("ZH_PERSON" if entity == "PERSON" and talk.language == "zh" else entity, draw)
    turn = 2 * draw.below((len(talk.messages) + 1) // 2)
    carrier = Pen(draw, {"value": (value,)}).line(carriers[entity])
    said = talk.messages[turn]
    glue = "" if talk.language == "zh" else " "
    changed = (*talk.messages[:turn], Message(said.role, said.content + glue + carrier), *talk.messages[turn + 1 :])
    return Conversation(
        talk.family, talk.language, changed, talk.reasoning, talk.personas, planted=((entity, turn, value),)
    )


def sow_identifiers(talks: Iterator[Conversation], draw: Draw) -> Iterator[Conversation]:
    """About 3 % of the records get one; the first of a stream always does, so that a small bucket has each language's
    telephone number too."""
    for first in islice(talks, 1):
        yield with_identifier(first, draw, "CN_MOBILE" if first.language == "zh" else "PHONE_NUMBER")
    for talk in talks:
        yield with_identifier(talk, draw) if draw.chance(PII_BP) else talk


def edited(talk: Conversation, draw: Draw) -> Conversation:
    """A near duplicate: one or two words of the last turn differ."""
    last = talk.messages[-1]
    text = last.content
    for old, new in _EDITS:
        text = text.replace(f" {old} ", f" {new} ", 1)
    if text == last.content:
        text += " 好的。" if talk.language == "zh" else draw.pick((" Take care.", " Go gently.", " Until soon."))
    return Conversation(
        talk.family,
        talk.language,
        (*talk.messages[:-1], Message(last.role, text)),
        talk.reasoning,
        talk.personas,
        talk.planted,
    )


class Repeats:
    """Lets a stream repeat some of its records, exactly and nearly; counts both."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.exact = 0
        self.near = 0

    def of(self, talks: Iterable[Conversation]) -> Iterator[Conversation]:
        for talk in talks:
            yield talk
            if self._draw.chance(COPY_BP):
                self.exact += 1
                yield talk
            elif self._draw.chance(COPY_BP) and _words(talk) >= _MIN_EDITED_WORDS:
                self.near += 1
                yield edited(talk, self._draw)


def _words(talk: Conversation) -> int:
    return sum(message.content.count(" ") for message in talk.messages)


def broken_files(talks: list[Conversation]) -> dict[str, bytes]:
    """File name -> bytes that no reader should take for whole; ``talks`` need at least eight conversations."""
    lines = [chatml(talk) for talk in talks]
    member = gzip_stored(jsonl(lines))
    bad_line = lines[1][: len(lines[1]) // 2]
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a" * 16 + "\nsize 73400320\n"
    return {
        "cut upload.jsonl.gz": member[: len(member) * 6 // 10],
        "invalid.json": b'{"conversations": [' + as_json({"id": 1, "turns": ["unfinished"]}) + b", {",
        "empty_train_split.jsonl": b"",
        "lfs_pointer.parquet": pointer.encode(),
        "one_bad_line.jsonl": jsonl([lines[0], bad_line, lines[2], lines[3]]),
    }
