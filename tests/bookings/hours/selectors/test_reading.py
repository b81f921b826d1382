"""Numbers on the dashboard are those of the raw rows, counted minute by minute by a second way
that shares nothing with the first; and those of months are those of their days."""

import csv
import io
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median as median_of
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.db import transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from accounts.domain.roles import ADMINISTRATOR, PLATFORM, Actor, By, Grant
from accounts.models import User
from accounts.services.memberships import role_grant
from accounts.trail import record
from bookings import models
from bookings.hours.selectors.bookings import _median, booking_figures, booking_rows
from bookings.hours.selectors.hours import hours
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.reading import figures_for
from bookings.hours.selectors.scope import scope_for
from bookings.hours.selectors.sums import Kept
from bookings.hours.services.hours import days_mark_dirty, hours_roll_up
from bookings.hours.services.norms import norm_add
from bookings.statistics.selectors.flows import flows
from bookings.statistics.selectors.payers import payers
from bookings.statistics.selectors.tables import TableQuery, day_sums_kept
from bookings.statistics.services.exports import exports_work
from instruments.register.models import Facility, Instrument, PastHost
from instruments.vocabulary.models import Technique
from tests.factories.hours import ALWAYS, OFFICE, HoursWorld, local, stored

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
        for kind in models.Closure.Kind.values:
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
    sessions = models.UsageSession.objects.values_list(
        "instrument", "unit", "checked_in_at", "checked_out_at",
        "reservation__organisation", "reservation__payer_region", "id",
    )  # fmt: skip
    for pk, (zone, opens, units) in world.instruments.items():
        tz = ZoneInfo(zone)
        own = sorted((s for s in sessions if s[0] == pk), key=lambda s: (s[2], s[6]))
        closures = [
            (c.kind, whole(c.start_at), whole(c.end_at)) for c in models.Closure.objects.filter(instrument=pk)
        ]
        missed = [
            (r.unit, whole(r.start_at), whole(r.end_at))
            for r in models.Reservation.objects.filter(instrument=pk, state="no_show")
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
                rule["weekday"] == wall.isoweekday() and rule["opens"] <= f"{wall:%H:%M}" < rule["closes"]
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
    job = models.HoursExport.objects.get()
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
        return hours(instruments=Instrument.objects.all(), since=since, until=until, by=by, **values)

    for span in (
        (date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 2, 23), date(2026, 4, 2)),
        (date(2026, 3, 2), date(2026, 3, 9)),
    ):
        for by in ([], ["region"], ["facility", "month"], ["organisation", "year"]):
            assert read(by, *span, facilities=Facility.objects.all()) == read(by, *span), (span, by)


SPANS = (
    (date(2026, 1, 1), date(2027, 1, 1)),
    (date(2026, 3, 1), date(2026, 4, 1)),
    (date(2026, 2, 23), date(2026, 4, 2)),
    (date(2025, 12, 1), date(2026, 4, 1)),
    (date(2026, 3, 2), date(2026, 3, 9)),
)
GROUPINGS: tuple[list[str], ...] = (
    [], ["technique"], ["instrument"], ["instrument", "month"], ["technique", "year"],
    ["region", "week"], ["organisation", "day"], ["facility", "year"], ["region", "technique"],
)  # fmt: skip
BY_DAYS = Kept(is_filled=False, has_moves=True, is_last=False, is_newest=False)


def same_as_days():
    """Every grouping of every span from the sums says what its days say; of facilities, too."""
    chosen = {"instruments": Instrument.objects.all(), "norms": load_norms("nrii")}
    for since, until in SPANS:
        for by in GROUPINGS:
            of = chosen | {"since": since, "until": until, "by": by}
            expected = hours(**of, kept=BY_DAYS)
            assert hours(**of) == expected, (since, until, by)
            assert hours(**of, facilities=Facility.objects.all()) == expected, (since, until, by)


