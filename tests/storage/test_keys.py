"""How keys are spelt on disk: readable where possible, reversible always."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhds.errors import StorageRefused
from mhds.storage.keys import MARK, is_part, segment_of, spelling, twin_spelling

pytestmark = pytest.mark.publish

pieces = st.sampled_from(["", ".", "a", MARK, "+", "=", ":", "%", "%00", "%25", "\0", "é", "界" * 80, "x" * 250])
segments = st.lists(pieces, max_size=5).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=20
).map(lambda text: text.replace("/", ""))


@given(segments)
def test_every_spelling_can_be_read_back_and_fits_the_file_system(segment):
    for names in (spelling(segment), twin_spelling(segment)):
        assert segment_of(names) == segment
        assert all(0 < len(name.encode()) <= 255 and "\0" not in name and name not in (".", "..") for name in names)
        assert [is_part(name) for name in names] == [True] * (len(names) - 1) + [False]


@given(segments, segments)
def test_two_segments_never_share_a_spelling(one, other):
    if one != other:
        assert len({spelling(one), twin_spelling(one), spelling(other), twin_spelling(other)}) == 4


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_an_ordinary_segment_is_spelt_as_itself(segment):
    if segment not in (".", "..") and not segment.startswith(MARK):
        assert spelling(segment) == (segment,)


@pytest.mark.parametrize(
    "names",
    [
        (MARK + "=plain",),
        (MARK + "?x",),
        (MARK,),
        (MARK + "+short", MARK + "=x"),
        (MARK + "=%",),
        (MARK + "=%41",),
        (MARK + "+" + "x" * 240, "x"),
    ],
)
def test_it_refuses_a_spelling_that_no_store_makes(names):
    with pytest.raises(StorageRefused):
        segment_of(names)
