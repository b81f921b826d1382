"""Pages of the demand board: the reader's enquiries with their bids, and clusters."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, bare, by_of, edits, is_part, reads, shown, status_of
from bookings.board.domain.enquiries import STANDING
from bookings.board.forms.enquiries import AcceptForm, CloseForm, EnquiryForm
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors import enquiries as enquiry_selectors
from bookings.board.services.enquiries import MOST_NAMED, OPEN_FOR, enquiry_accept, enquiry_make, is_firm
from bookings.browsing.views.comparing import wishes_of
from bookings.funding.domain.defaults import NO_DEFAULT
from bookings.funding.models import FundingSource
from bookings.funding.selectors.defaults import load_default
from bookings.funding.selectors.funding_sources import chargeable
from bookings.needs.selectors.needs import load_chosen, own_need
from bookings.pricing.domain.fees import on_use
from bookings.pricing.domain.quotes import input_to_json, minimum_charged, quote_to_json
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.views.lists import ListPage
from bookings.samples.selectors.receiving import load_arrivals, receiving_of
from instruments.reading.domain.clock import local_date

LIST = ListPage(
    "bookings/board/enquiries.html",
    enquiry_selectors.ENQUIRIES,
    shown=lambda row, by: enquiry_selectors.shown_enquiries([row], by.now)[0],
)


@reads
def enquiries(request: HttpRequest) -> HttpResponseBase:
    """List the reader's enquiries; managers also see those of their organisation."""
    return LIST.answer(request, by_of(request))


@edits
def new(request: HttpRequest, need_id: UUID) -> HttpResponse:
    """Publish the reader's own need as an enquiry, showing what hosts will see, to hosts whose names are
    ticked. A request that only looks for hosts carries nothing out and keeps what was entered; htmx gets
    only the hosts that were found."""
    by = by_of(request)
    need = own_need(by.actor, need_id)
    terms = load_chosen(need.terms)
    data = request.POST or request.GET
    matching = enquiry_selectors.hosts_to_choose([code for term in terms for code in term.techniques])
    listed = {one.organisation.code for one in matching}
    others = enquiry_selectors.hosts_found(
        data.get("host", "")[:120],
        ticked=[code for code in data.getlist("hosts")[:MOST_NAMED] if code not in listed],
        besides=[one.organisation.pk for one in matching],
    )
    page = partial(
        shown,
        request,
        "bookings/board/new.html" + ("#others" if is_part(request, "other-hosts") else ""),
        need=need,
        terms=terms,
        matching=matching,
        others=others,
        ticked=data.getlist("hosts"),
        sought=data.get("host", ""),
    )
    form = EnquiryForm(
        request.POST if request.method == "POST" else None,
        zone=ZoneInfo(by.actor.time_zone),
        regions=sharing_regions(),
        hosts=[one.organisation for one in (*matching, *others)],
        closes_at=min(need.latest, by.now + OPEN_FOR),
        initial={"is_confidential": is_firm(need.organisation), "sample": need.sample},
    )
    if "show" in request.POST:
        form.errors.clear()
        return page(form=form)
    return act(
        request,
        page,
        lambda by, _: enquiry_make(by, need_id=need_id, values=form.values()),
        to=lambda enquiry: reverse("bookings:enquiry", args=[enquiry.pk]),
        done=gettext("Hosts can now answer."),
        form=form,
    )


@reads
def enquiry(
    request: HttpRequest, enquiry_id: UUID, status: int = 200, refused: Any = None, **forms: Any
) -> HttpResponse:
    """Show an enquiry to its author, with its bids side by side."""
    by = by_of(request)
    row = enquiry_selectors.shown_enquiries([enquiry_selectors.enquiry_by_id(by.actor, enquiry_id)], by.now)[
        0
    ]
    bids = enquiry_selectors.shown_bids(row.bids.all(), by.now)
    enquiry_selectors.load_booked(bids, by.now)
    _mark_too_early(bids, by.now)
    is_own = row.user_id == by.actor.user_id
    context = {
        "enquiry": row,
        "bids": bids,
        "is_own": is_own,
        "compared": _compared(row, bids),
        "is_open": row.shown_state in ("open", "answered"),  # type: ignore[attr-defined]
        "close": CloseForm(initial={"version": row.version}),
        **why(refused),
        **forms,
    }
    return render(request, "bookings/board/enquiry.html", context, status=status)


