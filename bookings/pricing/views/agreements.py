"""Agreements between regions: read by their people, made by their coordinators."""

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
from accounts.permissions import actor_of
from accounts.selectors.memberships import no_second
from accounts.selectors.organisations import sharing_regions
from bookings.pricing.forms.agreements import AgreementEndForm, AgreementForm, SignForm, said_of
from bookings.pricing.models import Agreement
from bookings.pricing.selectors.agreements import (
    agreement_by_id,
    agreements_alike,
    agreements_for,
    agreements_to_sign,
    coordinates,
    own_regions,
    state_on,
    today_in,
)
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from bookings.record.views.lists import waits_of

PAGE = 20


def status_of(refused: Refused) -> int:
    """Of what a page could not do."""
    if isinstance(refused, WrongVersion):
        return 412
    return 409 if isinstance(refused, WrongState) else 400


@login_required
@require_safe
def agreements(request: HttpRequest) -> HttpResponse:
    """Those of the reader's regions, the newest first."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "sign")
    rows = agreements_to_sign(actor, now) if waits else agreements_for(actor)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "waits": waits,
        "page": page,
        "agreements": [_shown(row, now) for row in page.object_list],
        "may_propose": bool(own_regions(actor)),
    }
    return render(request, "bookings/pricing/agreements.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A proposal."""
    now, actor = timezone.now(), actor_of(request.user)
    own = own_regions(actor)
    if not own:
        raise NotPermitted(capability="coordinate")
    form = AgreementForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        initial={"regions": [str(region.pk) for region in own], "valid_from": today_in(own, now)},
    )
    if form.is_bound and form.is_valid():
        try:
            made = agreement_propose(By(actor, now), terms=form.terms())
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(
                request, gettext("Proposed. It is in force once every region has signed it.")
            )
            return redirect("bookings:money-agreements-one", agreement_id=made.pk)
    status = 400 if form.errors else 200
    return render(request, "bookings/pricing/agreement_form.html", {"form": form}, status=status)


@login_required
@require_safe
def one(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """What it says, and who has signed it."""
    now, actor = timezone.now(), actor_of(request.user)
    return _page(request, actor, agreement_by_id(actor, agreement_id), now)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Another proposal instead of this one."""
    now, actor = timezone.now(), actor_of(request.user)
    row = agreement_by_id(actor, agreement_id)
    if not _is_of_actor(actor, row):
        raise NotPermitted(capability="coordinate")
    form = AgreementForm(
        request.POST if request.method == "POST" else None,
        regions=list(sharing_regions()),
        initial=said_of(row),
    )
    refused: Refused | None = None
    if form.is_bound and form.is_valid():
        try:
            agreement_change(
                By(actor, now, form.cleaned_data["version"]),
                agreement_id=row.pk,
                changes=form.values(),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused = problem
        else:
            messages.success(request, gettext("Changed. Every region has to sign the new terms."))
            return redirect("bookings:money-agreements-one", agreement_id=row.pk)
    status = status_of(refused) if refused else 400 if form.errors else 200
    context = {"form": form, "agreement": row, "refused": refused}
    return render(request, "bookings/pricing/agreement_form.html", context, status=status)


@login_required
@require_POST
def sign(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Sign what the page showed, for one region."""
    now, actor = timezone.now(), actor_of(request.user)
    row = agreement_by_id(actor, agreement_id)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, row, now, status=400)
    try:
        signed = agreement_sign(
            By(actor, now, form.cleaned_data["version"]),
            agreement_id=row.pk,
            region_id=form.cleaned_data["region"],
        )
    except (Invalid, WrongState, WrongVersion) as problem:
        return _page(request, actor, row, now, refused=problem, status=status_of(problem))
    if signed.signed_at:
        text = gettext("Signed. Every region has signed: it is in force on its days.")
    else:
        text = gettext("Signed. Waiting for the other regions.")
    messages.success(request, text)
    return redirect("bookings:money-agreements-one", agreement_id=row.pk)


@login_required
@require_POST
def end(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """End it early, or withdraw a proposal."""
    now, actor = timezone.now(), actor_of(request.user)
    row = agreement_by_id(actor, agreement_id)
    form, refused, status = AgreementEndForm(request.POST), None, 400
    if form.is_valid():
        try:
            agreement_end(
                By(actor, now, form.cleaned_data["version"]),
                agreement_id=row.pk,
                valid_until=form.cleaned_data["valid_until"],
                reason=form.cleaned_data["reason"],
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused, status = problem, status_of(problem)
        else:
            text = gettext("Ended.") if row.signed_at else gettext("Withdrawn.")
            messages.success(request, text)
            return redirect("bookings:money-agreements-one", agreement_id=row.pk)
    return _page(request, actor, row, now, refused=refused, end_form=form, status=status)


def _is_of_actor(actor: Actor, row: Agreement) -> bool:
    return any(coordinates(actor, member.region) for member in row.members.all())


def _shown(row: Agreement, now: datetime) -> dict[str, Any]:
    members = list(row.members.all())
    return {"row": row, "members": members, "state": state_on(row, today_in(members, now))}


def _page(
    request: HttpRequest,
    actor: Actor,
    row: Agreement,
    now: datetime,
    *,
    refused: Refused | None = None,
    end_form: AgreementEndForm | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = _shown(row, now)
    own = {m.region_id for m in shown["members"] if coordinates(actor, m.region)}
    context = {
        **shown,
        "own": own,
        "is_proposed": shown["state"] == "proposed",
        "may_end": bool(own) and shown["state"] in {"proposed", "coming", "in_force"},
        "end_form": end_form or AgreementEndForm(initial={"version": row.version}),
        "refused": refused,
        "alike": agreements_alike(row, [m.region_id for m in shown["members"]]),
        "waiting": [m for m in shown["members"] if m.signed_at is None],
        "lacking": [
            (member.region, no_second("coordinate", region=member.region, besides=[]))
            for member in shown["members"]
            if shown["state"] == "proposed" and member.signed_at is None
        ],
    }
    return render(request, "bookings/pricing/agreement.html", context, status=status)
