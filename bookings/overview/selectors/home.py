"""Load what the home page shows besides what waits for its reader."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts.domain.roles import Actor
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import live, to_range
from bookings.catalogue.selectors.calendars import CalendarEntry, load_board
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import SESSION_LEFT_OPEN
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import own_reservations
from bookings.reserving.selectors.requests import Band, bands_of
from instruments.register.models import Instrument
from instruments.register.selectors.registry import operated_instruments


def last_used(actor: Actor, most: int) -> list[Instrument]:
    """Return the instruments that the actor used most recently and can still book, the latest first. One
    statement."""
    rows = own_reservations(actor).filter(
        state=Reservation.State.COMPLETED, instrument__publication="published"
    )
    used = {row.instrument_id: row.instrument for row in rows[: most * 10]}
    return list(used.values())[:most]


@dataclass(frozen=True)
class Today:
    """An operated instrument on a day, which the reader perhaps manages: what occupies it, as bands in
    percent of the day, what occupies it now, and what comes next."""

    instrument: Instrument
    bands: tuple[Band, ...]
    now: CalendarEntry | None
    next: CalendarEntry | None
    is_managed: bool


def load_today(actor: Actor, day: Period, now: datetime, most: int) -> list[Today]:
    """Return published instruments that the actor operates; those occupied on the day come first. Four
    statements."""
    # A session that nobody ended may be one of the day before.
    span = Period(day.start - SESSION_LEFT_OPEN, day.end)
    left_open = Q(reservation__state="in_use", span__overlap=to_range(span))
    here = Q(span__overlap=to_range(day)) | left_open
    taken = Occupancy.objects.filter(live(now), here, instrument=OuterRef("pk"))
    rows = operated_instruments(actor).filter(publication=Instrument.Publication.PUBLISHED)
    chosen = list(rows.annotate(is_taken=Exists(taken)).order_by("-is_taken", "name", "id")[:most])
    managed = actor.scope_where("manage-instruments")
    slots = []
    for row in load_board(actor, chosen, span, now):
        entries = sorted(row.entries, key=_in_use_first)
        present = next((entry for entry in entries if entry.is_now(now)), None)
        after = next((e for e in row.entries if e.period.start > now and not e.is_now(now)), None)
        bands = tuple(_bands(row.opened, row.entries, day))
        one = row.instrument
        is_managed = managed.holds(one.organisation_id, one.facility_id, one.pk)
        slots.append(Today(one, bands, present, after, is_managed))
    return slots


def _in_use_first(entry: CalendarEntry) -> bool:
    return entry.state != Reservation.State.IN_USE


def _bands(opened: Iterable[Period], entries: Iterable[CalendarEntry], day: Period) -> Iterable[Band]:
    for period in opened:
        yield from bands_of("open", period.start, period.end, day)
    for entry in entries:
        kind = "closure" if entry.closure_kind else "taken"
        yield from bands_of(kind, entry.period.start, entry.period.end, day)
