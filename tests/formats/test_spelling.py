from __future__ import annotations

import unicodedata
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from tundish.formats.spelling import loose_spelling


@given(st.text(st.sampled_from("aäÄz9 %_.2025E龟"), max_size=12))
@example("äZ_%9ä")
@example("%9äb")
@example("a%2520b")
def test_a_name_decomposed_or_quoted_is_the_same_name(name: str) -> None:
    """A decomposed ä begins with an a, which may complete a %9 before it."""
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    wanted = loose_spelling(name)
    assert {loose_spelling(one) for one in (composed, decomposed, quote(composed), quote(decomposed))} == {
        wanted
    }
    assert loose_spelling(wanted) == wanted
