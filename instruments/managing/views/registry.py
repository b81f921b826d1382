"""Pages for a manager's home, and for the records of facilities and instruments."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisations
from accounts.views.pages import act, by_of, edits, reads, sent
from instruments.managing.forms.facilities import FacilityEditForm, FacilityForm
from instruments.managing.forms.publishing import FilterForm
from instruments.managing.forms.registry import CopyForm, InstrumentForm
from instruments.managing.selectors.managing import load_guide, load_standings, managed_counts, vocabulary
from instruments.managing.selectors.misfits import load_hazardous, mark_of
from instruments.managing.selectors.quality import stale_records
from instruments.managing.services.copying import instrument_copy
from instruments.managing.services.registry import (
    facility_create,
    facility_update,
    instrument_create,
    instrument_update,
)
from instruments.managing.views.guide import onward
from instruments.register.models import Instrument
from instruments.register.selectors.registry import (
    facilities_to_enter,
    facilities_where,
    facility_by_id,
    hosts_managed_in_part,
    instrument_to_manage,
    managed_instruments,
)

PAGE = 50


@reads
def manage(request: HttpRequest) -> HttpResponse:
    """List the instruments that the reader manages, with what each lacks."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    form = FilterForm(request.GET)
    values = form.cleaned_data if form.is_valid() else {}
    rows = managed_instruments(by.actor)
    if text := values.get("q"):
        rows = rows.filter(
            Q(name__icontains=text)
            | Q(name_zh__icontains=text)
            | Q(model__icontains=text)
            | Q(facility__name__icontains=text)
            | Q(facility__name_zh__icontains=text)
        )
    if publication := values.get("publication"):
        rows = rows.filter(publication=publication)
    if values.get("stale"):
        rows = rows.filter(pk__in=stale_records(by.now).order_by().values("pk"))
    counted = managed_counts(by.actor, by.now)
    paginator = Paginator(rows, PAGE)
    if not any(values.values()):
        paginator.count = counted["total"]  # loaded already
    page = paginator.get_page(request.GET.get("page"))
    context = counted | {
        "manages_whole": bool(by.actor.organisations_where("manage-instruments")),
        "may_enter": _may_enter(by.actor),
        "has_facility": bool(counted["total"]) or facilities_where(by.actor, "manage-instruments").exists(),
        "form": form,
        "page": page,
        "standings": load_standings(list(page.object_list), by.now),
        "is_filtered": any(values.values()),
    }
    return render(request, "instruments/manage.html", context)


@edits
def facility_new(request: HttpRequest) -> HttpResponse:
    """Enter a new site."""
    own = actor_of(request.user).organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    choices = list(organisations().filter(pk__in=own, closed_at=None))
    form = FacilityForm(sent(request), organisations=choices)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        return render(request, "instruments/facility.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: facility_create(by, **form.values()),
        to=lambda row: reverse("instruments:instrument-new", query={"facility": row.pk}),
        done=gettext("Facility entered. Now add an instrument."),
        form=form,
    )


@edits
def instrument_new(request: HttpRequest) -> HttpResponse:
    """Enter a draft, which any member who books or manages may do."""
    by = by_of(request)
    require_somewhere(by.actor, "register-instruments")
    is_offered = _may_enter(by.actor)
    form = InstrumentForm(
        sent(request),
        vocabulary=vocabulary(),
        facilities=list(facilities_to_enter(by.actor)) if is_offered else [],
        facility_id=request.GET.get("facility", ""),
    )

    def page(status: int = 200, **context: Any) -> HttpResponse:
        may_make = bool(by.actor.organisations_where("manage-instruments"))
        context |= {"may_make_facility": may_make, "is_limited": not is_offered}
        return render(request, "instruments/record.html", context, status=status)

    def manages(row: Instrument) -> bool:
        return by.actor.may("manage-instruments", place_of(row.organisation, row))

    def to(row: Instrument) -> str:
        if manages(row):
            return onward(row, by.now, "record")
        return reverse("instruments:instrument-manage", args=[row.pk])

    def done(row: Instrument) -> str:
        if manages(row):
            return gettext("Saved as a draft. Continue with the next steps.")
        return gettext("Saved as a draft. Submit it: a manager completes and publishes it.")

    return act(
        request,
        page,
        lambda by, data: instrument_create(
            by, facility=form.facility_chosen(), techniques=data["techniques"], **form.values()
        ),
        to=to,
        done=done,
        form=form,
    )


@edits
def instrument_edit(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Change an instrument's record."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    form = InstrumentForm(sent(request), vocabulary=vocabulary(), instrument=instrument)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"instrument": instrument, "guide": load_guide(instrument, by.now, "record")}
        return render(request, "instruments/record.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: instrument_update(
            by, instrument_id=instrument.pk, changes=form.values(), techniques=data["techniques"]
        ),
        to=lambda _: onward(instrument, by.now, "record"),
        done=gettext("Saved."),
        form=form,
    )


@edits
def instrument_duplicate(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Copy an instrument whole, under another name and number."""
    instrument = instrument_to_manage(by_of(request).actor, instrument_id)
    initial = {
        "name": f"{instrument.name[:240]} (copy)",
        "name_zh": instrument.name_zh and f"{instrument.name_zh[:240]}（副本）",
        "version": instrument.version,
    }
    form = CopyForm(sent(request), initial=initial)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"instrument": instrument, "form": form}
        return render(request, "instruments/copy.html", context, status=status)

    def values(data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in CopyForm.base_fields if name != "version"}

    return act(
        request,
        page,
        lambda by, data: instrument_copy(by, instrument_id=instrument.pk, **values(data)),
        to=lambda row: reverse("instruments:instrument-manage", args=[row.pk]),
        done=gettext("Copied as a draft."),
        form=form,
    )


def _may_enter(actor: Actor) -> bool:
    """Return whether there may be a facility in which the actor is offered to enter instruments."""
    scope = actor.scope_where("register-instruments")
    return bool(scope.organisations - hosts_managed_in_part(actor) or scope.facilities)


@reads
def facility_list(request: HttpRequest) -> HttpResponse:
    """List the sites by name, each with its number of instruments."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-instruments")
    own = actor.scope_where("manage-instruments")
    if not (own.organisations or own.facilities):
        raise NotPermitted(capability="manage-instruments")
    rows = facilities_where(actor, "manage-instruments").annotate(n=Count("instruments"))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "has_many": len(own.hosts) > 1, "may_make": bool(own.organisations)}
    return render(request, "instruments/facilities.html", context)


@edits
def facility_edit(request: HttpRequest, facility_id: UUID) -> HttpResponse:
    """Change a site; its time zone stays. The bookings whose samples it would newly refuse are shown before
    that is saved."""
    facility = facility_by_id(facility_id)
    require(
        actor_of(request.user), "manage-instruments", place_of(facility.organisation, facility_id=facility.pk)
    )
    form = FacilityEditForm(sent(request), facility=facility)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"facility": facility, "form": form}
        return render(request, "instruments/facility.html", context, status=status)

    if form.is_bound and form.is_valid():
        found = load_hazardous(facility, form.cleaned_data["refused_hazards"], by_of(request).now)
        if found and request.POST.get("seen") != mark_of(found):
            return page(409, misfits=found, seen=mark_of(found), instrument={"facility": facility})

    return act(
        request,
        page,
        lambda by, _: facility_update(by, facility_id=facility.pk, changes=form.values()),
        to="instruments:facilities",
        done=gettext("Saved."),
        form=form,
    )