def with_techniques():
    techniques = [Technique.objects.create(code=f"T{n}", name=f"technique {n}") for n in (1, 2)]
    for instrument, some in zip(Instrument.objects.order_by("pk"), (1, 2), strict=True):
        instrument.techniques.set(techniques[:some])


def test_all_sums_say_what_their_days_say(world):
    with_techniques()
    same_as_days()


@pytest.mark.parametrize("day", [date(2026, 3, 10), date(2026, 3, 1), date(2026, 4, 1)])
def test_sums_count_for_the_host_of_each_day(world, day):
    with_techniques()
    first = Instrument.objects.order_by("pk")[0]
    for host, region, since, until in (
        (world.neighbour, world.here, None, date(2026, 2, 25)),
        (world.stranger, world.there, date(2026, 2, 25), day),
    ):
        PastHost.objects.create(
            instrument=first, organisation=host, region=region, from_date=since, until_date=until
        )
    hours_roll_up(since=None, until=None, now=NOW)
    same_as_days()
    rows = hours(
        instruments=Instrument.objects.all(),
        facilities=Facility.objects.all(),
        since=date(2026, 1, 1),
        until=date(2027, 1, 1),
        by=["organisation"],
    )
    assert {row.keys["organisation"] for row in rows} == {
        world.host.code, world.neighbour.code, world.stranger.code
    }  # fmt: skip
    expected = flow_values()
    models.RollUp.objects.update(is_summed=False)
    assert flow_values() == expected


def flow_values():
    matrix = flows(EVERYTHING, since=date(2026, 2, 1), until=date(2026, 5, 1), measure="hours")
    return [(cell.payer, cell.host, cell.value, cell.organisations) for cell in matrix.cells]


def test_until_an_upgrade_has_filled_the_sums_days_are_read(world):
    scope = scope_for(EVERYTHING, {})
    span = {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}

    def read():
        return (
            figures_for(EVERYTHING, narrowed={}, by=["region"], **span).rows,
            payers(scope, by=["price_group", "organisation"], least=3, **span),
            booking_figures(scope, **span),
            flow_values(),
        )

    expected, kept = read(), stored()
    assert expected[2].booked == 0  # these were never confirmed
    sums = (
        models.FacilityDay,
        models.FacilityMonth,
        models.FacilityUse,
        models.InstrumentMonth,
        models.InstrumentYear,
    )
    for model in sums:
        model.objects.all().delete()
    models.RollUp.objects.update(is_summed=False)  # as the migration leaves it
    assert read() == expected
    hours_roll_up(since=None, until=None, now=NOW)
    assert not models.RollUp.objects.filter(is_summed=False).exists()
    assert stored() == kept
    assert read() == expected


def test_whole_months_are_read_without_any_day(world, django_assert_num_queries):
    """Where days are spoiled behind the roll-up, the figures of whole months stay."""
    span = {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}
    scope = scope_for(EVERYTHING, {})

    def read():
        return [
            [row.minutes for row in figures_for(EVERYTHING, narrowed={}, by=by, **span).rows]
            for by in (["region"], ["technique"], ["instrument"], ["region", "week"])
        ] + [payers(scope, by=["price_group"], least=3, **span), flow_values()]

    before = read()
    models.InstrumentDay.objects.all().delete()
    models.InstrumentDayUse.objects.all().delete()
    assert read() == before


# Bookings


def test_payers_up_to_the_newest_day_are_read_from_months(world):
    """The month that has begun counts as whole; with a day of it left out days are read."""
    scope, newest = scope_for(EVERYTHING, {}), models.RollUp.objects.latest("until_date").until_date
    assert newest.day > 2

    def read(until, of=scope):
        span = {"since": date(2026, 3, 1), "until": until, "least": 3}
        return payers(of, by=["price_group", "organisation"], **span)

    by_days = replace(scope, facilities=None)
    untils = [newest - timedelta(days=n) for n in range(-1, 3)]
    before = [read(until) for until in untils]
    assert before == [read(until, by_days) for until in untils]
    models.InstrumentDayUse.objects.filter(date__gte=newest.replace(day=1)).delete()
    assert [read(until) for until in untils[:2]] == before[:2]


