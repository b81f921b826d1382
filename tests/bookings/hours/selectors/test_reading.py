"""Numbers on the dashboard are those of the raw rows, counted minute by minute by a second way
that shares nothing with the first; and those of months are those of their days."""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.test import Client

from accounts.domain.roles import ADMINISTRATOR, PLATFORM, Actor, By, Grant
from accounts.models import User
from accounts.services.memberships import role_grant
from bookings.hours.selectors.hours import hours
from bookings.hours.selectors.reading import figures_for
from bookings.hours.services.exports import exports_work
from bookings.hours.services.hours import days_mark_dirty, hours_roll_up
from bookings.hours.services.norms import norm_add
from bookings.models import Closure, HoursExport, Reservation, UsageSession
from instruments.models import Facility, Instrument
from tests.factories.hours import ALWAYS, OFFICE, HoursWorld, local

NOW = datetime(2026, 4, 3, 12, 0, tzinfo=UTC)
FIRST = date(2026, 2, 20)
MINUTE = timedelta(minutes=1)
EVERYTHING = Actor(user_id=None, grants=(Grant(ADMINISTRATOR),))
PLACES = (("America/Chicago", OFFICE, 2), ("Asia/Shanghai", ALWAYS, 1))

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    """Two instruments over a clock change: sessions to the second that cross midnight and each
    other, closures of every kind, bookings nobody came to."""
    rng = random.Random(26)
    world = HoursWorld(NOW)
    world.instruments = {}
    for zone, opens, units in PLACES:
        instrument = world.instrument(zone, hours=opens, units=units, since=FIRST, name=zone)
        world.instruments[instrument.pk] = (zone, opens, units)

        def span(most, zone=zone):
            start = local(zone, "2026-02-26 00:00") + timedelta(seconds=rng.randrange(16 * 86_400))
            return start, start + timedelta(seconds=rng.randrange(60, most))

        for _ in range(30):
            payer = rng.choice([world.host, world.neighbour, world.stranger])
            world.session(instrument, *span(50_000), unit=rng.randint(1, units), payer=payer)
        for kind in Closure.Kind.values:
            world.closure(instrument, kind, *span(120_000))
        for _ in range(4):
            world.no_show(instrument, *span(20_000), unit=rng.randint(1, units))
    hours_roll_up(since=None, until=None, now=NOW)
    return world


def whole(instant):
    return instant.replace(second=0, microsecond=0)


def counted(world, since, until):
    """The minutes of [since, until) by state, one after the other, out of the raw rows alone."""
    found = dict.fromkeys(
        [
            "total",
            "productive",
            "unscheduled",
            "scheduled",
            "engineering",
            "standby",
            "missed",
            "rest",
            "others",
            "abroad",
        ],
        0,
    )
    sessions = UsageSession.objects.values_list(
        "instrument", "unit", "checked_in_at", "checked_out_at",
        "reservation__organisation", "reservation__payer_region", "id",
    )  # fmt: skip
    for pk, (zone, opens, units) in world.instruments.items():
        tz = ZoneInfo(zone)
        own = sorted((s for s in sessions if s[0] == pk), key=lambda s: (s[2], s[6]))
        closures = [
            (c.kind, whole(c.start_at), whole(c.end_at))
            for c in Closure.objects.filter(instrument=pk)
        ]
        missed = [
            (r.unit, whole(r.start_at), whole(r.end_at))
            for r in Reservation.objects.filter(instrument=pk, state="no_show")
        ]
        at = datetime.combine(since, datetime.min.time(), tz).astimezone(UTC)
        end = datetime.combine(until, datetime.min.time(), tz).astimezone(UTC)
        by_minute = [{} for _ in range(units + 1)]
        for session in own:
            minute = whole(session[2])
            while minute < whole(session[3]):
                by_minute[session[1]].setdefault(minute, session)
                minute += MINUTE
        while at < end:
            wall = at.astimezone(tz)
            is_open = any(
                rule["weekday"] == wall.isoweekday()
                and rule["opens"] <= f"{wall:%H:%M}" < rule["closes"]
                for rule in opens["weekly"]
            )
            kinds = {kind for kind, start, stop in closures if start <= at < stop}
            for unit in range(1, units + 1):
                found["total"] += 1
                session = by_minute[unit].get(at)
                if session:
                    found["productive"] += 1
                    found["others"] += session[4] != world.host.pk
                    found["abroad"] += session[5] != world.here.pk
                elif "breakdown" in kinds:
                    found["unscheduled"] += 1
                elif kinds & {"maintenance", "calibration", "other"}:
                    found["scheduled"] += 1
                elif kinds & {"own-use", "training"}:
                    found["engineering"] += 1
                elif is_open:
                    found["standby"] += 1
                    found["missed"] += any(u == unit and s <= at < e for u, s, e in missed)
                else:
                    found["rest"] += 1
            at += MINUTE
    return found


