"""The manifest's byte form and everything that its reader must refuse."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhds.client.canonical import decode_canonical, encode_canonical
from mhds.client.checksums import content_digest, encode_sha256sums, parse_sha256sums
from mhds.client.errors import DigestMismatch, IntegrityError, ManifestInvalid
from mhds.client.manifest import LARGEST_MANIFEST, encode_manifest, parse_manifest
from mhds.client.model import FileEntry
from tests.client.releases import build

pytestmark = pytest.mark.client

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return build(tmp_path_factory.mktemp("release")).manifest


@pytest.fixture
def manifest(good):
    return copy.deepcopy(good)


def row(manifest, path):
    return next(entry for entry in manifest["files"] if entry["path"] == path)


def test_it_reads_back_what_it_wrote(manifest):
    parsed = parse_manifest(encode_manifest(manifest))

    assert parsed.version == "v2026-01-07"
    assert parsed.content.records == 200
    assert [entry.path for entry in parsed.data_files("train", "priority")] == [
        "data/train/priority/part-00000.jsonl",
        "data/train/priority/part-00001.jsonl",
    ]
    assert parsed.splits["val"].records == 23
    shard = parsed.file("data/test/priority/part-00000.jsonl")
    assert shard is not None
    assert shard.records == 8
    assert parsed.file("nothing") is None


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_equal_values_have_one_byte_form(value):
    data = encode_canonical(value)

    assert decode_canonical(data, "x") == value
    assert encode_canonical(json.loads(data)) == data


def test_its_bytes_do_not_depend_on_the_order_of_keys(manifest):
    backwards = dict(reversed(manifest.items()))

    assert encode_manifest(backwards) == encode_manifest(manifest)


@pytest.mark.parametrize("value", [0.5, 1.0, float("nan"), float("inf")])
def test_it_writes_no_float_anywhere(manifest, value):
    manifest["dedup"]["threshold"] = {"deep": [value]}

    with pytest.raises(ManifestInvalid, match=r"\$\.dedup\.threshold\.deep\[0\]"):
        encode_manifest(manifest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"demo":false', b'"demo":0.0'),
        (b'"demo":false', b'"demo":NaN'),
        (b'"demo":false', b'"demo":false,"demo":false'),
        (b'"demo":false', b'"demo": false'),
        (b'"sequence":1', b'"sequence":9007199254740993'),
        (b'"sequence":1', b'"sequence":' + b"9" * 5000),
        (b'"demo":false', b'"demo":' + b"[" * 100_000 + b"]" * 100_000),
        (b'"cl100k_base"', b'"cl100k_base\xff"'),
        (b'"cl100k_base"', b'"cl100k_base\\ud800"'),
        (b'"p-clinician"', b'"\\u0070-clinician"'),
    ],
    ids=["float", "nan", "twice", "space", "big", "digits", "deep", "utf8", "surrogate", "escape"],
)
def test_it_refuses_bytes_that_are_not_the_one_form(manifest, old, new):
    data = encode_manifest(manifest)
    assert data.count(old) >= 1

    with pytest.raises(ManifestInvalid):
        parse_manifest(data.replace(old, new, 1))


def test_it_refuses_a_cut_or_swollen_manifest(manifest):
    data = encode_manifest(manifest)

    for bad in (data[:-1], b"", b"[]", data + b"\n", b" " * LARGEST_MANIFEST):
        with pytest.raises(ManifestInvalid):
            parse_manifest(bad)


def test_it_refuses_another_schema_and_unknown_fields_but_lets_extensions_pass(manifest):
    assert parse_manifest(encode_manifest(manifest | {"x_lab": {"any": "thing"}})).version == "v2026-01-07"

    for change in ({"schema": "mhds.release-manifest/2"}, {"comment": "hello"}):
        with pytest.raises(ManifestInvalid):
            encode_manifest(manifest | change)
    manifest["files"][0]["note"] = "x"
    with pytest.raises(ManifestInvalid, match=r"files\[0\] has unknown fields: note"):
        encode_manifest(manifest)


def test_every_top_level_field_is_required(manifest):
    for name in manifest:
        with pytest.raises(ManifestInvalid):
            encode_manifest({key: value for key, value in manifest.items() if key != name})


def test_every_field_of_a_file_is_required(manifest):
    for name in manifest["files"][0]:
        changed = copy.deepcopy(manifest)
        del changed["files"][0][name]
        with pytest.raises(ManifestInvalid):
            encode_manifest(changed)


@pytest.mark.parametrize(
    "path",
    [
        "../other/manifest.json",
        "docs/../../x",
        "/etc/passwd",
        "docs//x",
        "docs/./x",
        "docs\\x",
        "s3://other/x",
        "docs/a\nb",
        "docs/u\u0308ber",
        "docs/" + "x" * 1100,
        "docs/",
        "manifest.json",
        "SHA256SUMS",
        "docs/readme.MD",
    ],
)
def test_it_refuses_paths_that_leave_the_release_or_have_two_spellings(manifest, path):
    extra = dict(row(manifest, "docs/README.md"), path=path)
    manifest["files"] = sorted([*manifest["files"], extra], key=lambda entry: entry["path"].encode())

    with pytest.raises(ManifestInvalid):
        encode_manifest(manifest)


def test_it_refuses_files_out_of_order_or_listed_twice(manifest):
    first, second, *rest = manifest["files"]

    for files in ([second, first, *rest], [first, first, second, *rest]):
        with pytest.raises(ManifestInvalid, match="out of order or repeated"):
            encode_manifest(manifest | {"files": files})


@pytest.mark.parametrize("digest", ["", "abc", "A" * 64, "g" * 64, "0" * 63, 7, None])
def test_it_refuses_what_is_no_sha256(manifest, digest):
    row(manifest, "docs/README.md")["sha256"] = digest

    with pytest.raises(ManifestInvalid, match="sha256"):
        encode_manifest(manifest)


@pytest.mark.parametrize(
    "place",
    [
        ("content", "files"),
        ("content", "bytes"),
        ("content", "records"),
        ("content", "tokens", "count"),
        ("splits", "train", "files"),
        ("splits", "val", "records"),
        ("splits", "test", "tokens"),
        ("splits", "test", "bytes"),
        ("families", 0, "records"),
        ("families", 1, "bytes"),
        ("families", 2, "tokens"),
        ("privacy", "pii_status", "scrubbed"),
    ],
)
def test_a_total_that_is_off_by_one_is_refused_with_both_values(manifest, place):
    *way, last = place
    inner = manifest
    for step in way:
        inner = inner[step]
    inner[last] += 1

    with pytest.raises(DigestMismatch) as caught:
        encode_manifest(manifest)
    assert abs(int(caught.value.expected) - int(caught.value.actual)) == 1
    assert f"expected {caught.value.expected}, found {caught.value.actual}" in str(caught.value)


def test_a_changed_entry_breaks_the_content_digest(manifest):
    entry = row(manifest, "data/val/priority/part-00000.jsonl")
    entry["sha256"] = "0" * 64

    with pytest.raises(DigestMismatch, match=r"content\.digest"):
        encode_manifest(manifest)


def test_records_that_require_review_have_no_place_in_a_manifest(manifest):
    manifest["privacy"]["pii_status"] = {"none_detected": 199, "requires_review": 1}

    with pytest.raises(ManifestInvalid, match="requires_review"):
        encode_manifest(manifest)


def test_a_shard_must_lie_under_its_own_split_and_family_and_have_an_index(manifest):
    entry = row(manifest, "data/val/priority/part-00000.jsonl")
    for change in ({"split": "train"}, {"family": "edge_cases"}, {"records": None}, {"records": 0}, {"first_id": "x"}):
        changed = copy.deepcopy(manifest)
        row(changed, entry["path"]).update(change)
        with pytest.raises(ManifestInvalid):
            encode_manifest(changed)
    row(manifest, "index/data/val/priority/part-00000.jsonl.idx")["role"] = "config"
    with pytest.raises(ManifestInvalid, match="no index"):
        encode_manifest(manifest)


@pytest.mark.parametrize("section", ["routing", "curriculum", "source_keys"])
def test_a_section_points_only_at_listed_files_of_the_fitting_role(manifest, section):
    for change in ({"path": "config/other.json"}, {"path": "docs/README.md"}, {"sha256": "0" * 64}):
        with pytest.raises(IntegrityError):
            encode_manifest(manifest | {section: manifest[section] | change})


def test_gates_and_signatures_point_at_listed_files(manifest):
    for section in ("gates", "signoffs"):
        changed = copy.deepcopy(manifest)
        changed[section][0]["report" if section == "gates" else "record"]["path"] = "docs/README.md"
        with pytest.raises(ManifestInvalid, match="does not list as"):
            encode_manifest(changed)


@pytest.mark.parametrize("verdict", ["WARN", "pass", "SKIPPED", "", None])
def test_a_verdict_is_one_of_three_words(manifest, verdict):
    manifest["gates"][0]["verdict"] = verdict

    with pytest.raises(ManifestInvalid, match="verdict"):
        encode_manifest(manifest)


@pytest.mark.parametrize("version", ["v2026-1-7", "2026-01-07", "v2026-01-07.1", "v2026-01-07.0", "v2026-01-07/x"])
def test_a_version_has_one_form(manifest, version):
    manifest["release"]["version"] = version

    with pytest.raises(ManifestInvalid, match="version"):
        encode_manifest(manifest)


def test_errors_never_repeat_the_value_they_refuse(manifest):
    manifest["files"][0]["media_type"] = {"said": "my name is Jane"}

    with pytest.raises(ManifestInvalid) as caught:
        encode_manifest(manifest)
    assert "Jane" not in str(caught.value)
    with pytest.raises(ManifestInvalid) as caught:
        decode_canonical(b'{"said": "my name is Jane', "x")
    assert "Jane" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_content_digest_is_the_hash_of_its_sorted_lines():
    files = [
        FileEntry("b", "data", 2, "22", "t"),
        FileEntry("a", "config", 1, "11", "t"),
        FileEntry("c", "doc", 3, "00", "t"),
    ]

    # printf '11 1 a\n22 2 b\n' | sha256sum
    assert content_digest(files) == "sha256:8fee8f112033756961a37a43345e8676c10bc42008a4e29688fbb50d736b70b4"
    assert content_digest(reversed(files)) == content_digest(files)


def test_sha256sums_go_there_and_back():
    sums = {"docs/ü b.md": "1" * 64, "docs/a.md": "0" * 64}

    data = encode_sha256sums(sums)
    assert data.decode() == f"{'0' * 64}  docs/a.md\n{'1' * 64}  docs/ü b.md\n"
    assert parse_sha256sums(data) == sums
    for bad in (data[:-1], data + data, data.replace(b"  ", b" "), b"\xff\n", data.replace(b"docs/a", b"../a")):
        with pytest.raises(ManifestInvalid):
            parse_sha256sums(bad)
