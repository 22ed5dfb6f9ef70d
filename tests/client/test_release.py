"""Opening and verifying: every way in which a release may be wrong, and that nothing is read from one that is."""

from __future__ import annotations

import hashlib
import shutil
import struct
from itertools import islice

import pytest

from mhds.client import (
    ClientError,
    DemoRefused,
    DigestMismatch,
    EvidenceMissing,
    FileMissing,
    IntegrityError,
    ManifestInvalid,
    NotPublished,
    Release,
    ReleaseWithdrawn,
    StorageUnreadable,
    UsageError,
)
from mhds.client.canonical import encode_canonical
from mhds.client.checksums import index_path
from tests.client.releases import SHARDS, build, manifest_of, publish, routing_of

pytestmark = pytest.mark.client

SHARD = "data/train/priority/part-00001.jsonl"


def refusal(prefix: str, **asked) -> ClientError:
    """What opening, verifying everything and reading everything ends in."""
    with pytest.raises(ClientError) as caught, Release.open(prefix, **asked) as opened:
        opened.verify(full=True)
    return caught.value


def test_a_good_release_verifies_and_yields_every_record_once(release):
    with Release.open(release.prefix) as opened:
        checked = opened.verify(full=True)
        found = [row["metadata"]["record_id"] for row in opened.records()]

    assert (checked.version, checked.signature, checked.storage_level, checked.full) == (
        "v2026-01-07",
        "not checked",
        3,
        True,
    )
    assert checked.content_digest == release.manifest["content"]["digest"]
    assert checked.manifest_sha256 == hashlib.sha256(release.path("manifest.json").read_bytes()).hexdigest()
    assert len(found) == len(set(found)) == sum(SHARDS.values()) == 200


def test_records_can_be_narrowed_to_a_split_and_a_family(release):
    with Release.open(release.prefix) as opened:
        assert len(list(opened.records(split="val"))) == 23
        assert {r["metadata"]["source_family"] for r in opened.records(family="edge_cases")} == {"edge_cases"}
        with pytest.raises(UsageError):
            opened.records(split="test", family="professional_therapeutic")


@pytest.mark.parametrize("form", ["{root}", "{root}/", "file://{root}/", "file://{root}"])
def test_a_prefix_may_be_written_in_several_ways(release, form):
    with Release.open(form.format(root=release.root)) as opened:
        assert opened.verify().version == release.version


def test_a_copy_under_another_name_verifies_but_a_version_s_name_must_be_true(release, tmp_path):
    shutil.copytree(release.root, tmp_path / "elsewhere" / "copy")
    shutil.copytree(release.root, release.exports / "releases" / "v2026-02-01")

    with Release.open(f"{tmp_path}/elsewhere/copy") as opened:
        assert opened.verify().version == release.version
    error = refusal(f"{release.exports}/releases/v2026-02-01/")
    assert "expected v2026-02-01, found v2026-01-07" in str(error)


@pytest.mark.parametrize(
    "path",
    [
        SHARD,
        index_path(SHARD),
        "config/routing.json",
        "config/curriculum.json",
        "gates/privacy.json",
        "signoff/record.json",
        "provenance/sources.jsonl.gz",
        "docs/README.md",
        "SHA256SUMS",
        "manifest.json",
    ],
)
def test_one_flipped_bit_anywhere_is_an_integrity_failure(release, path):
    release.flip(path, at=0)

    error = refusal(release.prefix)
    assert isinstance(error, IntegrityError)
    assert error.exit_code == 3


def test_a_flipped_bit_is_shown_as_two_digests_and_no_text(release):
    right = release.entries[SHARD].sha256
    release.flip(SHARD)
    wrong = hashlib.sha256(release.path(SHARD).read_bytes()).hexdigest()

    error = refusal(release.prefix)
    assert isinstance(error, DigestMismatch)
    assert (error.expected, error.actual) == (right, wrong)
    assert str(error) == f"sha256 of {SHARD}: expected {right}, found {wrong}"


