"""Feeds of calendars: addresses given and taken back; and reading people's own calendars.

An own calendar is read like a harvest: a worker claims it in a short transaction, asks the address
outside of any, and stores the outcome only if the claim is still its own.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.adapters.calendars import CalendarBroken, busy_times
from accounts.adapters.calling import Answer, Limits, Resolve, call, resolve
from accounts.domain.addresses import AddressRefused, parse_address
from accounts.domain.errors import WrongState, WrongVersion, invalid
from accounts.domain.roles import Actor, By
from accounts.models import TrailEntry, User
from accounts.models.keys import new_id
from accounts.notifications import nudge
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from bookings.catalogue.models import BusyCalendar, BusyTime
from bookings.messaging.domain.feeds import (
    BUSY_AHEAD,
    MOST_SET,
    SET_WITHIN,
    must_expand,
    read_again_at,
)
from bookings.messaging.models import CalendarFeed
from bookings.messaging.selectors.feeds import feed_token
from instruments.domain.harvests import validators
from instruments.selectors.registry import instrument_to_book

TASK = "bookings.tasks.read_calendars"
LIMITS = Limits(connect=5, total=20, size=5 * 1024 * 1024)
LEASE = timedelta(minutes=10)  # far longer than the limits and `READING` let one last together


# Outward


@transaction.atomic
def feed_make(by: By, *, instrument_id: UUID | None) -> CalendarFeed:
    """An address for one's own bookings, or for an instrument that one may see; the one there was
    before stops working. `NotFound` for an instrument that is not the actor's to see."""
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
    trail.record(
        by,
        "feed.renew" if replaced else "feed.make",
        feed,
        after={"instrument": instrument_id},
    )
    return feed


@transaction.atomic
def feed_revoke(by: By, *, feed_id: UUID) -> None:
    """The address stops working at once; a second time changes nothing."""
    feed = visible(CalendarFeed.objects.select_for_update(), pk=feed_id, user=by.actor.person)
    if feed.revoked_at is None:
        feed.revoked_at = by.now
        feed.save(update_fields=["revoked_at"])
        trail.record(by, "feed.revoke", feed)


def _lock(actor: Actor) -> None:
    User.objects.select_for_update(no_key=True).get(pk=actor.person)


# Inward


@transaction.atomic
def busy_calendar_set(by: By, *, address: str) -> BusyCalendar:
    """Read a calendar of the person's own from now on, in place of any before. `Invalid`
    (address-malformed, address-not-https): whether it answers is found when it is read.
    `WrongState` (calendar-set-too-often) beyond `MOST_SET` within an hour, also where it was
    removed in between: each is read at once, which may cost much, and others wait meanwhile."""
    address = address.strip()
    if address.lower().startswith(("webcal://", "webcals://")):
        address = "https" + address[address.index(":") :]
    try:
        parse_address(address, loopback=settings.CALLS_LOOPBACK)
    except AddressRefused as refused:
        raise invalid("address", refused.code, **refused.numbers) from None
    _lock(by.actor)
    entries = TrailEntry.objects.filter(actor_id=by.actor.person, action="busycalendar.set")
    if entries.filter(at__gt=by.now - SET_WITHIN).count() >= MOST_SET:
        raise WrongState("calendar-set-too-often", most=MOST_SET)
    row = BusyCalendar.objects.select_for_update().filter(user_id=by.actor.person).first()
    if by.version is not None and by.version != (row.version if row else 0):
        raise WrongVersion(version=row.version if row else 0)
    if row is not None and row.address != address:
        row.times.all().delete()
    if row is None:
        row = BusyCalendar(user_id=by.actor.person, created_at=by.now, version=0)
    row.address, row.due_at = address, by.now
    row.etag = row.modified = ""
    # What is being read goes on until its time is over; what comes of it is for the old version.
    row.known_until = None
    row.problem, row.failures = {}, 0
    row.version += 1
    row.save()
    # The address is a secret of the person: the trail says that there is one.
    trail.record(by, "busycalendar.set", row)
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return row


@transaction.atomic
def busy_calendar_remove(by: By) -> None:
    """Forget the address and all that was read. `NotFound`."""
    row = visible(BusyCalendar.objects.select_for_update(), user_id=by.actor.person)
    trail.record(by, "busycalendar.remove", row)
    row.delete()


def calendar_read(*, now: datetime, resolve: Resolve = resolve) -> bool:
    """Read the own calendar that is due longest; whether any was."""
    row = _claim(now)
    if row is None:
        return False
    asked = {"Accept": "text/calendar"}
    if not must_expand(row.known_until, now):
        if row.etag:
            asked["If-None-Match"] = row.etag
        if row.modified:
            asked["If-Modified-Since"] = row.modified
    try:
        answer = call(
            row.address,
            headers=asked,
            limits=LIMITS,
            loopback=settings.CALLS_LOOPBACK,
            resolve=resolve,
        )
        with answer.body:
            times = None if answer.status == 304 and len(asked) > 1 else _times(answer, now)
    except AddressRefused as refused:
        _store(row, now, refused=refused)
        return True
    _store(row, now, answer=answer, times=times)
    return True


def _times(answer: Answer, now: datetime) -> list[tuple[datetime, datetime]]:
    if answer.status != 200:
        raise AddressRefused("answer-status", status=answer.status)
    try:
        return list(busy_times(answer.body.read(), now, now + BUSY_AHEAD))
    except CalendarBroken as broken:
        raise AddressRefused(broken.code) from None


@transaction.atomic
def _claim(now: datetime) -> BusyCalendar | None:
    """The next to read. It counts as failed until it is read: what ends its worker waits longer
    each time."""
    row = (
        BusyCalendar.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(Q(claimed_until=None) | Q(claimed_until__lte=now))
        .filter(due_at__lte=now, user__is_active=True)
        .order_by("due_at", "pk")
        .first()
    )
    if row is not None:
        if row.claim is not None:  # nothing came of the last reading
            row.problem = {"code": "reading-stopped", "numbers": {}}
        row.failures += 1
        row.due_at = read_again_at(row.failures, now)
        row.claim, row.claimed_until = new_id(), now + LEASE
        row.save()
    return row


@transaction.atomic
def _store(
    claimed: BusyCalendar,
    now: datetime,
    *,
    answer: Answer | None = None,
    times: list[tuple[datetime, datetime]] | None = None,
    refused: AddressRefused | None = None,
) -> None:
    """What came of reading: times, nothing new, or why not."""
    row = (
        BusyCalendar.objects.select_for_update().filter(pk=claimed.pk, claim=claimed.claim).first()
    )
    if row is None:  # another has taken it over, or the person removed it
        return
    row.claim = row.claimed_until = None
    if row.version != claimed.version:  # the person changed it: it is read anew
        row.save()
        return
    if refused is not None:
        row.problem = {"code": refused.code, "numbers": dict(refused.numbers)}
        if row.failures > 2:  # what was true some hours ago may not be any more
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
            row.known_until = now + BUSY_AHEAD
            for name, value in validators(answer.headers).items():
                setattr(row, name, value)
    row.due_at = read_again_at(row.failures, now)
    row.save()