def test_the_dashboard_says_what_the_raw_rows_say(world, client: Client):
    since, until = date(2026, 3, 1), date(2026, 4, 1)
    expected = counted(world, since, until)
    assert expected["productive"] and expected["abroad"] and expected["missed"]
    figures = figures_for(EVERYTHING, narrowed={}, since=since, until=until, by=["instrument"])
    for total in (figures.total, sum_of(figures.rows)):
        minutes = total.minutes
        assert expected == {
            "total": minutes.total,
            "productive": minutes.productive,
            "unscheduled": minutes.unscheduled_down,
            "scheduled": minutes.scheduled_down,
            "engineering": minutes.engineering,
            "standby": minutes.standby,
            "missed": minutes.no_show,
            "rest": minutes.non_scheduled,
            "others": total.other_organisations,
            "abroad": total.other_regions,
        }
    admin = User.objects.create_user("admin@example.org")
    role_grant(By(PLATFORM, NOW), user=admin, role="administrator")
    client.force_login(admin)
    asked = {"since": since.isoformat(), "until": until.isoformat()}
    page = client.get("/hours/", asked).content.decode()
    assert f'data-minutes="{expected["productive"]}"' in page
    # A number opens the days it is the sum of.
    for state, name in (("productive", "productive"), ("unscheduled_down", "unscheduled")):
        days = client.get("/hours/days/", asked | {"state": state}).content.decode()
        assert f'data-sum="{expected[name]}"' in days
    days = client.get("/hours/days/", asked | {"payer_region": world.there.code}).content.decode()
    assert f'data-sum="{expected["abroad"]}"' in days
    # And the file says the same, with what was asked and what it means.
    answer = client.get("/hours/download/", asked | {"by": "instrument"})
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    cells = [dict(zip(rows[0], row, strict=True)) for row in rows[1:3]]
    assert sum(int(row["productive_minutes"]) for row in cells) == expected["productive"]
    assert ["from", "2026-03-01"] in rows
    assert any(row[:1] == ["mttr_hours"] for row in rows[3:])
    book = openpyxl.load_workbook(
        io.BytesIO(client.get("/hours/download/", asked | {"format": "xlsx"}).getvalue())
    )
    assert book.sheetnames == ["figures", "filters", "definitions"]


def sum_of(rows):
    first, *others = rows
    for row in others:
        first = first.plus(row)
    return first


def test_the_days_of_a_number_are_written_as_a_file_by_a_worker(world, client: Client):
    admin = User.objects.create_user("admin@example.org")
    role_grant(By(PLATFORM, NOW), user=admin, role="administrator")
    client.force_login(admin)
    name = '=HYPERLINK("x")'
    Instrument.objects.update(name=name)
    asked = "?table=days&state=productive&since=2026-03-01&until=2026-04-01&format=csv"
    assert client.post(f"/hours/exports/new/{asked}").status_code == 302
    job = HoursExport.objects.get()
    assert (job.state, job.rows_done) == ("waiting", 0)
    assert client.get(f"/hours/exports/{job.pk}/").status_code == 409
    assert exports_work(now=NOW) == 1
    assert exports_work(now=NOW) == 0
    job.refresh_from_db()
    assert (job.state, job.rows_done) == ("done", job.rows_total)
    answer = client.get(f"/hours/exports/{job.pk}/")
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert {row[2][0] for row in rows[1 : job.rows_done + 1]} == {"'"}  # no formula
    expected = counted(world, date(2026, 3, 1), date(2026, 4, 1))["productive"]
    at = rows[0].index("productive_minutes")
    assert sum(int(row[at]) for row in rows[1 : job.rows_done + 1]) == expected
    other = User.objects.create_user("other@example.org")
    client.force_login(other)
    assert client.get(f"/hours/exports/{job.pk}/").status_code == 404


def test_months_say_what_their_days_say(world):
    def read(by, since, until, **values):
        return hours(
            instruments=Instrument.objects.all(), since=since, until=until, by=by, **values
        )

    for span in (
        (date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 2, 23), date(2026, 4, 2)),
        (date(2026, 3, 2), date(2026, 3, 9)),
    ):
        for by in ([], ["region"], ["facility", "month"], ["organisation", "year"]):
            assert read(by, *span, facilities=Facility.objects.all()) == read(by, *span), (span, by)


def test_months_follow_what_changes(world):
    """A correction, an instrument that moves to another facility, one that gets its own norm."""
    pk = next(iter(world.instruments))
    instrument = Instrument.objects.get(pk=pk)
    elsewhere = Facility.objects.create(
        organisation=world.stranger, name="Elsewhere", time_zone="UTC"
    )
    session = UsageSession.objects.filter(instrument=pk).first()
    span = {"start": session.checked_in_at, "end": session.checked_out_at}
    session.delete()
    days_mark_dirty(instrument_id=pk, **span)
    Instrument.objects.filter(pk=pk).update(
        facility=elsewhere, organisation=world.stranger, region=world.there, norm_hours=100
    )
    hours_roll_up(since=None, until=None, now=NOW)
    assert instrument.facility_id != elsewhere.pk
    both = {
        facilities is None: figures(facilities) for facilities in (None, Facility.objects.all())
    }
    assert both[True] == both[False]
    (moved,) = [row for row in both[True] if row.keys["facility"] == str(elsewhere.pk)]
    assert moved.norm == 2 * 100 * 60  # two units, a whole year


def figures(facilities):
    from bookings.hours.selectors.norms import load_norms

    return hours(
        instruments=Instrument.objects.all(),
        facilities=facilities,
        since=date(2026, 1, 1),
        until=date(2027, 1, 1),
        by=["facility"],
        norms=load_norms("nrii"),
    )


def test_a_norm_of_next_year_leaves_this_year_as_it_was(world):
    def utilisation(year):
        found = figures_for(
            EVERYTHING, narrowed={}, since=date(year, 1, 1), until=date(year + 1, 1, 1), by=[]
        )
        return found.total and found.total.ratios["norm_utilisation"]

    before = utilisation(2026)
    assert before == str(
        (Decimal(counted(world, FIRST, NOW.date())["productive"]) / (3 * 1400 * 60)).quantize(
            Decimal("0.0001")
        )
    )
    norm_add(
        By(PLATFORM, NOW),
        scheme="nrii",
        kind="general",
        hours=700,
        valid_from=date(2027, 1, 1),
        reason="",
    )
    assert utilisation(2026) == before
    norm_add(
        By(PLATFORM, NOW),
        scheme="nrii",
        kind="general",
        hours=700,
        valid_from=date(2026, 1, 1),
        reason="",
    )
    assert utilisation(2026) != before
