"""The choice of a store by its URL, and who may speak S3."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mhds.errors import ConfigurationError
from mhds.storage import open_store
from mhds.storage.directory import DirectoryStore
from mhds.storage.s3 import S3Store

pytestmark = pytest.mark.publish

ROOT = Path(__file__).parents[2]


def test_a_file_url_opens_a_directory_and_writes_nothing(tmp_path):
    store = open_store(f"file://{tmp_path}/with%20space/%E7%95%8C")
    assert isinstance(store, DirectoryStore)
    assert store.root == tmp_path / "with space" / "界"
    assert store.url == f"file://{tmp_path}/with%20space/%E7%95%8C"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://b/p", "b", "p/"),
        ("s3://b/p/", "b", "p/"),
        ("s3://b/p q//%20#x?y", "b", "p q//%20#x?y/"),
        ("s3://b//p", "b", "/p/"),
    ],
)
def test_an_s3_url_is_taken_literally(url, bucket, prefix):
    store = open_store(url, read_only=True, name="data")
    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix, store.read_only, store.name) == (bucket, prefix, True, "data")
    assert open_store(url).name == bucket


@pytest.mark.parametrize(
    "url",
    ["", "/tmp/x", "x", "file:/tmp/x", "file://relative", "file://host/x", "file:///", "file://", "file:///a%00b",
     "s3://", "s3:///key", "s3://key:secret@b/p", "s3://host:9000/b", "https://u:secret@x/y", "S3://b/p"],
)  # fmt: skip
def test_it_refuses_any_other_url_without_showing_it(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_a_directory_is_opened_without_importing_boto3(tmp_path):
    code = f"""
import sys
from mhds.storage import doctor, open_store
open_store("file://{tmp_path}").put_if_absent("k", b"x")
sys.exit(any(name.split(".")[0] in ("boto3", "botocore", "django") for name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_only_the_storage_and_the_client_transport_import_boto3():
    found = set()
    for package in ("mhds", "releases", "gates", "reviews"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name.split(".")[0] in ("boto3", "botocore") for name in names):
                    found.add(str(path.relative_to(ROOT)))
    assert found - {"mhds/client/transport.py"} == {"mhds/storage/s3.py", "mhds/storage/s3errors.py"}