@pytest.mark.parametrize("path", [SHARD, index_path(SHARD)])
def test_no_record_of_a_damaged_shard_or_index_is_ever_yielded(release, path):
    release.flip(path)
    damaged = {line.split(b'"record_id": "')[1][:34].decode() for line in release.files[SHARD].splitlines()}

    with Release.open(release.prefix) as opened:
        opened.verify()  # hashes the small files; shards are hashed when first needed
        for read in (opened.records(split="train", family="priority"), opened.sample(seed=7)):
            yielded: list[str] = []
            with pytest.raises(DigestMismatch):
                read_into(yielded, read)
            assert yielded
            assert not damaged.intersection(yielded)


def read_into(ids, records):
    for record in records:
        ids.append(record["metadata"]["record_id"])


@pytest.mark.parametrize("path", [SHARD, index_path(SHARD), "config/routing.json", "gates/leakage.json", "SHA256SUMS"])
def test_a_missing_file_is_an_integrity_failure(release, path):
    release.path(path).unlink()

    error = refusal(release.prefix)
    assert isinstance(error, FileMissing)
    assert path in str(error)


@pytest.mark.parametrize(
    "change", [lambda body: body[:-1], lambda body: body[: len(body) // 2], lambda body: body + b"\n"]
)
def test_a_cut_or_grown_shard_is_refused(release, change):
    release.put(SHARD, change(release.files[SHARD]))

    assert isinstance(refusal(release.prefix), DigestMismatch)


def test_an_absent_manifest_means_not_published_even_beside_all_other_files(release):
    release.path("manifest.json").unlink()

    error = refusal(release.prefix)
    assert isinstance(error, NotPublished)
    assert error.exit_code == 6
    assert refusal(f"{release.exports}/releases/v2030-01-01/").exit_code == 6


@pytest.mark.parametrize(
    "bad", ["", "   ", "/", "v2026-01-07", "s3://bucket/v2026-01-07/", "ftp://h/a/b/c", "file://host/a/b/c"]
)
def test_a_prefix_that_cannot_be_one_is_a_usage_error(bad, monkeypatch):
    monkeypatch.chdir("/")

    assert refusal(bad).exit_code == 2


def test_an_extra_key_or_a_float_in_a_published_manifest_is_refused(release):
    extra = encode_canonical(release.manifest | {"comment": "x"})
    fraction = encode_canonical(release.manifest).replace(b'"removed":3', b'"removed":0.8')

    for data in (extra, fraction):
        release.put("manifest.json", data)
        assert isinstance(refusal(release.prefix), ManifestInvalid)


def test_a_path_that_climbs_out_of_the_release_is_refused_and_not_read(release, tmp_path):
    outside = tmp_path / "exports" / "releases" / "secret.md"
    outside.write_bytes(release.files["docs/README.md"])
    for entry in release.manifest["files"]:
        if entry["path"] == "docs/README.md":
            entry["path"] = "../secret.md"
    release.manifest["files"].sort(key=lambda entry: entry["path"].encode())
    release.write(encode_canonical)

    assert isinstance(refusal(release.prefix), ManifestInvalid)


def test_a_manifest_of_another_release_does_not_fit_these_files(tmp_path, release):
    shards = {**SHARDS, ("val", "priority", 0): 9}
    other = build(tmp_path / "other", shards=shards).write()
    release.put("manifest.json", other.path("manifest.json").read_bytes())

    assert isinstance(refusal(release.prefix), IntegrityError)


def test_a_pinned_manifest_digest_is_compared(release):
    right = hashlib.sha256(release.path("manifest.json").read_bytes()).hexdigest()
    assert Release.open(release.prefix, manifest_sha256=right).manifest_sha256 == right
    error = refusal(release.prefix, manifest_sha256="0" * 64)
    assert isinstance(error, DigestMismatch)
    assert "0" * 64 in str(error)


def test_a_withdrawn_release_is_refused_with_severity_and_reason(release):
    release.withdraw()

    error = refusal(release.prefix)
    assert isinstance(error, ReleaseWithdrawn)
    assert error.exit_code == 5
    assert "privacy, a person can be identified" in str(error)


def test_a_damaged_or_empty_tombstone_still_withdraws(release):
    release.withdraw()
    for body in (b"", b"{", b"[]", b"\xff"):
        (release.exports / "withdrawals" / f"{release.version}.json").write_bytes(body)
        assert refusal(release.prefix).exit_code == 5


def test_the_tombstone_of_another_release_changes_nothing(release):
    (release.exports / "withdrawals").mkdir()
    (release.exports / "withdrawals" / "v2026-01-07.2.json").write_bytes(b"{}")

    with Release.open(release.prefix) as opened:
        assert opened.verify().version == release.version


def test_a_tombstone_that_cannot_be_read_is_doubt_and_not_absence(release):
    folder = release.exports / "withdrawals"
    (folder / f"{release.version}.json").mkdir(parents=True)
    assert isinstance(refusal(release.prefix), StorageUnreadable)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert refusal(release.prefix).exit_code == 7
    folder.unlink()
    folder.symlink_to(release.exports / "nowhere")
    assert refusal(release.prefix).exit_code == 7


def test_a_withdrawal_during_a_run_stops_the_next_verification_and_what_follows(release):
    with Release.open(release.prefix) as opened:
        opened.verify()
        release.withdraw()
        for attempt in (opened.verify, opened.records, lambda: opened.sample(seed=1)):
            with pytest.raises(ReleaseWithdrawn):
                attempt()


def test_demo_data_needs_to_be_allowed(tmp_path):
    release = publish(tmp_path / "exports", demo=True)

    error = refusal(release.prefix)
    assert isinstance(error, DemoRefused)
    assert error.exit_code == 3
    with Release.open(release.prefix, allow_demo=True) as opened:
        assert len(list(islice(opened.sample(seed=1), 5))) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "FAIL"},
        {"verdict": "ERROR"},
        {"examined": 199},
        {"expected": 201},
        {"examined": 0, "expected": 0},
        {"examined": 199, "expected": 199},
    ],
)
def test_a_gate_that_did_not_pass_on_every_record_is_refused(release, change):
    next(gate for gate in release.manifest["gates"] if gate["id"] == "privacy").update(change)
    release.write()

    error = refusal(release.prefix)
    assert isinstance(error, EvidenceMissing | DigestMismatch)
    assert "privacy" in str(error)


