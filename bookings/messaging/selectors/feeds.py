"""Bookings as events of calendars, as far as the reader may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from accounts.adapters.calendars import Event, Person
from accounts.domain.roles import Actor
from accounts.letters.words import named
from accounts.models import TrailEntry
from accounts.selectors.memberships import in_scope
from accounts.selectors.secrets import digest_of, link_token
from bookings.availability.models import Closure
from bookings.messaging.domain.feeds import AHEAD, CANCELLED_FOR, MOST_EVENTS, PAST
from bookings.messaging.models import CalendarFeed
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH, visible_among
from instruments.register.models import Instrument

# The calendar status of a state; all others are confirmed.
STATUS = {
    "held": "TENTATIVE",
    "requested": "TENTATIVE",
    "cancelled": "CANCELLED",
    "rejected": "CANCELLED",
    "expired": "CANCELLED",
    "no_show": "CANCELLED",
    "displaced": "CANCELLED",
}
RELEASED = ("cancelled", "rejected", "expired", "displaced")


def feed_token(feed_id: UUID, digest: bytes | None = None) -> str:
    """Return the secret of a feed's address; with a `digest`, the secret that has it, or an empty text if
    none does."""
    return link_token("bookings.feed", feed_id, digest)


def feed_address(feed: CalendarFeed) -> str:
    """Return the address of a feed; empty for a feed made under an earlier secret of the platform, whose
    address still works but cannot be shown any more."""
    token = feed_token(feed.pk, bytes(feed.digest))
    return settings.SITE_URL + reverse("bookings:feed", kwargs={"token": token}) if token else ""


def feed_by_token(token: str) -> CalendarFeed | None:
    """Return the feed with a secret, if it is not revoked and its person is active; otherwise None."""
    return (
        CalendarFeed.objects.select_related("user", "instrument__facility")
        .filter(digest=digest_of(token), revoked_at=None, user__is_active=True)
        .first()
    )


def feeds_of(actor: Actor) -> QuerySet[CalendarFeed]:
    """Return the actor's feeds that are not revoked: of their bookings first, then of instruments by name."""
    return (
        CalendarFeed.objects.filter(user_id=actor.person, revoked_at=None)
        .select_related("user", "instrument__organisation")
        .order_by("-instrument", "instrument__name", "created_at")
    )


