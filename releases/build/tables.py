"""Rows of CSV and Parquet as mappings from column to value. Knows containers, no conversations."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from releases.build.fields import plain_name
from releases.build.outcome import BadValue, Limits, Raw, RawValue, Refused
from releases.build.window import Window

_BATCH_ROWS = 256
_ESCAPED = re.compile("[\udc80-\udcff]")
# The module's own bound is 128 KiB a cell and there is one for the whole process; the bound that counts is
# ``Limits().csv_line_bytes``, looked at per line and per row.
csv.field_size_limit(Limits().csv_line_bytes)


class _Lines:
    """Decoded lines for the csv module. A byte that is no UTF-8 marks the row it lies in, not the whole table."""

    def __init__(self, window: Window, limits: Limits) -> None:
        self._window = window
        self._limit = limits.csv_line_bytes
        self.row_start = window.position
        self.bad_at: int | None = None

    @property
    def row_bytes(self) -> int:
        return self._window.position - self.row_start

    def begin_row(self) -> None:
        self.row_start = self._window.position
        self.bad_at = None

    def __iter__(self) -> Iterator[str]:
        while True:
            start = self._window.position
            line = self._window.line(self._limit)
            if line is None or self.row_bytes > 2 * self._limit:
                raise Refused("too_large", self.row_start, "csv line")
            if not line:
                return
            text = line.decode("utf-8", errors="surrogateescape")
            if self.bad_at is None and (not text.isascii()) and (found := _ESCAPED.search(text)):
                self.bad_at = start + len(text[: found.start()].encode("utf-8", errors="surrogateescape"))
            yield text


def read_csv(window: Window, delimiter: str, limits: Limits) -> Iterator[Raw]:
    """The first row names the columns; the index counts the rows after it. A row that does not fit is a bad value."""
    lines = _Lines(window, limits)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _header(rows, lines)
    number = -1
    while True:
        lines.begin_row()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield _broken_row(number, lines, str(error))
            continue
        if row:
            number += 1
            yield _row(number, row, header, lines, limits)


def _header(rows: Iterator[list[str]], lines: _Lines) -> list[str]:
    try:
        header = next((row for row in rows if row), [])
    except csv.Error as error:
        raise _line_end_or(error, lines) from None
    if lines.bad_at is not None:
        raise Refused("invalid_utf8", lines.bad_at)
    names = [name.strip() for name in header]
    known = [plain_name(name) or name for name in names if name]
    if len(set(known)) != len(known):
        raise Refused("duplicate_columns", lines.row_start)
    return names


def _line_end_or(error: csv.Error, lines: _Lines) -> Refused:
    return Refused("bare_cr" if "new-line character" in str(error) else "invalid_csv", lines.row_start)


def _broken_row(number: int, lines: _Lines, message: str) -> BadValue:
    """The csv module tells its verdicts apart only in words (which quote no cell)."""
    if "new-line character" in message:
        raise Refused("bare_cr", lines.row_start)
    if "field limit" in message:
        raise Refused("too_large", lines.row_start, "csv cell")
    reason = "cut_record" if "unexpected end" in message else "csv_quoting"
    return BadValue(str(number), reason, lines.row_start)


def _row(number: int, row: list[str], header: list[str], lines: _Lines, limits: Limits) -> Raw:
    index, start = str(number), lines.row_start
    if lines.row_bytes > limits.record_bytes:
        return BadValue(index, "too_large", start)
    if lines.bad_at is not None:
        return BadValue(index, "invalid_utf8", lines.bad_at)
    if len(row) != len(header):
        return BadValue(index, "ragged_row", start)
    if any("\x00" in cell for cell in row):
        return BadValue(index, "nul", start)
    return RawValue(index, {name: cell for name, cell in zip(header, row, strict=True) if name}, start)


def read_parquet(window: Window, limits: Limits) -> Iterator[Raw]:
    """The index counts rows. The bytes go through an unnamed temporary file: the format is read from its end."""
    with tempfile.TemporaryFile() as file:
        while body := window.reach(1):
            file.write(body)
            window.position += len(body)
        try:
            yield from _parquet_rows(pq.ParquetFile(file, pre_buffer=False), limits)
        except (pa.ArrowException, OSError):
            raise Refused("damaged_parquet") from None
        except UnicodeDecodeError:
            raise Refused("invalid_utf8", detail="parquet") from None


def _parquet_rows(table: pq.ParquetFile, limits: Limits) -> Iterator[Raw]:
    names = [plain_name(name) or name for name in table.schema_arrow.names]
    if len(set(names)) != len(names):
        raise Refused("duplicate_columns")
    number = -1
    for batch in table.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        for row in batch.to_pylist():
            number += 1
            if _text_size(row) > limits.record_bytes:
                yield BadValue(str(number), "too_large")
            else:
                yield RawValue(str(number), row)


def _text_size(value: object) -> int:
    """Characters of text in a value: a lower bound of its bytes, close enough for a bound."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(_text_size(item) for item in value.values())
    return sum(_text_size(item) for item in value) if isinstance(value, list) else 0