def confirmed(world, minutes_ahead):
    """Bookings of March, each asked for so many minutes ahead."""
    instrument = Instrument.objects.order_by("pk")[0]
    for n, minutes in enumerate(minutes_ahead):
        start = datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + timedelta(hours=3 * n)
        row = world.reservation(instrument, start, start + timedelta(hours=1), state="completed")
        asked = start - timedelta(minutes=minutes, seconds=-20)
        models.Reservation.objects.filter(pk=row.pk).update(requested_at=asked, confirmed_at=asked)
    models.RollUp.objects.update(is_summed=False)
    hours_roll_up(since=None, until=None, now=NOW)


@pytest.mark.parametrize(
    ("minutes", "median"),
    [
        ([], None),
        ([121], Decimal("2.0")),
        ([121, 5000], Decimal("42.7")),
        ([40, 121, 5000, 90_000, 31, 33], Decimal("1.3")),
        ([7000] * 3 + [7001] * 2, Decimal("116.7")),
        ([-600, 121], Decimal("2.0")),
    ],
)
def test_the_median_of_the_sums_is_that_of_the_bookings(world, minutes, median):
    confirmed(world, minutes)
    scope = scope_for(EVERYTHING, {})
    single = replace(scope, facilities=None)
    for span in SPANS:
        days = dict(zip(("since", "until"), span, strict=True))
        assert booking_figures(scope, **days) == booking_figures(single, **days), span
    of_march = booking_figures(scope, since=date(2026, 3, 1), until=date(2026, 4, 1))
    assert (of_march.booked, of_march.lead_hours) == (len(minutes), median)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 130_000), min_size=1, max_size=40), st.integers(0, 3))
