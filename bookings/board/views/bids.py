"""Bids: what hosts are asked, and what they offer."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.board.domain.enquiries import two_days
from bookings.board.forms.enquiries import BidForm
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.enquiries import (
    bids_in,
    enquiries_to,
    enquiry_to,
    group_at,
    host_bid,
    host_bids,
    instruments_for,
    shown_bids,
    shown_enquiries,
    standing_bid,
)
from bookings.board.services.bids import bid_amend, bid_make, bid_withdraw
from bookings.board.views.enquiries import why
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.pricing.domain.quotes import Quote
from bookings.record.adapters.figures import Cell
from bookings.record.domain.periods import Period
from bookings.record.views.lists import ListPage, amount_cell
from instruments.domain.opening import local_date
from instruments.messages import PRICE_GROUP_LABELS
from instruments.models import Instrument

DAYS, MOST_STARTS = 5, 1500  # on the form of a bid
OPEN_HEADS = (
    "enquiry", "techniques", "sample", "quantity", "minutes", "earliest", "latest", "closes",
    "organisation", "own_bids",
)  # fmt: skip
HEADS = (
    "bid", "enquiry", "instrument", "instrument_name", "state", "valid_until", "starts", "currency",
    "total", "organisation", "made",
)  # fmt: skip


def _asked(row: Enquiry, by: By) -> Enquiry:
    (row,) = shown_enquiries([row], by.now)
    hosts = by.actor.organisations_where("manage-instruments")
    bids = shown_bids((bid for bid in row.bids.all() if bid.host_id in hosts), by.now)
    row.own_bids = bids  # type: ignore[attr-defined]
    return row


def _open_cells(row: Enquiry, by: By) -> tuple[Cell, ...]:
    """As hosts read it: of a confidential one not who asks."""
    return (
        str(row.pk),
        ", ".join(row.techniques),
        row.sample,
        row.quantity,
        row.minutes,
        row.earliest.isoformat(),
        row.latest.isoformat(),
        row.closes_at.isoformat(),
        "" if row.is_confidential else row.organisation.code,
        ", ".join(bid.shown_state for bid in _asked(row, by).own_bids),  # type: ignore[attr-defined]
    )


def _cells(row: Bid, by: By) -> tuple[Cell, ...]:
    (row,) = shown_bids([row], by.now)
    slots = list(row.slots.all())
    return (
        str(row.pk),
        str(row.enquiry_id),
        str(row.instrument_id),
        row.instrument.name,
        row.shown_state,  # type: ignore[attr-defined]
        row.valid_until.isoformat(),
        ", ".join(slot.reservation.start_at.isoformat() for slot in slots),
        slots[0].currency if slots else "",
        amount_cell(slots[0].total, slots[0].currency) if slots else "",
        row.enquiry.organisation.code if row.state == Bid.State.ACCEPTED else "",
        row.created_at.isoformat(),
    )


# Not by words of the need or by name: both are the secret of who asks in confidence.
OPEN = ListPage(
    "bookings/board/open_enquiries.html",
    lambda actor: enquiries_to(actor, timezone.now()),
    shown=_asked,
    sheet=("open-enquiries", OPEN_HEADS, _open_cells),
    words=("sample",),
    day="closes_at",
    sorts={1: "earliest", 2: "closes_at"},
)
LIST = ListPage(
    "bookings/board/bids.html",
    host_bids,
    shown=lambda row, by: shown_bids([row], by.now)[0],
    sheet=("bids", HEADS, _cells),
    words=("instrument__name", "instrument__name_zh"),
    day="created_at",
    states=Bid.State.choices,
    in_state=bids_in,
    sorts={0: "instrument__name", 2: "state", 3: "created_at"},
)


@reads
def open_enquiries(request: HttpRequest) -> HttpResponseBase:
    """What hosts are asked that one's instruments could answer."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    return OPEN.answer(request, by, OPEN.rows(by.actor))


@reads
def bids(request: HttpRequest) -> HttpResponseBase:
    """What one's organisation offered, the newest first."""
    return _bids(request)


def _bids(
    request: HttpRequest, status: int = 200, refused: Any = None, **_: Any
) -> HttpResponseBase:
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    answer = LIST.answer(request, by, LIST.rows(by.actor), refused=refused)
    answer.status_code = status
    return answer


