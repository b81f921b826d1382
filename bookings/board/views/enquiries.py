"""The demand board: one's enquiries with their bids, and clusters."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.board.domain.enquiries import enquiry_state
from bookings.board.forms.enquiries import CloseForm, EnquiryForm
from bookings.board.models import Enquiry
from bookings.board.selectors.enquiries import (
    enquiries_for,
    enquiries_in,
    enquiry_by_id,
    load_clusters,
    shown_bids,
    shown_enquiries,
)
from bookings.board.services.enquiries import (
    OPEN_FOR,
    bid_decline,
    enquiry_accept,
    enquiry_close,
    enquiry_make,
    enquiry_withdraw,
    is_firm,
)
from bookings.needs.selectors.needs import load_chosen, own_need
from bookings.record.adapters.figures import Cell
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.views.lists import ListPage
from instruments.selectors.house_rules import load_house_rules, rules_to_accept

HEADS = (
    "enquiry", "need", "techniques", "person", "payer", "earliest", "latest", "minutes", "closes",
    "state", "bids", "made",
)  # fmt: skip


def _cells(row: Enquiry, by: By) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        row.need.text if row.need else "",
        ", ".join(row.techniques),
        row.user.name,
        row.organisation.code,
        row.earliest.isoformat(),
        row.latest.isoformat(),
        row.minutes,
        row.closes_at.isoformat(),
        enquiry_state(row.state, row.closes_at, by.now),
        len(row.bids.all()),
        row.created_at.isoformat(),
    )


LIST = ListPage(
    "bookings/board/enquiries.html",
    enquiries_for,
    shown=lambda row, by: shown_enquiries([row], by.now)[0],
    sheet=("enquiries", HEADS, _cells),
    words=("need__text", "user__name", "organisation__name", "organisation__name_zh"),
    day="created_at",
    states=Enquiry.State.choices,
    in_state=enquiries_in,
    sorts={1: "earliest", 2: "closes_at", 3: "state"},
)


@reads
def enquiries(request: HttpRequest) -> HttpResponseBase:
    """One's own, and for managers those of their organisation."""
    by = by_of(request)
    return LIST.answer(request, by, LIST.rows(by.actor))


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
        **why(refused),
    }
    return render(request, "bookings/board/enquiry.html", context, status=status)


def why(refused: Any) -> dict[str, Any]:
    """What a page says against an acceptance or a bid."""
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
def clusters(request: HttpRequest) -> HttpResponse:
    """What organisations of the regions one coordinates asked for together."""
    by = by_of(request)
    require_somewhere(by.actor, "coordinate")
    return render(request, "bookings/board/clusters.html", {"rows": load_clusters(by.actor)})
