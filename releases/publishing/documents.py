"""The documents that travel with a release: dataset card, release notes, coverage, sources. Renders; reads no row.

No clock, host or locale gets in: the same candidate gives the same bytes.
"""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhds.client.canonical import encode_canonical
from releases import coverage

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded *exclude, because ...*: ``what`` names an object, a record or a source."""

    what: str
    reason: str
    because: str


@dataclass(frozen=True)
class About:
    """What the documents tell, beside the manifest's own sections."""

    version: str
    date: str
    demo: bool
    content_digest: str
    families: Sequence[Mapping[str, Any]]
    splits: Mapping[str, Mapping[str, int]]
    gates: Sequence[Mapping[str, Any]]
    signoffs: Sequence[Mapping[str, Any]]
    exclusions: Mapping[str, int]
    refused: Mapping[str, int]
    decisions: Sequence[Decision]
    licences: Sequence[str]
    attributions: Sequence[str]
    languages: Sequence[str]
    tokenizer: str
    bias_report: bool


def with_waivers(matrix: Mapping[str, Any], waived: Iterable[str]) -> dict[str, Any]:
    """The coverage matrix as published: a required family that a waiver lets pass is ``waived``, never ``present``."""
    let_pass = set(waived)
    families = [
        {**row, "status": coverage.WAIVED} if row["id"] in let_pass and row["status"] != coverage.PRESENT else row
        for row in matrix["families"]
    ]
    return {**matrix, "families": families}


def coverage_files(matrix: Mapping[str, Any]) -> dict[str, bytes]:
    return {
        "coverage/coverage.json": encode_canonical(matrix),
        "coverage/coverage.csv": coverage.as_csv(matrix).encode(),
        "coverage/coverage.md": coverage.as_markdown(matrix).encode(),
    }


def write_sources(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """``provenance/sources.jsonl.gz``: one line an object under a family, sorted as accounted; how many there are.

    No etag and no hash of source text: either would help to undo the redaction.
    """
    count = 0
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6) as out:
        for row in rows:
            out.write(encode_canonical(_source_line(row)) + b"\n")
            count += 1
    return count


