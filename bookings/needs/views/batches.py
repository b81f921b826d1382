"""Pages of batches: for coordinators what was placed and why, for everybody the times they are offered."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import require_somewhere
from accounts.views.pages import act, bare, by_of, edits, reads, shown, writes
from bookings.needs.domain.batches import LARGEST_SHARE
from bookings.needs.forms.batches import BatchForm
from bookings.needs.selectors.batches import (
    BATCHES,
    MOST_NEEDS,
    batch_by_id,
    load_scarce,
    own_place,
    regions_to_place,
    shown_places,
)
from bookings.needs.services.batches import batch_place_accept, batch_start
from bookings.needs.views.needs import need
from bookings.record.views.lists import ListPage
from bookings.reserving.domain.holds import SLOTS_HELD

LIST = ListPage("bookings/needs/batches.html", BATCHES)


@reads
def batches(request: HttpRequest) -> HttpResponseBase:
    """List the batches of regions that the reader coordinates."""
    by = by_of(request)
    require_somewhere(by.actor, "coordinate")
    return LIST.answer(request, by)


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Start a batch for a region and a window."""
    by = by_of(request)
    require_somewhere(by.actor, "coordinate")
    form = BatchForm(
        request.POST if request.method == "POST" else None,
        zone=ZoneInfo(by.actor.time_zone),
        regions=regions_to_place(by.actor),
        now=by.now,
    )
    limits = {
        "most": MOST_NEEDS,
        "hours": SLOTS_HELD // timedelta(hours=1),
        "percent": round(LARGEST_SHARE * 100),
    }
    return act(
        request,
        partial(shown, request, "bookings/needs/batch_new.html", **limits),
        lambda by, _: batch_start(by, **form.cleaned_data),
        to=lambda batch: reverse("bookings:batch", args=[batch.pk]),
        done=gettext("The batch is started. You will be notified when it is placed."),
        form=form,
    )


@reads
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Show which needs were offered a time, which were not and why, and which days are scarce."""
    by = by_of(request)
    row = batch_by_id(by.actor, batch_id)
    places = shown_places(row.batch_places.all(), by.now)
    context = {
        "batch": row,
        "offered": [place for place in places if place.reservation_id],
        "unplaced": [place for place in places if not place.reservation_id],
        "scarce": load_scarce(row),
    }
    return render(request, "bookings/needs/batch.html", context)


@writes
def accept(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Book the time that a batch holds for the reader's need."""
    rules = request.POST.get("house_rules", "")
    return act(
        request,
        partial(_page, request, place_id),
        lambda by, _: batch_place_accept(
            by, place_id=place_id, house_rules=int(rules) if rules.isdecimal() and len(rules) < 9 else None
        ),
        to=lambda made: reverse("bookings:reservation", args=[made.pk]),
        done=gettext("The time is accepted."),
    )


def _page(request: HttpRequest, place_id: UUID, **context: Any) -> HttpResponse:
    """Show the page of the need for which a time is held."""
    need_id = own_place(by_of(request).actor, place_id).need_id
    assert need_id is not None  # it is the reader's own
    return bare(need)(request, need_id, **context)
