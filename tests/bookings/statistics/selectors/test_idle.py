"""Why instruments stood idle, read from the rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import ADMINISTRATOR, Actor, Grant
from accounts.models.keys import new_id
from bookings.hours.selectors.reading import figures_for
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Closure, KeptHours, UnmetDemand
from bookings.statistics.selectors.idle import idle_page, idle_parts, idle_rows
from instruments.policy.models import BookingPolicy
from instruments.rates.models import RateCard
from tests.accounts.pages import page_of
from tests.factories.api import Program
from tests.factories.cast import Cast, at, reserve
from tests.factories.hours import OFFICE, HoursWorld

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 6)
EVERYTHING = Actor(user_id=None, grants=(Grant(ADMINISTRATOR),))


def hour(number: float, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=number)


@pytest.fixture
def world(db: None) -> HoursWorld:
    return HoursWorld(NOW)


def read(world: HoursWorld, since: date = MONDAY, until: date = MONDAY + timedelta(days=1)) -> Any:
    hours_roll_up(since=None, until=None, now=NOW)
    (row,) = idle_page(EVERYTHING, narrowed={}, since=since, until=until).rows
    return row


def test_each_reason_is_read(world: HoursWorld) -> None:
    """A Monday from 8 to 18: each hour has a reason of its own."""
    one = world.instrument(hours=OFFICE, since=MONDAY)
    BookingPolicy.objects.create(
        instrument=one, slot_minutes=60, min_minutes=60, max_minutes=600, notice_minutes=120,
        group_hours=[{"days": [1], "opens": "17:00", "closes": "18:00", "who": "organisation"}],
    )  # fmt: skip
    world.session(one, hour(8), hour(9))
    world.no_show(one, hour(9), hour(10))
    used = world.session(one, hour(10), hour(10.5))  # of an hour booked
    used.reservation.end_at = hour(11)
    used.reservation.save()
    freed = world.reservation(one, hour(11), hour(13), state="cancelled")
    freed.confirmed_at, freed.ended_at = hour(0), hour(10)  # two hours before twelve
    freed.save()
    refused = world.reservation(one, hour(13), hour(14), state="rejected")
    refused.service_mode = "assisted"
    refused.save()
    UnmetDemand.objects.create(
        kind="refused", user=world.user, organisation=world.neighbour, region=world.here, instrument=one,
        minutes=60, wanted_from=hour(14), wanted_until=hour(15), on_date=MONDAY, created_at=hour(0),
        code="too-long", query="code=too-long",
    )  # fmt: skip
    world.reservation(one, hour(15), hour(16), state="expired")
    row = read(world)
    assert row.reasons == {
        "no_show": 60, "kept_unused": 30, "not_open": 60, "lead_time": 60, "no_operator": 60,
        "refused": 120, "not_asked": 120,
    }  # fmt: skip
    assert row.codes == {"expired": 60, "too-long": 60}
    assert row.standby == 9 * 60 - 30
    parts = idle_parts(EVERYTHING, instrument=one.pk, since=MONDAY, until=FRIDAY)
    assert sum(part.minutes for part in parts if part.start < parts[0].start + 600) == row.standby


def test_guaranteed_hours_count_once_their_window_is_over(world: HoursWorld) -> None:
    one = world.instrument(hours=OFFICE, since=MONDAY)
    for end, minutes in ((FRIDAY, 90), (date(2026, 4, 1), 600)):
        KeptHours.objects.create(
            id=new_id(), instrument=one, organisation=world.neighbour, minutes=minutes, start_at=hour(0),
            end_at=hour(0, end), released_minutes=0, reason="a project", granted_by=world.user,
            granted_at=hour(0), ended_at=None if minutes == 90 else hour(0, date(2026, 4, 1)),
        )  # fmt: skip
    assert read(world, MONDAY, FRIDAY).reasons["kept_unused"] == 90
    tuesday = MONDAY + timedelta(days=1)
    # Whichever days are asked for, they add up.
    assert [read(world, *span).reasons["kept_unused"] for span in ((MONDAY, tuesday), (tuesday, FRIDAY))] == [
        90, 0,
    ]  # fmt: skip


def test_prices_for_ones_own_alone_are_not_open_to_others(world: HoursWorld) -> None:
    one = world.instrument(hours=OFFICE, since=MONDAY)
    RateCard.objects.filter(instrument=one).update(
        card={"rates": {"internal": "1"}}, published_at=hour(0), valid_until=date(2026, 3, 3)
    )
    assert read(world, MONDAY, MONDAY + timedelta(days=2)).reasons == {
        "no_show": 0, "kept_unused": 0, "not_open": 600, "lead_time": 0, "no_operator": 0, "refused": 0,
        "not_asked": 600,
    }  # fmt: skip


what = st.lists(
    st.tuples(
        st.sampled_from(
            ["session", "no_show", "cancelled", "rejected", "completed", "breakdown", "training", "demand"]
        ),
        st.integers(0, 6 * 24 * 4),  # quarters of an hour
        st.integers(1, 60),
        st.integers(1, 3),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(
    plans=what, units=st.integers(1, 2), zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"])
)
def test_they_add_up_to_the_standby_of_hours(world: HoursWorld, plans: Any, units: int, zone: str) -> None:
    with transaction.atomic():
        one = world.instrument(zone, hours=OFFICE, units=units, since=MONDAY)
        for kind, start, length, unit in plans:
            span = (hour(start / 4), hour((start + length) / 4) + timedelta(seconds=20))
            match kind:
                case "session":
                    world.session(one, *span, unit=unit)
                case "breakdown" | "training":
                    Closure.objects.create(
                        instrument=one, kind=kind, start_at=span[0], end_at=span[1], created_at=NOW,
                        units=[] if unit == 3 else [unit],
                    )  # fmt: skip
                case "demand":
                    UnmetDemand.objects.bulk_create(
                        [
                            UnmetDemand(
                                kind="refused", user=world.user, organisation=world.host, region=world.here,
                                instrument=one, minutes=1, wanted_from=span[0], wanted_until=span[1],
                                on_date=MONDAY, created_at=NOW,
                            )
                        ],
                        ignore_conflicts=True,
                    )  # fmt: skip
                case _:
                    world.reservation(one, *span, state=kind, unit=unit)
        row = read(world, MONDAY, date(2026, 3, 15))
        (figures,) = figures_for(
            EVERYTHING, narrowed={}, since=MONDAY, until=date(2026, 3, 15), by=["instrument"]
        ).rows
        assert row.standby == figures.minutes.standby
        assert row.reasons["no_show"] == figures.minutes.no_show
        transaction.set_rollback(True)


def test_who_reads_them_and_how_many(world: HoursWorld, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        world.instrument(hours=OFFICE, since=MONDAY, name=f"Instrument {number}")
    hours_roll_up(since=None, until=None, now=NOW)
    days = {"narrowed": {}, "since": MONDAY, "until": FRIDAY}
    with pytest.raises(NotPermitted):
        idle_page(Actor(user_id=None, grants=()), **days)
    for code, changes in (("too-many-figures", {"most": 2}), ("span-too-long", {"until": date(2027, 5, 1)})):
        with pytest.raises(Invalid) as refused:
            idle_rows(EVERYTHING, **days | changes)
        assert [problem.code for problem in refused.value.problems] == [code]
    with django_assert_max_num_queries(14):
        page = idle_page(EVERYTHING, **days, most=2, skipped=2)
    assert (page.number, [row.instrument.name for row in page.rows]) == (3, ["Instrument 2"])


def test_page_file_and_api_say_the_same(
    cast: Cast, client: Client, program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: at("2026-03-08 12:00"))
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")  # nobody came
    hours_roll_up(since=None, until=None, now=at("2026-03-08 12:00"))
    answer = program("zhao").get("statistics/idle/?from=2026-03-06&until=2026-03-07")
    (row,) = answer.body["rows"]
    assert (row["standby_minutes"], row["kept_unused_minutes"], row["not_asked_minutes"]) == (720, 120, 600)
    assert answer.body["parts"] == []
    one = program("zhao").get(
        f"statistics/idle/?from=2026-03-06&until=2026-03-07&instrument={cast.microscope.pk}"
    )
    assert sum(part["minutes"] for part in one.body["parts"]) == 720
    # A stranger's host, and people without a role.
    assert program("lin").get("statistics/idle/?from=2026-03-06&until=2026-03-07").body["rows"] == []
    assert program("wang").get("statistics/idle/?from=2026-03-06&until=2026-03-07").status == 403
    client.force_login(cast.people["zhao"])
    asked = "?since=2026-03-06&until=2026-03-07"
    html = page_of(client.get(f"/hours/idle/{asked}"))
    assert "reason=kept_unused#times" in html and ">2.0<" in html
    times = page_of(client.get(f"/hours/idle/{asked}&instrument={cast.microscope.pk}&reason=kept_unused"))
    assert "10:00–12:00" in times and "12:00–20:00" not in times
    # A page beyond the first is one of the times: the instrument's row stays.
    second = client.get(f"/hours/idle/{asked}&instrument={cast.microscope.pk}&page=2")
    assert second.context["standby"] == 720
    assert client.get(f"/hours/download/{asked}&table=hours&format=pdf").status_code == 400
    file = b"".join(client.get(f"/hours/download/{asked}&table=idle").streaming_content).decode("utf-8-sig")
    assert file.splitlines()[1].endswith(",720,0,120,0,0,0,0,600,")
    # Whoever looks after instruments sees them first, one by one; an auditor regions.
    assert client.get("/hours/").context["by"] == "instrument"
    client.force_login(cast.people["auditor"])
    assert client.get("/hours/").context["by"] == "region"
