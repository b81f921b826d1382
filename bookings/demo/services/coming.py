"""Create bookings to come, through the service, as if people had made them some days ago."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.availability.domain.availability import Asker
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.parties import Booking
from bookings.demo.services.asks import Ask, planned_ask
from bookings.demo.services.demand import Slot
from bookings.demo.services.fates import requested_at
from bookings.demo.services.files import chance
from bookings.demo.services.offers import group_of
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.reserving.services.reservations import reservation_decide, reservation_request
from bookings.world import Calendar, Offer, Person
from instruments.reading.domain.clock import instant, local_date

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WITHIN = timedelta(days=8)  # how far from the wanted day a free time is looked for
LEFT_WAITING = 0.4  # of requests that are still in time


def first_free(offer: Offer, person: Person, row: Mapping[str, Any], calendar: Calendar) -> Slot | None:
    """Return the first free slot for a planned booking, from its day and hour on; None without any."""
    if person.organisation is None:
        return None
    earliest = instant(offer.zone, calendar.day(offer.zone, row["days"]), row["hour"] * 60)
    within = Period(earliest, earliest + WITHIN)
    is_past = row["days"] < 0
    now = calendar.began if is_past else calendar.now
    free = load_calendar(offer.instrument, within, now)
    if free is None:
        return None
    group = group_of(offer, person.organisation, local_date(offer.zone, earliest))
    length = row["minutes"] * MINUTE
    # The past is looked at from the day on which it was to come.
    seen_at = earliest - timedelta(days=14) if is_past else calendar.now
    for start in free.first_starts(
        minutes=row["minutes"], asker=Asker(group), within=within, now=seen_at, most=1
    ):
        period = Period(start, start + length)
        return Slot(free.free_unit(period) or 1, period)
    return None


def planned_make(
    offer: Offer, person: Person, row: Mapping[str, Any], calendar: Calendar
) -> Reservation | None:
    """Create a booking that planned.yaml specifies; return None if there is no free time for it."""
    slot = first_free(offer, person, row, calendar)
    if slot is None:
        return None
    luck = chance("planned", offer.key, str(row["days"]))
    hours = luck.randrange(2, 20) if row.get("is_decided") is False else luck.randrange(30, 70)
    least = slot.period.start - (offer.policy.notice_minutes + 5) * MINUTE
    asked_at = min(calendar.now - hours * HOUR, least).replace(microsecond=0)
    return _make(
        offer,
        planned_ask(row, person, slot),
        asked_at=asked_at,
        is_left=row.get("is_decided") is False,
        now=calendar.now,
    )


def coming_make(offer: Offer, ask: Ask, luck: random.Random, now: datetime) -> Reservation | None:
    """Create a booking that chance generated; return None if the rules refuse it after all."""
    is_left = luck.random() < LEFT_WAITING
    asked_at = _asked_at(offer, ask, luck, now, is_left=is_left)
    return _make(offer, ask, asked_at=asked_at, is_left=is_left, now=now)


def _asked_at(offer: Offer, ask: Ask, luck: random.Random, now: datetime, *, is_left: bool) -> datetime:
    """Return when the booking was requested: in the past, and within notice and horizon; recently if it may
    still wait for an answer."""
    group = group_of(offer, ask.payer, local_date(offer.zone, ask.period.start))
    asked_at = requested_at(offer, ask.period, group, luck)
    recent = luck.uniform(1, offer.policy.approval_minutes / 100 if is_left else 140) * HOUR
    latest = ask.period.start - (offer.policy.notice_minutes + 5) * MINUTE
    if asked_at > now or is_left:
        asked_at = min(now - recent, latest)
    earliest = ask.period.start - timedelta(days=offer.policy.horizon_for(group)) + HOUR
    return max(asked_at, earliest).replace(microsecond=0)


def _make(offer: Offer, ask: Ask, *, asked_at: datetime, is_left: bool, now: datetime) -> Reservation | None:
    booking = Booking(
        instrument_id=offer.instrument.pk,
        period=ask.period,
        organisation=None,
        service_mode=ask.mode,
        purpose=ask.purpose,
        purpose_text=ask.purpose_text,
        samples=ask.samples,
        options=ask.options,
        quantity=ask.quantity,
        funding=ask.funding,
    )
    try:
        reservation = reservation_request(By(ask.person.actor, asked_at), booking=booking)
    except Refused:
        return None
    deadline = reservation.deadline_at
    if reservation.state != "requested" or deadline is None:
        return reservation
    if is_left and deadline > now + HOUR:
        return reservation
    return reservation_decide(
        By(offer.manager.actor, min(asked_at + 3 * HOUR, deadline - MINUTE, now)),
        reservation_id=reservation.pk,
        approve=True,
        reason="",
    )
