"""Composes conversations from fragments, one function a family; knows no source, container or planted fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mhds.demo.fragments import Draw, Pen, Pool, load
from releases.build.types import Message, Messages


@dataclass(frozen=True, slots=True)
class Conversation:
    """One invented conversation. ``reasoning`` belongs before the last reply; personas are (user's, assistant's) lines.

    ``planted`` lists the invented identifiers put into it as (entity, turn, value).
    """

    family: str
    language: str
    messages: Messages
    reasoning: str = ""
    personas: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    planted: tuple[tuple[str, int, str], ...] = ()


Composer = Callable[[Draw], Conversation]

_THEME_QUESTIONS = ("when", "thought", "tried")
_OPEN_QUESTIONS = ("body", "support", "cost", "exception", "hope")
_EXCHANGES = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)  # question rounds of an ordinary session; one in 25 asks all of them
_LONG_SESSION_BP = 400
_ONE_EXCHANGE_BP, _STAYING_BP = 3_500, 2_000  # crisis: one exchange; of the rest, six messages instead of four


def _turns(*texts: str) -> Messages:
    return tuple(Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts))


def _themed_pen(draw: Draw) -> tuple[Pen, Mapping[str, Pool]]:
    book = load("themes_en")
    theme = book["theme"][draw.pick(tuple(book["theme"]))]
    return Pen(draw, book["slots"], topics=theme["topics"]), theme


def _rounds(draw: Draw, count: int) -> list[str]:
    """Which questions a session asks, each once: the past and the problem first, hopes last."""
    every = [*_THEME_QUESTIONS, *_OPEN_QUESTIONS]
    while len(every) > count:
        every.pop(draw.below(len(every)))
    return every


def therapy_session(draw: Draw, *, long: bool = False) -> Conversation:
    """A multi-turn session of 6 to 12 messages, or about 22 where ``long`` or by chance."""
    pen, theme = _themed_pen(draw)
    said = load("dialogue_en")["generic"]
    long = long or draw.chance(_LONG_SESSION_BP)
    texts = [pen.lines(theme["o1"], theme["o2"])]
    for kind in _rounds(draw, 8 if long else draw.pick(_EXCHANGES)):
        texts.append(pen.lines(said["reflect"], said[f"{kind}_q"]))
        pool = theme[kind] if kind in theme else said[f"{kind}_a"]
        texts.append(pen.lines(pool, pool, said["aside"]) if draw.chance(3_000) else pen.lines(pool, said["aside"]))
    for _ in range(2 if long else 1):
        texts += [pen.lines(theme["edu"], theme["plan"], said["bridge"])]
        texts.append(pen.lines(said["accept"], said["accept"]))
    return Conversation("professional_therapeutic", "en", _turns(*texts, pen.lines(said["close"], said["close"])))


def holdout_session(draw: Draw) -> Conversation:
    return therapy_session(draw, long=True)


def question_and_answer(draw: Draw) -> Conversation:
    """One question and a considered answer."""
    pen, theme = _themed_pen(draw)
    said = load("dialogue_en")["qa"]
    question = pen.lines(theme["o1"], theme["o2"], said["ask"])
    answer = pen.lines(said["validate"], theme["edu"], theme["plan"], theme["plan"], said["ending"])
    return Conversation("priority", "en", _turns(question, answer))


def short_dialogue(draw: Draw) -> Conversation:
    """A question, an answer, a doubt and a second answer."""
    pen, theme = _themed_pen(draw)
    said = load("dialogue_en")["qa"]
    question = pen.lines(theme["o1"], said["ask"])
    answer = pen.lines(said["validate"], theme["edu"], theme["plan"])
    doubt = pen.lines(theme["tried"], said["follow_u"])
    return Conversation(
        "priority", "en", _turns(question, answer, doubt, pen.lines(said["follow_a"], theme["plan"], said["ending"]))
    )


def clinical_reasoning(draw: Draw) -> Conversation:
    """A question, the clinician's reasoning about it, and the reply."""
    pen, theme = _themed_pen(draw)
    said = load("dialogue_en")["qa"]
    question = pen.lines(theme["o1"], theme["o2"], said["ask"])
    reasoning = pen.lines(said["reason_open"], theme["form"], theme["form"], theme["form"], said["reason_close"])
    reply = pen.lines(said["validate"], theme["edu"], theme["plan"], said["ending"])
    return Conversation("cot_reasoning", "en", _turns(question, reply), reasoning=reasoning)


