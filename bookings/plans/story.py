"""The part of the demonstration with bookings made together and waiting-list entries."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.starts import load_starts
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.plans.services.imports import bookings_import
from bookings.plans.services.waiting import WishValues, wish_make
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap
from bookings.record.models import Reservation
from bookings.series.services.series import series_book
from bookings.world import Calendar, Offer, Places, World, lines_of

DAY = timedelta(days=1)


def begin(world: World) -> str:
    """Make a series, an import, a chain and some waiting-list entries; those that do not fit into the
    calendars of the day are left out."""
    places, calendar = world.places, world.calendar
    by_key = {offer.key: offer for offer in world.offers}
    rows = lines_of(__file__)
    count = _series(places, by_key, rows["series"], calendar)
    count += _import(places, by_key, rows["import"], calendar)
    count += _chain(places, by_key, rows["chain"], calendar)
    count += sum(_wish(places, by_key, row, calendar) for row in rows["wishes"])
    return f"{count} series, chains and wishes"


def _free(
    places: Places, offers: Mapping[str, Offer], row: Mapping[str, Any], calendar: Calendar
) -> list[datetime]:
    """Return the starts that the row's person could book, within a week from its day on."""
    offer, person, now = offers[row["instrument"]], places.people[row["person"]], calendar.now
    within = Period(now + row["days"] * DAY, now + (row["days"] + 7) * DAY)
    free = load_calendar(offer.instrument, within, now)
    if free is None:
        return []
    return load_starts(
        offer.instrument,
        person.organisation,
        free,
        within,
        now,
        minutes=row["minutes"],
        user_id=person.user.pk,
        mode=row["mode"],
    )


def _import(places: Places, offers: Mapping[str, Offer], row: Mapping[str, Any], calendar: Calendar) -> int:
    """Import a person's spreadsheet of one booking a day; return how many were booked."""
    offer, person, now = offers[row["instrument"]], places.people[row["person"]], calendar.now
    days: dict[date, datetime] = {}
    for start in _free(places, offers, row, calendar):
        days.setdefault(start.date(), start)
    lines = [
        f"{offer.instrument.pk},{start.isoformat()},{row['minutes']},{row['mode']},{text},OLD-{n}"
        for n, (start, text) in enumerate(zip(days.values(), row["subjects"], strict=False), 1)
    ]
    if not lines:
        return 0
    content = "\n".join(["instrument,starts,minutes,mode,subject,reference", *lines])
    try:
        report = bookings_import(
            By(person.actor, now),
            content=content.encode(),
            file_name="bookings-2025.csv",
            organisation=None,
            on_refused="skip",
        )
    except Refused:
        return 0
    return report.booked


def _series(places: Places, offers: Mapping[str, Offer], row: Mapping[str, Any], calendar: Calendar) -> int:
    offer, person, now = offers[row["instrument"]], places.people[row["person"]], calendar.now
    for start in _free(places, offers, row, calendar)[:1]:
        booking = Booking(
            instrument_id=offer.instrument.pk,
            period=Period(start, start + timedelta(minutes=row["minutes"])),
            organisation=None,
            service_mode=row["mode"],
        )
        series_book(By(person.actor, now), booking=booking, rule=row["rule"], on_conflict="skip")
        return 1
    return 0


def _chain(places: Places, offers: Mapping[str, Offer], row: Mapping[str, Any], calendar: Calendar) -> int:
    since, until = row["days"]
    steps = [
        StepWish(offers[step["instrument"]].instrument.pk, step["minutes"], step["mode"], Gap(*step["gap"]))
        for step in row["steps"]
    ]
    try:
        chain_book(
            By(places.people[row["person"]].actor, calendar.now),
            steps=steps,
            organisation=None,
            purpose="research",
            purpose_text="",
            within=Period(calendar.now + since * DAY, calendar.now + until * DAY),
        )
    except Refused:
        return 0
    return 1


def _wish(places: Places, offers: Mapping[str, Offer], row: Mapping[str, Any], calendar: Calendar) -> int:
    """Put somebody on the waiting list for the time of another person's booking. Return 1, or 0 if that
    fails."""
    person, instrument = places.people[row["person"]], offers[row["instrument"]].instrument
    taken = (
        Reservation.objects.filter(
            instrument=instrument, state=Reservation.State.CONFIRMED, start_at__gt=calendar.now + DAY
        )
        .exclude(user=person.user)
        .order_by("start_at", "id")
        .first()
    )
    if taken is None:
        return 0
    values = WishValues(
        instrument_id=instrument.pk,
        organisation=None,
        service_mode=row["mode"],
        earliest=taken.start_at,
        latest=taken.end_at,
        minutes=int((taken.end_at - taken.start_at).total_seconds()) // 60,
        any_equivalent=row["any_equivalent"],
    )
    try:
        wish_make(By(person.actor, calendar.now), values=values)
    except Refused:
        return 0
    return 1
