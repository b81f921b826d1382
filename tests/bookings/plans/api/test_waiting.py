"""The waiting list through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.domain.roles import By
from bookings.models import Reservation, WaitingWish
from bookings.overview.services.effects import effects_carry_out
from bookings.reserving.services.reservations import reservation_cancel
from instruments.register.models import Instrument
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.waiting import narrow

type Programs = Callable[..., Program]
HERE = "waiting-list/"


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return narrow(cast, name_zh="窄")


@pytest.fixture
def booked(cast: Cast, instrument: Instrument) -> Reservation:
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", instrument=instrument)


def wish(instrument: Instrument, **changes: Any) -> dict[str, Any]:
    return {
        "instrument": str(instrument.pk),
        "organisation": "fudan",
        "service_mode": "self",
        "earliest": "2026-03-06T08:00:00+08:00",
        "latest": "2026-03-06T20:00:00+08:00",
        "minutes": 120,
    } | changes


@pytest.mark.parametrize(
    ("hours", "start"),
    [
        ({}, "2026-03-06T00:00:00Z"),  # 08:00, not midnight
        ({"hours_from": "20:30"}, "2026-03-06T12:30:00Z"),
        ({"hours_from": "22:00", "hours_until": "01:00"}, "2026-03-06T14:00:00Z"),
    ],
)
def test_what_is_offered_lies_in_usual_hours_or_those_named(
    cast: Cast, program: Programs, clock: Clock, hours: dict[str, str], start: str
) -> None:
    always = [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]
    instrument = cast.instrument(name="Always open", hours={"weekly": always})
    window = {"earliest": "2026-03-06T00:00:00+08:00", "latest": "2026-03-08T00:00:00+08:00"}
    made = program("wang").post(HERE, wish(instrument, **window, **hours)).body
    assert made["offer"]["start"] == start
    assert {name: made[name] for name in hours} == hours


def test_hours_too_short_for_the_wish_are_refused(
    cast: Cast, program: Programs, clock: Clock, instrument: Instrument
) -> None:
    asked = wish(instrument, hours_from="09:00", hours_until="10:30")
    assert program("wang").post(HERE, asked).problems == [("hours_until", "longer-than-window")]
    assert not WaitingWish.objects.exists()


def test_wait_be_offered_take(
    cast: Cast, program: Programs, clock: Clock, instrument: Instrument, booked: Reservation
) -> None:
    wang = program("wang")
    made = wang.post(HERE, wish(instrument, max_price="800"))
    assert made.status == 201
    here = made.headers["Location"]
    waiting = {
        "id": made.body["id"],
        "instrument": str(instrument.pk),
        "instrument_name": "Narrow",
        "instrument_name_zh": "窄",
        "time_zone": "Asia/Shanghai",
        "user": {"id": str(cast.wang.pk), "name": "Wang Li"},
        "organisation": "fudan",
        "service_mode": "self",
        "earliest": "2026-03-06T00:00:00Z",
        "latest": "2026-03-06T12:00:00Z",
        "minutes": 120,
        "hours_from": None,
        "hours_until": None,
        "any_equivalent": False,
        "regions": [],
        "instruments": [str(instrument.pk)],
        "max_price": {"amount": "800.00", "currency": "CNY"},
        "state": "waiting",
        "place": 1,
        "offer": None,
        "reservation": None,
        "created_at": "2026-03-05T04:00:00Z",
        "ended_at": None,
        "version": 1,
    }
    assert made.body == waiting
    assert made.headers["ETag"] == '"1"'

    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=booked.pk, reason="")
    effects_carry_out(now=NOW)
    hold = Reservation.objects.get(state="held")
    offer = {
        "hold": str(hold.pk),
        "instrument": str(instrument.pk),
        "start": "2026-03-06T02:00:00Z",
        "end": "2026-03-06T04:00:00Z",
        "expires_at": "2026-03-05T06:00:00Z",
    }
    assert wang.get(here).body == waiting | {"offer": offer, "version": 2}
    assert wang.get("holds/").ids == [str(hold.pk)]

    clock.now = NOW + timedelta(hours=1)
    taken = wang.post(
        "reservations/",
        {
            "instrument": offer["instrument"],
            "start": offer["start"],
            "end": offer["end"],
            "organisation": "fudan",
            "service_mode": "self",
            "purpose": {"code": "research", "text": ""},
            "hold": offer["hold"],
        },
    )
    assert (taken.status, taken.body["id"]) == (201, offer["hold"])
    assert wang.get(here).body == waiting | {
        "state": "fulfilled",
        "place": None,
        "reservation": str(hold.pk),
        "ended_at": "2026-03-05T05:00:00Z",
        "version": 2,
    }
    assert wang.get(f"{HERE}?state=waiting").ids == []
    assert wang.get(f"{HERE}?state=fulfilled,expired").ids == [waiting["id"]]
    assert wang.delete(here).code == "wrong-state"


def test_what_is_free_is_offered_in_the_answer(program: Programs, instrument: Instrument) -> None:
    made = program("wang").post(HERE, wish(instrument))
    assert made.status == 201
    assert made.body["offer"]["start"] == "2026-03-06T02:00:00Z"


@pytest.mark.usefixtures("booked")
def test_once_by_its_key(program: Programs, instrument: Instrument) -> None:
    wang = program("wang")
    first = wang.post(HERE, wish(instrument), Idempotency_Key="a")
    again = wang.post(HERE, wish(instrument), Idempotency_Key="a")
    assert (first.status, again.body) == (201, first.body)
    assert wang.post(HERE, wish(instrument)).code == "already-waiting"
    assert WaitingWish.objects.count() == 1


@pytest.mark.usefixtures("booked")
def test_declined_through_its_hold_and_left(
    program: Programs, instrument: Instrument, cast: Cast, booked: Reservation
) -> None:
    wang = program("wang")
    here = wang.post(HERE, wish(instrument)).headers["Location"]
    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=booked.pk, reason="")
    effects_carry_out(now=NOW)
    hold = wang.get(here).body["offer"]["hold"]
    assert wang.delete(f"holds/{hold}/").status == 204
    assert wang.get(here).body["offer"] is None
    assert wang.delete(here, If_Match='"1"').code == "wrong-version"
    assert wang.delete(here, If_Match='"2"').status == 204
    left = wang.get(here).body
    assert (left["state"], left["ended_at"]) == ("withdrawn", "2026-03-05T04:00:00Z")


@pytest.mark.usefixtures("booked")
def test_who_reads_it(program: Programs, instrument: Instrument) -> None:
    made = program("wang").post(HERE, wish(instrument, max_price="800"))
    hu = program("hu").post(HERE, wish(instrument, organisation="optics"))
    assert hu.body["place"] == 2
    here = made.headers["Location"]
    assert program("wang").get(HERE).ids == [made.body["id"]]
    assert program("hu").get(here).status == 404
    assert program("chen").get(here).status == 404  # of the payer
    zhao = program("zhao")
    assert zhao.get(f"{HERE}?instrument={instrument.pk}").ids == [hu.body["id"], made.body["id"]]
    assert zhao.get(here).body["max_price"] is None
    assert zhao.delete(here).status == 403
    assert program("alice").get(HERE).ids == []


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"latest": "2026-03-06T08:00:00+08:00"}, [("latest", "not-after-start")]),
        ({"minutes": 721}, [("minutes", "longer-than-window")]),
        ({"minutes": "120"}, [("minutes", "not-an-integer")]),
        ({"earliest": "2026-03-06T08:00:00"}, [("earliest", "naive-time")]),
        ({"regions": ["CN-AH"]}, [("regions", "only-with-equivalents")]),
        ({"regions": ["CN-AH", "??"], "any_equivalent": True}, [("regions[1]", "unknown-region")]),
        ({"max_price": "-1"}, [("max_price", "out-of-range")]),
        ({"max_price": "1.234"}, [("max_price", "too-many-decimals")]),
        ({"service_mode": "remote"}, [("service_mode", "not-offered")]),
        ({"organisation": "ustc"}, [("organisation", "not-a-member")]),
        ({"colour": "red"}, [("colour", "unknown-field")]),
    ],
)
def test_what_is_wrong_with_a_wish(
    program: Programs, instrument: Instrument, changes: Any, problems: Any
) -> None:
    refused = program("wang").post(HERE, wish(instrument, **changes))
    assert (refused.status, refused.problems) == (400, problems)
    assert not WaitingWish.objects.exists()


def test_a_length_the_rules_never_allow(program: Programs, instrument: Instrument) -> None:
    refused = program("wang").post(HERE, wish(instrument, minutes=510))
    assert (refused.status, refused.refusals) == (422, ["too-long"])


def test_a_list_costs_the_same_for_one_and_three(
    program: Programs, instrument: Instrument, booked: Reservation, django_assert_max_num_queries: Any
) -> None:
    wang = program("wang")
    for hour in (18, 19, 20):
        wang.post(HERE, wish(instrument, latest=f"2026-03-06T{hour}:00:00+08:00"))
        with django_assert_max_num_queries(9):
            wang.get(HERE)
