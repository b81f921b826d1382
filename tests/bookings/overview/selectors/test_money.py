"""What waits for somebody is counted as its list lists it; lists are files of the same rows."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import role_grant
from bookings.audit.services.findings import Raised, finding_raise
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.models import Charge
from bookings.overview.selectors.home import WORK
from bookings.overview.selectors.money import KINDS, load_waiting
from bookings.templatetags.money import WAITS_BECAUSE, WAITS_ON, waits_url
from tests.accounts.pages import page_of
from tests.factories.agreements import propose
from tests.factories.cast import NOW, Cast
from tests.factories.charges import BY_USE, use


@pytest.fixture
def charged(cast: Cast) -> Charge:
    instrument = cast.instrument(name="=1+1", card=BY_USE)
    return use(cast, "2026-03-03 10:00", "2026-03-03 12:00", instrument=instrument)


def waiting(cast: Cast, who: str, now: datetime) -> dict[str, int]:
    actor = cast.actor(who)
    found = {each.what: each.number for each in load_waiting(actor, now)}
    # As many rows as each number says, and each once.
    for what, kind in KINDS.items():
        if kind.has(actor):
            rows = [row.pk for row in KINDS[what].rows(actor, now)]
            assert len(rows) == len(set(rows)) == found.get(what, 0), what
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
    finding_raise(
        By(cast.actor("auditor"), now), raised=Raised("low", "T", "t", organisation="ustc")
    )
    assert waiting(cast, "zhao", now) == {"agree": 1, "findings": 1}

    propose(cast)
    assert waiting(cast, "coordinator", now)["sign"] == waiting(cast, "xu", now)["sign"] == 1
    role_grant(By(PLATFORM, NOW), user=cast.people["zhao"], role="finance", organisation=cast.ustc)
    actor = cast.actor("zhao")
    with django_assert_num_queries(1):
        load_waiting(actor, now)


def test_every_kind_has_words_and_a_list(client: Client, cast: Cast) -> None:
    shown = set(KINDS) | set(WORK) | {"drafts", "submitted", "stale", "conflicts"}
    assert shown == set(WAITS_ON) == set(WAITS_BECAUSE)
    client.force_login(cast.people["gao"])
    for what in KINDS:
        page_of(client.get(waits_url(what)))


def test_a_list_is_a_file_of_the_same_rows(client: Client, cast: Cast, charged: Charge) -> None:
    client.force_login(cast.people["lin"])

    def rows(address: str) -> list[dict[str, str]]:
        answer = client.get(address)
        assert answer["Content-Type"].startswith("text/csv")
        lines = answer.getvalue().decode("utf-8-sig").splitlines()
        return list(csv.DictReader(lines[: lines.index("")]))

    (row,) = rows("/money/charges/?state=open&format=csv")
    assert row["charge"] == str(charged.pk)
    assert (row["instrument"], row["payable"]) == ("'=1+1", f"{charged.payable:.2f}")
    assert rows("/money/charges/?state=final&format=csv") == []
    assert rows("/money/statements/?format=csv") == []
    # Nobody takes along what they may not see.
    client.force_login(cast.people["hu"])
    assert rows("/money/charges/?format=csv") == []
