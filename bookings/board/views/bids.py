"""Pages for hosts: enquiries that they could answer, and their bids."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, edits, is_part, reads, shown
from bookings.board.domain.enquiries import LIVE, MOST_SLOTS, enquiry_state
from bookings.board.forms.enquiries import BidForm, DeclineForm
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors import enquiries
from bookings.board.services.bids import bid_amend, bid_make
from bookings.board.views.enquiries import why
from bookings.catalogue.selectors.catalogue import Offer, load_offers
from bookings.record.domain.periods import Period
from bookings.record.views.lists import ListPage, waits_of
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

DAYS, MOST_STARTS = 5, 1500  # on the form of a bid


def _asked(row: Enquiry, by: By) -> Enquiry:
    (row,) = enquiries.shown_enquiries([row], by.now)
    bids = enquiries.shown_bids(enquiries.bids_among(by.actor, row.bids.all()), by.now)
    row.own_bids = bids  # type: ignore[attr-defined]
    return row


OPEN = ListPage("bookings/board/open_enquiries.html", enquiries.OPEN_ENQUIRIES, shown=_asked)


def _shown(row: Bid, by: By) -> Bid:
    (bid,) = enquiries.shown_bids([row], by.now)
    asked = bid.enquiry
    bid.is_open = enquiry_state(asked.state, asked.closes_at, by.now) in LIVE  # type: ignore[attr-defined]
    return bid


def _booked(rows: list[Any], by: By) -> dict[str, Any]:
    enquiries.load_booked(rows, by.now)
    return {}


LIST = ListPage("bookings/board/bids.html", enquiries.BIDS, shown=_shown, about=_booked)


@reads
def open_enquiries(request: HttpRequest, *, status: int = 200, refused: Any = None) -> HttpResponseBase:
    """List the enquiries that the reader's instruments could answer."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    waits = waits_of(request, *enquiries.OPEN_ENQUIRIES.waits)
    find = enquiries.OPEN_ENQUIRIES.waits.get(waits, enquiries.enquiries_to)
    is_aside = waits == "aside"  # which is nothing that waits
    waits = "" if is_aside else waits
    return OPEN.answer(
        request, by, find(by.actor, by.now), status=status, waits=waits, is_aside=is_aside, refused=refused
    )