def test_the_median_looked_up_in_groups_is_the_median(leads, step):
    leads = [lead // 10**step for lead in leads]

    def counted(width, low, high):
        return Counter(lead // width for lead in leads if low <= lead and (high is None or lead < high))

    assert _median(counted) == median_of(leads)


def test_months_of_bookings_follow_the_trail(world):
    confirmed(world, [60, 60])
    scope = scope_for(EVERYTHING, {})
    span = {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}
    row = models.Reservation.objects.filter(confirmed_at__isnull=False).order_by("start_at")[0]
    later = NOW + timedelta(hours=1)
    models.Reservation.objects.filter(pk=row.pk).update(
        state="cancelled", ended_at=row.start_at - timedelta(hours=2)
    )
    with transaction.atomic():
        record(By(PLATFORM, later), "reservation.cancel", row)
    assert booking_figures(scope, **span).cancelled_late == 0
    hours_roll_up(since=None, until=None, now=later)
    after = booking_figures(scope, **span)
    assert (after.booked, after.cancelled, after.cancelled_late_minutes) == (2, 1, 60)
    assert hours_roll_up(since=None, until=None, now=later).changed == 0


# Pages, files and what is too much


def test_hours_by_instrument_come_in_pages(world, client: Client, monkeypatch):
    monkeypatch.setattr("bookings.statistics.views.hours.PER_PAGE", 1)
    admin = User.objects.create_user("admin@example.org")
    role_grant(By(PLATFORM, NOW), user=admin, role="administrator")
    client.force_login(admin)
    asked = {"since": "2026-03-01", "until": "2026-04-01", "by": "instrument"}
    total = counted(world, date(2026, 3, 1), date(2026, 4, 1))["productive"]
    names = []
    for page in ("", "2", "99", "x"):
        answer = client.get("/hours/", asked | {"page": page})
        assert answer.status_code == 200
        assert answer.context["total"].minutes.productive == total
        names.append([row.names["instrument"][0] for row in answer.context["rows"]])
    assert names == [["America/Chicago"], ["Asia/Shanghai"], ["Asia/Shanghai"], ["America/Chicago"]]
    assert 'rel="next"' in client.get("/hours/", asked).content.decode()
    answer = client.get("/hours/download/", asked)
    assert answer.streaming
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    at = rows[0].index("productive_minutes")
    assert [row[1] for row in rows[1:3]] == ["America/Chicago", "Asia/Shanghai"]
    assert sum(int(row[at]) for row in rows[1:3]) == total


def test_weeks_show_the_first_groups_and_count_the_others(world, client: Client, monkeypatch):
    monkeypatch.setattr("bookings.statistics.views.hours.MOST_LINES", 1)
    admin = User.objects.create_user("admin@example.org")
    role_grant(By(PLATFORM, NOW), user=admin, role="administrator")
    client.force_login(admin)
    asked = {"since": "2026-03-01", "until": "2026-04-01", "by": "instrument"}
    page = client.get("/hours/weeks/", asked)
    assert [line["name"] for line in page.context["lines"]] == ["America/Chicago"]
    assert page.context["left_out"] == 1


def test_too_many_days_of_instruments_are_refused_before_any_is_read(world, monkeypatch):
    monkeypatch.setattr("bookings.hours.selectors.reading.MOST_DAYS", 60)
    monkeypatch.setattr("bookings.hours.selectors.sums.MOST_DAYS", 60)
    march = {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}
    scope = scope_for(EVERYTHING, {})
    for read in (
        lambda: figures_for(EVERYTHING, narrowed={}, by=["technique", "week"], **march),
        lambda: payers(replace(scope, facilities=None), by=["price_group"], least=3, **march),
        lambda: booking_figures(replace(scope, facilities=None), **march),
        lambda: flows(EVERYTHING, measure="users", **march),
        lambda: booking_rows(EVERYTHING, scope.instruments, counted="booked", most=1, **march),
    ):
        with pytest.raises(Invalid) as refused:
            read()
        assert [problem.code for problem in refused.value.problems] == ["too-many-days"]
    assert figures_for(EVERYTHING, narrowed={}, by=["technique"], **march).rows
    assert figures_for(EVERYTHING, narrowed={}, by=["region", "week"], **march).rows
    assert day_sums_kept(scope, TableQuery(narrowed={}, **march)).days is None


def test_months_follow_what_changes(world):
    """A correction, an instrument that moves to another facility, one that gets its own norm."""
    pk = next(iter(world.instruments))
    instrument = Instrument.objects.get(pk=pk)
    elsewhere = Facility.objects.create(organisation=world.stranger, name="Elsewhere", time_zone="UTC")
    session = models.UsageSession.objects.filter(instrument=pk).first()
    span = {"start": session.checked_in_at, "end": session.checked_out_at}
    session.delete()
    days_mark_dirty(instrument_id=pk, **span)
    Instrument.objects.filter(pk=pk).update(
        facility=elsewhere, organisation=world.stranger, region=world.there, norm_hours=100
    )
    hours_roll_up(since=None, until=None, now=NOW)
    assert instrument.facility_id != elsewhere.pk
    both = {facilities is None: figures(facilities) for facilities in (None, Facility.objects.all())}
    assert both[True] == both[False]
    (moved,) = [row for row in both[True] if row.keys["facility"] == str(elsewhere.pk)]
    days = (NOW.date() - FIRST).days
    assert moved.norm == round(2 * days * 100 * 60 / 365)  # two units


def figures(facilities):
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
        (
            Decimal(counted(world, FIRST, NOW.date())["productive"])
            / round(3 * (NOW.date() - FIRST).days * 1400 * 60 / 365)
        ).quantize(Decimal("0.0001"))
    )
    norm_add(
        By(PLATFORM, NOW), scheme="nrii", kind="general", hours=700, valid_from=date(2027, 1, 1), reason=""
    )
    assert utilisation(2026) == before
    norm_add(
        By(PLATFORM, NOW), scheme="nrii", kind="general", hours=700, valid_from=date(2026, 1, 1), reason=""
    )
    assert utilisation(2026) != before
