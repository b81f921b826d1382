"""The demand board: one's enquiries with their bids, what hosts are asked, and clusters."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import require_somewhere
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.board.forms.enquiries import BidForm, CloseForm, EnquiryForm
from bookings.board.selectors.enquiries import (
    enquiries_for,
    enquiries_to,
    enquiry_by_id,
    enquiry_to,
    group_at,
    host_bids,
    instruments_for,
    load_clusters,
    shown_bids,
    shown_enquiries,
)
from bookings.board.services.bids import bid_make, bid_withdraw
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
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from instruments.messages import PRICE_GROUP_LABELS
from instruments.selectors.house_rules import load_house_rules, rules_to_accept

SUGGESTED = 6  # times on the form of a bid


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
    row = shown_enquiries([enquiry_to(by.actor, enquiry_id, by.now)], by.now)[0]
    instruments = instruments_for(by.actor, row)
    named = request.POST.get("instrument") or request.GET.get("instrument", "")
    chosen = next((one for one in instruments if str(one.pk) == named), None)
    chosen = chosen or next(iter(instruments), None)
    starts = []
    if chosen is not None:
        offers = load_offers(
            [chosen],
            row.organisation,
            by.now,
            user_id=row.user_id,
            span=Period(max(row.earliest, by.now), row.latest),
            minutes=row.minutes,
            quantity=row.quantity,
            most=SUGGESTED,
        )
        starts = list(offers[chosen.pk].starts)
    zone = chosen.facility.zone if chosen else ZoneInfo(by.actor.time_zone)
    initial = {"instrument": str(chosen.pk)} if chosen else {}
    if chosen is not None:
        ways = [m for m in row.modes or chosen.service_modes if m in chosen.service_modes]
        initial["service_mode"] = next(iter(ways), "")
    form = BidForm(
        request.POST if request.method == "POST" else None,
        instruments=instruments,
        zone=zone,
        starts=[starts[0], starts[-1]] if len(starts) > 1 else starts,
        initial=initial,
    )

    def page(refused: Any = None, **context: Any) -> HttpResponse:
        return shown(
            request,
            "bookings/board/answer.html",
            enquiry=row,
            chosen=chosen,
            instruments=instruments,
            starts=starts,
            group=PRICE_GROUP_LABELS[group_at(row, chosen)] if chosen else "",
            **_why(refused),
            **context,
        )

    return act(
        request,
        page,
        lambda by, _: bid_make(
            by,
            enquiry_id=enquiry_id,
            instrument_id=UUID(form.cleaned_data["instrument"]),
            values=form.values(),
        ),
        to=reverse("bookings:bids"),
        done=gettext("The bid is made, and the times are kept."),
        form=form,
    )


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
