"""Conversations as bytes in the shapes and containers that real sources use; knows no source, seed or size.

No byte depends on the machine: gzip members hold stored blocks (what a zlib makes of the same text differs between
builds), Parquet is written uncompressed by the pinned library, JSON keys keep one order.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from mhds.demo.compose import Conversation

PART_BYTES = 1 << 20  # a multi-record object is closed once it holds this much
_STORED_BLOCK = 65_535
_SYSTEM = "You are a warm and careful counsellor. You are not a substitute for emergency help."

Encode = Callable[[Conversation], bytes]
Assemble = Callable[[Sequence[bytes]], bytes]


@dataclass(frozen=True, slots=True)
class Shape:
    """``encode`` makes the bytes of one conversation, ``assemble`` one object of several, at most ``part_bytes`` of
    them (0: one object a conversation)."""

    encode: Encode
    assemble: Assemble
    suffix: str
    part_bytes: int = PART_BYTES


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def gzip_stored(body: bytes) -> bytes:
    """A gzip member of stored deflate blocks (RFC 1951 section 3.2.4, RFC 1952), without name or time."""
    out = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    starts = range(0, max(len(body), 1), _STORED_BLOCK)
    for start in starts:
        block = body[start : start + _STORED_BLOCK]
        last = start == starts[-1]
        out += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    out.append(struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF))
    return b"".join(out)


def zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(body)


def jsonl(lines: Sequence[bytes]) -> bytes:
    return b"".join([line + b"\n" for line in lines])


def json_array(entries: Sequence[bytes]) -> bytes:
    return b"[\n" + b",\n".join(entries) + b"\n]\n"


def wrapped(field: str) -> Assemble:
    def assemble(entries: Sequence[bytes]) -> bytes:
        return b'{"version": "1.0", "invented": true, "' + field.encode() + b'": ' + json_array(entries) + b"}\n"

    return assemble


def single(entries: Sequence[bytes]) -> bytes:
    return entries[0]


def csv_table(*columns: str) -> Assemble:
    header = _csv_row(columns)

    def assemble(rows: Sequence[bytes]) -> bytes:
        return header + b"".join(rows)

    return assemble


def parquet_table(rows: Sequence[bytes]) -> bytes:
    """Rows arrive as JSON objects of one set of columns."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(row) for row in rows]), sink, compression="NONE")
    return sink.getvalue()


def chatml(talk: Conversation) -> bytes:
    messages = [{"role": message.role, "content": message.content} for message in talk.messages]
    return as_json({"messages": [{"role": "system", "content": _SYSTEM}, *messages], "note": "invented for the demo"})


def client_counselor(talk: Conversation) -> bytes:
    names = {"user": "client", "assistant": "counselor"}
    return json.dumps(
        [{"role": names[m.role], "content": m.content} for m in talk.messages], ensure_ascii=False, indent=1
    ).encode()


def transcript(client: str, counsellor: str, *, newline: str = "\n") -> Encode:
    """Speaker marks at the line start, a blank line between turns."""
    marks = {"user": client, "assistant": counsellor}

    def encode(talk: Conversation) -> bytes:
        return (newline * 2).join([marks[m.role] + m.content for m in talk.messages]).encode() + newline.encode()

    return encode


def nested(talk: Conversation) -> bytes:
    turns = [{"role": message.role, "content": message.content} for message in talk.messages]
    return as_json({"kind": "supervision", "turns_total": len(turns), "transcript": turns})


def nested_runs(entries: Sequence[bytes]) -> bytes:
    """Two levels of grouping beside metadata, as evaluation tools write them."""
    return b'{"__meta__": {"invented": true}, "runs": {"run_01": {"results": ' + json_array(entries) + b"}}}\n"


def sharegpt(talk: Conversation) -> bytes:
    names = {"user": "human", "assistant": "gpt"}
    return as_json({"conversations": [{"from": names[m.role], "value": m.content} for m in talk.messages]})


def dialog(talk: Conversation) -> bytes:
    names = {"user": "caller", "assistant": "helper"}
    return as_json(
        {"topic": "safety", "dialog": [{"speaker": names[m.role], "text": m.content} for m in talk.messages]}
    )


def question_answer_row(talk: Conversation) -> bytes:
    return _csv_row([talk.messages[0].content, talk.messages[1].content])


def prompt_response(talk: Conversation) -> bytes:
    return as_json({"prompt": talk.messages[0].content, "response": talk.messages[1].content})


def complex_cot(talk: Conversation) -> bytes:
    question, answer = talk.messages
    return as_json({"Question": question.content, "Complex_CoT": talk.reasoning, "Response": answer.content})


def reasoning(talk: Conversation) -> bytes:
    question, answer = talk.messages
    return as_json({"question": question.content, "reasoning": talk.reasoning, "answer": answer.content})


def persona_row(talk: Conversation) -> bytes:
    marks = {"user": "User 1: ", "assistant": "User 2: "}
    cell = "\n".join([marks[m.role] + m.content for m in talk.messages])
    return _csv_row(["\n".join(talk.personas[0]), "\n".join(talk.personas[1]), cell])


def persona_lines(talk: Conversation) -> bytes:
    """``dialogue`` as pairs of (user, assistant) beside the persona."""
    pairs = zip(talk.messages[::2], talk.messages[1::2], strict=True)
    return as_json({"persona": list(talk.personas[1]), "dialogue": [[u.content, a.content] for u, a in pairs]})


def _csv_row(cells: Sequence[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()