def _source_line(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("key", "family", "source", "status", "reason", "records_in", "records_out")
    return {**{name: row[name] for name in names}, "excluded": dict(row["excluded"])}


def _inline(words: str) -> str:
    """People's words as plain text in one line of Markdown."""
    return html.escape(" ".join(words.split()), quote=False).replace("|", "&#124;").replace("`", "&#96;")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def _demo_words(about: About) -> list[str]:
    words = "**Demo data: invented records and invented reviewers. Never train on it.**"
    return [words, ""] if about.demo else []


def dataset_card(about: About) -> bytes:
    """``docs/README.md``: the card that dataset tools read, its data files named by split and by family."""
    body = [
        f"# Mental-health conversations, release {about.version}",
        "",
        *_demo_words(about),
        "Compiled ChatML, one JSON object a line: `messages` (role, content) and `metadata`. Identifiers are replaced",
        "by typed placeholders. The manifest names every file with its sha256; `sha256sum -c SHA256SUMS` checks them.",
        "",
        f"Content digest: `{about.content_digest}`. Tokens are counted in `{about.tokenizer}`.",
        "",
        "## Splits",
        "",
        *_table(
            ("split", "files", "records", "bytes", "tokens"),
            ((name, one["files"], one["records"], one["bytes"], one["tokens"]) for name, one in about.splits.items()),
        ),
        "",
        "## Families",
        "",
        *_family_table(about),
        "",
        "## Licences and attribution",
        "",
        *[f"- {_inline(one)}" for one in about.licences],
        *[f"- {_inline(one)}" for one in about.attributions],
        "",
        "## How it was made and checked",
        "",
        "`coverage/` says where each family comes from, `provenance/sources.jsonl.gz` every source object and what",
        "became of it, `gates/` what the machine checked, `reviews/` and `signoff/` what people checked and signed.",
        "`docs/RELEASE_NOTES.md` lists the known exclusions.",
    ]
    return ("\n".join([*_front_matter(about), *body]) + "\n").encode()


def _front_matter(about: About) -> list[str]:
    """YAML between dashes. Every value is a JSON string, which YAML reads the same way."""
    records = sum(one["records"] for one in about.splits.values())
    size = next((name for limit, name in SIZES if records < limit), "n>1M")
    held = [family["id"] for family in about.families if family["records"]]
    return [
        "---",
        f"pretty_name: {json.dumps('Mental-health conversations ' + about.version)}",
        f"language: {json.dumps(list(about.languages))}",
        'license: "other"',
        f"license_name: {json.dumps(', '.join(about.licences))}",
        f"size_categories: [{json.dumps(size)}]",
        'task_categories: ["text-generation"]',
        "configs:",
        *_config("default", "data/{split}/*/*.jsonl", about.splits, default=True),
        *[line for name in held for line in _config(name, f"data/{{split}}/{name}/*.jsonl", _splits_of(about, name))],
        "---",
        "",
    ]


def _config(name: str, pattern: str, splits: Iterable[str], *, default: bool = False) -> list[str]:
    lines = [f"- config_name: {json.dumps(name)}", *(["  default: true"] if default else []), "  data_files:"]
    for split in splits:
        lines += [f"  - split: {json.dumps(split)}", f"    path: {json.dumps(pattern.format(split=split))}"]
    return lines


def _splits_of(about: About, family: str) -> list[str]:
    found = next(one for one in about.families if one["id"] == family)
    return [split for split in about.splits if split in found["splits"]]


def _family_table(about: About) -> list[str]:
    head = ("family", "stage", "coverage", "records", "tokens")
    rows = ((one["id"], one["stage"], one["coverage"], one["records"], one["tokens"]) for one in about.families)
    return _table(head, rows)


def release_notes(about: About) -> bytes:
    """``docs/RELEASE_NOTES.md``: what is in, what is known to be out and why, who signed."""
    included = [one["id"] for one in about.families if one["records"]]
    absent = [f"{one['id']} ({one['coverage']})" for one in about.families if not one["records"]]
    lines = [
        f"# Release notes, {about.version}",
        "",
        *_demo_words(about),
        f"Content digest: `{about.content_digest}`",
        "",
        "## Included families",
        "",
        *_family_table(about),
        "",
        f"Included: {', '.join(included)}. Without records: {', '.join(absent) or 'none'}.",
        "",
        "## Known exclusions",
        "",
        *_exclusions(about),
        "",
        "## Gates",
        "",
        *_table(
            ("gate", "verdict", "examined", "expected", "settled by"),
            (
                (one["id"], one["verdict"], one["examined"], one["expected"], ", ".join(one["settled_by"]) or "-")
                for one in about.gates
            ),
        ),
        "",
        "## Sign-off",
        "",
        *_table(
            ("role", "decision", "at", "content digest"),
            ((one["role"], one["decision"], one["at"], f"`{one['content_digest']}`") for one in about.signoffs),
        ),
        "",
        "The bias report is `reports/bias.json`." if about.bias_report else "This release carries no bias report.",
    ]
    return ("\n".join(lines) + "\n").encode()


def _exclusions(about: About) -> list[str]:
    lines = ["Records excluded:", ""]
    lines += _table(("reason", "records"), sorted(about.exclusions.items())) if about.exclusions else ["none"]
    lines += ["", "Objects refused:", ""]
    lines += _table(("reason", "objects"), sorted(about.refused.items())) if about.refused else ["none"]
    lines += ["", "Decisions:", ""]
    lines += [f"- `{_inline(one.what)}` ({one.reason}): {_inline(one.because)}" for one in about.decisions] or ["none"]
    return lines
