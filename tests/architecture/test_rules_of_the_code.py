"""Rules of the code base that no linter knows: one writer of state, short modules, templates that hold no script."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mhds", "releases", "gates", "reviews")
MODULES = sorted(
    path
    for name in PACKAGES
    for path in (ROOT / name).rglob("*.py")
    if "migrations" not in path.parts and path.stat().st_size
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]

pytestmark = pytest.mark.build


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


WRITES = {"update", "create", "bulk_create", "get_or_create", "update_or_create"}


def writes_of_state(path):
    """(line, what) of every write of a field ``state``: by assignment, by update or by creation."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and target.attr == "state":
                    yield node.lineno, ast.unparse(target.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in WRITES and any(keyword.arg == "state" for keyword in node.keywords):
                yield node.lineno, ast.unparse(node.func.value)


# Work rows, rounds and assignments have a state of their own.
OTHERS = ("WorkItem.objects", "claimable(", "_mine(", "Round.objects", "Assignment.objects", "assignment", "mine")


def about_candidates(path):
    """Writes to rows that are not known to be of another model; a field set on an object counts where it is saved."""
    saves = {
        ast.unparse(node.func.value)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"save", "bulk_update"}
    }
    return [
        (line, what)
        for line, what in writes_of_state(path)
        if not what.startswith(OTHERS) and (what in saves or "(" in what or what.endswith("objects"))
    ]


def test_the_state_of_a_candidate_has_one_writer():
    writers = {str(path.relative_to(ROOT)): found for path in MODULES if (found := about_candidates(path))}
    assert set(writers) == {"releases/services.py"}
    tree = parsed(ROOT / "releases/services.py")
    (transition,) = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "transition"]
    inside = range(transition.lineno, (transition.end_lineno or 0) + 1)
    assert all(line in inside for line, _what in writers["releases/services.py"])


def test_the_search_for_writers_finds_one():
    found = list(writes_of_state(ROOT / "mhds/work/services.py"))
    assert found, "an update of a state, of work rows"


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_at_most_350_lines_and_says_what_it_owns(name):
    path = ROOT / name
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
    if "management/commands/__init__" not in name and not name.endswith("__init__.py"):
        assert ast.get_docstring(parsed(path)), "a module opens with one sentence"


def test_most_functions_are_short():
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] < 10


def test_nothing_is_pickled_and_no_query_is_put_together_from_text():
    forbidden = re.compile(r"^\s*(import|from) (pickle|marshal|shelve)\b|\.raw\(|\.extra\(|\bRawSQL\b", re.MULTILINE)
    assert [str(path) for path in MODULES if forbidden.search(path.read_text(encoding="utf-8"))] == []


def test_there_are_templates():
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_escapes_everything_and_holds_no_style_or_script(path):
    text = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\|\s*safe\b|safeseq|autoescape\s+off", text)
    assert not re.search(r"<style\b|\sstyle\s*=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "a handler in an attribute"
    assert "javascript:" not in text
    assert not re.search(r"(src|href)=[\"'](https?:)?//", text), "something from elsewhere"


def test_text_is_marked_as_safe_in_one_place_only():
    users = [name for name, path in zip(NAMES, MODULES, strict=True) if "mark_safe" in path.read_text(encoding="utf-8")]
    assert set(users) <= {"mhds/templatetags/mhds.py", "gates/charts.py"}


def test_no_test_pretends_a_module_of_ours():
    """What can really run is run: ``mock`` is for nobody here."""
    mocked = re.compile(r"unittest(\.| import )mock|mocker\b")
    here = Path(__file__)
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != here]
    assert [str(path) for path in tests if mocked.search(path.read_text(encoding="utf-8"))] == []
