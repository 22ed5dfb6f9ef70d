"""Every view leads back to the raw text, and plain text has no other view than itself."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.scan.decoding import may_decode, unescape
from gates.scan.folding import fold
from gates.scan.views import DECODED, JOINED, NORMALISED, joined_views, message_views, raw_view
from tests.gates.detecting import conversation

pytestmark = pytest.mark.gates


@pytest.mark.parametrize(
    "text", ["plain words, 12 pills.", "你好，我很累。今天2点", "café “quoted” don’t", "I ❤️ you", "wait — what?"]
)
def test_ordinary_text_is_its_own_only_view(text: str) -> None:
    assert list(message_views(0, text)) == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("４１５", "415"),
        ("٤١٥", "415"),
        ("४१५", "415"),
        ("4\u200b1\u00ad5", "415"),
        ("4\u03361\u04895", "415"),
        ("jоhn＠ехаmple．соm", "john@example.com"),
        ("1\u20132\u22123", "1-2-3"),
        ("ﬁne ①", "fine 1"),
        ("e\u0301", "é"),
    ],
)
def test_folding_writes_an_identifier_plainly(text: str, folded: str) -> None:
    result = fold(text)
    assert result is not None
    assert result.text == folded


@given(st.text(max_size=60))
def test_a_folded_span_maps_to_the_characters_it_came_from(text: str) -> None:
    folded = fold(text)
    if folded is None:
        return
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
    assert folded.starts == sorted(folded.starts)


@given(
    st.text(alphabet="0123456789-. ", min_size=1, max_size=20),
    st.sampled_from(["\u200b", "\u00ad", "\u2060", "\ufe0f"]),
)
def test_hiding_characters_inside_digits_changes_nothing(digits: str, hidden: str) -> None:
    folded = fold("a" + hidden.join(digits) + "a")
    assert (folded.text if folded else "a" + digits + "a").replace(hidden, "") == "a" + digits + "a"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_nothing_is_decoded_where_the_quick_look_sees_nothing(text: str) -> None:
    if not may_decode(text):
        assert unescape(text) is None


def test_a_blob_stands_for_its_whole_token() -> None:
    token = base64.b64encode(b"call 415-555-0132 now").decode()
    (view,) = message_views(3, f"see {token}.")
    assert (view.kind, view.text) == (DECODED, "call 415-555-0132 now")
    assert view.places(5, 8) == [(3, 4, 4 + len(token))]


def test_blobs_are_read_three_deep() -> None:
    once = base64.b64encode(b"jo.doe@example.com")
    twice = base64.b64encode(once)
    views = list(message_views(0, base64.b64encode(twice).decode()))
    assert "jo.doe@example.com" in {view.text for view in views}


def test_a_long_word_is_no_blob() -> None:
    assert list(message_views(0, "antidisestablishmentarianism pneumonoultramicroscopic")) == []


def test_the_raw_view_is_the_identity() -> None:
    assert raw_view(2, "hello").places(1, 3) == [(2, 1, 3)]


def test_a_seam_leads_back_to_both_turns() -> None:
    views = joined_views(conversation("it is 415 555, ok?", "go on", "and 0132!"))
    texts = {view.text for view in views}
    assert "it is 415 5550132!" in texts
    view = next(view for view in views if view.text == "it is 415 5550132!")
    assert view.kind == JOINED
    assert view.places(6, 17) == [(0, 6, 13), (2, 4, 8)]


def test_seams_of_disguised_turns_are_joined_in_folded_form() -> None:
    views = joined_views(conversation("４１５ ５５５", "yes", "０１３２"))
    assert "415 555-0132" in {view.text for view in views}


def test_turns_without_digits_or_addresses_at_their_edges_are_not_joined() -> None:
    assert joined_views(conversation("I took 20 of them and slept for a day", "why?", "because of him")) == []


def test_the_kind_of_a_view_says_how_it_was_made() -> None:
    assert [view.kind for view in message_views(0, "４１５")] == [NORMALISED]
