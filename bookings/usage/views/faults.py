"""Pages of fault reports: their authors read them, managers decide them."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override

from accounts.domain.errors import NotFound, Refused
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, writes
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.selectors.units import units_of
from bookings.record.forms.fields import local_moment
from bookings.record.views.lists import ListPage
from bookings.reserving.forms.reservations import ReasonForm
from bookings.usage.forms.faults import ConfirmForm, RepairForm
from bookings.usage.models import FaultReport
from bookings.usage.selectors.closures import with_costs
from bookings.usage.selectors.faults import (
    FAULTS,
    fault_by_id,
    hours_down,
    is_of_host,
    knows_cost,
    note_by_id,
    repairers_of,
)
from bookings.usage.services.faults import fault_confirm, fault_dismiss
from instruments.attachments.adapters.files import SIZES, file_open
from instruments.attachments.adapters.pictures import MEDIA_TYPE


def _shown(row: FaultReport, by: By) -> FaultReport:
    row.sees_to_it = row.assignee if is_of_host(row, by) else None  # type: ignore[attr-defined]
    return row


LIST = ListPage("bookings/usage/faults.html", FAULTS, shown=_shown)


@reads
def faults(request: HttpRequest) -> HttpResponseBase:
    """List the reports that the reader wrote in, and those on instruments they manage; or only those that
    wait for them."""
    return LIST.answer(request, by_of(request))


@edits
def fault(request: HttpRequest, fault_id: UUID, **shown: Any) -> HttpResponse:
    """Show one report; POST confirms it, with a closure or (`note`) without. Bookings in the way are listed
    first, and displaced only when the form is sent again with `displace`."""
    by = by_of(request)
    row = fault_by_id(by.actor, fault_id)
    if shown:  # another act of the page was refused
        return _page(request, row, by, **shown)
    if "note" in request.POST:
        return act(
            request,
            partial(_page, request, row, by),
            lambda by, data: fault_confirm(by, fault_id=fault_id, reason=data["reason"]),
            to=reverse("bookings:fault", args=[fault_id]),
            done=gettext("Noted. Nothing is closed; those who reported it are notified."),
            form=ReasonForm(request.POST),
            name="note_form",
        )
    form = _form(row, by, request.POST if request.method == "POST" else None)
    return act(
        request,
        partial(_page, request, row, by),
        lambda by, data: fault_confirm(
            by, fault_id=fault_id, outage=form.outage(), displace=data["displace"]
        ),
        to=reverse("bookings:fault", args=[fault_id]),
        done=gettext(
            "Confirmed and closed. People who are displaced, and those who reported the fault, are notified."
        ),
        form=form,
    )


@writes
def dismiss(request: HttpRequest, fault_id: UUID) -> HttpResponse:
    by = by_of(request)
    return act(
        request,
        lambda **forms: _page(request, fault_by_id(by.actor, fault_id), by, **forms),
        lambda by, data: fault_dismiss(by, fault_id=fault_id, reason=data["reason"]),
        to=reverse("bookings:fault", args=[fault_id]),
        done=gettext("Dismissed. Those who reported it are notified."),
        form=ReasonForm(request.POST),
        name="dismiss_form",
    )


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def photo(request: HttpRequest, note_id: UUID, size: str) -> HttpResponseBase:
    """Return the photo of a report, to people who may read the report."""
    note = note_by_id(by_of(request).actor, note_id)
    content = file_open(note.pk, size) if size in SIZES["photo"] else None
    if content is None:
        raise NotFound
    return FileResponse(content, content_type=MEDIA_TYPE, filename=f"{note.pk}-{size}.webp")


def _form(row: FaultReport, by: By, data: Any = None) -> ConfirmForm:
    instrument = row.instrument
    zone = instrument.facility.zone
    initial = {"start": local_moment(by.now, zone), "version": row.version}
    return ConfirmForm(data, zone=zone, units=units_of(instrument), initial=initial)


def _page(
    request: HttpRequest,
    row: FaultReport,
    by: By,
    *,
    status: int = 200,
    form: ConfirmForm | None = None,
    refused: Refused | None = None,
    **more: Any,
) -> HttpResponse:
    place = place_of(row.instrument.organisation, row.instrument)
    decides = by.actor.may("operate-instruments", place)
    if request.method == "POST":
        require(by.actor, "operate-instruments", place)
    may_repair = decides and row.state in (FaultReport.State.OPEN, FaultReport.State.CONFIRMED)
    in_the_way: Any = ()
    if isinstance(refused, InTheWay) and form is not None:
        in_the_way = with_costs(by.actor, refused.reservations, form.outage().start)
        refused = None
    words = ReasonForm(initial={"version": row.version})
    context = {
        "fault": row,
        "zone": row.instrument.facility.time_zone,
        "knows_people": is_of_host(row, by),
        "knows_cost": knows_cost(row, by),
        "may_decide": decides and row.state == FaultReport.State.OPEN,
        "may_repair": may_repair,
        "repairers": repairers_of(row) if may_repair else (),
        "repair_form": RepairForm(initial={"version": row.version}),
        "down": hours_down(row, by.now),
        "is_closed": row.closes_at(by.now),
        "form": form or _form(row, by),
        "note_form": words,
        "dismiss_form": words,
        "in_the_way": in_the_way,
        "refused": refused,
        **more,
    }
    currency = row.instrument.region.currency
    label = gettext("Cost ({currency})").format(currency=currency)
    context["repair_form"].fields["cost"].label = label
    if not context["knows_cost"]:
        del context["repair_form"].fields["cost"]
    return render(request, "bookings/usage/fault.html", context, status=status)
