"""Announcements and maintenance as rules: for whom, until when, which addresses become links."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.announcements import Announcement, check_announcement, check_span, pieces, state_of
from accounts.domain.errors import Invalid
from accounts.domain.maintenance import LONGEST, UNSTATED, Spell, file_of, in_force, overlaps, spell_in_file

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGION = uuid4()
moments = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 9), timezones=st.just(UTC))


def announced(audience, region_id=None, role=""):
    return Announcement(uuid4(), 1, "warning", "x", "x", NOW, NOW + HOUR, audience, region_id, role)


@pytest.mark.parametrize(
    "row, stranger, member, manager",
    [
        (announced("everyone"), True, True, True),
        (announced("signed-in"), False, True, True),
        (announced("region", REGION), False, True, False),
        (announced("role", role="manager"), False, False, True),
    ],
)
def test_an_announcement_is_for_some(row, stranger, member, manager):
    assert row.is_for(is_signed_in=False, roles=(), regions=()) is stranger
    assert row.is_for(is_signed_in=True, roles=(), regions={REGION}) is member
    assert row.is_for(is_signed_in=True, roles={"manager"}, regions=()) is manager


@pytest.mark.parametrize(
    "values, wrong",
    [
        ({}, []),
        ({"text": " "}, [("text", "required")]),
        ({"text": "x" * 501}, [("text", "too-long")]),
        ({"text_zh": "见 http://example.org"}, [("text_zh", "https-only")]),
        ({"text": "javascript:alert(1)"}, [("text", "https-only")]),
        ({"text": "See https://example.org/a."}, []),
        ({"audience": "region"}, [("region", "required")]),
        ({"has_region": True}, [("region", "not-for-this-audience")]),
        ({"audience": "role"}, [("role", "required")]),
        ({"audience": "role", "role": "king"}, [("role", "unknown-value")]),
        ({"role": "manager"}, [("role", "not-for-this-audience")]),
        ({"audience": "nobody"}, [("audience", "unknown-value")]),
    ],
)
def test_an_announcement_is_checked(values, wrong):
    usual = {"text": "x", "text_zh": "x", "audience": "everyone", "has_region": False, "role": ""}
    found = []
    try:
        check_announcement(**usual | values, roles={"manager"})
    except Invalid as refused:
        found = [(problem.field, problem.code) for problem in refused.problems]
    assert found == wrong


@pytest.mark.parametrize(
    "start, end, code",
    [(1, 1, "ends-before-it-starts"), (-2, -1, "in-the-past"), (0, 49, "lasts-too-long"), (0, 48, "")],
)
def test_a_span_is_checked(start, end, code):
    found = ""
    try:
        check_span(starts_at=NOW + start * HOUR, ends_at=NOW + end * HOUR, now=NOW, longest=48 * HOUR)
    except Invalid as refused:
        found = refused.problems[0].code
    assert found == code


@pytest.mark.parametrize(
    "text, links",
    [
        ("Look at https://a.example/b?c=d. Then go.", ["https://a.example/b?c=d"]),
        (
            "请看https://a.example/b，然后（https://c.example）。",
            ["https://a.example/b", "https://c.example"],
        ),
        ("http://a.example and a.example", []),
    ],
)
def test_only_https_addresses_become_links(text, links):
    assert [piece for piece, is_link in pieces(text) if is_link] == links


@given(st.text(alphabet="ahtps:/.,，。 <>\"'(）x", max_size=60))
def test_pieces_make_up_the_text_and_links_begin_with_https(text):
    found = list(pieces(text))
    assert "".join(piece for piece, _ in found) == text
    assert all(piece.startswith("https://") for piece, is_link in found if is_link)


@given(moments, moments, st.lists(st.tuples(moments, moments), max_size=5))
def test_maintenance_holds_from_its_start_until_before_its_end(now, end, spans):
    spells = [Spell(a, b) for a, b in spans]
    found = in_force(spells, now)
    assert (found is not None) == any(a <= now < b for a, b in spans)
    if found:
        assert found.ends_at == max(b for a, b in spans if a <= now < b)
        assert found.seconds_left(now) >= 1
        assert now + timedelta(seconds=found.seconds_left(now)) >= found.ends_at
        assert (
            state_of(starts_at=found.starts_at, ends_at=found.ends_at, is_withdrawn=False, now=now)
            == "current"
        )
        assert overlaps(now, now + HOUR, spells)


def test_a_file_says_until_when_and_a_damaged_one_holds_for_an_hour():
    spell = Spell(NOW, NOW + 5 * HOUR, "New disks", "更换硬盘")
    assert spell_in_file(file_of(spell), NOW) == spell
    naive = json.dumps({"until": "2026-03-02T12:00:00"})
    for text in ("", "x", "[]", "1", "{}", '{"until": null}', '{"until": 5}', naive):
        assert spell_in_file(text, NOW) == Spell(NOW, NOW + UNSTATED), text


def test_no_file_holds_for_ever_or_breaks_the_page():
    far = json.dumps({"until": "9999-12-31T00:00:00Z", "reason": "a\ud800\x00\u202eb"})
    assert spell_in_file(far, NOW) == Spell(NOW, NOW + LONGEST, "ab")
    for text in ("[" * 5000, '{"a":' * 1000):
        assert spell_in_file(text, NOW) == Spell(NOW, NOW + UNSTATED)


@pytest.mark.parametrize(
    "text, code",
    [
        ("https://bank.example@evil.example/x", "link-with-at"),
        ("HTTPS://a:b@evil.example", "link-with-at"),
        ("a\u202egro.live", "unfit-characters"),
        ("a\0b", "unfit-characters"),
        ("\ud800", "unfit-characters"),
        ("See https://maps.example/@31,117 and\r\nwrite to a@x.example", None),
    ],
)
def test_a_text_does_not_deceive(text, code):
    values = {"text_zh": "x", "audience": "everyone", "has_region": False, "role": "", "roles": ()}
    if code is None:
        check_announcement(text=text, **values)
        return
    with pytest.raises(Invalid) as refused:
        check_announcement(text=text, **values)
    assert [problem.code for problem in refused.value.problems] == [code]
