"""Kept hours under everything that takes time of an instrument or gives it back: what is promised
can still be booked, and what is not promised is anybody's."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.availability.selectors.kept_hours import in_force, kept_rows
from bookings.availability.services.kept_hours import kept_hours_change, kept_hours_end, kept_hours_grant
from bookings.models import Reservation, WaitingOffer, WaitingWish
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.plans.services.imports import bookings_import
from bookings.plans.services.waiting import WishValues, slot_offer, wish_make
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import COUNTED
from bookings.record.domain.steps import Gap
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.series.services.series import series_book
from tests.concurrency.races import ALWAYS, HOUR, booking, consistent, won
from tests.concurrency.races import FIRST as START

pytestmark = pytest.mark.concurrency
LONG = dict.fromkeys(("internal", "regional", "partner", "external", "industry"), 730)
HOURS = 8


def hourly(cast, name):
    """Booked by the hour only, so that every free hour can be."""
    policy = {"horizon_days": LONG, "slot_minutes": 60, "max_minutes": 480}
    return cast.instrument(name=name, hours=ALWAYS, policy=policy)


class Day:
    """Eight hours of a day on an instrument, of which some are kept."""

    def __init__(self, cast, instrument, begin, now):
        self.cast, self.instrument, self.begin, self.now = cast, instrument, begin, now

    def by(self, who):
        return By(self.cast.actor(who), self.now)

    def period(self, hour, hours=1):
        return Period(self.begin + hour * HOUR, self.begin + (hour + hours) * HOUR)

    def keep(self, hours, holder="fudan", **values):
        return kept_hours_grant(
            self.by("zhao"),
            instrument=self.instrument,
            holder=getattr(self.cast, holder),
            minutes=60 * hours,
            starts_at=self.begin,
            ends_at=self.begin + HOURS * HOUR,
            price=None,
            reason="x",
            **{"released_minutes": 0} | values,
        )

    def booking(self, hour, hours=1, **values):
        return booking(self.instrument, self.begin + hour * HOUR, hours, **values)

    def book(self, who, hour):
        return reservation_request(self.by(who), booking=self.booking(hour))

    def hold(self, who, hour):
        return hold_take(self.by(who), booking=self.booking(hour))

    def move(self, who, made, hour):
        return reservation_move(self.by(who), reservation_id=made.pk, period=self.period(hour), reason="x")

    def cancel(self, who, made):
        return reservation_cancel(self.by(who), reservation_id=made.pk, reason="")

    # What became of it

    def free(self):
        """The hours that nobody has."""
        rows = Reservation.objects.filter(instrument=self.instrument, state__in=COUNTED)
        taken = [Period(*times) for times in rows.values_list("start_at", "end_at")]
        hours = [self.period(hour) for hour in range(HOURS)]
        return [n for n, hour in enumerate(hours) if not any(hour.meets(t) for t in taken)]

    def left(self):
        """Hours still promised, by holder."""
        rows = kept_rows(self.now).filter(in_force(self.now), instrument=self.instrument, start_at=self.begin)
        return {row.organisation_id: row.left_minutes // 60 for row in rows}

    def holds_its_word(self):
        """Others get what is not promised, to the hour, and then holders all that is."""
        left = self.left()
        spare = len(self.free()) - sum(left.values())
        assert spare >= 0
        assert self._all("sun") == spare
        for holder, who in ((self.cast.fudan, "wang"), (self.cast.optics, "hu")):
            assert self._all(who) == left.get(holder.pk, 0)
        assert self.free() == []

    def _all(self, who):
        """How many of the free hours somebody gets."""
        free = self.free()
        for hour in free:
            with suppress(Refused):
                self.book(who, hour)
        return len(free) - len(self.free())


def days(cast, instrument, count):
    for n in range(count):
        begin = START + timedelta(days=n)
        yield n, Day(cast, instrument, begin, begin - timedelta(days=2))


def test_booked_moved_cancelled_changed_and_ended_at_once(real_cast, race, rounds):
    """Of eight hours four are kept; one more is asked for by another while the holder and two
    others book, move and cancel, and the host keeps more, fewer or nothing."""
    instrument = hourly(real_cast, "Kept")
    for round_, day in days(real_cast, instrument, rounds(2)):
        kept = day.keep(4)
        mine, theirs = day.book("wang", 0), day.book("sun", 6)
        host = (
            partial(kept_hours_end, day.by("zhao"), kept_id=kept.pk, reason="x"),
            partial(kept_hours_change, day.by("zhao"), kept_id=kept.pk, minutes=360, reason="x"),
            partial(kept_hours_change, day.by("zhao"), kept_id=kept.pk, minutes=120, reason="x"),
        )[round_ % 3]
        results = race(
            [
                partial(day.book, "wang", 2),
                partial(day.hold, "wang", 3),
                partial(day.move, "wang", mine, 7),
                partial(day.cancel, "wang", mine),
                partial(day.book, "sun", 1),
                partial(day.hold, "sun", 4),
                partial(day.move, "sun", theirs, 5),
                partial(day.cancel, "sun", theirs),
                partial(day.book, "hu", 4),
                partial(day.book, "hu", 5),
                partial(day.keep, 2, "optics"),
                host,
            ]
        )
        assert won(results)
        day.holds_its_word()
    consistent()


def test_several_booked_at_once(real_cast, race, rounds):
    """Of eight hours on each of two instruments four are kept for Fudan: series, chains, files
    and offers to those who wait take time of them at once."""
    pair = [hourly(real_cast, name) for name in ("One", "Two")]
    for n, one in days(real_cast, pair[0], rounds(2)):
        two = Day(real_cast, pair[1], one.begin, one.now)
        for day in (one, two):
            day.keep(4)
        booked = one.book("sun", 7)
        for who, hours in (("hu", 2), ("wang", 1)):
            waits(two, who, hours)
        waited = partial(slot_offer, instrument_id=two.instrument.pk, now=one.now)
        race(
            [
                partial(chain, one, two, "wang"),
                partial(chain, two, one, "sun"),
                partial(chain, one, two, "hu"),
                partial(repeat, one, "sun", 1),
                partial(repeat, two, "wang", 5),
                partial(bring, (one, two), "wang", range(2, 4), f"w{n}"),
                partial(bring, (two, one), "sun", range(4, 7), f"s{n}"),
                partial(one.cancel, "sun", booked),
                waited,
                waited,
            ]
        )
        for day in (one, two):
            day.holds_its_word()
        WaitingOffer.objects.all().delete()
        WaitingWish.objects.all().delete()
    consistent()


def waits(day, who, hours):
    """Somebody waits, and nobody has looked yet."""
    now = day.now
    day.now = now - timedelta(hours=1)
    wish_make(
        day.by(who),
        values=WishValues(
            instrument_id=day.instrument.pk,
            organisation=None,
            service_mode="self",
            earliest=day.begin,
            latest=day.begin + HOURS * HOUR,
            minutes=60 * hours,
        ),
    )
    day.now = now


def chain(first, second, who):
    """An hour on each, wherever there is a way."""
    return chain_book(
        first.by(who),
        steps=[StepWish(day.instrument.pk, 60, "self", Gap(0, 240)) for day in (first, second)],
        organisation=None,
        purpose="research",
        purpose_text="",
        within=first.period(0, HOURS),
    )


def repeat(day, who, hour):
    """Twice, two hours apart; what does not fit is left out."""
    return series_book(day.by(who), booking=day.booking(hour), rule="FREQ=DAILY;COUNT=2", on_conflict="skip")


def bring(places, who, hours, name):
    """A row for each hour on each instrument; those that do not fit are left out."""
    rows = [
        f"{day.instrument.pk},{day.period(hour).start.isoformat()},60,{name}-{n}-{hour}"
        for n, day in enumerate(places)
        for hour in hours
    ]
    return bookings_import(
        places[0].by(who),
        content="\n".join(["instrument,starts,minutes,reference", *rows]).encode(),
        file_name="old.csv",
        organisation=None,
        on_refused="skip",
    )
