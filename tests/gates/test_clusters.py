"""Clusters: the definition of domain.md section 5, held against datasketch and brute force, in any order."""

from __future__ import annotations

import itertools
import random

import datasketch
import pytest
import xxhash

from gates.scan import near
from gates.scan.clusterer import BuildClusterer
from gates.scan.clusters import Clustering, cluster
from gates.scan.fingerprints import conversation_words, exact_jaccard, message_hash, shingle_hashes, shingles
from gates.scan.marks import Collector, mark
from gates.scan.near import band_parameters
from releases.build.record import content_hash
from releases.build.types import Message, Messages
from tests.gates.corpus import conversation, edited, sentence, talk

pytestmark = pytest.mark.gates


def clustering_of(texts: list[Messages], **options) -> Clustering:
    collector = Collector()
    for messages in texts:
        collector.add(content_hash(messages), "priority", mark(messages))
    return cluster(collector.conversations(), texts.__getitem__, **options)


def together(texts: list[Messages]) -> bool:
    return len(set(clustering_of(texts).cluster_of)) == 1


def planted(seed: int = 1) -> list[Messages]:
    """Fresh conversations, and edits of some of them from barely touched to clearly another text."""
    chance = random.Random(seed)
    texts = [conversation(chance, turns=4, words=40) for _ in range(60)]
    for share in (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1):
        texts += [edited(chance, chance.choice(texts[:60]), share) for _ in range(15)]
    return list({content_hash(t): t for t in texts}.values())


def brute_force(texts: list[Messages], threshold_bp: int) -> set[tuple[int, int]]:
    hashes = [shingle_hashes(t) for t in texts]
    pairs = itertools.combinations(range(len(texts)), 2)
    return {(i, j) for i, j in pairs if exact_jaccard(hashes[i], hashes[j]) >= threshold_bp}


def found(clustering: Clustering) -> set[tuple[int, int]]:
    return {(min(p.first, p.second), max(p.first, p.second)) for p in clustering.near_pairs}


