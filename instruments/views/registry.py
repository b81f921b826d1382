"""A manager's home, and the records of facilities and instruments."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisations
from instruments.forms import FacilityForm, FilterForm, InstrumentForm, PublicationForm
from instruments.selectors.imports import load_provenance
from instruments.selectors.managing import (
    guide_of,
    instrument_to_manage,
    load_guide,
    load_standings,
    managed_counts,
    vocabulary,
)
from instruments.selectors.quality import stale_records
from instruments.selectors.registry import facilities, managed_instruments
from instruments.services.registry import facility_create, instrument_create, instrument_update
from instruments.views.guide import onward

PAGE = 50


@login_required
@require_safe
def manage(request: HttpRequest) -> HttpResponse:
    """The instruments of the organisations one manages, and what they lack."""
    now, actor = timezone.now(), actor_of(request.user)
    if not actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = managed_instruments(actor)
    if text := wanted.get("q"):
        found = found.filter(
            Q(name__icontains=text)
            | Q(name_zh__icontains=text)
            | Q(model__icontains=text)
            | Q(facility__name__icontains=text)
            | Q(facility__name_zh__icontains=text)
        )
    if publication := wanted.get("publication"):
        found = found.filter(publication=publication)
    if wanted.get("stale"):
        found = found.filter(pk__in=stale_records(now).order_by().values("pk"))
    counted = managed_counts(actor, now)
    paginator = Paginator(found, PAGE)
    if not any(wanted.values()):
        paginator.count = counted["total"]  # known already
    page = paginator.get_page(request.GET.get("page"))
    own = actor.organisations_where("manage-instruments")
    context = counted | {
        "has_facility": bool(counted["total"])
        or facilities().filter(organisation_id__in=own).exists(),
        "form": form,
        "page": page,
        "standings": load_standings(list(page.object_list), now),
        "is_filtered": any(wanted.values()),
    }
    return render(request, "instruments/manage.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facility_new(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    choices = list(organisations().filter(pk__in=own, closed_at=None))
    form = FacilityForm(_sent(request), organisations=choices)
    if form.is_bound and form.is_valid():
        try:
            made = facility_create(By(actor, now), **form.values())
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("Facility entered. Now an instrument in it."))
            return redirect(_with("instruments:instrument-new", facility=made.pk))
    return render(
        request, "instruments/facility.html", {"form": form}, status=400 if form.errors else 200
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def instrument_new(request: HttpRequest) -> HttpResponse:
    """Any member who books or manages may enter a draft."""
    now, actor = timezone.now(), actor_of(request.user)
    own = actor.organisations_where("register-instruments")
    if not own:
        raise NotPermitted(capability="register-instruments")
    form = InstrumentForm(
        _sent(request),
        vocabulary=vocabulary(),
        facilities=list(facilities().filter(organisation_id__in=own)),
        facility_id=request.GET.get("facility", ""),
    )
    if form.is_bound and form.is_valid():
        made = instrument_create(
            By(actor, now),
            facility=form.facility_chosen(),
            techniques=form.cleaned_data["techniques"],
            **form.values(),
        )
        messages.success(request, gettext("Saved as a draft. Continue with the next steps."))
        if actor.may("manage-instruments", place_of(made.organisation)):
            return redirect(onward(made, now, "record"))
        return redirect("instruments:instrument-manage", instrument_id=made.pk)
    context = {
        "form": form,
        "may_make_facility": bool(actor.organisations_where("manage-instruments")),
    }
    return render(request, "instruments/record.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def instrument_manage(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The steps to publication as a checklist, with what is set."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id, "register-instruments")
    standing = load_standings([instrument], now)[0]
    is_manager = actor.may("manage-instruments", place_of(instrument.organisation))
    context = {
        "standing": standing,
        "guide": guide_of(standing, "publication") if is_manager else None,
        "instrument": instrument,
        "is_manager": is_manager,
        "form": PublicationForm(initial={"version": instrument.version}),
        "provenance": load_provenance(instrument),
    }
    return render(request, "instruments/instrument.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def instrument_edit(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    form = InstrumentForm(_sent(request), vocabulary=vocabulary(), instrument=instrument)
    refused: WrongVersion | None = None
    if form.is_bound and form.is_valid():
        try:
            instrument_update(
                By(actor, now, form.cleaned_data["version"]),
                instrument_id=instrument.pk,
                changes=form.values(),
                techniques=form.cleaned_data["techniques"],
            )
        except WrongVersion as error:
            refused = error
        else:
            messages.success(request, gettext("Saved."))
            return redirect(onward(instrument, now, "record"))
    context = {
        "form": form,
        "instrument": instrument,
        "refused": refused,
        "guide": load_guide(instrument, now, "record"),
    }
    status = 412 if refused else 400 if form.errors else 200
    return render(request, "instruments/record.html", context, status=status)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _with(name: str, **query: Any) -> str:
    return reverse(name, query=query)