def crisis_dialogue(draw: Draw) -> Conversation:
    """Risk disclosed, asked about directly, answered with people and numbers before advice; two to six messages."""
    book = load("edge_en")
    name = draw.pick(tuple(book["theme"]))
    theme, said = book["theme"][name], {**book["common"], **load("edge_own_en").get(name, {})}
    pen = Pen(draw, {**load("themes_en")["slots"], **said.get("slots", {})})
    texts = [pen.lines(theme["o"], said["more"])]
    if draw.chance(_ONE_EXCHANGE_BP):
        return Conversation("edge_cases", "en", _turns(*texts, pen.lines(said["hear"], theme["safe"])))
    texts += [pen.lines(said["hear"], theme["check"]), pen.lines(theme["a"], said["people"])]
    texts.append(pen.lines(theme["safe"], said["reach"]))
    if draw.chance(_STAYING_BP):
        texts += [pen.lines(said["done"], said["done"]), pen.lines(said["stay"], said["hear"])]
    return Conversation("edge_cases", "en", _turns(*texts))


def crisis_prompts(draw: Draw) -> tuple[str, ...]:
    """User turns only, as a test suite of prompts has them."""
    book = load("edge_en")
    theme = book["theme"][draw.pick(tuple(book["theme"]))]
    pen = Pen(draw, load("themes_en")["slots"])
    return tuple(pen.lines(theme["o"], book["common"]["more"]) for _ in range(3))


def warm_talk(draw: Draw) -> Conversation:
    """A persona for each side and a few turns in the assistant's warm voice."""
    book = load("voice_en")
    pen = Pen(draw, {**load("themes_en")["slots"], "name": book["persona"]["name"]})
    people = book["persona"]
    personas = tuple(tuple(pen.line(people[side]) for _ in range(3)) for side in ("user", "assistant"))
    topic, said = book["topic"][draw.pick(tuple(book["topic"]))], book["warm"]
    # The lines of a topic answer each other by position; its third opener leads to the second follow-up.
    first = draw.below(len(topic["u1"]))
    then = first // 2
    texts = [pen.write(topic["u1"][first]), pen.lines(said["hello"], topic["a1"][first : first + 1])]
    texts.append(pen.lines(topic["u2"][then : then + 1], said["more"]))
    asked = (said["ask"],) if draw.chance(5_000) else ()
    texts.append(pen.lines(topic["a2"][then : then + 1], *asked, said["bye"]))
    return Conversation("voice", "en", _turns(*texts), personas=(personas[0], personas[1]))


def persona_profile(draw: Draw) -> Mapping[str, Any]:
    book = load("voice_en")["persona"]
    pen = Pen(draw, load("themes_en")["slots"] | {"name": book["name"]})
    return {"persona": [pen.line(book["assistant"]) for _ in range(4)]}


def _chinese_pen(draw: Draw) -> tuple[Pen, Mapping[str, Pool], Mapping[str, Pool]]:
    book = load("zh")
    theme = book["theme"][draw.pick(tuple(book["theme"]))]
    return Pen(draw, book["slots"], topics=theme["topics"]), theme, book["generic"]


def chinese_session(draw: Draw) -> Conversation:
    pen, theme, said = _chinese_pen(draw)
    texts = [pen.line(theme["o"])]
    for _ in range(1 + draw.below(2)):
        texts.append(pen.lines(said["reflect"], said["q"], sep=""))
        texts.append(pen.lines(said["a"], said["a"], sep=""))
    texts.append(pen.lines(said["reflect"], theme["plan"], sep=""))
    texts += [pen.lines(said["accept"], said["accept"], sep=""), pen.lines(said["close"], said["close"], sep="")]
    return Conversation("professional_therapeutic", "zh", _turns(*texts))


def chinese_question(draw: Draw) -> Conversation:
    pen, theme, said = _chinese_pen(draw)
    question = pen.lines(theme["o"], said["ask"], sep="")
    answer = pen.lines(said["reflect"], theme["plan"], theme["plan"], said["close"], sep="")
    return Conversation("priority", "zh", _turns(question, answer))


def endless(compose: Composer, draw: Draw) -> Iterator[Conversation]:
    while True:
        yield compose(draw)
