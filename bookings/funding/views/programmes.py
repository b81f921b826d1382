"""Vouchers: what is left of the reader's own, and the programmes of a region that they coordinate."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, by_of, chooses, edits, reads, shown, writes
from bookings.funding.forms.programmes import GrantForm, ProgrammeForm, SuspendForm, initial_of, year_of
from bookings.funding.selectors import programmes as programme_selectors
from bookings.funding.selectors.funding_sources import grants_nearly_used
from bookings.funding.services.grants import grant_create
from bookings.funding.services.programmes import (
    programme_change,
    programme_create,
    programme_resume,
    programme_suspend,
)
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.pricing.selectors.agreements import coordinates, own_regions
from bookings.record.views.lists import ListPage, waits_of

PAGE = 50
FORM = "bookings/funding/programme_form.html"
PROGRAMMES = ListPage("bookings/funding/vouchers.html", programme_selectors.PROGRAMMES)
GRANTS = ListPage(
    "bookings/funding/programme.html",
    programme_selectors.GRANTS,
    about=lambda rows, by: {"grants": grants_shown(rows, by.now)},
    size=PAGE,
)


@reads
def vouchers(request: HttpRequest) -> HttpResponseBase:
    """Show the reader's grants, usable ones first, and the programmes they coordinate or audit, which are
    the file of this page."""
    by = by_of(request)
    now, actor = by.now, by.actor
    own, working = PROGRAMMES.narrowed(request, by, programme_selectors.programmes_for(actor))
    if file := PROGRAMMES.file(request, by, own):
        return file
    waits = waits_of(request, "grants")
    rows = grants_nearly_used(actor, now) if waits else programme_selectors.own_grants(actor)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    programmes = [] if waits else programme_selectors.with_figures(list(own))
    grants = sorted(grants_shown(page.object_list, now), key=lambda grant: grant["state"] != "open")
    for programme in programmes:
        programme.state = programme_selectors.state_of_programme(programme, now)
    context = working | {
        "page": page,
        "waits": waits,
        "grants": grants,
        "programmes": programmes,
        "may_create": not waits and bool(own_regions(actor)),
        "has_organisation": bool(actor.organisations),
    }
    return render(request, PROGRAMMES.template, context)


def grants_shown(rows: Any, now: datetime) -> list[dict[str, Any]]:
    """Return the grants with figures, state and the regions they may be used in."""
    grants: list[VoucherGrant] = list(rows)
    hosts = programme_selectors.host_regions_of({row.programme_id: row.programme for row in grants}.values())
    return [
        {
            "row": row,
            "figures": programme_selectors.figures_of(row),
            "state": programme_selectors.state_of_grant(row, now),
            "hosts": hosts[row.programme_id],
            "currency": row.programme.currency,
        }
        for row in grants
    ]


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Create a programme of a region that the reader coordinates."""
    by = by_of(request)
    own = own_regions(by.actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    first = own[0]
    days = year_of(programme_selectors.day_at(first, by.now))
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        own=own,
        initial={"region": first.pk, "currency": first.currency, **days},
    )
    return act(
        request,
        partial(shown, request, FORM),
        lambda by, data: programme_create(
            by, region=next(region for region in own if region.pk == data["region"]), terms=form.terms()
        ),
        to=lambda created: _address(created.pk),
        done=gettext("The programme has started. Grant an organisation an amount."),
        form=form,
    )


@edits
def programme(request: HttpRequest, programme_id: UUID) -> HttpResponseBase:
    """Show a programme with its grants; POST creates a grant."""
    by = by_of(request)
    row = programme_selectors.programme_by_id(by.actor, programme_id)
    form = _grant_form(row, request.POST if request.method == "POST" else None, by.now)
    if form.is_bound and not coordinates(by.actor, row.region):
        raise NotPermitted(capability="coordinate")
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: grant_create(
            by,
            programme_id=row.pk,
            organisation=form.payer,
            amount=data["amount"],
            valid_from=data["valid_from"],
            valid_until=data["valid_until"],
            code=data["code"],
        ),
        to=_address(row.pk),
        done=lambda _: gettext("Granted to {organisation}.").format(organisation=form.payer.name),
        form=form,
        name="grant_form",
    )


@edits
def change(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Change the terms of a programme, for bookings to come."""
    actor = actor_of(request.user)
    row = programme_selectors.programme_by_id(actor, programme_id)
    if not coordinates(actor, row.region):
        raise NotPermitted(capability="coordinate")
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        initial=initial_of(row),
    )
    return act(
        request,
        partial(shown, request, FORM, programme=row),
        lambda by, _: programme_change(by, programme_id=row.pk, changes=form.values()),
        to=_address(row.pk),
        done=gettext("Changed, for future bookings."),
        form=form,
    )


@writes
@chooses("suspend", "resume")
def suspend(request: HttpRequest, programme_id: UUID, choice: str) -> HttpResponseBase:
    """Suspend a programme, or resume it."""

    form = SuspendForm(request.POST)

    def page(**forms: Any) -> HttpResponseBase:
        return _page(
            request, programme_selectors.programme_by_id(actor_of(request.user), programme_id), **forms
        )

    def decide(by: By, data: dict[str, Any]) -> None:
        if choice == "suspend":
            programme_suspend(by, programme_id=programme_id, reason=data["reason"])
        else:
            programme_resume(by, programme_id=programme_id)

    done = gettext("Suspended.") if choice == "suspend" else gettext("Resumed.")
    return act(request, page, decide, to=_address(programme_id), done=done, form=form, name="suspend_form")


def _address(programme_id: UUID) -> str:
    return reverse("bookings:money-vouchers-programme", args=[programme_id])


def _grant_form(row: VoucherProgramme, data: Any, now: datetime) -> GrantForm:
    days = year_of(max(programme_selectors.day_at(row.region, now), row.valid_from))
    if row.valid_until and days["valid_until"] > row.valid_until:
        days["valid_until"] = row.valid_until
    return GrantForm(data, payers=programme_selectors.payers_of(row), currency=row.currency, initial=days)


def _page(
    request: HttpRequest, row: VoucherProgramme, *, status: int = 200, **context: Any
) -> HttpResponseBase:
    by = by_of(request)
    rows = row.grants.select_related("programme__region", "organisation").order_by(
        "organisation__name", "-valid_until", "code"
    )
    labels = dict(Organisation.Kind.choices)
    context = {
        "programme": row,
        "state": programme_selectors.state_of_programme(row, by.now),
        "figures": programme_selectors.load_figures([row])[row.pk],
        "free": None if row.budget is None else row.budget - row.granted,
        "hosts": programme_selectors.host_regions_of([row])[row.pk],
        "kinds": [labels.get(kind, kind) for kind in row.payer_kinds],
        "is_own": coordinates(by.actor, row.region),
        "grant_form": _grant_form(row, None, by.now),
    } | context
    return GRANTS.answer(request, by, rows, status=status, **context)
