"""The demand board: one's enquiries with their bids, what hosts are asked, and clusters."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.board.domain.enquiries import two_days
from bookings.board.forms.enquiries import BidForm, CloseForm, EnquiryForm
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.enquiries import (
    enquiries_for,
    enquiries_to,
    enquiry_by_id,
    enquiry_to,
    group_at,
    host_bid,
    host_bids,
    instruments_for,
    load_clusters,
    shown_bids,
    shown_enquiries,
    standing_bid,
)
from bookings.board.services.bids import bid_amend, bid_make, bid_withdraw
from bookings.board.services.enquiries import (
    OPEN_FOR,
    bid_decline,
    enquiry_accept,
    enquiry_close,
    enquiry_make,
    enquiry_withdraw,
    is_firm,
)
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.needs.selectors.needs import load_chosen, own_need
from bookings.pricing.domain.quotes import Quote
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from instruments.domain.opening import local_date
from instruments.messages import PRICE_GROUP_LABELS
from instruments.models import Instrument
from instruments.selectors.house_rules import load_house_rules, rules_to_accept

DAYS, MOST_STARTS = 5, 1500  # on the form of a bid


@reads
def enquiries(request: HttpRequest) -> HttpResponse:
    """One's own, and for managers those of their organisation."""
    by = by_of(request)
    rows = shown_enquiries(enquiries_for(by.actor)[:100], by.now)
    return render(request, "bookings/board/enquiries.html", {"enquiries": rows})


@edits
def new(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Make one's own need an enquiry, with what hosts will read."""
    by = by_of(request)
    need = own_need(by.actor, need_id)
    form = EnquiryForm(
        request.POST if request.method == "POST" else None,
        zone=ZoneInfo(by.actor.time_zone),
        regions=sharing_regions(),
        closes_at=min(need.latest, by.now + OPEN_FOR),
        initial={"is_confidential": is_firm(need.organisation), "sample": need.sample},
    )
    terms = load_chosen(need.terms)
    return act(
        request,
        partial(shown, request, "bookings/board/new.html", need=need, terms=terms),
        lambda by, _: enquiry_make(by, need_id=need_id, values=form.values()),
        to=lambda enquiry: reverse("bookings:enquiry", args=[enquiry.pk]),
        done=gettext("Hosts can now answer."),
        form=form,
    )


@reads
def enquiry(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """One's enquiry, with its bids side by side."""
    return _page(request, enquiry_id)


def _page(
    request: HttpRequest, enquiry_id: UUID, status: int = 200, refused: Any = None, **_: Any
) -> HttpResponse:
    by = by_of(request)
    row = shown_enquiries([enquiry_by_id(by.actor, enquiry_id)], by.now)[0]
    bids = shown_bids(row.bids.all(), by.now)
    is_own = row.user_id == by.actor.user_id
    for bid in bids if is_own else ():
        if bid.shown_slots:  # type: ignore[attr-defined]
            rules = load_house_rules(bid.instrument, by.actor.user_id)
            bid.house_rules = rules_to_accept(rules)  # type: ignore[attr-defined]
    context = {
        "enquiry": row,
        "bids": bids,
        "is_own": is_own,
        "is_open": row.shown_state in ("open", "answered"),  # type: ignore[attr-defined]
        "close": CloseForm(),
        **_why(refused),
    }
    return render(request, "bookings/board/enquiry.html", context, status=status)


def _why(refused: Any) -> dict[str, Any]:
    rules = refused.refusals if isinstance(refused, RulesRefuse) else ()
    return {"refusals": rules, "refused": None if rules else refused}


@writes
def accept(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """Book a slot of a bid."""
    slot = as_uuid(request.POST.get("slot", ""))
    rules = request.POST.get("house_rules", "")
    return act(
        request,
        partial(_page, request, enquiry_id),
        lambda by, _: enquiry_accept(
            by,
            enquiry_id=enquiry_id,
            slot_id=slot or UUID(int=0),
            house_rules=int(rules) if rules.isdecimal() and len(rules) < 9 else None,
        ),
        to=lambda made: reverse("bookings:reservation", args=[made.pk]),
        done=gettext("The bid is accepted, and the time is booked."),
    )


@writes
def close(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """End it: as unmet with a reason, or withdrawn without one."""
    reason = request.POST.get("reason", "")
    return act(
        request,
        partial(_page, request, enquiry_id),
        lambda by, _: (
            enquiry_close(by, enquiry_id=enquiry_id, reason=reason)
            if reason
            else enquiry_withdraw(by, enquiry_id=enquiry_id)
        ),
        to=reverse("bookings:enquiry", args=[enquiry_id]),
        done=gettext("The enquiry is closed."),
    )


@writes
def decline(request: HttpRequest, enquiry_id: UUID, bid_id: UUID) -> HttpResponse:
    """Decline one bid."""
    return act(
        request,
        partial(_page, request, enquiry_id),
        lambda by, _: bid_decline(by, bid_id=bid_id),
        to=reverse("bookings:enquiry", args=[enquiry_id]),
        done=gettext("The bid is declined."),
    )


@reads
def bids(request: HttpRequest) -> HttpResponse:
    """What hosts are asked that one's instruments could answer, and one's bids."""
    return _bids(request)


def _bids(request: HttpRequest, status: int = 200, refused: Any = None, **_: Any) -> HttpResponse:
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    context = {
        "asked": shown_enquiries(enquiries_to(by.actor, by.now)[:100], by.now),
        "bids": shown_bids(host_bids(by.actor)[:100], by.now),
        "refused": refused,
    }
    return render(request, "bookings/board/bids.html", context, status=status)


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
            **_why(refused),
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
def withdraw(request: HttpRequest, bid_id: UUID) -> HttpResponse:
    """Take a bid back."""
    return act(
        request,
        partial(_bids, request),
        lambda by, _: bid_withdraw(by, bid_id=bid_id),
        to=reverse("bookings:bids"),
        done=gettext("The bid is withdrawn."),
    )


@reads
def clusters(request: HttpRequest) -> HttpResponse:
    """What organisations of the regions one coordinates asked for together."""
    by = by_of(request)
    require_somewhere(by.actor, "coordinate")
    return render(request, "bookings/board/clusters.html", {"rows": load_clusters(by.actor)})