def managed_by(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments whose calendars show the actor people's names, by name."""
    reach = in_scope(actor.scope_where("operate-instruments"), "organisation", None)
    return Instrument.objects.filter(reach).order_by("name", "id")


def uid_of(pk: UUID) -> str:
    """Return an id that is the same in every invitation and feed, so that a calendar recognises the event."""
    return f"{pk}@{urlsplit(settings.SITE_URL).hostname}"


def platform() -> Person:
    """Return the platform as the sender of invitations."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return Person(address, name)


def event_of(reservation: Reservation, *, changed_at: datetime, guest: Person | None = None) -> Event:
    """Return a booking as a calendar entry for its person, in the current language; with a `guest`, as an
    invitation for them."""
    instrument = reservation.instrument
    facility = instrument.facility
    place = (named(facility), facility.address, instrument.room)
    page = reverse("bookings:reservation", kwargs={"reservation_id": reservation.pk})
    return Event(
        uid=uid_of(reservation.pk),
        sequence=reservation.version,
        start=reservation.start_at,
        end=reservation.end_at,
        zone=facility.time_zone,
        changed_at=changed_at,
        summary=named(instrument),
        location=", ".join(part for part in place if part),
        description=str(reservation.get_service_mode_display()),
        address=settings.SITE_URL + page,
        status=STATUS.get(reservation.state, "CONFIRMED"),
        host=platform() if guest else None,
        guest=guest,
    )


def load_own_events(actor: Actor, now: datetime) -> list[Event]:
    """Return the bookings of a person as events. Two statements."""
    rows = _in_feeds(Reservation.objects.filter(user_id=actor.person), now)
    changed = _changed(rows)
    return [event_of(row, changed_at=changed.get(row.pk, row.requested_at)) for row in rows]


def load_instrument_events(actor: Actor | None, instrument: Instrument, now: datetime) -> list[Event]:
    """Return what occupies an instrument: bookings that the actor may see, with their people; other bookings
    as busy time without names; closures with their kind. At most four statements."""
    rows = _in_feeds(Reservation.objects.filter(instrument=instrument), now)
    seen = visible_among(actor, [row.pk for row in rows]) if actor else frozenset()
    closures = _closures(instrument, now)
    changed = _changed([*rows, *closures])
    zone = instrument.facility.time_zone
    events = []
    for row in rows:
        at = changed.get(row.pk, row.requested_at)
        events.append(_known(row, at) if row.pk in seen else _busy(row, at, zone))
    for closure in closures:
        at = changed.get(closure.pk, closure.created_at)
        events.append(_closed(closure, at, zone, now))
    return sorted(events, key=lambda event: (event.start, event.uid))


def _in_feeds(rows: QuerySet[Reservation], now: datetime) -> list[Reservation]:
    """Return the bookings that calendars show, by start. A booking that ended before it took place stays for
    a while if it was ever confirmed, as calendars contain it."""
    span = Q(start_at__lt=now + AHEAD, end_at__gt=now - PAST)
    gone = Q(state__in=RELEASED, confirmed_at__isnull=False, ended_at__gt=now - CANCELLED_FOR)
    stands = Q(state__in=["confirmed", "in_use", "completed", "no_show"])
    waits = Q(state="requested", deadline_at__gt=now)
    shown = rows.filter(span, gone | stands | waits).select_related(*WITH)
    return list(shown.order_by("start_at", "id")[:MOST_EVENTS])


def _closures(instrument: Instrument, now: datetime) -> list[Closure]:
    ahead = Q(end_at=None) | Q(end_at__gt=now - PAST)
    rows = Closure.objects.filter(ahead, instrument=instrument, start_at__lt=now + AHEAD)
    return list(rows.order_by("start_at", "id")[:MOST_EVENTS])


def _changed(rows: Iterable[Reservation | Closure]) -> Mapping[UUID, datetime]:
    """Return, by id, when each booking or closure was last changed, according to the trail. One statement."""
    entries = TrailEntry.objects.filter(object_id__in=[row.pk for row in rows]).order_by()
    return dict(entries.values("object_id").annotate(last=Max("at")).values_list("object_id", "last"))


def _known(row: Reservation, changed_at: datetime) -> Event:
    """Return a booking as a calendar entry for the owner of the instrument."""
    event = event_of(row, changed_at=changed_at)
    person, payer = str(row.user), named(row.organisation)
    return replace(event, summary=f"{person} ({payer})")


def _busy(row: Reservation, changed_at: datetime, zone: str) -> Event:
    """Return a calendar entry that says only that a time is taken, with an id that does not lead to the
    booking."""
    return Event(
        uid=uid_of(uuid5(row.pk, "busy")),
        sequence=row.version,
        start=row.start_at,
        end=row.end_at,
        zone=zone,
        changed_at=changed_at,
        summary=gettext("Taken"),
        status=STATUS.get(row.state, "CONFIRMED"),
    )


def _closed(closure: Closure, changed_at: datetime, zone: str, now: datetime) -> Event:
    # A closure without an end lasts until the end of the feed.
    end = closure.end_at or (now + AHEAD).replace(minute=0, second=0, microsecond=0, hour=0)
    return Event(
        uid=uid_of(closure.pk),
        sequence=closure.version,
        start=closure.start_at,
        end=max(end, closure.start_at),
        zone=zone,
        changed_at=changed_at,
        summary=gettext("Closed: {kind}").format(kind=closure.get_kind_display()),
    )


# Inward
