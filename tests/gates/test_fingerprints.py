"""Shingles and signatures: equal to datasketch's, blind to the system role, and silent on short texts."""

from __future__ import annotations

import random

import datasketch
import numpy as np
import pytest
import xxhash

from gates.scan.fingerprints import (
    conversation_words,
    exact_jaccard,
    message_hash,
    shingle_hashes,
    shingles,
    signature,
)
from tests.gates.corpus import conversation, edited, talk

pytestmark = pytest.mark.gates


def plain_shingles(messages) -> set[bytes]:
    words = conversation_words(messages)
    return {" ".join(words[i : i + 5]).encode() for i in range(len(words) - 4)}


SAMPLES = [
    talk("one two three four five"),
    talk("one two three", "four five six"),
    talk("我最近总是睡不着，感觉很累。", "你能多说一些吗？"),
    talk("Ünï  côdé\u00a0spaces\tand\nbreaks — “quoted” words…", "naïve façade mixed 混合 text 文字 here"),
    *(conversation(random.Random(seed), turns=4, words=200) for seed in range(5)),
]


@pytest.mark.parametrize("messages", SAMPLES)
def test_shingles_are_every_five_consecutive_words(messages):
    assert shingles(conversation_words(messages)) == plain_shingles(messages)


@pytest.mark.parametrize("messages", SAMPLES)
def test_the_signature_equals_datasketchs(messages):
    peer = datasketch.MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
    peer.update_batch(plain_shingles(messages))
    ours = signature(messages)
    assert ours.dtype == np.uint32
    assert ours.shape == (128,)
    assert (ours == peer.hashvalues).all()


def test_shingles_run_over_the_border_of_two_messages():
    assert b"two three four five six" in shingles(conversation_words(talk("one two three", "four five six")))


def test_white_space_case_and_invisible_characters_do_not_change_a_shingle():
    assert (
        shingle_hashes(talk("One  two\nthree\u200b four FIVE")) == shingle_hashes(talk("one two three four five"))
    ).all()


def test_the_system_message_is_no_part_of_the_fingerprint():
    spoken = talk("one two three four five six")
    with_system = talk("one two three four five six", system="you are a counsellor who listens well")
    assert (shingle_hashes(spoken) == shingle_hashes(with_system)).all()
    assert (signature(spoken) == signature(with_system)).all()


@pytest.mark.parametrize(
    "messages", [(), talk(""), talk("one two three four"), talk("好的好的"), talk(" \n ", "\u200b")]
)
def test_fewer_than_five_words_give_no_shingle_and_no_likeness(messages):
    hashes = shingle_hashes(messages)
    assert len(hashes) == 0
    assert (signature(messages) == 0xFFFFFFFF).all()
    assert exact_jaccard(hashes, hashes) == 0


def test_exact_jaccard_is_the_share_of_common_shingles_rounded_down():
    chance = random.Random(4)
    for share in (0, 0.005, 0.02, 0.1, 0.5, 1):
        one = conversation(chance)
        other = edited(chance, one, share)
        a, b = plain_shingles(one), plain_shingles(other)
        expected = len(a & b) * 10_000 // len(a | b)
        assert exact_jaccard(shingle_hashes(one), shingle_hashes(other)) == expected


def test_one_differing_shingle_is_never_rounded_up_to_identity():
    a = np.arange(100_000, dtype=np.uint64)
    assert exact_jaccard(a, a) == 10_000
    assert exact_jaccard(a, a[1:]) == 9_999


def test_a_message_hash_ignores_form_and_sees_words():
    assert len(message_hash("x")) == 16
    assert message_hash("Ｈello\u200b  World") == message_hash("hello world")
    assert message_hash("hello world") != message_hash("hello word")


def test_the_recipe_has_not_drifted():
    """Stored facts hold these values: other ones here need another FINGERPRINT_VERSION."""
    messages = talk("one two three four five six", "seven")
    assert message_hash("Hello World").hex() == "e9a804b2e527fd3601d2ffc0bb023cd6"
    assert signature(messages)[:3].tolist() == [213993105, 579070030, 547981537]
    assert shingle_hashes(messages).tolist() == [2747260123037926368, 4874587919446547673, 16866263719435778456]