@reads
def bids(request: HttpRequest, status: int = 200, refused: Any = None) -> HttpResponseBase:
    """List the bids of the reader's organisations, newest first."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    answer = LIST.answer(request, by, refused=refused)
    answer.status_code = status
    return answer


@reads
def bid(request: HttpRequest, bid_id: UUID) -> HttpResponse:
    """Show a bid to its host and to the person who enquired: what is asked for, what is offered, and what
    became of it and why. Hosts read who enquired once they accepted it."""
    by = by_of(request)
    row = enquiries.bid_by_id(by.actor, bid_id)
    (enquiry,) = enquiries.shown_enquiries([row.enquiry], by.now)
    is_own = enquiry.user_id == by.actor.user_id
    is_host = bool(enquiries.bids_among(by.actor, [row])) and not is_own
    is_named = not is_host or row.state == Bid.State.ACCEPTED
    is_open = enquiry.shown_state in LIVE  # type: ignore[attr-defined]
    enquiries.load_booked(enquiries.shown_bids([row], by.now), by.now)
    return shown(
        request,
        "bookings/board/bid.html",
        bid=row,
        enquiry=enquiry,
        is_own=is_own,
        is_host=is_host,
        is_named=is_named,
        # Hosts read a need's text, which may change, while they can answer it.
        shows_text=is_named or (is_open and not enquiry.is_confidential),
        is_open=is_open,
        decline=DeclineForm(),
    )


@edits
def answer(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """Bid for an enquiry: choose the instrument, the times and the conditions."""
    by = by_of(request)
    row = enquiries.enquiry_to(by.actor, enquiry_id, by.now)
    instruments = enquiries.instruments_for(by.actor, row)
    return _form(
        request,
        row,
        instruments,
        lambda by, form: bid_make(
            by,
            enquiry_id=enquiry_id,
            instrument_id=UUID(form.cleaned_data["instrument"]),
            values=form.values(),
        ),
        gettext("Your bid is sent, and its times are held."),
    )


@edits
def amend(request: HttpRequest, bid_id: UUID) -> HttpResponse:
    """Replace the times and the terms of an open bid."""
    by = by_of(request)
    bid = enquiries.host_bid(by.actor, bid_id)
    row = enquiries.enquiry_to(by.actor, bid.enquiry_id, by.now)
    instruments = [one for one in enquiries.instruments_for(by.actor, row) if one.pk == bid.instrument_id]
    return _form(
        request,
        row,
        instruments,
        lambda by, form: bid_amend(by, bid_id=bid_id, values=form.values()),
        gettext("The bid is changed, and its new times are held."),
        bid,
    )


def _form(
    request: HttpRequest,
    row: Enquiry,
    instruments: list[Instrument],
    work: Callable[[By, BidForm], Bid],
    done: str,
    bid: Bid | None = None,
) -> HttpResponse:
    """Show the form of a bid, with the free times of the chosen instrument. `bid` is the one being amended,
    whose own times count as free. A request that only asks for other times carries nothing out and keeps what
    was entered."""
    by = by_of(request)
    (enquiry,) = enquiries.shown_enquiries([row], by.now)
    data = request.POST or request.GET
    chosen = next((one for one in instruments if str(one.pk) == data.get("instrument")), None)
    chosen = chosen or next(iter(instruments), None)
    initial = _begun(row, chosen, bid)
    given = data.get("days", "")
    days = int(given) if given.isdecimal() and len(given) < 4 else DAYS
    days += DAYS * (data.get("show") == "days")
    mode = data.get("service_mode") or initial["service_mode"]
    discount, discount_problems = _discount(data.get("discount_percent", initial.get("discount_percent")))
    ticked_now = data.getlist("starts") if request.POST or "starts" in data else None
    offer = _offer(row, chosen, mode, by, bid, ticked_now, discount)
    starts = list(offer.starts) if offer else []
    zone = chosen.facility.zone if chosen else ZoneInfo(by.actor.time_zone)
    is_asking = "show" in request.POST
    kept = bid.starts if bid else ()
    form = BidForm(
        request.POST if request.method == "POST" else None,
        instruments=instruments,
        starts=starts,
        initial=initial | {"starts": [start.isoformat() for start in kept]},
    )
    by_day = {day: list(of_day) for day, of_day in groupby(starts, key=lambda s: local_date(zone, s))}
    ticked = set(form["starts"].value() or ())
    shown_days = [
        (day, [(start, start.isoformat() in ticked) for start in of_day])
        for n, (day, of_day) in enumerate(by_day.items())
        if n < days or any(start.isoformat() in ticked for start in of_day)
    ]
    standing = None if bid or chosen is None else enquiries.standing_bid(row, chosen, by.now)

    def page(refused: Any = None, **context: Any) -> HttpResponse:
        return shown(
            request,
            "bookings/board/answer.html" + ("#price" if is_part(request, "bid-price") else ""),
            enquiry=enquiry,
            bid=bid,
            chosen=chosen,
            days=shown_days,
            number=days,
            has_more=len(by_day) > len(shown_days),
            prices=offer.quotes if offer else (),
            is_aside=enquiries.is_put_aside(by.actor, row),
            may_put_aside=bool(by.actor.organisations_where("manage-instruments")),
            minimum=_least(offer, row.minutes),
            discount=discount,
            discount_problems=discount_problems,
            why_not=_why_not(row, chosen, mode, by, bid) if chosen and not starts else None,
            standing=standing,
            group=PRICE_GROUP_LABELS[enquiries.groups_at(row, [chosen])[chosen.pk]] if chosen else "",
            **why(refused),
            **context,
        )

    if is_asking:
        form.errors.clear()
        return page(form=form)
    return act(request, page, lambda by, _: work(by, form), to=reverse("bookings:bids"), done=done, form=form)


def _begun(row: Enquiry, chosen: Instrument | None, bid: Bid | None) -> dict[str, Any]:
    """Return the initial values of a bid's form."""
    if bid is not None:
        return {
            "instrument": str(bid.instrument_id),
            "service_mode": bid.service_mode,
            "conditions": bid.conditions,
            "text": bid.text,
            "discount_percent": bid.discount_percent or "",
            "discount_reason": bid.discount_reason,
        }
    if chosen is None:
        return {"service_mode": ""}
    ways = [mode for mode in row.modes or chosen.service_modes if mode in chosen.service_modes]
    return {"instrument": str(chosen.pk), "service_mode": next(iter(ways), "")}


def _discount(given: Any) -> tuple[Decimal, list[str]]:
    """Return the discount that the form of a bid has, and what is wrong with it."""
    try:
        return BidForm.base_fields["discount_percent"].clean(given) or Decimal(0), []
    except ValidationError as error:
        return Decimal(0), list(error.messages)


def _offer(
    row: Enquiry,
    chosen: Instrument | None,
    mode: str,
    by: By,
    bid: Bid | None,
    ticked: list[str] | None,
    discount: Decimal,
) -> Offer | None:
    """Return the times at which an instrument is free for the person who enquired, and the prices of those
    that are ticked: at first those of the bid."""

    def priced(starts: Sequence[datetime]) -> list[datetime]:
        kept = bid.starts if bid else ()
        return [s for s in starts if (s in kept if ticked is None else s.isoformat() in ticked)][:MOST_SLOTS]

    if chosen is None:
        return None
    offers = load_offers(
        [chosen],
        row.organisation,
        by.now,
        user_id=row.user_id,
        mode=mode or None,
        span=Period(max(row.earliest, by.now), row.latest),
        minutes=row.minutes,
        quantity=row.quantity,
        most=MOST_STARTS,
        without=_own_slots(bid),
        priced=priced,
        bid_discount_percent=discount,
    )
    return offers[chosen.pk]


def _least(offer: Offer | None, minutes: int) -> int:
    """Return the least minutes that are charged, if the times are shorter; else 0."""
    return offer.minimum_minutes if offer and offer.minimum_minutes > minutes else 0


def _own_slots(bid: Bid | None) -> list[UUID]:
    return [slot.reservation_id for slot in bid.slots.all()] if bid else []


def _why_not(row: Enquiry, chosen: Instrument, mode: str, by: By, bid: Bid | None) -> Any:
    return enquiries.load_why_not(row, chosen, mode, by.now, without=_own_slots(bid))
