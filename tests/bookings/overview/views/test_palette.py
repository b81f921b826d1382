"""What the command palette finds, and for whom."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import Charge, Settlement, Statement
from bookings.overview.selectors import palette
from bookings.settlement.services.statements import statements_draw
from instruments.register.models import Instrument
from instruments.search.services.search import entries_file
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.money import APRIL, MARCH, abroad, charge_of, store


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def options(client: Client, text: str, language: str = "en") -> dict[str, list[str]]:
    """The addresses of the options, by the kind of their group."""
    headers = {"accept-language": language}
    html = page_of(client.get("/palette/", {"q": text}, headers=headers))
    parts = re.split(r'<div role="group" aria-labelledby="palette-(\w+)"', html)[1:]
    return {
        kind: re.findall(r'role="option"[^>]*href="([^"]*)"', part)
        for kind, part in zip(parts[::2], parts[1::2], strict=True)
    }


def test_pages_are_those_of_the_reader_s_navigation(client: Client, cast: Cast) -> None:
    assert options(client, "") == {"pages": ["/", "/hours/", "/planning/decisions/", "/map/"]}
    client.force_login(cast.people["zhao"])
    assert options(client, "requ") == {"pages": ["/requests/"]}
    client.force_login(cast.people["wang"])
    assert options(client, "requ") == {"pages": []}
    client.logout()
    assert options(client, "地图", "zh-hans") == {"pages": ["/map/"]}


def test_own_bookings_and_nobody_else_s(client: Client, cast: Cast) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    name = cast.microscope.name[:12]
    client.force_login(cast.people["wang"])
    assert options(client, name)["bookings"] == [f"/bookings/{booking.pk}/"]
    client.force_login(cast.people["sun"])
    assert "bookings" not in options(client, name)


def test_an_instrument_that_is_not_published_is_not_there(client: Client, cast: Cast) -> None:
    name = cast.microscope.name[:12]
    assert options(client, name)["instruments"] == [f"/instruments/{cast.microscope.pk}/"]
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="draft")
    entries_file([cast.microscope.pk])
    assert "instruments" not in options(client, name)


@pytest.mark.parametrize(
    ("who", "sees"), [("", 0), ("alice", 0), ("wang", 0), ("hu", 0), ("zhao", 0), ("chen", 1), ("admin", 1)]
)
def test_people_only_of_organisations_whose_members_one_may_read(
    client: Client, cast: Cast, who: str, sees: int
) -> None:
    if who:
        client.force_login(cast.people[who])
    found = options(client, cast.people["wang"].email)
    members, account = (
        f"/organisations/{cast.fudan.pk}/members/",
        f"/operations/people/{cast.people['wang'].pk}/",
    )
    assert found.get("people", []) == [account if who == "admin" else members] * sees


def test_organisations_for_who_is_signed_in(client: Client, cast: Cast) -> None:
    assert "organisations" not in options(client, "Fudan")
    client.force_login(cast.people["alice"])
    assert options(client, "Fudan")["organisations"] == [f"/organisations/{cast.fudan.pk}/"]


@pytest.mark.parametrize("text", ["x", "\0", "%", "'\"<b>", "a" * 5000, "()&|!:*"])
def test_any_text_is_answered(client: Client, cast: Cast, text: str) -> None:
    client.force_login(cast.people["admin"])
    html = page_of(client.get("/palette/", {"q": text}))
    assert "<b>" not in html


def test_it_takes_few_statements(client: Client, cast: Cast, django_assert_max_num_queries: Any) -> None:
    client.force_login(cast.people["admin"])
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.get("/palette/?q=microscope")
    with django_assert_max_num_queries(8):  # the person, what waits for them, four kinds
        client.get("/palette/?q=microscope")


@pytest.fixture
def billed(cast: Cast) -> Cast:
    """Fudan's March at USTC, of which a voucher pays 50, and at a host of another region."""
    there = abroad(cast)
    store(
        [charge_of(cast, covered="50.00"), charge_of(cast, instrument=there, total="212.00", currency="GBP")]
    )
    statements_draw(month=MARCH, now=APRIL)
    return cast


# Who sees the statement of USTC: finance and managers of both, auditors and administrators of a region.
@pytest.mark.parametrize(
    ("who", "money"),
    [
        ("", []),
        ("alice", []),
        ("wang", ["charges"]),
        ("sun", []),
        ("lin", ["charges", "statements"]),
        ("gao", ["charges", "statements"]),
        ("xu", ["settlements"]),
        ("auditor", ["charges", "settlements", "statements"]),
    ],
)
def test_money_is_found_by_who_may_see_it(client: Client, billed: Cast, who: str, money: list[str]) -> None:
    if who:
        client.force_login(billed.people[who])
    statement = Statement.objects.get(host=billed.ustc)
    charge = statement.lines.get().charge
    settlement = Settlement.objects.get(currency="CNY")
    pages = {
        "charges": f"/money/charges/{charge.pk}/",
        "statements": f"/money/statements/{statement.pk}/",
        "settlements": f"/money/settlements/{settlement.pk}/",
    }
    found: dict[str, set[str]] = {}
    for text in ("ustc-2026-0001", "2026-00", "106.00", "cny 56", str(charge.pk), "CN-AH-CN-SH-2026", "50"):
        for kind, addresses in options(client, text).items():
            if kind in pages:
                found.setdefault(kind, set()).update(addresses)
    assert sorted(found) == money
    for kind in money:
        assert pages[kind] in found[kind]
    if who == "wang":  # the number of a statement finds no charge for who sees no statement
        assert "charges" not in options(client, "ustc-2026-0001")
    if who == "gao":  # nothing of what Fudan owes others
        assert options(client, "GBP 212") == {"pages": []}


def test_old_money_is_found_by_whole_numbers_and_more_by_a_link(
    client: Client, billed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(billed.people["lin"])
    statement = Statement.objects.get(host=billed.ustc)
    Statement.objects.filter(pk=statement.pk).update(issued_at=at("2026-03-01 09:00"))  # the older of two
    Charge.objects.filter(host=billed.ustc).update(created_at=at("2026-03-01 09:00"))
    monkeypatch.setattr("bookings.settlement.selectors.statements.NEWEST", 1)
    monkeypatch.setattr(palette, "NEWEST_CHARGES", 1)
    assert "statements" not in options(client, "ustc-2026-00")
    assert options(client, "USTC-2026-0001")["statements"] == [f"/money/statements/{statement.pk}/"]
    assert "charges" not in options(client, "CNY 106")
    charge = statement.lines.get().charge
    assert options(client, str(charge.reservation_id))["charges"] == [f"/money/charges/{charge.pk}/"]
    monkeypatch.setattr("bookings.settlement.selectors.statements.NEWEST", 500)
    monkeypatch.setattr(palette, "MOST", 1)
    monkeypatch.setattr(palette.Hits, "most", 1)
    assert options(client, "2026-0001")["statements"][1] == "/money/statements/?q=2026-0001"


def test_money_takes_five_more_statements(
    client: Client, billed: Cast, django_assert_num_queries: Any
) -> None:
    """One each for charges, statements, payments and settlements, and one for the regions below the
    auditor's, however much there is."""
    store([charge_of(billed) for _ in range(8)])
    client.force_login(billed.people["auditor"])
    client.get("/palette/?q=106")
    with django_assert_num_queries(12):
        assert len(options(client, "106")["charges"]) == 7