def test_an_absent_gate_is_no_pass(release):
    for gate in list(release.manifest["gates"]):
        kept = [other for other in release.manifest["gates"] if other is not gate]
        release.put("manifest.json", encode_canonical(release.manifest | {"gates": kept}))
        error = refusal(release.prefix)
        assert isinstance(error, EvidenceMissing)
        assert gate["id"] in str(error)


@pytest.mark.parametrize(
    "change", [{"decision": "declined"}, {"person": "p-release_lead"}, {"content_digest": "sha256:" + "0" * 64}]
)
def test_a_signature_that_is_not_an_own_approval_of_these_bytes_is_refused(release, change):
    release.manifest["signoffs"][0].update(change)
    release.write()

    assert isinstance(refusal(release.prefix), EvidenceMissing | DigestMismatch)


def test_an_absent_signature_is_refused(release):
    for number, signoff in enumerate(release.manifest["signoffs"]):
        kept = [row for row in release.manifest["signoffs"] if row is not signoff]
        release.put("manifest.json", encode_canonical(release.manifest | {"signoffs": kept}))
        assert signoff["role"] in str(refusal(release.prefix)), number


@pytest.mark.parametrize(
    "change",
    [
        lambda routing: routing["families"].pop(),
        lambda routing: routing["families"].append(routing["families"][0]),
        lambda routing: routing["families"][0].update(effective_bp=999),
        lambda routing: routing["families"][0].update(enabled=False),
        lambda routing: routing["families"][0].update(id="voice"),
        lambda routing: routing["families"][0]["shards"]["train"].append("s3://elsewhere/part-00000.jsonl"),
        lambda routing: routing["families"][0]["shards"].pop("val"),
        lambda routing: routing["sampling"].update(strategy="uniform"),
        lambda routing: routing.update(schema="mhds.routing/2"),
        lambda routing: routing.pop("seed"),
    ],
)
def test_routing_that_does_not_fit_the_manifest_is_refused(tmp_path, change):
    release = build(tmp_path / "exports")
    routing = routing_of(release, {"edge_cases": 1000, "priority": 5000, "professional_therapeutic": 4000})
    change(routing)
    release.add("config/routing.json", "config", encode_canonical(routing))
    release.manifest = manifest_of(release)
    release.write()

    assert isinstance(refusal(release.prefix), IntegrityError)


