"""The draw: which records people read, so that nobody could choose and anybody can recompute. Knows no plan, no text.

A nonce made by the server *after* the candidate was frozen keys one HMAC per record, its ticket; the smallest tickets
win. Whoever froze the candidate could not know the nonce, so could not prepare a draw (the commit-then-draw rule of
risk-limiting election audits).
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mhds.errors import InvalidInput

HEADLINE = ""
NONCE_BYTES = 32
_SUM_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True, order=True)
class Drawn:
    """One drawn record, ordered by ``ticket`` (64 hex digits)."""

    ticket: str
    record_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw as it is stored and published.

    ``label`` is empty for the headline sample, else the stratum. ``population_sum`` is the sum of all tickets modulo
    2^256, 64 hex digits: two populations of equal size that differ in one record have different sums.
    """

    label: str
    nonce: str
    wanted: int
    population: int
    population_sum: str
    drawn: tuple[Drawn, ...]

    @property
    def record_ids(self) -> list[str]:
        return [one.record_id for one in self.drawn]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the population with the strata it belongs to (``crisis``, ``flagged``, ``language:zh``)."""

    record_id: str
    digest: str
    strata: frozenset[str] = frozenset()


def ticket(nonce: bytes, record_id: str, content_hash: str) -> bytes:
    """HMAC-SHA256(nonce, record id, newline, record digest): 32 bytes. The id keeps exact duplicates apart."""
    if not record_id or not content_hash or "\n" in record_id or "\n" in content_hash:
        raise InvalidInput("A record id and a record digest must be given, without a line feed.")
    return hmac.digest(nonce, f"{record_id}\n{content_hash}".encode(), hashlib.sha256)


def draw(nonce: bytes, population: Iterable[tuple[str, str]], n: int) -> list[str]:
    """Ids of the ``n`` records of smallest ticket (all, if there are fewer), smallest first.

    The result does not depend on the order of ``population``, and a draw of n is the beginning of a draw of n + m: a
    second stage goes on where the first ended.
    """
    return take(nonce, population, n).record_ids


def take(nonce: bytes, population: Iterable[tuple[str, str]], n: int | None, label: str = HEADLINE) -> Draw:
    """Like ``draw``, with all that is stored; ``n`` None takes all. Memory grows with ``n``, not the population."""
    pot = _Pot(nonce, label, n)
    for record_id, digest in population:
        pot.add(record_id, digest)
    return pot.result()


def draw_strata(nonce: bytes, population: Iterable[Candidate], sizes: Mapping[str, int | None]) -> dict[str, Draw]:
    """One draw apart for each stratum of ``sizes``, in one pass; None takes all of that stratum.

    These are targeted looks, reported by their label and never pooled into the headline: their tickets come from
    another key, so that neither sample says anything about the other.
    """
    if HEADLINE in sizes:
        raise InvalidInput("A stratum needs a name; the nameless draw is the headline.")
    pots = {label: _Pot(nonce, label, sizes[label]) for label in sorted(sizes)}
    for candidate in population:
        for label in candidate.strata & pots.keys():
            pots[label].add(candidate.record_id, candidate.digest)
    return {label: pot.result() for label, pot in pots.items()}


def verify(stored: Draw, population: Iterable[tuple[str, str]]) -> str | None:
    """Recompute a stored draw; None if it is the same, else the first difference, in words.

    For a stratum, ``population`` holds that stratum's records only.
    """
    if len(stored.nonce) != 2 * NONCE_BYTES or not set(stored.nonce) <= set("0123456789abcdef"):
        return f"the stored nonce is not {2 * NONCE_BYTES} hexadecimal digits"
    wanted = None if stored.wanted == stored.population else max(stored.wanted, 1)
    again = take(bytes.fromhex(stored.nonce), population, wanted, stored.label)
    return next(_differences(stored, again), None)


def _differences(stored: Draw, again: Draw) -> Iterator[str]:
    if stored.population != again.population:
        yield f"the draw was from {stored.population:,} records, the population now holds {again.population:,}"
    for place, (old, new) in enumerate(zip(stored.drawn, again.drawn, strict=False), start=1):
        if old.record_id != new.record_id:
            yield f"place {place}: {old.record_id} is stored, {new.record_id} has the smaller ticket"
        elif old.digest != new.digest:
            yield f"place {place}: {old.record_id} was drawn as {old.digest}, and is now {new.digest}"
        elif old.ticket != new.ticket:
            yield f"place {place}: the stored ticket of {old.record_id} is not the one that the nonce gives"
    if len(stored.drawn) != len(again.drawn):
        yield f"{len(stored.drawn):,} records are stored as drawn, {len(again.drawn):,} are due"
    if stored.population_sum != again.population_sum:
        yield "a record that was not drawn has changed: the sum over the population differs"


class _Pot:
    """Keeps the smallest tickets seen so far, largest of them on top of the heap."""

    def __init__(self, nonce: bytes, label: str, wanted: int | None) -> None:
        if len(nonce) != NONCE_BYTES:
            raise InvalidInput(f"A nonce has {NONCE_BYTES} bytes; this one has {len(nonce)}.")
        if wanted is not None and wanted < 1:
            raise InvalidInput("At least one record must be wanted.")
        if "\n" in label:
            raise InvalidInput("A label holds no line feed.")
        self._nonce = nonce
        # The headline uses the nonce as it is; a stratum's key is derived, which no record id can imitate.
        self._key = nonce if label == HEADLINE else hmac.digest(nonce, f"stratum\n{label}".encode(), hashlib.sha256)
        self._label = label
        self._wanted = wanted
        self._heap: list[tuple[int, str, str]] = []
        self._count = 0
        self._sum = 0

    def add(self, record_id: str, digest: str) -> None:
        number = int.from_bytes(ticket(self._key, record_id, digest), "big")
        self._count += 1
        self._sum = (self._sum + number) % _SUM_MODULUS
        if self._wanted is None or len(self._heap) < self._wanted:
            heapq.heappush(self._heap, (-number, record_id, digest))
        elif -number > self._heap[0][0]:
            heapq.heapreplace(self._heap, (-number, record_id, digest))

    def result(self) -> Draw:
        drawn = sorted(Drawn(f"{-number:064x}", record_id, digest) for number, record_id, digest in self._heap)
        ids = [one.record_id for one in drawn]
        if len(set(ids)) < len(ids):
            double = next(one for one in ids if ids.count(one) > 1)
            raise InvalidInput(f"Record {double} stands twice in the population; each record has one ticket.")
        wanted = self._count if self._wanted is None else self._wanted
        return Draw(self._label, self._nonce.hex(), wanted, self._count, f"{self._sum:064x}", tuple(drawn))
