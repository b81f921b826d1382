"""Vouchers: what is left of one's own; the programmes of a region one coordinates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.organisations import sharing_regions
from bookings.funding.forms.programmes import (
    GrantForm,
    ProgrammeForm,
    SuspendForm,
    said_of,
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
from bookings.pricing.views.agreements import status_of
from bookings.record.views.lists import waits_of

PAGE = 50


@login_required
@require_safe
def vouchers(request: HttpRequest) -> HttpResponse:
    """One's own grants, those that can be used first; and the programmes one coordinates or
    audits."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "grants")
    found = grants_nearly_used(actor, now) if waits else own_grants(actor)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
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
    found: list[VoucherGrant] = list(rows)
    hosts = host_regions_of({row.programme_id: row.programme for row in found}.values())
    return [
        {
            "row": row,
            "figures": figures_of(row),
            "state": state_of_grant(row, now),
            "hosts": hosts[row.programme_id],
            "currency": row.programme.currency,
        }
        for row in found
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A programme of a region one coordinates."""
    now, actor = timezone.now(), actor_of(request.user)
    own = own_regions(actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    initial = {"region": own[0].pk, "currency": own[0].currency, **year_of(day_at(own[0], now))}
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        own=own,
        initial=initial,
    )
    if form.is_bound and form.is_valid():
        region = next(region for region in own if region.pk == form.cleaned_data["region"])
        try:
            made = programme_create(By(actor, now), region=region, terms=form.terms())
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(
                request, gettext("The programme has started. Grant an organisation an amount.")
            )
            return redirect("bookings:money-vouchers-programme", programme_id=made.pk)
    status = 400 if form.errors else 200
    return render(request, "bookings/funding/programme_form.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def programme(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """A programme with its grants; POST grants an amount."""
    now, actor = timezone.now(), actor_of(request.user)
    row = programme_by_id(actor, programme_id)
    form = _grant_form(row, request.POST if request.method == "POST" else None, now)
    if form.is_bound and not coordinates(actor, row.region):
        raise NotPermitted(capability="coordinate")
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            made = grant_create(
                By(actor, now),
                programme_id=row.pk,
                organisation=form.payer,
                amount=data["amount"],
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                code=data["code"],
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(
                request, gettext("Granted to {organisation}.").format(organisation=form.payer.name)
            )
            return redirect("bookings:money-vouchers-programme", programme_id=made.programme_id)
    return _page(request, actor, row, now, form=form, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Other terms, for bookings to come."""
    now, actor = timezone.now(), actor_of(request.user)
    row = programme_by_id(actor, programme_id)
    if not coordinates(actor, row.region):
        raise NotPermitted(capability="coordinate")
    form = ProgrammeForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        initial=said_of(row),
    )
    refused: Refused | None = None
    if form.is_bound and form.is_valid():
        try:
            programme_change(
                By(actor, now, form.cleaned_data["version"]),
                programme_id=row.pk,
                changes=form.values(),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongVersion as problem:
            refused = problem
        else:
            messages.success(request, gettext("Changed, for bookings to come."))
            return redirect("bookings:money-vouchers-programme", programme_id=row.pk)
    status = status_of(refused) if refused else 400 if form.errors else 200
    context = {"form": form, "programme": row, "refused": refused}
    return render(request, "bookings/funding/programme_form.html", context, status=status)


@login_required
@require_POST
def suspend(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Suspend or resume, as `act` says."""
    now, actor = timezone.now(), actor_of(request.user)
    row = programme_by_id(actor, programme_id)
    form = SuspendForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, row, now, status=400)
    data = form.cleaned_data
    try:
        if data["act"] == "suspend":
            programme_suspend(
                By(actor, now, data["version"]), programme_id=row.pk, reason=data["reason"]
            )
        else:
            programme_resume(By(actor, now, data["version"]), programme_id=row.pk)
    except (WrongState, WrongVersion) as problem:
        return _page(request, actor, row, now, refused=problem, status=status_of(problem))
    said = gettext("Suspended.") if data["act"] == "suspend" else gettext("Resumed.")
    messages.success(request, said)
    return redirect("bookings:money-vouchers-programme", programme_id=row.pk)


def _grant_form(row: VoucherProgramme, data: Any, now: datetime) -> GrantForm:
    days = year_of(max(day_at(row.region, now), row.valid_from))
    if row.valid_until and days["valid_until"] > row.valid_until:
        days["valid_until"] = row.valid_until
    return GrantForm(data, payers=payers_of(row), currency=row.currency, initial=days)


def _page(
    request: HttpRequest,
    actor: Actor,
    row: VoucherProgramme,
    now: datetime,
    *,
    form: GrantForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = row.grants.select_related("programme__region", "organisation").order_by(
        "organisation__name", "-valid_until", "code"
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    figures = load_figures([row])[row.pk]
    context = {
        "programme": row,
        "state": state_of_programme(row, now),
        "figures": figures,
        "free": None if row.budget is None else row.budget - row.granted,
        "hosts": host_regions_of([row])[row.pk],
        "kinds": _kinds(row),
        "page": page,
        "grants": grants_shown(page.object_list, now),
        "is_own": coordinates(actor, row.region),
        "form": form or _grant_form(row, None, now),
        "refused": refused,
    }
    return render(request, "bookings/funding/programme.html", context, status=status)


def _kinds(row: VoucherProgramme) -> list[Any]:
    labels = dict(Organisation.Kind.choices)
    return [labels.get(kind, kind) for kind in row.payer_kinds]
