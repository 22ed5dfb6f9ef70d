"""The figures of integrity and privacy show what they counted by one table, with or without the whole."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import get_template, render_to_string

pytestmark = pytest.mark.gates


def shown(gate: str, **figures: Any) -> str:
    context = {
        "figures": figures,
        "result": SimpleNamespace(expected=1200),
        "release": SimpleNamespace(version="v2026-01-07"),
        "candidate": SimpleNamespace(number=1, pk=None),
        "shown": {"told": {}},
    }
    return re.sub(r"\s+", " ", render_to_string(f"gates/figures/{gate}.html", context))


def test_excluded_records_are_counted_of_all_and_objects_by_themselves():
    page = shown("integrity", records_in=1300, exclusions={"bad_record": 7}, objects={"not_conversation": 4000})
    assert '<th scope="row">bad record</th> <td class="num"> 7 of 1,300 </td>' in page
    assert '<th scope="row">not conversation</th> <td class="num"> 4,000 </td>' in page


def test_where_nothing_was_excluded_there_is_a_sentence_and_no_empty_table():
    page = shown("integrity", records_in=1300, exclusions={}, objects={})
    assert "No record was excluded." in page
    assert "Because" not in page


def test_the_markup_of_a_table_of_counts_stands_in_one_file():
    for gate in ("integrity", "privacy"):
        source = get_template(f"gates/figures/{gate}.html").template.source
        assert source.count("gates/figures/_counts.html") == 2
        assert "pairs %}\n              <tr>" not in source


def test_languages_and_status_are_counted_of_what_was_expected():
    context = {"label": "Languages", "first": "Language", "second": "Records", "rows": {"en": 3}, "whole": 1200}
    page = render_to_string("gates/figures/_counts.html", context)
    assert "3 of 1,200" in page
    assert 'aria-label="Languages"' in page