@pytest.mark.parametrize(
    "offsets",
    [
        lambda real: [1, *real[1:]],
        lambda real: [*real[:-1], real[-1] + 1],
        lambda real: [real[0], real[2], real[1], *real[3:]],
        lambda real: [real[0], real[1] - 1, *real[2:]],
        lambda real: real[:-2] + real[-1:],
    ],
    ids=["start", "end", "falls", "middle of a line", "too few"],
)
def test_an_index_that_was_frozen_wrong_is_refused_without_showing_text(tmp_path, offsets):
    release = build(tmp_path / "exports")
    real = [number for (number,) in struct.iter_unpack("<Q", release.files[index_path(SHARD)])]
    wrong = offsets(real)
    release.add(index_path(SHARD), "index", struct.pack(f"<{len(wrong)}Q", *wrong), split="train", family="priority")
    release.manifest = manifest_of(release)
    release.write()

    with Release.open(release.prefix) as opened, pytest.raises(IntegrityError) as caught:
        list(opened.records(split="train", family="priority"))
    assert "Question" not in str(caught.value)


def test_a_line_that_is_no_record_is_named_by_place_and_never_shown(tmp_path):
    release = build(tmp_path / "exports")
    body = release.files[SHARD]
    bad = body[: body.index(b"\n")].replace(b'"metadata"', b'"METADATA"') + body[body.index(b"\n") :]
    old = release.entries[SHARD]
    about = {name: getattr(old, name) for name in ("split", "family", "records", "tokens", "first_id", "last_id")}
    release.add(SHARD, "data", bad, **about)
    release.manifest = manifest_of(release)
    release.write()

    with Release.open(release.prefix) as opened, pytest.raises(IntegrityError) as caught:
        list(opened.records(split="train", family="priority"))
    assert str(caught.value) == f"{SHARD}, record 0, byte 0: not a record of the contract"


def test_a_cache_is_kept_by_digest_and_checked_again_when_it_is_used_again(release, tmp_path):
    cache = tmp_path / "cache"
    digest = release.entries[SHARD].sha256
    home = cache / "sha256" / digest[:2] / digest
    with Release.open(release.prefix, cache_dir=cache) as opened:
        assert len(list(opened.records(family="priority"))) == 93
    assert home.read_bytes() == release.files[SHARD]

    release.path(SHARD).unlink()  # the cache alone is enough now
    with Release.open(release.prefix, cache_dir=cache) as opened:
        assert len(list(opened.records(family="priority"))) == 93
    home.write_bytes(b"x" + release.files[SHARD][1:])
    with Release.open(release.prefix, cache_dir=cache) as opened, pytest.raises(FileMissing):
        list(opened.records(family="priority"))
    assert not [path for path in cache.rglob("*") if path.name.startswith(".part-")]


def test_a_private_folder_goes_when_the_release_is_closed(release, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with Release.open(release.prefix) as opened:
        list(opened.records())
        assert list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "tmp").iterdir())
