"""Creating and revoking the addresses of calendar feeds, and reading people's own calendars.

For how a worker claims a person's calendar and fetches it, see `instruments.exchange.services.polling`.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.adapters.calendars import CalendarBroken, busy_times
from accounts.adapters.calling import Limits, RemoteResponse, Resolve, resolve
from accounts.domain.addresses import AddressRefused, parse_address
from accounts.domain.errors import WrongState, WrongVersion, invalid
from accounts.domain.roles import Actor, By
from accounts.models import TrailEntry, User
from accounts.models.keys import new_id
from accounts.notifications import nudge
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from bookings.catalogue.models import BusyCalendar, BusyTime
from bookings.messaging.domain import feeds
from bookings.messaging.models import CalendarFeed
from bookings.messaging.selectors.feeds import feed_token
from instruments.exchange.services.polling import (
    address_ask,
    address_claim,
    address_release,
    address_remember,
)
from instruments.register.selectors.registry import instrument_to_book

TASK = "bookings.tasks.read_calendars"
LIMITS = Limits(connect=5, total=20, size=5 * 1024 * 1024)


# Outward


@transaction.atomic
def feed_make(by: By, *, instrument_id: UUID | None) -> CalendarFeed:
    """Create an address for the actor's own bookings, or for an instrument; the previous address stops
    working. Raises `NotFound` for an instrument that the actor may not see."""
    if instrument_id is not None:
        instrument_to_book(by.actor, instrument_id)
    _lock(by.actor)
    old = CalendarFeed.objects.filter(user_id=by.actor.person, revoked_at=None).filter(
        Q(instrument_id=instrument_id) if instrument_id else Q(instrument=None)
    )
    replaced = old.update(revoked_at=by.now)
    pk = new_id()
    feed = CalendarFeed.objects.create(
        id=pk,
        user_id=by.actor.person,
        instrument_id=instrument_id,
        digest=digest_of(feed_token(pk)),
        created_at=by.now,
    )
    trail.record(by, "feed.renew" if replaced else "feed.make", feed, after={"instrument": instrument_id})
    return feed


@transaction.atomic
def feed_revoke(by: By, *, feed_id: UUID) -> None:
    """Revoke a feed: its address stops working at once. Doing so again changes nothing."""
    feed = visible(CalendarFeed.objects.select_for_update(), pk=feed_id, user=by.actor.person)
    by.require_version(feed.version)
    if feed.revoked_at is None:
        feed.revoked_at = by.now
        feed.save(update_fields=["revoked_at"])
        trail.record(by, "feed.revoke", feed)


def feeds_end(by: By, user: User) -> None:
    """Revoke all feeds of a person, in the transaction of a caller who may do so."""
    for feed in CalendarFeed.objects.select_for_update().filter(user=user, revoked_at=None).order_by("pk"):
        feed.revoked_at = by.now
        feed.save(update_fields=["revoked_at"])
        trail.record(by, "feed.revoke", feed)


def _lock(actor: Actor) -> None:
    User.objects.select_for_update(no_key=True).get(pk=actor.person)


# Inward


@transaction.atomic
def busy_calendar_set(by: By, *, address: str) -> BusyCalendar:
    """Read this calendar of the person's own from now on, replacing any previous one. Raises `Invalid`
    (address-malformed, address-not-https); whether the address answers is found out when it is read. Raises
    `WrongState` (calendar-set-too-often) for more than `MOST_SET` within an hour, even if it was removed in
    between, because each address is read at once, which may be costly."""
    address = address.strip()
    if address.lower().startswith(("webcal://", "webcals://")):
        address = "https" + address[address.index(":") :]
    try:
        parse_address(address, loopback=settings.CALLS_LOOPBACK)
    except AddressRefused as refused:
        raise invalid("address", refused.code, **refused.numbers) from None
    _lock(by.actor)
    entries = TrailEntry.objects.filter(actor_id=by.actor.person, action="busycalendar.set")
    if entries.filter(at__gt=by.now - feeds.SET_WITHIN).count() >= feeds.MOST_SET:
        raise WrongState("calendar-set-too-often", most=feeds.MOST_SET)
    row = BusyCalendar.objects.select_for_update().filter(user_id=by.actor.person).first()
    if by.version is not None and by.version != (row.version if row else 0):
        raise WrongVersion(version=row.version if row else 0)
    if row is not None and row.address != address:
        row.times.all().delete()
    if row is None:
        row = BusyCalendar(user_id=by.actor.person, created_at=by.now, version=0)
    row.address, row.due_at = address, by.now
    row.etag = row.modified = ""
    # A reading under way continues until it times out; its result belongs to the old version and is dropped.
    row.known_until = None
    row.problem, row.failures = {}, 0
    row.version += 1
    row.save()
    # The address is a secret of the person, so the trail only says that there is one.
    trail.record(by, "busycalendar.set", row)
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return row


@transaction.atomic
def busy_calendar_remove(by: By) -> None:
    """Forget the actor's own calendar and all that was read from it. Raises `NotFound` if there is none."""
    row = visible(BusyCalendar.objects.select_for_update(), user_id=by.actor.person)
    by.require_version(row.version)
    trail.record(by, "busycalendar.remove", row)
    row.delete()


def calendar_read(*, now: datetime, resolve: Resolve = resolve) -> bool:
    """Read the calendar of some person that has been due longest; return whether there was one."""
    stopped = {"code": "reading-stopped", "numbers": {}}
    rows = BusyCalendar.objects.filter(user__is_active=True)
    row = address_claim(rows, feeds.read_again_at, feeds.MOST_FAILURES, now, problem=stopped)
    if row is None:
        return False
    anew = feeds.must_expand(row.known_until, now)
    try:
        answer = address_ask(row, limits=LIMITS, resolve=resolve, anew=anew, Accept="text/calendar")
        times = _times(answer, now) if answer else None
    except AddressRefused as refused:
        _store(row, now, refused=refused)
        return True
    _store(row, now, answer=answer, times=times)
    return True


def _times(answer: RemoteResponse, now: datetime) -> list[tuple[datetime, datetime]]:
    try:
        with answer.body:
            return list(busy_times(answer.body.read(), now, now + feeds.BUSY_AHEAD))
    except CalendarBroken as broken:
        raise AddressRefused(broken.code) from None


@transaction.atomic
def _store(
    claimed: BusyCalendar,
    now: datetime,
    *,
    answer: RemoteResponse | None = None,
    times: list[tuple[datetime, datetime]] | None = None,
    refused: AddressRefused | None = None,
) -> None:
    """Store the outcome of reading a person's own calendar: the new times, that nothing changed, or why it
    failed."""
    row = address_release(BusyCalendar.objects.all(), claimed)
    if row is None:  # another worker has taken it over, or the person removed it
        return
    if row.version != claimed.version:  # the person changed it: it is read again
        row.save()
        return
    if refused is not None:
        row.problem = {"code": refused.code, "numbers": dict(refused.numbers)}
        if row.failures > 2:  # busy times that are some hours old may be wrong
            row.times.all().delete()
            row.etag = row.modified = ""
            row.known_until = None
    else:
        row.failures, row.problem, row.read_at = 0, {}, now
        if times is not None and answer is not None:
            row.times.all().delete()
            BusyTime.objects.bulk_create(
                BusyTime(calendar=row, start_at=start, end_at=end) for start, end in times
            )
            row.known_until = now + feeds.BUSY_AHEAD
            address_remember(row, answer)
    row.due_at = feeds.read_again_at(row.failures, now)
    row.save()
