"""Hours through the API."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.models.keys import new_id
from bookings.hours.services.hours import hours_roll_up
from bookings.models import HoursExport
from bookings.reserving.services.reservations import reservation_cancel
from bookings.statistics.services.exports import export_open, exports_work
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.register.models import Instrument
from tests.factories.api import Program
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.conversations import leave

type Programs = Callable[..., Program]

MARCH = "statistics/hours/?from=2026-03-06&until=2026-03-07"


@pytest.fixture
def used(cast: Cast) -> None:
    """Friday 10 to 12, used by Fudan, and rolled up."""
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang = cast.actor("wang")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=made.pk)
    reservation_check_out(By(wang, at("2026-03-06 12:00")), reservation_id=made.pk)
    hours_roll_up(since=None, until=None, now=at("2026-03-08 12:00"))


@pytest.mark.usefixtures("used")
def test_hours_by_region_and_instrument(cast: Cast, program: Programs) -> None:
    answer = program("auditor").get(f"{MARCH}&by=region,instrument")
    assert answer.body["by"] == ["region", "instrument"]
    (row,) = answer.body["rows"]
    assert (row["region"], row["instrument"]) == ("CN-AH", str(cast.microscope.pk))
    assert row["names"]["region"] == {"name": "Anhui", "name_zh": "安徽"}
    assert (row["total_minutes"], row["productive_minutes"], row["sessions"]) == (1440, 120, 1)
    assert (row["standby_minutes"], row["non_scheduled_minutes"]) == (600, 720)
    assert row["operational_utilisation"] == "0.1667"
    assert row["external_share"] == row["cross_region_share"] == "1.0000"
    # 2 hours of 1,400 in a year, for a day of it.
    assert row["norm_minutes"] == 230
    assert row["norm_utilisation"] == "0.5217"
    total = answer.body["total"]
    assert total["productive_minutes"] == 120
    assert "region" not in total


@pytest.mark.usefixtures("used")
def test_by_day_and_month(cast: Cast, program: Programs) -> None:
    answer = program("zhao").get("statistics/hours/?from=2026-03-05&until=2026-03-08&by=day")
    assert [(row["day"], row["productive_minutes"]) for row in answer.body["rows"]] == [
        ("2026-03-05", 0),
        ("2026-03-06", 120),
        ("2026-03-07", 0),
    ]
    (row,) = program("zhao").get(f"{MARCH}&by=month").body["rows"]
    assert row["month"] == "2026-03"
    assert date.fromisoformat(answer.body["from"]) == date(2026, 3, 5)


@pytest.mark.usefixtures("used")
def test_whose_hours_one_may_read(cast: Cast, program: Programs) -> None:
    for name, minutes in (("zhao", 120), ("auditor", 120), ("coordinator", 120), ("admin", 120)):
        assert program(name).get(MARCH).body["total"]["productive_minutes"] == minutes, name
    assert program("chen").get(MARCH).body["total"] is None
    # Others read public figures: two organisations of the region are too few to tell.
    for person, refused in (
        (program("wang"), "not-permitted"),
        (program("alice"), "not-permitted"),
        (program(), "not-signed-in"),
    ):
        answer = person.get("statistics/hours/?from=2026-03-01&until=2026-04-01&by=region")
        assert answer.body["public"] is True
        assert (answer.body["rows"], answer.body["total"]) == ([], None)
        assert person.get(f"{MARCH}&by=region").problems == [("from", "whole-months")]
        assert person.get(f"{MARCH}&by=organisation").code == refused
        assert person.get(f"{MARCH}&instrument={cast.microscope.pk}").code == refused


@pytest.mark.usefixtures("used")
def test_narrowed(cast: Cast, program: Programs) -> None:
    auditor = program("auditor")
    for query in (
        "region=CN",
        "organisation=ustc",
        f"facility={cast.facility.pk}",
        f"instrument={cast.microscope.pk}",
        "technique=PaNET01198",
    ):
        assert auditor.get(f"{MARCH}&{query}").body["total"]["sessions"] == 1, query
    assert auditor.get(f"{MARCH}&region=CN-SH").body["total"] is None


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("from=2026-03-06", ("until", "required")),
        ("until=2026-03-06", ("from", "required")),
        ("from=2026-03-06&until=2026-03-06", ("until", "not-after-start")),
        ("from=2000-03-06&until=2026-03-06", ("until", "span-too-long")),
        ("from=6.3.2026&until=2026-03-07", ("from", "not-a-date")),
        ("from=20260306&until=2026-03-07", ("from", "not-a-date")),
        ("from=2026-02-30&until=2026-03-07", ("from", "not-a-date")),
        ("from=2026-03-06&until=2026-03-07&by=planet", ("by", "unknown-value")),
        ("from=2026-03-06&until=2026-03-07&facility=x", ("facility", "not-an-id")),
    ],
)
def test_a_wrong_shape(cast: Cast, program: Programs, query: str, problem: tuple[str, str]) -> None:
    assert program("auditor").get(f"statistics/hours/?{query}").problems == [problem]


def test_nothing_is_rolled_up_yet(cast: Cast, program: Programs) -> None:
    made = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    reservation_cancel(By(cast.actor("wang"), at("2026-03-06 09:00")), reservation_id=made.pk, reason="")
    answer = program("zhao").get(MARCH)
    assert (answer.body["rows"], answer.body["total"]) == ([], None)


@pytest.fixture
def many(used: None, cast: Cast) -> None:
    """Seven instruments at the host."""
    for number in range(6):
        copy = Instrument.objects.get(pk=cast.microscope.pk)
        copy.pk, copy.name, copy.ref = new_id(), f"Copy {number}", ""
        copy.short_code = None
        copy.save(force_insert=True)


TEN_YEARS = "from=2016-03-01&until=2026-03-08"


@pytest.mark.usefixtures("many")
def test_too_many_rows_are_refused_before_any_hours_are_read(
    cast: Cast, program: Programs, client: Client
) -> None:
    instruments = Instrument.objects.filter(organisation=cast.ustc).count()
    rows = 3659 * instruments
    assert rows > 20_000
    zhao = program("zhao")
    with CaptureQueriesContext(connection) as made:
        answer = zhao.get(f"statistics/hours/?{TEN_YEARS}&by=day,instrument")
    assert answer.problems == [("by", "too-many-figures")]
    assert f"up to {rows}, of which at most 5000 can be returned" in answer.body["errors"][0]["message"]
    assert not [query for query in made if "bookings_instrumentday" in query["sql"]]
    body = {"table": "hours", "from": "2016-03-01", "until": "2026-03-08", "by": "day,instrument"}
    answer = zhao.post("statistics/exports/", body)
    assert answer.problems == [("by", "too-many-figures")]
    assert not HoursExport.objects.exists()
    # The same days of one instrument, and the same instruments by month, are few enough.
    one = f"by=day,instrument&instrument={cast.microscope.pk}"
    assert zhao.get(f"statistics/hours/?{TEN_YEARS}&{one}").status == 200
    assert zhao.get(f"statistics/hours/?{TEN_YEARS}&by=month,instrument").status == 200
    # Pages and the files they lead to.
    client.force_login(cast.zhao)
    span = "since=2016-03-01&until=2026-03-08"
    for path, most in (
        (f"/hours/?{span}&by=day", 1100),
        (f"/hours/download/?{span}&by=day&by2=instrument", 20_000),
    ):
        page = client.get(path)
        assert page.status_code == 400
        assert f"of which at most {most} can be returned" in page.content.decode()
    assert client.get(f"/hours/download/?{span}&by=day").status_code == 200
    # Pages take no longer spans than the API: they say so, and show this year.
    page = client.get("/hours/?since=2000-01-01&until=2026-03-08&by=month")
    assert "This span is too long: at most 3660 days." in page.content.decode()


@pytest.mark.usefixtures("used")
def test_a_file_is_not_for_who_has_lost_a_role_since_it_was_written(cast: Cast, program: Programs) -> None:
    body = {"table": "hours", "from": "2026-03-06", "until": "2026-03-07", "by": "instrument"}
    zhao = program("zhao")
    made = zhao.post("statistics/exports/", body)
    exports_work(now=at("2026-03-08 12:00"))
    job = HoursExport.objects.get()
    assert export_open(job).read().startswith(b"\xef\xbb\xbf")
    HoursExport.objects.update(created_at=NOW - timedelta(minutes=1))
    leave(cast, "zhao")
    job.refresh_from_db()
    with pytest.raises(WrongState) as refused:
        export_open(job)
    assert (made.status, refused.value.code) == (202, "role-ended-since")
