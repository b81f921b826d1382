"""Calendars for other programs, and one's own calendar."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.adapters.calendars import Event, write
from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.tokens import tokens_of
from accounts.services.tokens import token_revoke
from bookings.catalogue.selectors.busy import busy_calendar_of
from bookings.messaging.selectors.feeds import (
    feed_address,
    feed_by_token,
    feeds_of,
    load_instrument_events,
    load_own_events,
    managed_by,
)
from bookings.messaging.services.feeds import (
    busy_calendar_remove,
    busy_calendar_set,
    feed_make,
    feed_revoke,
)
from bookings.record.messages import sentence
from instruments.messages import harvest_sentence
from instruments.models import Instrument
from instruments.selectors.registry import instrument_to_book

CONTENT_TYPE = "text/calendar; charset=utf-8"
MOST_OFFERED = 500


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """A calendar under a secret address, for a program that signs in nowhere. What it shows is
    what its person may see today."""
    found, now = feed_by_token(token), timezone.now()
    if found is None:
        raise NotFound
    actor = actor_of(found.user)
    with translation.override(found.user.language):
        if found.instrument_id is None:
            name = gettext("My bookings")
            events = load_own_events(actor, now)
            return answer(request, str(found.pk), name, found.user.time_zone, events, now)
        instrument = instrument_to_book(actor, found.instrument_id)
        events = load_instrument_events(actor, instrument, now)
        return _of_instrument(request, f"{found.pk}", instrument, events, now)


@require_safe
def instrument_feed(request: HttpRequest, instrument_id: UUID) -> HttpResponseBase:
    """When a published instrument is taken: busy time, and nothing of whose it is."""
    now, nobody = timezone.now(), actor_of(None)
    instrument = instrument_to_book(nobody, instrument_id)
    events = load_instrument_events(None, instrument, now)
    return _of_instrument(request, f"{instrument.pk}", instrument, events, now)


def _of_instrument(
    request: HttpRequest, key: str, instrument: Instrument, events: list[Event], now: datetime
) -> HttpResponseBase:
    return answer(request, key, named(instrument), instrument.facility.time_zone, events, now)


def answer(
    request: HttpRequest, key: str, name: str, zone: str, events: list[Event], now: datetime
) -> HttpResponseBase:
    """The calendar, or 304 where the reader has it already. Its ETag is of its content; since when
    the content is as it is, the cache remembers (what it forgets is sent once more)."""
    content = write(events, name=name, zone=zone).encode()
    tag = hashlib.sha256(content).hexdigest()[:32]
    place = f"feed:{key}:{translation.get_language()}"
    known = cache.get(place)
    since = known[1] if known and known[0] == tag else int(now.timestamp())
    cache.set(place, (tag, since), timeout=30 * 24 * 3600)
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["ETag"] = f'"{tag}"'
    response["Last-Modified"] = http_date(since)
    response["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response["X-Robots-Tag"] = "noindex"
    found = get_conditional_response(request, response["ETag"], since, response)
    assert found is not None
    return found


@login_required
@never_cache
@require_safe
def feeds(request: HttpRequest) -> HttpResponse:
    return page(request)


def page(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    actor = actor_of(request.user)
    found = [(row, feed_address(row)) for row in feeds_of(actor)]
    taken = {row.instrument_id for row, _ in found}
    own = next((pair for pair in found if pair[0].instrument_id is None), None)
    shown = {
        "own": own,
        "feeds": [pair for pair in found if pair is not own],
        "managed": [i for i in managed_by(actor)[:MOST_OFFERED] if i.pk not in taken],
        "busy": busy_calendar_of(actor),
        "now": timezone.now(),
        **context,
    }
    return render(request, "bookings/messaging/feeds.html", shown, status=status)


@login_required
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """A new address; of one's bookings where no instrument is named."""
    named = request.POST.get("instrument", "")
    try:
        instrument_id = UUID(named) if named else None
    except ValueError:
        raise NotFound from None
    feed_make(By(actor_of(request.user), timezone.now()), instrument_id=instrument_id)
    messages.success(
        request, gettext("Here is the address. Anyone who has it can read the calendar.")
    )
    return redirect("bookings:feeds")


@login_required
@require_POST
def revoke(request: HttpRequest, feed_id: UUID) -> HttpResponse:
    feed_revoke(By(actor_of(request.user), timezone.now()), feed_id=feed_id)
    messages.success(request, gettext("The address no longer works."))
    return redirect("bookings:feeds")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def access(request: HttpRequest) -> HttpResponse:
    """What still acts or reads as the person after a new password: revoke what is chosen."""
    user, actor, now = request.user, actor_of(request.user), timezone.now()
    assert isinstance(user, User)
    tokens, addresses = tokens_of(user).filter(expires_at__gt=now), feeds_of(actor)
    if request.method == "POST":
        chosen = set(request.POST.getlist("revoke"))
        for token in tokens:
            if str(token.pk) in chosen:
                token_revoke(user=user, token_id=token.pk, now=now)
        for row in addresses:
            if str(row.pk) in chosen:
                feed_revoke(By(actor, now), feed_id=row.pk)
        messages.success(
            request, gettext("The selected ones are revoked and can no longer be used.")
        )
        return redirect("bookings:access")
    context = {"tokens": tokens, "feeds": addresses}
    return render(request, "bookings/messaging/access.html", context)


@login_required
@require_POST
def busy(request: HttpRequest) -> HttpResponse:
    """Set one's own calendar, read it again, or remove it (`act`)."""
    actor, now = actor_of(request.user), timezone.now()
    if request.POST.get("act") == "remove":
        busy_calendar_remove(By(actor, now))
        messages.success(request, gettext("Removed, with everything that was read from it."))
        return redirect("bookings:feeds")
    address = request.POST.get("address", "")
    try:
        busy_calendar_set(By(actor, now), address=address)
    except Invalid as refused:
        problem = refused.problems[0]
        said = harvest_sentence(problem.code, problem.numbers)
        return page(request, status=400, refused=said, address=address)
    except WrongState as refused:
        said = sentence(refused.code, refused.numbers)
        return page(request, status=409, refused=said, address=address)
    messages.success(request, gettext("It is being read; check back in a minute."))
    return redirect("bookings:feeds")
