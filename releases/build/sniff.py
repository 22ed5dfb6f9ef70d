"""What an object is, judged by its first bytes. The name of the object decides only about plain text."""

from __future__ import annotations

import csv
import io
import re
from enum import StrEnum

from releases.build.fields import plain_name
from releases.build.outcome import NotConversation, Refused
from releases.build.strict import StrictError, loads_strict


class Container(StrEnum):
    LINES = "jsonl"
    DOCUMENT = "json"
    TABLE = "csv"
    PARQUET = "parquet"
    TEXT = "text"


PARTIAL_UPLOADS = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart")
_LFS = b"version https://git-lfs.github.com/spec/"
_UTF8_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_MAGIC = (
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"%PDF", "pdf"), (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"), (b"RIFF", "media"), (b"ID3", "media"), (b"OggS", "media"), (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"), (b"7z\xbc\xaf", "7z"), (b"Rar!", "rar"), (b"\x1f\x8b", "nested_compression"),
    (b"\x28\xb5\x2f\xfd", "nested_compression"), (b"ARROW1", "arrow"), (b"Obj\x01", "avro"), (b"ORC", "orc"),
    (b"\x93NUMPY", "numpy"), (b"\x89HDF", "hdf5"), (b"GGUF", "checkpoint"), (b"SQLite format 3", "sqlite"),
    (b"\x7fELF", "executable"), (b"MZ\x90", "executable"), (b"\xd0\xcf\x11\xe0", "office"), (b"{\\rtf", "rtf"),
)  # fmt: skip
_DOCUMENTS = (
    ".md", ".markdown", ".rst", ".py", ".ipynb", ".js", ".ts", ".sh", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".bib",
    ".tex", ".css", ".r", ".java", ".c", ".cpp", ".h", ".go", ".rs", ".lock", ".gitattributes", ".gitignore", ".log",
)  # fmt: skip
_DOCUMENT_NAMES = re.compile(r"(?:readme|licen[cs]e|notice|copying|changelog|authors|citation|makefile|dockerfile)\b.*")
_JSON_START = re.compile(rb"\s*(?:\{\s*[\"}'/]|\[\s*(?:[\[{\"\]'/0-9-]|(?:true|false|null|NaN)\b))")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|svg|rss)\b", re.IGNORECASE)
_SPOKEN = re.compile(r"\s*[*#>\-\s]*\S[^,\t:：]{0,30}[:：]")
_HEADER_CELL = re.compile(r"[^\n\r.?!:：。？！]{0,48}")
_LONE_HEADER_NAMES = (
    "prompt prompts question questions text dialogue dialog conversation conversations messages transcript chat "
    "content utterance"
)
_LONE_HEADERS = frozenset(_LONE_HEADER_NAMES.split())
_DELIMITERS = ",\t;|"
_ROWS_LOOKED_AT = 50


def refuse_by_name(key: str) -> None:
    if key.lower().endswith(PARTIAL_UPLOADS):
        raise Refused("partial_upload")


def bom_length(head: bytes) -> int:
    return len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0


def container_of(head: bytes, key: str, *, whole: bool) -> Container:
    """The container of ``head``, the first bytes without a mark of order; ``whole`` if they are all there is.

    Raises ``Refused`` (``no_records``, ``lfs_pointer``, ``unsupported_encoding``, ``unsupported_format``, ``bare_cr``)
    or ``NotConversation``.
    """
    if whole and not head.strip():
        raise Refused("no_records")
    _refuse_foreign(head)
    if head.startswith(b"PAR1"):
        return Container.PARQUET
    is_json = _JSON_START.match(head) or _whole_lines(head, whole=whole)
    bare_cr = re.search(rb"\r(?!\n|\Z)", head)
    if bare_cr and (is_json or b"\n" not in head):
        raise Refused("bare_cr", bare_cr.start())
    if is_json:
        return Container.LINES if _is_lines(head, whole=whole) else Container.DOCUMENT
    if _is_documentation(key):
        raise NotConversation("documentation")
    return Container.TABLE if delimiter_of(head, whole=whole) else Container.TEXT


