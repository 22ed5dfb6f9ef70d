"""Shingles, MinHash signatures and message hashes: what makes conversations alike. Owns the recipes; knows no cluster.

A shingle is five consecutive words (``releases.build.text``) of the conversation's normalised text, system role aside,
running on from one message to the next. Signatures equal those of
``datasketch.MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)`` after ``update_batch``
of the conversation's shingles, so datasketch can be asked about any of them; a test holds the two together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import datasketch
import numpy as np
import xxhash
from numpy.typing import NDArray

from releases.build.text import normalise, words
from releases.build.types import Messages

SLOTS = 128
SHINGLE_WORDS = 5
FINGERPRINT_VERSION = "1:words5-xxh32-affine32-seed1-slots128-blake2b16"

Hashes32: TypeAlias = NDArray[np.uint32]
Hashes64: TypeAlias = NDArray[np.uint64]

_MULTIPLY, _ADD = datasketch.MinHash(num_perm=SLOTS, seed=1, scheme="affine32").permutations
# (slots, block) products stay inside a core's second-level cache at this block.
_BLOCK = 1024


def message_hash(content: str) -> bytes:
    """16 bytes over the normalised content: equal for messages that say the same, role aside."""
    return hash_normalised(normalise(content))


def hash_normalised(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def conversation_words(messages: Messages) -> list[str]:
    """The words that shingles run over: every message but the system's, in order."""
    return [word for role, content in messages if role != "system" for word in words(normalise(content))]


def shingles(conversation: Sequence[str]) -> set[bytes]:
    """Distinct shingles of a list of words as UTF-8, joined by one space; none where there are fewer than five."""
    count = len(conversation) - SHINGLE_WORDS + 1
    if count < 1:
        return set()
    text = " ".join(conversation).encode()
    # A word holds no white space, so every 0x20 byte is one of the joints.
    joints = np.flatnonzero(np.frombuffer(text, np.uint8) == 0x20)
    starts = [0, *(joints[: count - 1] + 1).tolist()]
    ends = [*joints[SHINGLE_WORDS - 1 :].tolist(), len(text)]
    return set(map(text.__getitem__, map(slice, starts, ends)))


def shingle_hashes(messages: Messages) -> Hashes64:
    """Distinct shingles as sorted 64-bit hashes: what ``exact_jaccard`` compares."""
    return hash_shingles(conversation_words(messages))


def hash_shingles(conversation: Sequence[str]) -> Hashes64:
    distinct = shingles(conversation)
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, distinct), np.uint64, len(distinct))
    hashes.sort()
    return hashes


def exact_jaccard(a: Hashes64, b: Hashes64) -> int:
    """|a ∩ b| / |a ∪ b| in basis points, rounded down (so ``>=`` against whole basis points is exact).

    Two conversations without shingles are not alike: 0.
    """
    if not len(a) or not len(b):
        return 0
    merged = np.concatenate((a, b))
    merged.sort(kind="stable")
    common = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return common * 10_000 // (len(merged) - common)


def signature(messages: Messages) -> Hashes32:
    """128 MinHash slots, shape (128,); all ones where there is no shingle."""
    signed: Hashes32 = signatures([shingles(conversation_words(messages))])[0]
    return signed


def signatures(batch: Iterable[set[bytes]]) -> Hashes32:
    """One row of 128 slots for each set of shingles."""
    return np.array([_sign(distinct) for distinct in batch], np.uint32).reshape(-1, SLOTS)


def _sign(distinct: set[bytes]) -> Hashes32:
    slots = np.full(SLOTS, 0xFFFFFFFF, np.uint32)
    hashes = _fmix32(np.fromiter(map(xxhash.xxh32_intdigest, distinct), np.uint32, len(distinct)))
    for start in range(0, len(hashes), _BLOCK):
        permuted = _MULTIPLY[:, None] * hashes[None, start : start + _BLOCK] + _ADD[:, None]
        np.minimum(slots, permuted.min(axis=1), out=slots)
    return slots


def _fmix32(hashes: Hashes32) -> Hashes32:
    """MurmurHash3's 32-bit finaliser, with which datasketch mixes a hash before it permutes it; wraps modulo 2^32."""
    mixed = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))