@edits
def answer(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """Bid for an enquiry: which instrument, which times, on what conditions."""
    by = by_of(request)
    row = enquiry_to(by.actor, enquiry_id, by.now)
    instruments = instruments_for(by.actor, row)
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
        gettext("The bid is made, and the times are kept."),
    )


@edits
def amend(request: HttpRequest, bid_id: UUID) -> HttpResponse:
    """Put other times and terms in the place of those of a bid that stands."""
    by = by_of(request)
    bid = host_bid(by.actor, bid_id)
    row = enquiry_to(by.actor, bid.enquiry_id, by.now)
    instruments = [one for one in instruments_for(by.actor, row) if one.pk == bid.instrument_id]
    return _form(
        request,
        row,
        instruments,
        lambda by, form: bid_amend(by, bid_id=bid_id, values=form.values()),
        gettext("The bid is changed, and its new times are kept."),
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
    """The form of a bid, with the free times of the instrument that is chosen; `bid`: the one that
    is amended, whose own times count as free. What only asks for other times carries nothing
    out and keeps what was entered."""
    by = by_of(request)
    (enquiry,) = shown_enquiries([row], by.now)
    data = request.POST or request.GET
    chosen = next((one for one in instruments if str(one.pk) == data.get("instrument")), None)
    chosen = chosen or next(iter(instruments), None)
    initial = _begun(row, chosen, bid)
    given = data.get("days", "")
    days = int(given) if given.isdecimal() and len(given) < 4 else DAYS
    days += DAYS * (data.get("show") == "days")
    starts, price = _free(row, chosen, data.get("service_mode") or initial["service_mode"], by, bid)
    zone = chosen.facility.zone if chosen else ZoneInfo(by.actor.time_zone)
    is_asking = "show" in request.POST
    kept = bid.starts if bid else ()
    form = BidForm(
        request.POST if request.method == "POST" else None,
        instruments=instruments,
        starts=starts,
        initial=initial | {"starts": [start.isoformat() for start in kept or two_days(starts)]},
    )
    by_day = {
        day: list(of_day) for day, of_day in groupby(starts, key=lambda s: local_date(zone, s))
    }
    ticked = set(form["starts"].value() or ())
    shown_days = [
        (day, [(start, start.isoformat() in ticked) for start in of_day])
        for n, (day, of_day) in enumerate(by_day.items())
        if n < days or any(start.isoformat() in ticked for start in of_day)
    ]
    standing = None if bid or chosen is None else standing_bid(row, chosen, by.now)

    def page(refused: Any = None, **context: Any) -> HttpResponse:
        return shown(
            request,
            "bookings/board/answer.html",
            enquiry=enquiry,
            bid=bid,
            chosen=chosen,
            days=shown_days,
            number=days,
            has_more=len(by_day) > len(shown_days),
            price=price,
            standing=standing,
            group=PRICE_GROUP_LABELS[group_at(row, chosen)] if chosen else "",
            **why(refused),
            **context,
        )

    if is_asking:
        form.errors.clear()
        return page(form=form)
    return act(
        request,
        page,
        lambda by, _: work(by, form),
        to=reverse("bookings:bids"),
        done=done,
        form=form,
    )


def _begun(row: Enquiry, chosen: Instrument | None, bid: Bid | None) -> dict[str, Any]:
    """What the form of a bid begins with."""
    if bid is not None:
        return {
            "instrument": str(bid.instrument_id),
            "service_mode": bid.service_mode,
            "conditions": bid.conditions,
            "text": bid.text,
        }
    if chosen is None:
        return {"service_mode": ""}
    ways = [mode for mode in row.modes or chosen.service_modes if mode in chosen.service_modes]
    return {"instrument": str(chosen.pk), "service_mode": next(iter(ways), "")}


def _free(
    row: Enquiry, chosen: Instrument | None, mode: str, by: By, bid: Bid | None
) -> tuple[list[datetime], Quote | None]:
    """When the instrument is free for who asks, and what the first of these times costs them."""
    if chosen is None:
        return [], None
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
        without=[slot.reservation_id for slot in bid.slots.all()] if bid else (),
    )
    offer = offers[chosen.pk]
    return list(offer.starts), offer.quote


@writes
def withdraw(request: HttpRequest, bid_id: UUID) -> HttpResponseBase:
    """Take a bid back."""
    return act(
        request,
        partial(_bids, request),
        lambda by, _: bid_withdraw(by, bid_id=bid_id),
        to=reverse("bookings:bids"),
        done=gettext("The bid is withdrawn."),
    )
