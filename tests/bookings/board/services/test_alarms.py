"""Alarms are raised, answered, risen and cleared."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage, TrailEntry
from accounts.models.keys import new_id
from bookings.board.domain.alarms import Facts, alarms_of
from bookings.board.selectors.alarms import alarms_to_answer, load_asked
from bookings.board.services import alarms
from bookings.board.services.alarms import alarm_answer, alarms_review, threshold_add
from bookings.board.services.enquiries import enquiry_close, enquiry_withdraw
from bookings.models import IdleAlarm, InstrumentMonth, Reservation, UnmetDemand, UsageSession
from bookings.overview.services.effects import effects_carry_out
from instruments.register.models import Instrument
from tests.factories.board import enquiry_of
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.on_offer import on_offer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = NOW.date()
SUMS = (
    "total", "open", "productive", "unscheduled_down", "scheduled_down", "engineering", "standby",
    "no_show", "non_scheduled", "other_organisations", "other_regions",
)  # fmt: skip


def published_long_ago(instrument: Instrument, **values: Any) -> None:
    given = {"published_at": NOW - 500 * DAY, "acquisition_date": date(2024, 1, 1)} | values
    Instrument.objects.filter(pk=instrument.pk).update(**given)


def hours(instrument: Instrument, productive: int, external: int = 0) -> None:
    month = (TODAY.replace(day=1) - DAY).replace(day=1)
    total = 1_000_000
    given = dict.fromkeys((f"{name}_minutes" for name in SUMS), 0)
    given |= {"productive_minutes": productive, "other_organisations_minutes": external}
    given |= {"total_minutes": total, "non_scheduled_minutes": total - productive}
    InstrumentMonth.objects.create(instrument=instrument, month=month, breakdowns=0, sessions=1, **given)
    on_offer(instrument, TODAY)


def session(cast: Cast, instrument: Instrument, days: int) -> None:
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    at = NOW - days * DAY
    UsageSession.objects.create(
        reservation=row,
        instrument=instrument,
        checked_in_at=at,
        checked_out_at=at + timedelta(hours=1),
        service_mode="self",
    )


def demand(cast: Cast, number: int, *, days: int = 1, who: str = "hu", **values: Any) -> None:
    organisation = {"hu": cast.optics, "wang": cast.fudan, "sun": cast.ustc}[who]
    UnmetDemand.objects.bulk_create(
        UnmetDemand(
            kind="search",
            user=cast.people[who],
            organisation=organisation,
            region=organisation.region,
            technique=values.get("technique", cast.technique),
            query=f"{new_id()}",
            minutes=60,
            wanted_from=NOW,
            wanted_until=NOW + DAY,
            on_date=TODAY - days * DAY,
            created_at=NOW - days * DAY,
        )
        for _ in range(number)
    )


@pytest.fixture
def idle(cast: Cast) -> IdleAlarm:
    """The microscope was used for an hour in twelve months, the last time yesterday."""
    published_long_ago(cast.microscope)
    session(cast, cast.microscope, 1)
    hours(cast.microscope, 60)
    OutboxMessage.objects.all().delete()
    alarms_review(now=NOW)
    return IdleAlarm.objects.get()


def acts() -> list[str]:
    rows = TrailEntry.objects.filter(object_type="idlealarm").order_by("at", "id")
    return list(rows.values_list("action", flat=True))


def answer(cast: Cast, row: IdleAlarm, who: str = "zhao", **values: Any) -> IdleAlarm:
    given = {"reason": "repair", "due_date": TODAY + 30 * DAY} | values
    return alarm_answer(By(cast.actor(who), NOW + DAY), alarm_id=row.pk, **given)


def test_more_alarms_than_a_statement_takes_are_raised_and_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "PART", 2)
    for n in range(5):
        published_long_ago(cast.instrument(name=f"Idle {n}"))
    raised = alarms_review(now=NOW)
    assert raised >= 5
    assert acts() == ["alarm.raise"] * raised
    effects_carry_out(now=NOW)
    assert Message.objects.filter(kind="alarm.raised").count() == 1


def test_an_alarm_is_raised_once_and_cleared_when_its_cause_is_gone(cast: Cast, idle: IdleAlarm) -> None:
    assert (idle.kind, idle.state, idle.figures["productive_minutes"]) == ("idle", "open", 60)
    assert (idle.figures["norm_minutes"], idle.figures["used_on"]) == (84_000, str(TODAY - DAY))
    assert alarms_review(now=NOW + DAY) == 0
    effects_carry_out(now=NOW + DAY)
    told = Message.objects.get(kind="alarm.raised")
    assert told.user == cast.zhao and cast.microscope.name in told.text
    InstrumentMonth.objects.update(
        productive_minutes=60_000, other_organisations_minutes=60_000, non_scheduled_minutes=940_000
    )
    assert alarms_review(now=NOW + 2 * DAY) == 1
    idle.refresh_from_db()
    assert (idle.state, idle.cleared_at) == ("cleared", NOW + 2 * DAY)
    assert acts() == ["alarm.raise", "alarm.clear"]
    with pytest.raises(WrongState):
        alarm_answer(
            By(cast.actor("zhao"), NOW + 3 * DAY), alarm_id=idle.pk, reason="repair", due_date=TODAY + 9 * DAY
        )


def test_the_owner_answers_and_is_asked_anew(cast: Cast, idle: IdleAlarm) -> None:
    assert list(alarms_to_answer(cast.actor("zhao"), NOW)) == [idle]
    row = answer(cast, idle, reason="full")
    assert (row.state, row.is_contradicted, row.answered_by) == ("answered", True, cast.zhao)
    assert not alarms_to_answer(cast.actor("zhao"), NOW).exists()
    assert alarms_review(now=NOW + 30 * DAY) == 0
    assert alarms_review(now=NOW + 32 * DAY) == 1
    row.refresh_from_db()
    assert (row.state, row.asked_at) == ("open", NOW + 32 * DAY)
    assert acts() == ["alarm.raise", "alarm.answer", "alarm.reopen"]


def test_without_an_answer_it_rises_to_the_region(cast: Cast, idle: IdleAlarm) -> None:
    OutboxMessage.objects.all().delete()
    assert alarms_review(now=NOW + 60 * DAY) == 0
    assert not alarms_to_answer(cast.actor("coordinator"), NOW).exists()
    alarms_review(now=NOW + 61 * DAY)
    idle.refresh_from_db()
    assert idle.state == "risen"
    assert list(alarms_to_answer(cast.actor("coordinator"), NOW)) == [idle]
    effects_carry_out(now=NOW + 61 * DAY)
    assert {m.user for m in Message.objects.filter(kind="alarm.risen")} == {cast.coordinator}
    assert answer(cast, idle).state == "answered"


@pytest.mark.parametrize(
    ("who", "values", "refusal"),
    [
        ("coordinator", {}, NotPermitted),
        ("auditor", {}, NotPermitted),
        ("chen", {}, NotFound),
        ("xu", {}, NotFound),
        ("sun", {}, NotFound),
        ("zhao", {"reason": "tired"}, Invalid),
        ("zhao", {"reason": "other"}, Invalid),
        ("zhao", {"due_date": TODAY}, Invalid),
        ("zhao", {"note": "x" * 1001}, Invalid),
    ],
)
def test_what_is_refused_writes_nothing(
    cast: Cast, idle: IdleAlarm, who: str, values: Any, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        answer(cast, idle, who, **values)
    idle.refresh_from_db()
    assert (idle.state, idle.version, acts()) == ("open", 1, ["alarm.raise"])


def test_two_answers_at_once_leave_one(cast: Cast, idle: IdleAlarm) -> None:
    answer(cast, idle)
    by = By(cast.actor("zhao"), NOW + DAY, 1)
    with pytest.raises(WrongVersion):
        alarm_answer(by, alarm_id=idle.pk, reason="full", due_date=TODAY + 9 * DAY)


def test_a_region_has_thresholds_of_its_own(cast: Cast, idle: IdleAlarm) -> None:
    given: dict[str, Any] = {"parameter": "idle_percent", "value": 0, "valid_from": TODAY}
    for who, region in (("xu", cast.anhui), ("zhao", cast.anhui), ("coordinator", None)):
        with pytest.raises(NotPermitted):
            threshold_add(By(cast.actor(who), NOW), region=region, source="Circular 12", **given)
    by = By(cast.actor("coordinator"), NOW)
    with pytest.raises(Invalid):
        threshold_add(by, region=cast.anhui, source=" ", **given)
    threshold_add(by, region=cast.anhui, source="Circular 12", **given)
    with pytest.raises(Invalid):
        threshold_add(by, region=cast.anhui, source="Circular 12", **given)
    alarms_review(now=NOW + DAY)
    assert set(IdleAlarm.objects.values_list("kind", "state")) == {
        ("idle", "cleared"), ("under_used", "open"),
    }  # fmt: skip


def test_demand_within_reach_counts_and_that_of_the_owner_does_not(cast: Cast) -> None:
    published_long_ago(cast.microscope)
    session(cast, cast.microscope, 1)
    hours(cast.microscope, 60)
    demand(cast, 9, who="sun")
    demand(cast, 9, who="wang")  # Shanghai shares no agreement with Anhui
    demand(cast, 9, days=90)
    demand(cast, 2)
    alarms_review(now=NOW)
    assert IdleAlarm.objects.get().figures["asked"] == 2
    demand(cast, 1, days=89)
    alarms_review(now=NOW + timedelta(hours=1))
    assert set(IdleAlarm.objects.values_list("kind", flat=True)) == {"idle", "demand_idle"}


def test_enquiries_are_demand_and_one_that_was_not_met_counts_once(cast: Cast) -> None:
    published_long_ago(cast.microscope)
    session(cast, cast.microscope, 1)
    hours(cast.microscope, 60)
    enquiry_of(cast, "sun")  # the owner's own
    enquiry_of(cast, "wang")  # out of reach
    enquiry = enquiry_of(cast)
    withdrawn = enquiry_of(cast)
    enquiry_withdraw(By(cast.actor("hu"), NOW), enquiry_id=withdrawn.pk)
    demand(cast, 1)
    alarms_review(now=NOW)
    assert IdleAlarm.objects.get().figures["asked"] == 2
    enquiry_close(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk, reason="price")
    alarms_review(now=NOW + timedelta(hours=1))
    assert IdleAlarm.objects.get().figures["asked"] == 2


def test_open_days_since_the_last_session(cast: Cast) -> None:
    """Published 30 days ago, open on weekdays, and used on no day since."""
    Instrument.objects.update(published_at=NOW - 30 * DAY)
    threshold_add(
        By(cast.actor("admin"), NOW),
        parameter="idle_open_days",
        value=10,
        valid_from=TODAY,
        source="test",
        region=None,
    )
    alarms_review(now=NOW)
    assert IdleAlarm.objects.get().figures["open_days"] == 10
    session(cast, cast.microscope, 1)
    alarms_review(now=NOW + timedelta(hours=1))
    assert IdleAlarm.objects.get().state == "cleared"


def test_statements_do_not_grow_with_instruments(cast: Cast) -> None:
    def number(now: datetime) -> int:
        with transaction.atomic(), CaptureQueriesContext(connection) as caught:
            alarms_review(now=now)
            transaction.set_rollback(True)
        return len(caught)

    published_long_ago(cast.microscope)
    few = number(NOW)
    for n in range(4):
        published_long_ago(cast.instrument(name=f"Another {n}"))
    assert number(NOW) == few


instruments = st.lists(
    st.fixed_dictionaries(
        {
            "publication": st.sampled_from(["published", "draft", "suspended", "retired"]),
            "accepted": st.none() | st.integers(0, 400),
            "published": st.none() | st.integers(0, 500),
            "entered": st.integers(0, 500),
            "used": st.none() | st.integers(1, 400),
            "productive": st.integers(0, 90_000),
            "external": st.integers(0, 12_000),
            "norm": st.none() | st.integers(1, 2000),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(plans=instruments, wanted=st.integers(0, 4))
def test_the_statement_raises_what_the_rule_says(cast: Cast, plans: Any, wanted: int) -> None:
    with transaction.atomic():
        booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
        Instrument.objects.all().update(publication="retired")
        first = cast.microscope
        rows = {}
        for plan in plans:
            row = Instrument.objects.get(pk=first.pk)
            row.pk, row.short_code, row._state.adding = new_id(), None, True
            row.publication = plan["publication"]
            accepted, was = plan["accepted"], plan["published"]
            row.acquisition_date = None if accepted is None else TODAY - accepted * DAY
            if plan["publication"] in ("published", "suspended") and was is None:
                was = 0
            row.published_at = None if was is None else NOW - was * DAY
            row.created_at = NOW - plan["entered"] * DAY
            row.norm_hours = plan["norm"]
            row.save()
            row.techniques.set([cast.technique])
            hours(row, plan["productive"], min(plan["external"], plan["productive"]))
            rows[row.pk] = (row, plan, was)
            if plan["used"] is not None:
                one = Reservation.objects.get(pk=booked.pk)
                one.pk, one.instrument, one._state.adding = new_id(), row, True
                one.save()
                at = NOW - plan["used"] * DAY
                UsageSession.objects.create(
                    reservation=one, instrument=row, checked_in_at=at, service_mode="self"
                )
        demand(cast, wanted)
        asked = load_asked(NOW)
        since = asked.parameters["since"]
        alarms_review(now=NOW)
        raised: dict[Any, set[str]] = {pk: set() for pk in rows}
        for instrument, kind in IdleAlarm.objects.values_list("instrument_id", "kind"):
            raised[instrument].add(kind)
        for pk, (row, plan, was) in rows.items():
            norm = plan["norm"] or 1400
            facts = Facts(
                publication=row.publication,
                accepted_on=row.acquisition_date,
                published_on=None if was is None else TODAY - was * DAY,
                entered_on=TODAY - plan["entered"] * DAY,
                was_used=plan["used"] is not None,
                is_whole_year=was is not None and TODAY - was * DAY <= since,
                productive_minutes=plan["productive"],
                external_minutes=min(plan["external"], plan["productive"]),
                norm_minutes=norm * 60,
                open_days=0,  # without a schedule there are none
                asked=wanted,
            )
            region = cast.anhui.pk
            expected = alarms_of(facts, asked.limits[region], today=TODAY, late=asked.late[region])
            assert raised[pk] == expected
        transaction.set_rollback(True)
