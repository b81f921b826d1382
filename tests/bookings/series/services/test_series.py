"""Recurring bookings: made, moved and cancelled, one, those that follow, or all."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import to_period
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Quote, Reservation, Series, UnmetDemand
from bookings.pricing.selectors.charges import load_kept_parts
from bookings.pricing.selectors.fees import PriceRequest
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel
from bookings.series.domain.series import instant_of, wall_of
from bookings.series.selectors.series import load_series_cancellation, load_series_preview
from bookings.series.services.series import series_book, series_cancel
from bookings.series.services.series_moves import series_move
from tests.factories import kept_hours
from tests.factories.cast import NOW, at, reserve

# Mondays at ten, from the 9th of March on.
MONDAYS = "FREQ=WEEKLY;COUNT=4"
FIRST = ("2026-03-09 10:00", "2026-03-09 12:00")
DATES = [at(f"2026-03-{day} 10:00") for day in ("09", "16", "23", "30")]


def book(cast, *, who="wang", rule=MONDAYS, first=FIRST, on_conflict="refuse", now=NOW, **values):
    instrument = values.pop("instrument", cast.microscope)
    return series_book(
        By(cast.actor(who), now),
        booking=Booking(
            instrument_id=instrument.pk,
            period=Period(at(first[0]), at(first[1])),
            organisation=None,
            service_mode="self",
            **values,
        ),
        rule=rule,
        on_conflict=on_conflict,
    )


def preview(cast, *, who="wang", rule=MONDAYS, first=FIRST, instrument=None, now=NOW):
    return load_series_preview(
        cast.actor(who),
        (instrument or cast.microscope).pk,
        None,
        PriceRequest(Period(at(first[0]), at(first[1])), "self"),
        rule,
        now,
    )


def written():
    return (
        Series.objects.count(),
        Reservation.objects.count(),
        Occupancy.objects.count(),
        Quote.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__regex="^(series|reservation)").count(),
    )


def starts(series):
    rows = Reservation.objects.filter(series=series, state__in=["requested", "confirmed"])
    return list(rows.order_by("start_at").values_list("start_at", flat=True))


class TestBook:
    def test_each_date_is_a_booking_of_its_own_with_one_message_for_all(self, cast):
        made = book(cast)
        assert [r.start_at for r in made.reservations] == DATES
        assert [r.occurrence_at for r in made.reservations] == DATES
        assert {r.state for r in made.reservations} == {"confirmed"}
        assert made.skipped == ()
        series = made.series
        assert (series.rule, series.time_zone, series.minutes) == (MONDAYS, "Asia/Shanghai", 120)
        assert (series.starts_at, series.user, series.organisation) == (
            DATES[0], cast.wang, cast.fudan,
        )  # fmt: skip
        assert [q.total for q in Quote.objects.all()] == [Decimal("657.20")] * 4
        kinds = OutboxMessage.objects.values_list("kind", flat=True)
        assert sorted(kinds) == ["mail.reminder"] * 8 + ["mail.series"]
        assert TrailEntry.objects.filter(action="reservation.confirmed").count() == 4
        entry = TrailEntry.objects.get(action="series.create")
        assert len(entry.after["reservations"]) == 4

    def test_statements_do_not_grow_with_the_span_and_little_with_the_number(self, cast):
        book(cast, who="sun", first=("2026-03-09 08:00", "2026-03-09 09:00"))

        def count(rule, hour):
            with CaptureQueriesContext(connection) as captured:
                book(cast, rule=rule, first=(f"2026-03-10 {hour}:00", f"2026-03-10 {hour}:30"))
            return len(captured)

        two, seven = count("FREQ=WEEKLY;COUNT=2", 10), count("FREQ=WEEKLY;COUNT=7", 14)
        assert (seven - two) / 5 <= 4
        assert two <= 2 * 4 + 18

    def test_refuse_names_each_date_in_the_way_and_writes_nothing(self, cast):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        reserve(cast, "2026-03-30 08:00", "2026-03-30 10:30", who="sun")
        before = written()
        with pytest.raises(RulesRefuse) as refused:
            book(cast)
        assert [(r.booking, r.code) for r in refused.value.refusals] == [(1, "slot-taken"), (3, "slot-taken")]
        assert refused.value.refusals[0].nearest.start == at("2026-03-16 09:00")
        assert refused.value.refusals[1].nearest.start == at("2026-03-30 10:30")
        assert written() == before
        demand = UnmetDemand.objects.get()
        assert demand.wanted_from == DATES[1]

    def test_skip_books_the_others_and_says_which_not(self, cast):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        made = book(cast, on_conflict="skip")
        assert [r.start_at for r in made.reservations] == [DATES[0], DATES[2], DATES[3]]
        (skipped,) = made.skipped
        assert (skipped.index, skipped.period.start) == (1, DATES[1])
        assert [r.code for r in skipped.refusals] == ["slot-taken"]
        assert UnmetDemand.objects.count() == 1

    def test_skip_with_nothing_left_is_refused(self, cast):
        before = written()
        with pytest.raises(RulesRefuse) as refused:
            book(cast, first=("2026-03-07 10:00", "2026-03-07 12:00"), on_conflict="skip")
        assert {r.code for r in refused.value.refusals} == {"outside-opening-hours"}
        assert [r.booking for r in refused.value.refusals] == [0, 1, 2, 3]
        assert written() == before
        assert not UnmetDemand.objects.exists()

    def test_the_horizon_ends_a_long_series(self, cast):
        made = book(cast, rule="FREQ=WEEKLY;COUNT=20", on_conflict="skip")
        # Sixty days from the 5th of March at noon: the 4th of May; 6 April is a holiday.
        assert max(r.start_at for r in made.reservations) == at("2026-04-27 10:00")
        assert {r.code for o in made.skipped[-10:] for r in o.refusals} >= {"too-far"}

    def test_each_counts_those_before_it_against_a_quota(self, cast):
        quota = {"scope": "user", "unit": "hours", "per": "month", "limit": 6}
        limited = cast.instrument(name="Limited", policy={"quotas": [quota]})
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=limited)
        shown = preview(cast, instrument=limited, rule="FREQ=WEEKLY;COUNT=6")
        assert [[r.code for r in o.refusals] for o in shown.occurrences] == [
            [], [], ["user-quota"], ["user-quota"], ["outside-opening-hours"], [],
        ]  # fmt: skip
        made = book(cast, instrument=limited, rule="FREQ=WEEKLY;COUNT=6", on_conflict="skip")
        assert [o.index for o in made.skipped] == [2, 3, 4]

    def test_dates_that_meet_each_other(self, cast):
        always = cast.instrument(
            name="Always",
            hours={"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]},
            policy={"max_minutes": 2880},
        )
        long = ("2026-03-09 10:00", "2026-03-10 12:00")
        made = book(cast, instrument=always, first=long, rule="FREQ=DAILY;COUNT=4", on_conflict="skip")
        assert [o.index for o in made.skipped] == [1, 3]

    def test_with_approval_each_is_a_request_and_the_host_hears_once(self, cast):
        asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
        made = book(cast, instrument=asks)
        assert {r.state for r in made.reservations} == {"requested"}
        assert made.reservations[0].deadline_at == NOW + timedelta(minutes=2880)
        kinds = OutboxMessage.objects.values_list("kind", flat=True)
        assert sorted(kinds) == ["mail.series-requested", "mail.series-to-decide"]

    def test_ones_own_hold_is_in_nobodys_way_and_given_back(self, cast):
        hold = hold_take(
            By(cast.actor("wang"), NOW),
            booking=Booking(cast.microscope.pk, Period(*map(at, FIRST)), None, "self"),
        )
        assert preview(cast).bookable == 4
        made = book(cast)
        hold.refresh_from_db()
        assert (hold.state, len(made.reservations)) == ("cancelled", 4)

    def test_a_refused_series_leaves_the_hold(self, cast):
        hold = hold_take(
            By(cast.actor("wang"), NOW),
            booking=Booking(cast.microscope.pk, Period(*map(at, FIRST)), None, "self"),
        )
        with pytest.raises(RulesRefuse):
            book(cast, rule="FREQ=DAILY;COUNT=7")
        hold.refresh_from_db()
        assert hold.state == "held"

    @pytest.mark.parametrize(
        ("rule", "problem"),
        [
            ("weekly", ("rule", "rule-malformed")),
            ("FREQ=HOURLY;COUNT=3", ("rule", "rule-unsupported")),
            ("FREQ=DAILY", ("rule", "rule-without-end")),
            ("FREQ=DAILY;COUNT=201", ("rule", "too-many")),
            ("FREQ=DAILY;UNTIL=20260101", ("rule", "rule-empty")),
        ],
    )
    def test_shape(self, cast, rule, problem):
        with pytest.raises(Invalid) as refused:
            book(cast, rule=rule)
        assert [(p.field, p.code) for p in refused.value.problems] == [problem]
        with pytest.raises(Invalid):
            preview(cast, rule=rule)
        assert written() == (0, 0, 0, 0, 0, 0)

    def test_who_may_not(self, cast):
        with pytest.raises(NotPermitted):
            book(cast, who="chen")
        with pytest.raises(NotPermitted):
            preview(cast, who="chen")
        with pytest.raises(Invalid):
            book(cast, who="alice")
        type(cast.microscope).objects.update(publication="draft")
        with pytest.raises(NotFound):
            book(cast)
        assert written() == (0, 0, 0, 0, 0, 0)


class TestPreview:
    def test_it_says_of_each_date_what_booking_would(self, cast):
        reserve(cast, "2026-03-16 11:00", "2026-03-16 13:00", who="sun")
        before = written()
        shown = preview(cast)
        assert written() == before
        assert [[r.code for r in o.refusals] for o in shown.occurrences] == [
            [], ["slot-taken"], [], [],
        ]  # fmt: skip
        assert (shown.bookable, shown.currency, shown.total) == (3, "CNY", Decimal("1971.60"))
        assert shown.time_zone == "Asia/Shanghai"

    def test_its_statements_do_not_grow_with_the_number(self, cast):
        actor = cast.actor("wang")
        asked = PriceRequest(Period(*map(at, FIRST)), "self")
        counts = []
        two = "FREQ=WEEKLY;COUNT=2"
        load_series_preview(actor, cast.microscope.pk, None, asked, two, NOW)  # what a process keeps is read
        for rule in (two, "FREQ=DAILY;COUNT=200"):
            with CaptureQueriesContext(connection) as captured:
                load_series_preview(actor, cast.microscope.pk, None, asked, rule, NOW)
            counts.append(len(captured))
        assert counts[0] == counts[1] <= 8


class TestCancel:
    def cancel(self, cast, made, scope, index=0, who="wang", reason="", now=NOW, **values):
        return series_cancel(
            By(cast.actor(who), now, values.pop("expected_version", None)),
            series_id=made.series.pk,
            scope=scope,
            reservation_id=None if index is None else made.reservations[index].pk,
            reason=reason,
            **values,
        )

    @pytest.mark.parametrize(
        ("scope", "index", "left"), [("this", 1, [0, 2, 3]), ("following", 2, [0, 1]), ("all", None, [])]
    )
    def test_which(self, cast, scope, index, left):
        made = book(cast)
        series = self.cancel(cast, made, scope, index)
        assert starts(made.series) == [DATES[i] for i in left]
        assert series.version == 2
        assert Occupancy.objects.count() == len(left)
        assert OutboxMessage.objects.filter(kind="charge.due").count() == 4 - len(left)
        told = OutboxMessage.objects.filter(kind__startswith="mail").exclude(kind="mail.reminder")
        kind = "mail.cancelled" if scope == "this" else "mail.series-cancelled"
        assert sorted(told.values_list("kind", flat=True)) == sorted(["mail.series", kind])

    def test_what_has_begun_stays(self, cast):
        made = book(cast)
        self.cancel(cast, made, "all", None, now=DATES[1] + timedelta(minutes=5))
        assert starts(made.series) == DATES[:2]
        with pytest.raises(WrongState) as over:
            self.cancel(cast, made, "all", None, now=DATES[1] + timedelta(minutes=5))
        assert over.value.code == "series-over"

    def test_the_fees_are_said_before(self, cast):
        made = book(cast)
        # A day and a half before the second: half of it; the others are free.
        now = DATES[1] - timedelta(hours=36)
        shown = load_series_cancellation(cast.actor("wang"), made.series.pk, "all", None, now)
        # 2 h x 260 + 100 set-up, half of it
        assert (shown.count, shown.fee, shown.tax) == (3, Decimal("310.00"), Decimal("18.60"))
        one = load_series_cancellation(
            cast.actor("wang"), made.series.pk, "following", made.reservations[2].pk, now
        )
        assert (one.count, one.fee) == (2, Decimal(0))
        host = load_series_cancellation(cast.actor("zhao"), made.series.pk, "all", None, now)
        assert (host.count, host.fee) == (3, Decimal(0))

    def test_the_host_owes_a_reason_and_it_costs_nothing(self, cast):
        made = book(cast)
        before = written()
        with pytest.raises(Invalid):
            self.cancel(cast, made, "all", None, who="zhao")
        assert written() == before
        self.cancel(cast, made, "all", None, who="zhao", reason="helium ran out")
        assert starts(made.series) == []
        assert not OutboxMessage.objects.filter(kind="charge.due").exists()

    def test_who_may(self, cast):
        made = book(cast)
        with pytest.raises(NotFound):
            self.cancel(cast, made, "all", None, who="sun")
        with pytest.raises(NotPermitted):
            self.cancel(cast, made, "all", None, who="auditor")
        self.cancel(cast, made, "all", None, who="chen")

    def test_shape_and_version(self, cast):
        made = book(cast)
        other = reserve(cast, "2026-03-20 10:00", "2026-03-20 12:00")
        for scope, reservation_id, field in (
            ("some", None, "scope"), ("this", None, "reservation"),
            ("following", other.pk, "reservation"),
        ):  # fmt: skip
            with pytest.raises(Invalid) as refused:
                series_cancel(
                    By(cast.actor("wang"), NOW),
                    series_id=made.series.pk,
                    scope=scope,
                    reservation_id=reservation_id,
                    reason="",
                )
            assert refused.value.problems[0].field == field
        with pytest.raises(WrongVersion):
            self.cancel(cast, made, "all", None, expected_version=7)
        assert len(starts(made.series)) == 4


class TestMove:
    def move(self, cast, made, scope, index, start, end, who="wang", now=NOW, **values):
        return series_move(
            By(cast.actor(who), now),
            series_id=made.series.pk,
            scope=scope,
            reservation_id=made.reservations[index].pk,
            period=Period(at(start), at(end)),
            **values,
        )

    def test_this_one_alone_keeps_its_place_in_the_rule(self, cast):
        made = book(cast)
        series = self.move(cast, made, "this", 1, "2026-03-17 14:00", "2026-03-17 16:00")
        assert series == made.series
        one = Reservation.objects.get(pk=made.reservations[1].pk)
        assert (one.start_at, one.occurrence_at) == (at("2026-03-17 14:00"), DATES[1])
        assert OutboxMessage.objects.filter(kind="mail.moved").count() == 1

    def test_those_that_follow_become_a_series_of_their_own(self, cast):
        made = book(cast)
        after = self.move(cast, made, "following", 2, "2026-03-24 09:00", "2026-03-24 12:00")
        old = Series.objects.get(pk=made.series.pk)
        assert (after.split_from, after.rule, after.minutes) == (old, "FREQ=WEEKLY;COUNT=2", 180)
        assert (old.rule, old.version) == ("FREQ=WEEKLY;COUNT=2", 2)
        assert starts(old) == DATES[:2]
        assert starts(after) == [at("2026-03-24 09:00"), at("2026-03-31 09:00")]
        rows = Reservation.objects.filter(series=after).order_by("start_at")
        assert [r.occurrence_at for r in rows] == [r.start_at for r in rows]
        assert {r.end_at - r.start_at for r in rows} == {timedelta(hours=3)}
        assert [to_period(r.occupancy.span).start for r in rows] == [r.start_at for r in rows]
        # 3 h x 260 + 100 set-up, 6 % tax
        totals = Quote.objects.filter(is_current=True, reservation__series=after)
        assert [q.total for q in totals] == [Decimal("932.80")] * 2
        assert OutboxMessage.objects.filter(kind="mail.series-moved").count() == 1
        assert OutboxMessage.objects.filter(kind="slot.freed").count() == 2

    def test_a_week_later_each_takes_the_place_of_the_next(self, cast):
        made = book(cast, rule="FREQ=WEEKLY;COUNT=3")
        series = self.move(cast, made, "all", 0, "2026-03-16 10:00", "2026-03-16 12:00")
        assert series == made.series  # nothing went before: it is the same series
        assert (series.rule, series.starts_at) == ("FREQ=WEEKLY;COUNT=3", DATES[1])
        assert starts(series) == DATES[1:]
        rows = Reservation.objects.filter(series=series)
        assert {r.occurrence_at for r in rows} == set(DATES[1:])

    def test_and_back(self, cast):
        made = book(cast, rule="FREQ=DAILY;COUNT=3", first=("2026-03-11 10:00", "2026-03-11 18:00"))
        series = self.move(cast, made, "all", 1, "2026-03-11 12:00", "2026-03-11 20:00")
        assert starts(series) == [at(f"2026-03-{d} 12:00") for d in ("10", "11", "12")]

    def test_all_begins_with_the_first_that_has_not_begun(self, cast):
        made = book(cast)
        now = DATES[1] + timedelta(minutes=1)
        after = self.move(cast, made, "all", 3, "2026-03-30 13:00", "2026-03-30 15:00", now=now)
        assert starts(made.series) == DATES[:2]
        assert starts(after) == [at("2026-03-23 13:00"), at("2026-03-30 13:00")]

    def test_refused_it_names_which_and_changes_nothing(self, cast):
        made = book(cast)
        reserve(cast, "2026-03-30 14:00", "2026-03-30 15:00", who="sun")
        before, dates = written(), starts(made.series)
        with pytest.raises(RulesRefuse) as refused:
            self.move(cast, made, "following", 1, "2026-03-16 13:30", "2026-03-16 15:30")
        assert [(r.booking, r.code) for r in refused.value.refusals] == [(2, "slot-taken")]
        assert refused.value.refusals[0].nearest is not None
        assert (written(), starts(made.series)) == (before, dates)
        spans = {to_period(o.span).start for o in Occupancy.objects.filter(reservation__series=made.series)}
        assert spans == set(DATES)

    def test_what_no_rule_says_has_none(self, cast):
        made = book(
            cast, rule="FREQ=MONTHLY;BYDAY=2MO,3MO;COUNT=3", first=("2026-03-09 10:00", "2026-03-09 12:00")
        )
        series = self.move(cast, made, "all", 0, "2026-03-19 10:00", "2026-03-19 12:00")
        assert series.rule == ""
        assert starts(series) == [at(f"2026-{d} 10:00") for d in ("03-19", "03-26", "04-23")]
        again = self.move(
            cast, made, "all", 0, "2026-03-19 11:00", "2026-03-19 13:00",
        )  # fmt: skip
        assert starts(again) == [at(f"2026-{d} 11:00") for d in ("03-19", "03-26", "04-23")]

    def test_moved_alone_it_shifts_with_the_others(self, cast):
        made = book(cast)
        self.move(cast, made, "this", 1, "2026-03-17 14:00", "2026-03-17 16:00")
        self.move(cast, made, "all", 0, "2026-03-09 09:00", "2026-03-09 11:00")
        assert starts(made.series) == [
            at("2026-03-09 09:00"), at("2026-03-17 13:00"), at("2026-03-23 09:00"),
            at("2026-03-30 09:00"),
        ]  # fmt: skip

    def test_one_that_was_cancelled_stays_so(self, cast):
        made = book(cast)
        reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.reservations[2].pk, reason="")
        series = self.move(cast, made, "all", 0, "2026-03-10 10:00", "2026-03-10 12:00")
        assert len(starts(series)) == 3
        assert series.rule == "FREQ=WEEKLY;COUNT=4"

    def test_what_needs_the_hosts_word_is_asked_for_again_at_once(self, cast):
        made = book(cast)
        policy = cast.microscope.policy
        type(policy).objects.filter(pk=policy.pk).update(approval="manual")
        self.move(cast, made, "all", 0, "2026-03-09 13:00", "2026-03-09 15:00")
        assert set(Reservation.objects.values_list("state", flat=True)) == {"requested"}
        assert OutboxMessage.objects.filter(kind="mail.series-to-decide").count() == 1

    def test_who_may(self, cast):
        made = book(cast)
        to = ("2026-03-09 13:00", "2026-03-09 15:00")
        with pytest.raises(NotFound):
            self.move(cast, made, "all", 0, *to, who="sun")
        with pytest.raises(NotPermitted):
            self.move(cast, made, "all", 0, *to, who="auditor")
        with pytest.raises(Invalid):
            self.move(cast, made, "all", 0, *to, who="zhao")
        assert starts(made.series) == DATES
        self.move(cast, made, "all", 0, *to, who="zhao", reason="the room is painted")


def test_lengthened_together_they_never_get_more_at_the_kept_price_than_was_granted(cast):
    """Three Mondays of an hour have one each of four that are kept at 30. Two hours each: the hour
    that is left goes to the first, the others keep theirs."""
    kept_hours.grant(
        cast, minutes=240, starts_at=at("2026-03-08 00:00"), ends_at=at("2026-03-29 00:00"), price=Decimal(30)
    )
    made = book(cast, rule="FREQ=WEEKLY;BYDAY=MO;COUNT=3", first=("2026-03-09 14:00", "2026-03-09 15:00"))

    def priced():
        parts = load_kept_parts(row.pk for row in made.reservations)
        return [
            sum(Period(part.start, part.end).minutes for part in parts[row.pk]) for row in made.reservations
        ]

    assert priced() == [60, 60, 60]
    TestMove().move(cast, made, "all", 0, "2026-03-09 14:00", "2026-03-09 16:00")
    assert priced() == [120, 60, 60]


def test_nine_stays_nine_across_clock_changes(cast):
    facility = cast.facility
    type(facility).objects.filter(pk=facility.pk).update(time_zone="America/Chicago")
    cast.facility.refresh_from_db()
    lab = cast.instrument(name="Chicago")
    zone = ZoneInfo("America/Chicago")
    now = instant_of(zone, wall_of(zone, NOW).replace(month=2, day=25, hour=9))
    start = instant_of(zone, wall_of(zone, NOW).replace(month=3, day=2, hour=9, minute=0))
    made = series_book(
        By(cast.actor("wang"), now),
        booking=Booking(lab.pk, Period(start, start + timedelta(hours=1)), None, "self"),
        rule="FREQ=WEEKLY;COUNT=3",
        on_conflict="refuse",
    )
    assert [f"{r.start_at:%m-%d %H:%M}" for r in made.reservations] == [
        "03-02 15:00", "03-09 14:00", "03-16 14:00",
    ]  # fmt: skip
    assert {wall_of(zone, r.start_at).hour for r in made.reservations} == {9}
