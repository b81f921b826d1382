"""The tokens of search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.domain.criteria import query_tokens, tokens


@pytest.mark.parametrize(
    ("record", "query"),
    [
        ("Transmission Electron Microscope", "electron"),
        ("Röntgendiffraktometer D8", "rontgendiffraktometer d8"),
        ("透射电子显微镜", "电子显微"),
        ("透射电子显微镜", "镜"),
        ("Titan 冷冻电镜 (JEOL)", "jeol 冷冻"),
        ("X-ray", "x ray"),
    ],
)
def test_found(record, query):
    assert set(query_tokens(query)) <= set(tokens(record))


@pytest.mark.parametrize(("record", "query"), [("透射电子", "电镜"), ("electron", "electrons")])
def test_not_found(record, query):
    assert not set(query_tokens(query)) <= set(tokens(record))


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 60))
def test_any_run_of_chinese_is_found_by_any_part(text, start, length):
    run = "".join(c for c in text if "一" <= c <= "鿿") or "显微镜"
    part = run[start % len(run) :][:length]
    assert set(query_tokens(part)) <= set(tokens(run))


@given(st.text(max_size=300))
def test_any_text_has_tokens_that_are_short_and_sorted(text):
    found = tokens(text)
    assert found == sorted(set(found))
    assert all(0 < len(token) <= 40 for token in found)
