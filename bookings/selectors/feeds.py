"""Bookings as events of calendars."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.adapters.calendars import Event, Person
from bookings.models import Reservation

# What a state is to a calendar; the others stand.
STATUS = {
    "held": "TENTATIVE",
    "requested": "TENTATIVE",
    "cancelled": "CANCELLED",
    "rejected": "CANCELLED",
    "expired": "CANCELLED",
    "no_show": "CANCELLED",
    "displaced": "CANCELLED",
}


def uid_of(pk: UUID) -> str:
    """The same in every invitation and feed, so that a calendar knows it again."""
    return f"{pk}@{urlsplit(settings.SITE_URL).hostname}"


def platform() -> Person:
    """Whom invitations are from."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return Person(address, name)


def event_of(
    reservation: Reservation, *, changed_at: datetime, guest: Person | None = None
) -> Event:
    """A booking as its person sees it, in the language in force; with a `guest`, an invitation of
    theirs."""
    instrument = reservation.instrument
    facility = instrument.facility
    place = (_named(facility), facility.address, instrument.room)
    page = reverse("bookings:reservation", kwargs={"reservation_id": reservation.pk})
    return Event(
        uid=uid_of(reservation.pk),
        sequence=reservation.version,
        start=reservation.start_at,
        end=reservation.end_at,
        zone=facility.time_zone,
        changed_at=changed_at,
        summary=_named(instrument),
        location=", ".join(part for part in place if part),
        description=str(reservation.get_service_mode_display()),
        address=settings.SITE_URL + page,
        status=STATUS.get(reservation.state, "CONFIRMED"),
        host=platform() if guest else None,
        guest=guest,
    )


def _named(thing: Any) -> str:
    is_chinese = (translation.get_language() or "").startswith("zh")
    return str((is_chinese and thing.name_zh) or thing.name)
