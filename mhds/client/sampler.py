"""The order of training: a pure function of (content digest, routing digest, seed, position). Touches no file.

Position ``i`` falls in window ``k = i // W``, where W is the sum of the weights in lowest terms. A keyed permutation of
the window gives it a slot, the slot a family and that family's ``n``-th draw; a second permutation, keyed by the pass
over the family, gives the record. So every window holds the exact mix, no record repeats inside a pass, any position
is found without walking to it, and neither world size nor restart can change the order.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mhds.client.errors import IntegrityError, UsageError

ALGORITHM = "mhds-sample/1"
_MASK = (1 << 64) - 1
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Draw:
    """The record ``number`` (from 0, over the family's shards in path order) of ``family``, in pass ``epoch``."""

    family: str
    number: int
    epoch: int


class Schedule:
    """Draws for one split. ``records`` counts them by family, ``weights`` are basis points by family."""

    def __init__(self, identity: str, seed: int, weights: Mapping[str, int], records: Mapping[str, int]) -> None:
        """``identity`` names content and routing. A family without records in this split gives its share to the
        others in proportion (see ``mix``); with none left, ``IntegrityError``."""
        if isinstance(seed, bool) or not 0 <= seed <= _MASK:
            raise UsageError("the seed is an integer from 0 to 2**64 - 1")
        drawn = {family: bp for family, bp in sorted(weights.items()) if bp > 0 and records.get(family, 0) > 0}
        if not drawn:
            raise IntegrityError("no family with a weight has records in this split: there is nothing to draw")
        unit = math.gcd(*drawn.values())
        self.mix = {family: bp // unit for family, bp in drawn.items()}
        self.window = sum(self.mix.values())
        self._records = {family: records[family] for family in drawn}
        self._identity = f"{ALGORITHM}\n{identity}\n{seed}"
        self._slots = [(family, n) for family, share in self.mix.items() for n in range(share)]

    def draw(self, position: int) -> Draw:
        """What is read at ``position``, counted from 0 over the whole run."""
        window, offset = divmod(position, self.window)
        slot = permute(offset, self.window, self._key("window", window))
        family, nth = self._slots[slot]
        epoch, place = divmod(window * self.mix[family] + nth, self._records[family])
        number = permute(place, self._records[family], self._key(f"family {family}", epoch))
        return Draw(family, number, epoch)

    def _key(self, purpose: str, number: int) -> tuple[int, ...]:
        return round_keys(f"{self._identity}\n{purpose}\n{number}")


@lru_cache(maxsize=256)
def round_keys(name: str) -> tuple[int, ...]:
    """Eight 64-bit keys from SHA-512 of the name."""
    return struct.unpack("<8Q", hashlib.sha512(name.encode("utf-8")).digest())


def permute(value: int, size: int, keys: tuple[int, ...]) -> int:
    """Where a keyed bijection of ``range(size)`` sends ``value``.

    A generalised Feistel network over two digits of bases a * b >= size (Black and Rogaway, *Ciphers with arbitrary
    finite domains*, 2002), walked until it falls inside; at most ``a - 1`` values lie outside, so it rarely walks.
    """
    low = math.isqrt(size - 1) + 1 if size > 1 else 1
    high = -(-size // low)
    while True:
        left, right = divmod(value, low)
        for number, key in enumerate(keys[:_ROUNDS]):
            if number % 2:
                right = (right + _mix(left ^ key)) % low
            else:
                left = (left + _mix(right ^ key)) % high
        value = left * low + right
        if value < size:
            return value


def _mix(value: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every input bit reaches every output bit."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
