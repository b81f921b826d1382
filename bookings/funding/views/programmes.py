"""Vouchers: what is left of one's own; the programmes of a region one coordinates."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.organisations import sharing_regions
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.funding.forms.programmes import (
    GrantForm,
    ProgrammeForm,
    SuspendForm,
    initial_of,
    year_of,
)
from bookings.funding.selectors.funding_sources import grants_nearly_used
from bookings.funding.selectors.programmes import (
    day_at,
    figures_of,
    host_regions_of,
    load_figures,
    own_grants,
    payers_of,
    programme_by_id,
    programmes_for,
    state_of_grant,
    state_of_programme,
)
from bookings.funding.services.grants import grant_create
from bookings.funding.services.programmes import (
    programme_change,
    programme_create,
    programme_resume,
    programme_suspend,
)
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.pricing.selectors.agreements import coordinates, own_regions
from bookings.record.views.lists import waits_of

PAGE = 50
FORM = "bookings/funding/programme_form.html"


@reads
def vouchers(request: HttpRequest) -> HttpResponse:
    """One's own grants, those that can be used first; and the programmes one coordinates or
    audits."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "grants")
    rows = grants_nearly_used(actor, now) if waits else own_grants(actor)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    programmes = [] if waits else list(programmes_for(actor))
    grants = sorted(grants_shown(page.object_list, now), key=lambda grant: grant["state"] != "open")
    figures, hosts = load_figures(programmes), host_regions_of(programmes)
    context = {
        "page": page,
        "waits": waits,
        "grants": grants,
        "programmes": [
            {
                "row": row,
                "figures": figures[row.pk],
                "hosts": hosts[row.pk],
                "state": state_of_programme(row, now),
            }
            for row in programmes
        ],
        "may_create": not waits and bool(own_regions(actor)),
        "has_organisation": bool(actor.organisations),
    }
    return render(request, "bookings/funding/vouchers.html", context)


def grants_shown(rows: Any, now: datetime) -> list[dict[str, Any]]:
    """Grants with figures, state and the regions they may be used in."""
    grants: list[VoucherGrant] = list(rows)
    hosts = host_regions_of({row.programme_id: row.programme for row in grants}.values())
    return [
        {
            "row": row,
            "figures": figures_of(row),
            "state": state_of_grant(row, now),
            "hosts": hosts[row.programme_id],
            "currency": row.programme.currency,
        }
        for row in grants
    ]


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Start a programme of a region one coordinates."""
    by = by_of(request)
    own = own_regions(by.actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    first = own[0]
    days = year_of(day_at(first, by.now))
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
            by,
            region=next(region for region in own if region.pk == data["region"]),
            terms=form.terms(),
        ),
        to=lambda created: _address(created.pk),
        done=gettext("The programme has started. Grant an organisation an amount."),
        form=form,
    )


@edits
def programme(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Show a programme with its grants; POST grants an amount."""
    by = by_of(request)
    row = programme_by_id(by.actor, programme_id)
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
    )


@edits
def change(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Change the terms of a programme, for bookings to come."""
    actor = actor_of(request.user)
    row = programme_by_id(actor, programme_id)
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
        done=gettext("Changed, for bookings to come."),
        form=form,
    )


@writes
def suspend(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Suspend or resume a programme, as `act` says."""
    row = programme_by_id(actor_of(request.user), programme_id)
    return suspended_or_resumed(
        request,
        partial(_page, request, row),
        partial(programme_suspend, programme_id=row.pk),
        partial(programme_resume, programme_id=row.pk),
        _address(row.pk),
    )


def suspended_or_resumed(
    request: HttpRequest,
    page: Callable[..., HttpResponse],
    suspend: Callable[..., Any],
    resume: Callable[..., Any],
    address: str,
) -> HttpResponse:
    """Carry out the one of two services that the form names."""
    form = SuspendForm(request.POST)

    def decide(by: By, data: dict[str, Any]) -> None:
        if data["act"] == "suspend":
            suspend(by, reason=data["reason"])
        else:
            resume(by)

    is_suspended = request.POST.get("act") == "suspend"
    done = gettext("Suspended.") if is_suspended else gettext("Resumed.")
    return act(request, page, decide, to=address, done=done, form=form, name="suspend_form")


def _address(programme_id: UUID) -> str:
    return reverse("bookings:money-vouchers-programme", args=[programme_id])


def _grant_form(row: VoucherProgramme, data: Any, now: datetime) -> GrantForm:
    days = year_of(max(day_at(row.region, now), row.valid_from))
    if row.valid_until and days["valid_until"] > row.valid_until:
        days["valid_until"] = row.valid_until
    return GrantForm(data, payers=payers_of(row), currency=row.currency, initial=days)


def _page(
    request: HttpRequest, row: VoucherProgramme, *, status: int = 200, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    rows = row.grants.select_related("programme__region", "organisation").order_by(
        "organisation__name", "-valid_until", "code"
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    labels = dict(Organisation.Kind.choices)
    context = {
        "programme": row,
        "state": state_of_programme(row, by.now),
        "figures": load_figures([row])[row.pk],
        "free": None if row.budget is None else row.budget - row.granted,
        "hosts": host_regions_of([row])[row.pk],
        "kinds": [labels.get(kind, kind) for kind in row.payer_kinds],
        "page": page,
        "grants": grants_shown(page.object_list, by.now),
        "is_own": coordinates(by.actor, row.region),
        "form": _grant_form(row, None, by.now),
        **forms,
    }
    return render(request, "bookings/funding/programme.html", context, status=status)
