"""One norm, whoever asks: hours, exceptions, alarms, comparisons and the auditor's first page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.roles import ADMINISTRATOR, Actor, Grant
from bookings.audit.domain import audit
from bookings.audit.selectors.hits import norm_hits
from bookings.board.services.alarms import alarms_review
from bookings.hours.domain.norms import Offered, norm_minutes
from bookings.hours.models import NormHours, RollUp
from bookings.hours.selectors.norms import NORM_MINUTES, load_norms, steps_json
from bookings.hours.selectors.reading import figures_for, use_by_region
from bookings.hours.selectors.sums import load_offered
from bookings.hours.services.hours import hours_roll_up
from bookings.models import IdleAlarm
from bookings.reviews.selectors.comparison import _norm
from instruments.opening.models import ScheduleAssignment
from instruments.register.models import Instrument, PastHost
from tests.factories.hours import HoursWorld

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
YEAR = (date(2025, 4, 1), TODAY)
EVERYTHING = Actor(user_id=None, grants=(Grant(ADMINISTRATOR),))


@pytest.fixture
def world(db: None) -> HoursWorld:
    """An instrument in service for 200 days, and one that was retired after 100."""
    world = HoursWorld(NOW)
    values = {"publication": "published", "published_at": NOW - timedelta(days=400)}
    since = TODAY - timedelta(days=200)
    world.one = world.instrument(since=since, units=2, **values)  # type: ignore[attr-defined]
    world.other = world.instrument(  # type: ignore[attr-defined]
        since=since, until=since + timedelta(days=100), norm_hours=730, publication="retired"
    )
    for hour in range(40):
        start = NOW - timedelta(days=9 + hour)
        world.session(world.one, start, start + timedelta(hours=5))  # type: ignore[attr-defined]
    hours_roll_up(since=None, until=None, now=NOW)
    return world


def read(by: list[str], since: date, until: date) -> list[Any]:
    return figures_for(EVERYTHING, narrowed={}, since=since, until=until, by=by).rows


def test_the_same_share_whatever_end_is_named(world: HoursWorld) -> None:
    shares = {
        row.ratios["norm_utilisation"]
        for until in (TODAY, date(2026, 5, 1), date(2027, 1, 1), date(2028, 1, 1))
        for row in read(["instrument"], date(2025, 1, 1), until)
        if row.keys["instrument"] == str(world.one.pk)  # type: ignore[attr-defined]
    }
    norm = 2 * 200 * 1400 / 365
    assert shares == {f"{200 / norm:.4f}"}


def test_days_before_service_and_after_it_do_not_count(world: HoursWorld) -> None:
    norms = {
        row.keys["instrument"]: row.norm for row in read(["instrument"], date(2025, 1, 1), date(2027, 1, 1))
    }
    assert norms == {
        str(world.one.pk): round(2 * 200 * 1400 * 60 / 365),  # type: ignore[attr-defined]
        str(world.other.pk): 100 * 730 * 60 // 365,  # type: ignore[attr-defined]
    }
    (whole,) = read([], date(2025, 1, 1), date(2027, 1, 1))
    assert abs(whole.norm - sum(norms.values())) <= 1
    by_day = read(["day"], date(2025, 1, 1), date(2027, 1, 1))
    assert abs(whole.norm - sum(row.norm for row in by_day)) <= len(by_day)


def test_all_who_ask_are_told_the_same(world: HoursWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    one = world.one  # type: ignore[attr-defined]
    (row,) = [r for r in read(["instrument"], *YEAR) if r.keys["instrument"] == str(one.pk)]
    assert row.norm == round(2 * 200 * 1400 * 60 / 365)
    found = []
    monkeypatch.setattr(audit, "hours_far_from_norm", lambda **values: found.append(values) or {"percent": 1})
    assert [hit.rule for hit in norm_hits(NOW)] == ["hours-far-from-norm"]
    assert found == [{"effective": 200 * 60, "norm": row.norm, "days": 200}]
    alarms_review(now=NOW)
    (alarm,) = IdleAlarm.objects.filter(instrument=one, kind__in=["idle", "under_used"])
    assert alarm.figures["norm_minutes"] == row.norm
    assert _norm([one.pk], *YEAR) == {one.pk: row.norm}
    (region,) = use_by_region(EVERYTHING, since=YEAR[0], until=YEAR[1])
    (same,) = read(["region"], *YEAR)
    assert region.norm == same.norm


def test_days_count_for_the_host_of_the_day(world: HoursWorld) -> None:
    PastHost.objects.create(
        instrument=world.one,  # type: ignore[attr-defined]
        organisation=world.stranger,
        region=world.there,
        from_date=None,
        until_date=TODAY - timedelta(days=50),
    )
    norms = {row.keys["region"]: row.norm for row in read(["region"], *YEAR)}
    assert norms[world.there.code] == round(2 * 150 * 1400 * 60 / 365)


spans = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 500), st.booleans()), min_size=1, max_size=4)
plans = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["general", "dedicated"]),
            "own": st.none() | st.integers(0, 8784),
            "spans": spans,
            "rolled": st.integers(0, 900),
        }
    ),
    min_size=1,
    max_size=3,
)
FIRST = date(2023, 11, 1)


@settings(max_examples=40, deadline=None)
@given(
    plans=plans,
    entered=st.lists(st.tuples(st.integers(0, 800), st.integers(1, 8784)), max_size=3),
    begins=st.integers(0, 500),
    length=st.integers(1, 700),
)
def test_the_statement_says_what_the_rule_says(
    world: HoursWorld, plans: Any, entered: Any, begins: int, length: int
) -> None:
    with transaction.atomic():
        since = FIRST + timedelta(days=begins)
        until = since + timedelta(days=length)
        for day, hours in dict(entered).items():
            NormHours.objects.create(
                scheme="nrii", kind="general", hours=hours, reason="",
                valid_from=FIRST + timedelta(days=day), entered_by=None, entered_at=NOW,
            )  # fmt: skip
        expected = {}
        norms = load_norms("nrii")
        for plan in plans:
            row = world.instrument(since=FIRST, kind=plan["kind"], norm_hours=plan["own"])
            ScheduleAssignment.objects.filter(instrument=row).delete()
            rolled, day, offered = FIRST + timedelta(days=plan["rolled"]), FIRST, []
            for n, (units, days, is_offered) in enumerate(plan["spans"]):
                is_last = n == len(plan["spans"]) - 1
                ended = day + timedelta(days=days + 1)
                ScheduleAssignment.objects.create(
                    instrument=row, schedule=row.schedule if is_offered else None, units=units,
                    from_date=day, until_date=None if is_last else ended,
                )  # fmt: skip
                if is_offered:
                    name = row.kind if plan["own"] is None else str(plan["own"])
                    last = rolled if is_last else min(rolled, ended)
                    offered.append(Offered(name, units, day, last))
                day = ended
            RollUp.objects.create(instrument=row, until_date=rolled)
            expected[row.pk] = norm_minutes(offered, norms, since, until)
        read = load_offered(Instrument.objects.all(), since, until, ["instrument"])
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH {NORM_MINUTES} SELECT * FROM norms", {"norm_steps": steps_json(norms, since, until)}
            )
            by_statement = dict(cursor.fetchall())
        for pk, minutes in expected.items():
            assert by_statement.get(pk, 0) == minutes
            assert norm_minutes(read.get((pk,), []), norms) == minutes
        transaction.set_rollback(True)