def _refuse_foreign(head: bytes) -> None:
    if head.startswith(_LFS):
        raise Refused("lfs_pointer")
    if head.startswith(_WIDE_BOMS):
        raise Refused("unsupported_encoding", 0, "utf-16 or utf-32")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            raise Refused("unsupported_format", 0, name)
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        raise Refused("unsupported_format", 0, "pickle")
    if head[257:262] == b"ustar":
        raise Refused("unsupported_format", 0, "tar")
    if head[8:10] == b'{"' and b"\x00" in head[:8]:
        raise Refused("unsupported_format", 0, "checkpoint")
    if _MARKUP.match(head):
        raise Refused("unsupported_format", 0, "markup")
    if not head.startswith(b"PAR1"):
        _refuse_binary(head)


def _refuse_binary(head: bytes) -> None:
    zeros = head[:4096].count(0)
    if zeros * 4 >= len(head[:4096]):
        raise Refused("unsupported_encoding", head.index(0), "utf-16 or utf-32, or no text")
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head[:4096])
    if controls * 10 > len(head[:4096]):
        raise Refused("unsupported_format", 0, "binary")


def _is_documentation(key: str) -> bool:
    name = key.rsplit("/", 1)[-1].lower()
    return name.endswith(_DOCUMENTS) or _DOCUMENT_NAMES.fullmatch(name) is not None


# -- JSON: lines or a document


def _is_whole_value(line: bytes) -> bool:
    try:
        value = loads_strict(line)
    except StrictError as error:
        return error.reason not in ("invalid_json", "trailing_data", "too_large")
    return isinstance(value, dict | list)


def _first_lines(head: bytes, *, whole: bool, most: int = 40) -> list[bytes]:
    lines = head.split(b"\n", 400)
    complete = lines if whole else lines[:-1]
    return [line.rstrip(b"\r") for line in complete if line.strip()][:most]


def _whole_lines(head: bytes, *, whole: bool) -> bool:
    """At least half of the first lines, and more than one, are whole JSON values."""
    lines = [line for line in _first_lines(head, whole=whole) if not line[:1].isspace()]
    good = [line[:1] in (b"{", b"[") and _is_whole_value(line) for line in lines]
    return len(good) > 1 and 2 * sum(good) >= len(good)


def _is_lines(head: bytes, *, whole: bool) -> bool:
    lines = _first_lines(head, whole=whole)
    if not lines or (len(lines) == 1 and whole):
        return False
    if _is_whole_value(lines[0]):
        return not any(_is_indented(line) for line in lines[1:])
    return _whole_lines(head, whole=whole)


def _is_indented(line: bytes) -> bool:
    """A line as it stands in a JSON value that is spread over several lines, not in a file of one value a line."""
    return line in (b"{", b"[", b"}", b"]") or re.match(rb"\s+[\"{\[}\]]", line) is not None


# -- tables


def delimiter_of(head: bytes, *, whole: bool) -> str:
    """The delimiter of a table with a header, else the empty string."""
    text = head.decode("utf-8", errors="replace")
    if _SPOKEN.match(text) or text.startswith("<|"):
        return ""
    widths = {mark: _width(text, mark, whole=whole) for mark in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda mark: widths[mark])
    if widths[best] > 1:
        return best
    return "," if plain_name(text.split("\n", 1)[0].strip().strip('"')) in _LONE_HEADERS else ""


def _width(text: str, delimiter: str, *, whole: bool) -> int:
    """The number of columns if the rows of ``text`` agree with a header, else 0."""
    rows = _rows(text, delimiter, whole=whole)
    if not rows or not all(_HEADER_CELL.fullmatch(cell) for cell in rows[0]) or not any(rows[0]):
        return 0
    agree = sum(len(row) == len(rows[0]) for row in rows[1:])
    return len(rows[0]) if agree * 2 >= len(rows[1:]) else 0


def _rows(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == _ROWS_LOOKED_AT:
                return rows
    except csv.Error:
        return rows
    return rows[:-1] if not whole and len(rows) > 1 else rows
