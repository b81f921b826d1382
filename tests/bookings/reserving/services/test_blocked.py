"""Who is blocked at a host books nothing there, by whatever door; what they have stays."""

import pytest

from accounts.domain.roles import By
from bookings.board.services.enquiries import enquiry_accept
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation, WaitingWish
from bookings.plans.domain.imports import RowsRefused
from bookings.plans.services.imports import bookings_import
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.series.services.series import series_book
from bookings.series.services.series_moves import series_move
from instruments.managing.services.registry import facility_create
from tests.factories.blocks import block
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.waiting import narrow, wait

PERIOD = ("2026-03-09 10:00", "2026-03-09 12:00")


def wish(cast):
    return Booking(cast.microscope.pk, Period(*map(at, PERIOD)), None, "self")


def blocked(act):
    with pytest.raises(RulesRefuse) as refused:
        act()
    [refusal] = refused.value.refusals
    assert refusal.code == "blocked"
    return sentence(refusal.code, refusal.numbers)


def test_a_blocked_person_is_told_why_until_when_and_whom_to_write_to(cast):
    block(cast, "wang")
    said = blocked(lambda: reserve(cast, *PERIOD))
    assert said == (
        "USTC has blocked you from booking until Wed 1 Apr 2026. Reason: The stage was broken. "
        "To object, write to zhao@ustc.example."
    )
    assert not Reservation.objects.exists()


def test_no_other_door_is_open(cast):
    kept = hold_take(By(cast.actor("wang"), NOW), booking=wish(cast))
    block(cast, "wang")
    by = By(cast.actor("wang"), NOW)
    blocked(lambda: reserve(cast, *PERIOD, hold=kept.pk))
    blocked(lambda: series_book(by, booking=wish(cast), rule="FREQ=WEEKLY;COUNT=2", on_conflict="skip"))
    other = Booking(cast.microscope.pk, Period(at("2026-03-10 10:00"), at("2026-03-10 11:00")), None, "self")
    blocked(lambda: hold_take(by, booking=other))


def test_nobody_blocked_books_by_a_file(cast):
    block(cast, "wang")
    content = b"instrument,starts,ends\nTransmission electron microscope,2026-03-09 10:00,2026-03-09 12:00\n"
    with pytest.raises(RowsRefused) as refused:
        bookings_import(By(cast.actor("wang"), NOW), content=content, file_name="a.csv", organisation=None)
    [outcome] = refused.value.report.outcomes
    assert [refusal.code for refusal in outcome.refusals] == ["blocked"]
    assert not Reservation.objects.exists()


def test_nobody_blocked_moves_a_series(cast):
    by = By(cast.actor("wang"), NOW)
    made = series_book(by, booking=wish(cast), rule="FREQ=WEEKLY;COUNT=2", on_conflict="skip")
    series, first = made.series, made.reservations[0]
    block(cast, "wang")
    period = Period(at("2026-03-09 13:00"), at("2026-03-09 15:00"))
    blocked(
        lambda: series_move(
            by, series_id=series.pk, reservation_id=first.pk, scope="all", period=period, reason=""
        )
    )


def test_a_payer_is_blocked_for_all_its_people_and_nobody_else(cast):
    block(cast, organisation=cast.fudan)
    assert "at the cost of Fudan University" in blocked(lambda: reserve(cast, *PERIOD))
    reserve(cast, *PERIOD, who="sun")


def test_what_is_booked_stays_and_may_be_shortened_but_not_moved(cast):
    made = reserve(cast, *PERIOD)
    block(cast, "wang")
    by = By(cast.actor("wang"), NOW)
    later = Period(at("2026-03-10 10:00"), at("2026-03-10 12:00"))
    blocked(lambda: reservation_move(by, reservation_id=made.pk, period=later))
    shorter = Period(at(PERIOD[0]), at("2026-03-09 11:00"))
    assert reservation_move(by, reservation_id=made.pk, period=shorter).state == "confirmed"


def test_only_the_facility_that_blocks_refuses(cast):
    zhao = By(cast.actor("zhao"), NOW)
    other = facility_create(
        zhao, organisation=cast.ustc, name="Other", name_zh="", time_zone="Asia/Shanghai", address="x"
    )
    row = block(cast, "wang", facility=other)
    reserve(cast, *PERIOD)
    type(row).objects.update(facility=cast.facility)
    blocked(lambda: reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00"))


def test_a_block_that_is_over_refuses_nothing_and_the_host_may_book_for_them(cast):
    block(cast, "wang", last_day="2026-03-05")
    reserve(cast, *PERIOD, now=at("2026-03-06 09:00"))
    block(cast, "hu")
    made = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="zhao", on_behalf_of="hu@optics.example",
                   organisation="ustc")  # fmt: skip
    assert made.user == cast.hu


def test_who_books_for_a_blocked_person_reads_neither_reason_nor_contact(cast):
    block(cast, "wang")
    for_wang = {"who": "chen", "on_behalf_of": "wang@fudan.example", "organisation": "fudan"}
    said = blocked(lambda: reserve(cast, *PERIOD, **for_wang))
    assert said == "USTC has blocked this person from booking until Wed 1 Apr 2026. They know why."
    block(cast, organisation=cast.optics)
    assert "The stage was broken." in blocked(lambda: reserve(cast, *PERIOD, who="hu", organisation="optics"))


@pytest.mark.parametrize("whom", ["person", "payer"])
def test_a_bid_is_the_hosts_consent_and_tells_nobody_of_a_block(cast, whom):
    block(cast, **({"who": "hu"} if whom == "person" else {"organisation": cast.optics}))
    enquiry = enquiry_of(cast)
    slot = bid_of(cast, enquiry, starts=[FIRST]).slots.get()
    made = enquiry_accept(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk, slot_id=slot.pk)
    assert made.state == "confirmed"
    blocked(lambda: reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", who="hu", organisation="optics"))


def test_a_blocked_person_reads_it_where_a_time_is_looked_for(cast, client, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    pages = [f"/instruments/{cast.microscope.pk}/", f"/instruments/{cast.microscope.pk}/wait/"]
    client.force_login(cast.people["wang"])
    assert not any("The stage was broken." in client.get(page).text for page in pages)
    block(cast, "wang")
    for page in pages:
        assert "Reason: The stage was broken." in client.get(page).text
    client.force_login(cast.people["sun"])
    assert not any("The stage was broken." in client.get(page).text for page in pages)


def test_a_blocked_person_waits_only_for_others_instruments(cast):
    narrow_one = narrow(cast)
    block(cast, "wang")
    blocked(lambda: wait(cast, narrow_one))
    assert not WaitingWish.objects.exists()
    wait(cast, narrow_one, any_equivalent=True)
    wait(cast, narrow_one, "sun")