def by_datasketch(texts: list[Messages], threshold_bp: int) -> set[tuple[int, int]]:
    """MinHashLSH with the same bands, then exact verification."""
    index = datasketch.MinHashLSH(num_perm=128, params=band_parameters(threshold_bp))
    sketches = []
    for number, text in enumerate(texts):
        sketch = datasketch.MinHash(num_perm=128, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
        sketch.update_batch(shingles(conversation_words(text)))
        index.insert(number, sketch)
        sketches.append(sketch)
    candidates = {(i, j) for i, sketch in enumerate(sketches) for j in index.query(sketch) if i < j}
    return candidates & brute_force(texts, threshold_bp)


@pytest.mark.parametrize("threshold_bp", [7_000, 8_000, 9_000])
def test_a_planted_corpus_gives_the_pairs_of_datasketch_and_of_brute_force(threshold_bp):
    texts = planted()
    ours = found(clustering_of(texts, threshold_bp=threshold_bp))
    assert len(ours) > 15
    assert ours == by_datasketch(texts, threshold_bp)
    assert ours == brute_force(texts, threshold_bp)


def test_every_reported_pair_carries_its_exact_jaccard():
    texts = planted()
    for pair in clustering_of(texts).near_pairs:
        measured = exact_jaccard(shingle_hashes(texts[pair.first]), shingle_hashes(texts[pair.second]))
        assert pair.jaccard_bp == measured >= 8_000


def test_clusters_are_the_connected_components_named_by_their_smallest_hash():
    chance = random.Random(3)
    texts = planted()
    for _ in range(5):  # near-duplicates with no message in common: one word of each is another
        text = conversation(chance, turns=4, words=80)
        texts += [text, tuple(Message(role, "other" + content) for role, content in text)]
    names = [content_hash(t) for t in texts]
    said = [{message_hash(content) for _, content in text} for text in texts]  # all long enough
    shared = {(i, j) for i, j in itertools.combinations(range(len(texts)), 2) if said[i] & said[j]}
    near_pairs = brute_force(texts, 8_000)
    assert near_pairs - shared
    assert shared - near_pairs
    for _ in texts:  # labels spread until nothing can move any more
        for i, j in near_pairs | shared:
            names[i] = names[j] = min(names[i], names[j])
    assert clustering_of(texts).cluster_of == names


def by_name(texts: list[Messages], clustering: Clustering):
    names = [content_hash(t) for t in texts]
    return (
        dict(zip(names, clustering.cluster_of, strict=True)),
        [(names[p.first], names[p.second], p.jaccard_bp) for p in clustering.near_pairs],
        {k: [(names[c.item], *c._replace(item=0)) for c in v] for k, v in clustering.causes.items()},
        [(names[r.item], *r._replace(item=0)) for r in clustering.repeated_messages],
        clustering.jaccards,
    )


@pytest.mark.parametrize("crowd", [2, 64])
def test_the_order_of_the_input_changes_nothing(crowd, monkeypatch):
    monkeypatch.setattr(near, "_ALL_PAIRS", crowd)
    texts = [*planted(2)[:120], talk("hello", "hi there"), talk("hello", "good day"), talk("bye", "hi there", "so")]
    straight = by_name(texts, clustering_of(texts))
    for seed in range(3):
        shuffled = random.Random(seed).sample(texts, len(texts))
        assert by_name(shuffled, clustering_of(shuffled)) == straight


def test_crowds_give_the_same_clusters_and_the_same_records_with_a_near_duplicate(monkeypatch):
    chance = random.Random(5)
    template = conversation(chance, turns=4, words=40)
    texts = [edited(chance, template, 0.02) for _ in range(60)]
    texts += [(Message("system", sentence(chance, 8)), *template) for _ in range(40)]  # one signature, many hashes
    texts = list({content_hash(t): t for t in texts}.values())
    all_pairs = clustering_of(texts)
    monkeypatch.setattr(near, "_ALL_PAIRS", 3)
    forest = clustering_of(texts)
    assert forest.cluster_of == all_pairs.cluster_of
    assert {i for p in found(forest) for i in p} == {i for p in found(all_pairs) for i in p}
    assert found(forest) <= found(all_pairs)
    assert len(found(forest)) < len(found(all_pairs)) / 4


def test_records_with_one_signature_but_other_texts_are_not_joined_on_trust():
    """A signature is a claim: marks that lie about it must not make a cluster."""
    chance = random.Random(6)
    texts = [conversation(chance) for _ in range(3)]
    collector = Collector()
    for text in texts:
        collector.add(content_hash(text), "priority", mark(texts[0]))
    marks = collector.conversations()
    marks.message_words[:] = 1  # leave shingles alone to decide
    assert len(set(cluster(marks, texts.__getitem__).cluster_of)) == 3


def test_banding_finds_a_pair_at_the_threshold_with_the_promised_recall():
    for threshold_bp in (7_000, 8_000, 9_000):
        bands, rows = band_parameters(threshold_bp)
        assert bands * rows <= 128
        assert 1 - (1 - (threshold_bp / 10_000) ** rows) ** bands >= near.RECALL_AT_THRESHOLD
    assert band_parameters(8_000) == (21, 6)


def test_candidate_recall_on_pairs_just_over_the_threshold():
    chance = random.Random(8)
    texts: list[Messages] = []
    for _ in range(150):
        text = conversation(chance, turns=2, words=150)
        texts += [text, edited(chance, text, 0.021)]
    close = {p for p in brute_force(texts, 8_000) if p[1] == p[0] + 1}
    assert len(close) > 60
    # 0.998 is promised at the threshold itself; one miss among these is chance, three are a fault.
    assert len(close - found(clustering_of(texts))) <= 2


def words_of(count: int, seed: int = 0) -> str:
    return sentence(random.Random(seed), count)


@pytest.mark.parametrize(("count", "joined"), [(19, False), (20, True), (21, True)])
def test_an_identical_message_joins_from_twenty_words_on(count, joined):
    shared = words_of(count)
    one = talk(words_of(40, 1), shared, words_of(40, 2), words_of(40, 3))
    other = talk(words_of(40, 4), words_of(40, 5), words_of(40, 6), shared)
    assert together([one, other]) is joined


def test_a_chinese_message_of_twenty_characters_joins_and_of_nineteen_does_not():
    shared = "我最近总是睡不着觉白天没有精神心里很难受"
    assert len(shared) == 20
    rest = [talk("你好", "今天怎么样", "还行吧", text) for text in ("好的明白了", "谢谢你告诉我")]
    assert together([(*one, Message("user", shared)) for one in rest])
    assert not together([(*one, Message("user", shared[:19])) for one in rest])


def test_an_identical_message_joins_whoever_said_it_and_in_whatever_form():
    shared = words_of(25)
    one = talk(shared, words_of(30, 1), words_of(30, 2))
    other = talk(words_of(30, 3), f"  {shared.upper()}\u200b\n", words_of(30, 4))
    assert together([one, other])


def test_one_exchange_with_an_identical_prompt_of_any_length_joins():
    assert together([talk("Hi", "Hello, what brings you here?"), talk("hi ", "Welcome.", system="be kind")])


def test_a_short_prompt_does_not_join_longer_conversations():
    assert not together([talk("Hi", "Hello, what brings you here?"), talk("Hi", "Welcome.", "Thanks", "Sure")])
    assert not together([talk("Hi", "Good morning to you", "Well"), talk("Hi", "Welcome.", "Thanks", "Sure")])


def test_an_identical_answer_to_one_exchange_does_not_join():
    assert not together([talk("How are you", "I am here to listen"), talk("Who are you", "I am here to listen")])


def test_a_system_prompt_shared_by_all_never_joins():
    system = words_of(60)
    texts = [talk(words_of(30, s), words_of(30, s + 100), system=system) for s in range(8)]
    clustering = clustering_of(texts)
    assert len(set(clustering.cluster_of)) == 8
    assert clustering.causes == {}


@pytest.mark.parametrize("pair", [("", ""), (" ", "\u200b"), ("a", "b"), ("好", "嗯")])
def test_empty_and_tiny_texts_join_nothing_and_break_nothing(pair):
    one, other = talk(pair[0], "x y z", "q"), talk(pair[1], "z y x", "r")
    assert not together([one, other])


def test_an_empty_prompt_is_no_prompt():
    assert not together([talk("", "one answer"), talk("", "another answer")])


def test_nothing_to_cluster_is_no_cluster():
    assert clustering_of([]).cluster_of == []


def test_records_with_equal_content_hash_share_a_cluster_whatever_their_length():
    clustering = clustering_of([talk("a", "b", "c"), talk("A", "b ", "c")])
    assert len(set(clustering.cluster_of)) == 1
    assert [c.kind for c in next(iter(clustering.causes.values()))] == ["exact"]


def test_causes_name_what_joined_and_where_it_stands():
    shared = words_of(30)
    texts = [talk(words_of(30, 1), shared), talk(words_of(30, 2), words_of(30, 3), shared), talk("x", "y")]
    clustering = clustering_of(texts)
    (cause,) = clustering.causes[clustering.cluster_of[0]]
    assert (cause.kind, cause.records, cause.message_hash) == ("message", 2, message_hash(shared).hex())
    assert texts[cause.item][cause.turn].content == shared


def test_a_cluster_reports_its_widest_cause_first():
    shared = words_of(30)
    texts = [talk(words_of(30, s), shared, words_of(9, s + 50)) for s in range(5)]
    texts.append(edited(random.Random(1), texts[0], 0.01))
    causes = clustering_of(texts).causes
    assert len(causes) == 1
    assert next(iter(causes.values()))[0].kind == "message"


def test_short_repeated_messages_are_counted_and_join_nothing():
    texts = [
        talk(words_of(30, s), "I am here to listen", words_of(30, s + 50), "I am here to  listen") for s in range(3)
    ]
    clustering = clustering_of(texts)
    assert len(set(clustering.cluster_of)) == 3
    (repeated,) = clustering.repeated_messages
    assert (repeated.messages, repeated.records, repeated.words) == (6, 3, 5)
    assert repeated.message_hash == message_hash("i am here to listen").hex()


def test_a_message_repeated_inside_one_record_joins_nothing():
    shared = words_of(30)
    assert clustering_of([talk(shared, shared, shared)]).causes == {}


def test_only_candidates_are_read_and_nothing_is_read_that_is_known():
    texts = planted()
    read: list[int] = []
    collector = Collector()
    for text in texts:
        collector.add(content_hash(text), "priority", mark(text))
    marks = collector.conversations()

    def text_of(index: int) -> Messages:
        read.append(index)
        return texts[index]

    first = cluster(marks, text_of)
    assert 0 < len(set(read)) < len(texts)
    read.clear()
    assert cluster(marks, text_of, known=first.jaccards) == first
    assert read == []


def test_the_build_gets_the_same_clusters_through_its_port():
    texts = planted()
    port = BuildClusterer()
    for text in texts:
        port.add(text, content_hash(text), "priority")
    clusters = port.clusters(texts.__getitem__)
    direct = clustering_of(texts)
    assert list(clusters.cluster_of) == direct.cluster_of
    assert {tuple(sorted(pair)) for pair in clusters.near} == found(direct)