def _mark_too_early(bids: Iterable[Bid], now: datetime) -> None:
    """Give the slots of bids, which `shown_bids` has returned, `arrives`: from when samples that are posted
    now can be worked on, if that is after the slot's start; else None. One statement for each way of working
    in which samples are sent in."""
    standing = [bid for bid in bids if bid.shown_state in STANDING]  # type: ignore[attr-defined]
    by_mode = {
        mode: load_arrivals([bid.instrument for bid in standing if bid.service_mode == mode], mode, now)
        for mode in {bid.service_mode for bid in standing}
    }
    for bid in standing:
        arrives = by_mode[bid.service_mode].get(bid.instrument_id)
        for slot in bid.shown_slots:  # type: ignore[attr-defined]
            slot.arrives = arrives if arrives and slot.reservation.start_at < arrives else None


def _compared(enquiry: Enquiry, bids: Sequence[Bid]) -> str:
    """Return the query of the page that compares the instruments of the bids; empty if their ways of working
    differ: that page prices all of them by one way, and would contradict the bids."""
    modes = {bid.service_mode for bid in bids}
    if len(bids) < 2 or len(modes) > 1:
        return ""
    return urlencode(
        [("id", pk) for pk in dict.fromkeys(bid.instrument_id for bid in bids)]
        + [*wishes_of(enquiry.earliest, enquiry.latest, enquiry.minutes, sorted(modes)).items()]
        + [("organisation", enquiry.organisation.code)]
    )


def why(refused: Any) -> dict[str, Any]:
    """Return the context that explains why an acceptance or a bid was refused."""
    rules = refused.refusals if isinstance(refused, RulesRefuse) else ()
    return {"refusals": rules, "refused": None if rules else refused}


def _sources(by: By, row: Enquiry, found: enquiry_selectors.Acceptance) -> list[FundingSource]:
    """Return the payer's funding sources that the person may charge on the day of a time."""
    day = local_date(found.bid.instrument.facility.zone, found.slot.reservation.start_at)
    return chargeable(row.organisation, [by.actor.user_id], day)


@edits
def accept(request: HttpRequest, enquiry_id: UUID) -> HttpResponse:
    """Show everything that accepting one of the times of a bid would book, and book it. If the time is no
    longer available, the enquiry says so."""
    by = by_of(request)
    row = enquiry_selectors.own_enquiry(by.actor, enquiry_id)
    data = request.POST or request.GET
    slot_id = as_uuid(data.get("slot", "")) or UUID(int=0)
    first = enquiry_selectors.load_acceptance(row, slot_id, by.now)
    sources = _sources(by, row, first) if first else []
    form = AcceptForm(
        request.POST if request.method == "POST" else None,
        sources=sources,
        default=load_default(row.organisation_id, by.actor.person, sources) if sources else NO_DEFAULT,
        initial={"slot": slot_id},
    )

    def page(status: int = 200, refused: Any = None, **forms: Any) -> HttpResponse:
        found = first if refused is None else enquiry_selectors.load_acceptance(row, slot_id, by.now)
        if found is None:
            gone = refused or WrongState("bid-gone")
            return bare(enquiry)(request, enquiry_id, status=status_of(gone), refused=gone)
        given, hold = found.price.given, found.slot.reservation
        arrives = load_arrivals([found.bid.instrument], found.bid.service_mode, by.now).get(
            found.bid.instrument_id
        )
        shown_slots = found.bid.shown_slots  # type: ignore[attr-defined]
        too_early = arrives if arrives and hold.start_at < arrives else None
        later = [s for s in shown_slots if too_early and s.reservation.start_at >= too_early]
        return shown(
            request,
            "bookings/board/accept.html",
            status=status,
            enquiry=row,
            found=found,
            hold=hold,
            is_early=too_early is not None,
            later=min(later, key=lambda s: s.reservation.start_at, default=None),
            zone=found.bid.instrument.facility.time_zone,
            quote=quote_to_json(found.price.quote, explained=True),
            minimum=minimum_charged(input_to_json(given)),
            on_use=on_use(given.card, given.service_mode),
            by_post=receiving_of(found.bid.instrument.facility_id),
            arrives=arrives,
            **why(refused),
            **forms,
        )

    return act(
        request,
        page,
        lambda by, data: enquiry_accept(
            by,
            enquiry_id=enquiry_id,
            slot_id=slot_id,
            house_rules=data["house_rules"],
            purpose=data["purpose"] or "research",
            reason=data["reason"],
            at_most=form.at_most(),
            funding=form.shares(),
        ),
        to=lambda made: reverse("bookings:reservation", args=[made.pk]),
        done=gettext("The bid is accepted, and the time is booked."),
        form=form,
    )


@reads
def clusters(request: HttpRequest) -> HttpResponse:
    """Show clusters of enquiries in the regions that the reader coordinates."""
    by = by_of(request)
    require_somewhere(by.actor, "coordinate")
    return render(
        request, "bookings/board/clusters.html", {"rows": enquiry_selectors.load_clusters(by.actor)}
    )
