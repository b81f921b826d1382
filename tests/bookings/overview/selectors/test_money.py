"""What waits for somebody is counted as its list lists it; lists are files of the same rows."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.roles import PLATFORM, By
from accounts.menu import Waits
from accounts.selectors.waits import kinds, load_waiting
from accounts.services.memberships import role_grant
from bookings.audit.services.findings import Raised, finding_raise
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.models import Charge
from bookings.templatetags.money import waits_because, waits_for, waits_url
from config.pages.context import menu_entries
from tests.accounts.pages import page_of
from tests.factories.agreements import propose
from tests.factories.cast import NOW, Cast
from tests.factories.charges import BY_USE, use


@pytest.fixture
def charged(cast: Cast) -> Charge:
    instrument = cast.instrument(name="=1+1", card=BY_USE)
    return use(cast, "2026-03-03 10:00", "2026-03-03 12:00", instrument=instrument)


def of_money() -> list[Waits]:
    return [kind for kind in kinds().values() if kind.entry.startswith("bookings:money")]


def waiting(cast: Cast, who: str, now: datetime) -> dict[str, int]:
    actor = cast.actor(who)
    found = {each.what: each.number for each in load_waiting(actor, now, of_money())}
    # As many rows as each number says, and each once.
    for kind in of_money():
        if kind.rows and kind.has(actor):
            rows = [row.pk for row in kind.rows(actor, now)]
            assert len(rows) == len(set(rows)) == found.get(kind.what, 0), kind.what
    return found


def test_what_waits_for_whom(
    cast: Cast, charged: Charge, django_assert_num_queries: Callable[[int], Any]
) -> None:
    now = charged.created_at + timedelta(hours=1)
    assert waiting(cast, "wang", now) == waiting(cast, "lin", now) == {"check": 1}
    assert waiting(cast, "gao", now) == waiting(cast, "auditor", now) == {}
    assert charged.open_until is not None
    assert waiting(cast, "lin", charged.open_until) == {}

    dispute_open(By(cast.actor("lin"), now), charge_id=charged.pk, reason="wrong")  # fmt: skip
    assert waiting(cast, "lin", now) == {}
    assert waiting(cast, "gao", now) == waiting(cast, "zhao", now) == {"answer": 1}

    charged.refresh_from_db()
    correction_propose(
        By(cast.actor("gao"), now),
        charge_id=charged.pk,
        amendment=Amendment(waive_percent=50),
        reason="true",
        settles=True,
    )
    assert waiting(cast, "gao", now) == {}  # who proposed it does not agree to it
    finding_raise(By(cast.actor("auditor"), now), raised=Raised("low", "T", "t", organisation="ustc"))
    assert waiting(cast, "zhao", now) == {"agree": 1, "findings": 1}
    # Of some one's organisation is the host, of others the payer: they are not added up.
    assert [one.sums for one in load_waiting(cast.actor("zhao"), now, [kinds()["agree"]])] == [()]

    propose(cast)
    assert waiting(cast, "coordinator", now)["sign"] == waiting(cast, "xu", now)["sign"] == 1
    role_grant(By(PLATFORM, NOW), user=cast.people["zhao"], role="finance", organisation=cast.ustc)
    actor = cast.actor("zhao")
    with django_assert_num_queries(1):
        load_waiting(actor, now, of_money())


def test_what_an_organisation_recharges_itself_is_not_called_to_pay(
    client: Client, cast: Cast, charged: Charge
) -> None:
    """The charge and its booking, of one's own people and of another organisation's."""
    own = use(cast, "2026-03-04 10:00", "2026-03-04 12:00", who="sun")
    client.force_login(cast.people["gao"])
    for charge, said, other in (
        (own, "Recharged internally", "To pay"),
        (charged, "To pay", "Recharged internally"),
    ):
        for address in (f"/money/charges/{charge.pk}/", f"/bookings/{charge.reservation_id}/"):
            page = page_of(client.get(address))
            assert said in page and other not in page, address


def test_every_kind_has_words_and_a_list(client: Client, cast: Cast) -> None:
    assert len({kind.urgency for kind in kinds().values()}) == len(kinds()) > 30
    client.force_login(cast.people["gao"])
    for what, kind in kinds().items():
        assert waits_for(what, 1) != waits_for(what, 2) and waits_because(what)
        # Nothing is counted at an entry that is not there.
        assert {*kind.entry.split()} <= {entry.view for entry in menu_entries()}, what
        if kind in of_money():
            page_of(client.get(waits_url(what)))


def test_a_list_is_a_file_of_the_same_rows(client: Client, cast: Cast, charged: Charge) -> None:
    client.force_login(cast.people["lin"])

    def rows(address: str) -> list[dict[str, str]]:
        answer = client.get(address)
        assert answer["Content-Type"].startswith("text/csv")
        lines = answer.getvalue().decode("utf-8-sig").splitlines()
        return list(csv.DictReader(lines))

    (row,) = rows("/money/charges/?state=open&format=csv")
    assert row["charge"] == str(charged.pk)
    assert (row["instrument"], row["payable"]) == ("'=1+1", f"{charged.payable:.2f}")
    assert rows("/money/charges/?state=final&format=csv") == []
    assert rows("/money/statements/?format=csv") == []
    # Nobody takes along what they may not see.
    client.force_login(cast.people["hu"])
    assert rows("/money/charges/?format=csv") == []
