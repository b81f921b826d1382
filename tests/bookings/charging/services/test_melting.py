"""Late-cancellation fees melt, once, when all who used the time are charged."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from accounts.domain.roles import By
from accounts.models import TrailEntry, TrailText
from bookings.audit.selectors.comparison import FIRST, LAST, differences_between
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.melting import is_waiting_for_others
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.melting import fees_melt
from bookings.funding.domain.funding import Share
from bookings.models import Charge, FundingSource, Reservation
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, cancel, due, use
from tests.factories.ledger import receivables, sums_by_currency

D = Decimal
OVER = at("2026-03-06 18:00")


@pytest.fixture
def fee(cast):
    """Two hours cancelled two hours before: 620.00 and 37.20 tax, all of it."""
    return cancel(cast, "2026-03-06 10:00", "2026-03-06 12:00", "2026-03-06 08:00")


def used(cast, start, end, who="sun", **values):
    made = reserve(cast, start, end, who=who, now=at("2026-03-06 08:01"), **values)
    actor = cast.actor(who)
    reservation_check_in(By(actor, at(start)), reservation_id=made.pk)
    reservation_check_out(By(actor, at(end)), reservation_id=made.pk)
    return due(made, at(end))


def melted():
    return Charge.objects.filter(kind="melting").first()


def test_nobody_came_nothing_melts(cast, fee):
    assert fees_melt(now=OVER) == 0
    assert not Charge.objects.filter(kind="melting").exists()


def test_half_of_it_used_by_another_half_of_it_melts_once(cast, fee):
    used(cast, "2026-03-06 11:00", "2026-03-06 12:30")
    assert fees_melt(now=at("2026-03-06 11:59")) == 0  # it is not over
    assert fees_melt(now=OVER) == 1
    row = melted()
    assert (row.total, row.tax, row.payable, row.covered) == (D("-328.60"), D("-18.60"),
                                                             D("-328.60"), 0)  # fmt: skip
    assert (row.state, row.final_at, row.reverses) == ("final", OVER, fee)
    assert row.result["used_minutes"] == 60
    assert fees_melt(now=OVER + timedelta(days=1)) == 0
    owed = receivables(payer_ids=[cast.fudan.pk])
    assert [b.amount for b in owed] == [D("328.60")]
    assert set(sums_by_currency().values()) == {0}
    assert TrailEntry.objects.filter(object_id=row.pk, action="charge.create").exists()
    assert Charge.objects.get(pk=fee.pk).state == "open"


def test_whole(cast, fee):
    used(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    fees_melt(now=OVER)
    assert melted().total == -fee.total
    assert receivables(payer_ids=[cast.fudan.pk]) == []


def test_own_use_and_another_unit_do_not_count(cast):
    instrument = cast.instrument(name="Two of them", policy={"units": 2})
    fee = cancel(cast, "2026-03-06 10:00", "2026-03-06 12:00", "2026-03-06 08:00", instrument=instrument)
    assert fee.reservation.unit == 1
    used(cast, "2026-03-06 10:00", "2026-03-06 11:00", who="wang", instrument=instrument)
    other = used(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    assert other.reservation.unit == 2
    assert fees_melt(now=OVER) == 0
    used(cast, "2026-03-06 11:00", "2026-03-06 11:30", instrument=instrument)
    assert fees_melt(now=OVER) == 1
    assert melted().result["used_minutes"] == 30


def test_it_waits_for_whoever_is_still_there_or_not_charged_yet(cast):
    instrument = cast.instrument(name="By use", card=BY_USE)
    period = ("2026-03-06 10:00", "2026-03-06 12:00")
    cancelled = cancel(cast, *period, "2026-03-06 08:00", instrument=instrument)
    used(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=instrument)
    made = reserve(
        cast, "2026-03-06 11:00", "2026-03-06 12:00", who="hu", instrument=instrument,
        now=at("2026-03-06 10:30"),
    )  # fmt: skip
    hu = cast.actor("hu")
    reservation_check_in(By(hu, at("2026-03-06 11:00")), reservation_id=made.pk)
    assert fees_melt(now=at("2026-03-06 12:10")) == 0
    reservation_check_out(By(hu, at("2026-03-06 12:20")), reservation_id=made.pk)
    assert fees_melt(now=at("2026-03-06 12:21")) == 0
    Reservation.objects.filter(pk=made.pk).update(struck="other")  # it is never charged
    assert not is_waiting_for_others(cancelled.reservation)
    Reservation.objects.filter(pk=made.pk).update(struck="")
    due(made, at("2026-03-06 12:22"))
    assert fees_melt(now=at("2026-03-06 12:23")) == 1
    assert melted().result["used_minutes"] == 120


def test_sources_get_it_back(cast):
    source = FundingSource.objects.create(
        organisation=cast.fudan, code="a", name="a", owner=cast.lin, is_open=True,
        currency="CNY", budget=D(5000), valid_from=NOW.date(), created_by=cast.lin, created_at=NOW,
    )  # fmt: skip
    cancel(
        cast, "2026-03-06 10:00", "2026-03-06 12:00", "2026-03-06 08:00",
        funding=(Share("a", D(100)),),
    )  # fmt: skip
    source.refresh_from_db()
    assert (source.held, source.spent) == (0, D("657.20"))
    used(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    fees_melt(now=OVER)
    source.refresh_from_db()
    assert (source.held, source.spent) == (0, D("328.60"))


def test_what_melted_is_taken_back_when_the_fee_is_corrected_and_melts_anew(cast, fee):
    used(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    fees_melt(now=OVER)
    correction = correction_propose(
        By(cast.actor("zhao"), OVER), charge_id=fee.pk, amendment=Amendment(waive_percent=D(50)), reason="Ill"
    )
    correction_agree(By(cast.actor("gao"), OVER), correction_id=correction.pk)
    melted = Charge.objects.get(kind="melting", state="reversed")
    assert TrailEntry.objects.filter(object_id=melted.pk, action="charge.reverse").count() == 1
    assert differences_between("charge", FIRST, LAST) == []
    TrailText.objects.filter(entry__object_id=melted.pk).delete()
    # So it was before the melting had an entry of its own: its reversal has one.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_trailentry DISABLE TRIGGER USER")
        cursor.execute(
            "DELETE FROM accounts_trailentry WHERE action = 'charge.reverse' AND object_id = %s", [melted.pk]
        )
    assert differences_between("charge", FIRST, LAST) == []
    mine = Charge.objects.filter(organisation=cast.fudan)
    assert sum(c.total for c in mine) == D("328.60")
    assert fees_melt(now=OVER + timedelta(hours=1)) == 1
    assert sum(c.total for c in mine.all()) == D("164.30")
    assert receivables(payer_ids=[cast.fudan.pk])[0].amount == D("164.30")
    assert set(sums_by_currency().values()) == {0}


def test_a_missed_booking_does_not_melt(cast):
    first = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    Charge.objects.filter(pk=first.pk).update(kind="no_show")
    assert fees_melt(now=OVER) == 0
