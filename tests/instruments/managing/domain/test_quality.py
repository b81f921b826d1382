"""Quality marks: each condition alone keeps a record from its mark, and no mark skips another."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.managing.domain.quality import MARKS, Details, Record, is_stale, quality

COMPLETE = Record("TEM", "Images.", 1, 1, True, True, True)
FULL = Details(
    model="Titan",
    name_zh="透射电镜",
    description="x" * 80,
    description_zh="原子分辨成像。",
    techniques=1,
    has_address=True,
    has_contact=True,
    photos=1,
    has_identifier=True,
    has_serial_number=True,
    has_date=True,
    has_variables=True,
)


def test_everything_is_gold_and_nothing_would_raise_it():
    found = quality(COMPLETE, FULL)
    assert (found.mark, found.following, found.lacking) == ("gold", "", ())


@pytest.mark.parametrize(
    ("details", "mark", "lacking"),
    [
        (replace(FULL, model=" "), "bronze", ("model",)),
        (replace(FULL, description="x" * 79), "bronze", ("telling-description",)),
        (replace(FULL, techniques=0, has_contact=False), "bronze", ("techniques", "contact")),
        (replace(FULL, photos=0), "silver", ("photo",)),
        (replace(FULL, has_serial_number=False), "silver", ("serial-number",)),
        (replace(FULL, is_stale=True), "silver", ("confirmation",)),
    ],
)
def test_what_lacks_keeps_it_below(details, mark, lacking):
    found = quality(COMPLETE, details)
    assert (found.mark, found.lacking) == (mark, lacking)


def test_forty_chinese_characters_say_enough():
    said = replace(FULL, description="", description_zh="测" * 40)
    assert quality(COMPLETE, said).lacking == ("description-in-both",)


def test_what_cannot_be_published_has_no_mark_however_much_else_is_there():
    found = quality(replace(COMPLETE, has_policy=False), FULL)
    assert (found.mark, found.following, found.lacking) == ("", "bronze", ("policy",))


DETAILS = st.builds(
    Details,
    **{
        field.name: {"str": st.sampled_from(["", "测" * 50]), "int": st.integers(0, 2)}.get(
            field.type if isinstance(field.type, str) else field.type.__name__, st.booleans()
        )
        for field in fields(Details)
    },
)


@given(DETAILS)
def test_giving_more_never_lowers_the_mark(details):
    rank = ("", *MARKS).index
    assert rank(quality(COMPLETE, details).mark) <= rank(quality(COMPLETE, FULL).mark)
    for field in fields(Details):
        more = replace(details, **{field.name: getattr(FULL, field.name)})
        if field.name.startswith("description"):
            more = replace(details, description=FULL.description, description_zh="测" * 40)
        assert rank(quality(COMPLETE, more).mark) >= rank(quality(COMPLETE, details).mark)


def test_stale_after_a_year_without_a_word():
    changed = datetime(2025, 3, 5, tzinfo=UTC)
    year = timedelta(days=365)
    assert not is_stale(changed, None, changed + year - timedelta(seconds=1))
    assert is_stale(changed, None, changed + year)
    confirmed = changed + timedelta(days=300)
    assert not is_stale(changed, confirmed, changed + year)
    assert is_stale(changed, confirmed, confirmed + year)
