"""Calendar feeds for other programs, and the reader's own calendar."""

import hashlib
from datetime import datetime
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.adapters.calendars import Event, write
from accounts.domain.errors import NotFound, Refused, WrongState
from accounts.letters.words import named
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.programs import described, programs_of
from accounts.selectors.tokens import tokens_of
from accounts.services.programs import program_remove
from accounts.services.tokens import token_revoke
from accounts.views.pages import act, bare, by_of, chooses, edits, reads, writes
from bookings.catalogue.selectors.busy import busy_calendar_of
from bookings.messaging.selectors import feeds as feed_selectors
from bookings.messaging.services.feeds import busy_calendar_remove, busy_calendar_set, feed_make, feed_revoke
from bookings.record.messages import sentence
from instruments.exchange.messages import harvest_sentence
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book

CONTENT_TYPE = "text/calendar; charset=utf-8"
MOST_OFFERED = 500


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Return a calendar under a secret address, for programs that cannot sign in. It shows what the feed's
    person may see today."""
    row, now = feed_selectors.feed_by_token(token), timezone.now()
    if row is None:
        raise NotFound
    actor = actor_of(row.user)
    with translation.override(row.user.language):
        if row.instrument_id is None:
            name = gettext("My bookings")
            events = feed_selectors.load_own_events(actor, now)
            return answer(request, str(row.pk), name, row.user.time_zone, events, now)
        instrument = instrument_to_book(actor, row.instrument_id)
        events = feed_selectors.load_instrument_events(actor, instrument, now)
        return _of_instrument(request, f"{row.pk}", instrument, events, now)


@require_safe
def instrument_feed(request: HttpRequest, instrument_id: UUID) -> HttpResponseBase:
    """Return the times when a published instrument is taken, without saying by whom."""
    now, nobody = timezone.now(), actor_of(None)
    instrument = instrument_to_book(nobody, instrument_id)
    events = feed_selectors.load_instrument_events(None, instrument, now)
    return _of_instrument(request, f"{instrument.pk}", instrument, events, now)


def _of_instrument(
    request: HttpRequest, key: str, instrument: Instrument, events: list[Event], now: datetime
) -> HttpResponseBase:
    return answer(request, key, named(instrument), instrument.facility.time_zone, events, now)


def answer(
    request: HttpRequest, key: str, name: str, zone: str, events: list[Event], now: datetime
) -> HttpResponseBase:
    """Return the calendar, or 304 if the reader has it already. The ETag is computed from the content; the
    cache remembers since when the content is unchanged (if it forgets, the calendar is sent once more)."""
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
    conditional = get_conditional_response(request, response["ETag"], since, response)
    assert conditional is not None
    return conditional


@never_cache
@reads
def feeds(
    request: HttpRequest, status: int = 200, refused: Refused | None = None, **context: object
) -> HttpResponse:
    """Show the reader's feed addresses, and their own calendar."""
    actor = actor_of(request.user)
    rows = [(row, feed_selectors.feed_address(row)) for row in feed_selectors.feeds_of(actor)]
    taken = {row.instrument_id for row, _ in rows}
    own = next((pair for pair in rows if pair[0].instrument_id is None), None)
    say = sentence if isinstance(refused, WrongState) else harvest_sentence
    shown = {
        "own": own,
        "feeds": [pair for pair in rows if pair is not own],
        "managed": [i for i in feed_selectors.managed_by(actor)[:MOST_OFFERED] if i.pk not in taken],
        "busy": busy_calendar_of(actor),
        "now": timezone.now(),
        "refused": refused and say(refused.code, refused.numbers),
        **context,
    }
    return render(request, "bookings/messaging/feeds.html", shown, status=status)


@writes
def make(request: HttpRequest) -> HttpResponse:
    """Create a new address; for the reader's own bookings if no instrument is named."""
    instrument = request.POST.get("instrument", "")
    try:
        instrument_id = UUID(instrument) if instrument else None
    except ValueError:
        raise NotFound from None
    return act(
        request,
        partial(bare(feeds), request),
        lambda by, _: feed_make(by, instrument_id=instrument_id),
        to=reverse("bookings:feeds"),
        done=gettext("Here is the address. Anyone who has it can read the calendar."),
    )


@never_cache
@edits
def access(request: HttpRequest) -> HttpResponse:
    """Show which tokens, programs and feed addresses keep working after a new password, and revoke those that
    the reader selects."""
    user, by = request.user, by_of(request)
    assert isinstance(user, User)
    tokens, addresses = tokens_of(user).filter(expires_at__gt=by.now), feed_selectors.feeds_of(by.actor)
    programs = described(programs_of(user, by.now))
    if request.method == "POST":
        chosen = set(request.POST.getlist("revoke"))
        for one in programs:
            if one.pk in chosen:
                program_remove(by, program_id=UUID(one.pk))
        for token in tokens:
            if str(token.pk) in chosen:
                token_revoke(by, token_id=token.pk)
        for row in addresses:
            if str(row.pk) in chosen:
                feed_revoke(by, feed_id=row.pk)
        messages.success(request, gettext("The selected ones are revoked and can no longer be used."))
        return redirect("bookings:access")
    context = {"tokens": tokens, "programs": programs, "feeds": addresses}
    return render(request, "bookings/messaging/access.html", context)


@writes
@chooses("set", "remove")
def busy(request: HttpRequest, choice: str) -> HttpResponse:
    """Set the address of the reader's own calendar, fetch it again, or remove it."""
    to = reverse("bookings:feeds")
    if choice == "remove":
        done = gettext("Removed, with everything that was read from it.")
        shown = partial(bare(feeds), request)
        return act(request, shown, lambda by, _: busy_calendar_remove(by), to=to, done=done)
    address = request.POST.get("address", "")
    return act(
        request,
        partial(bare(feeds), request, address=address),
        lambda by, _: busy_calendar_set(by, address=address),
        to=to,
        done=gettext("It is being read; check back in a minute."),
    )
