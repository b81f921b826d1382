"""The sites of the organisations one manages."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, edits, reads, sent
from instruments.forms import FacilityEditForm
from instruments.selectors.registry import facilities as all_facilities
from instruments.selectors.registry import facility_by_id
from instruments.services.registry import facility_update

PAGE = 50


@reads
def facilities(request: HttpRequest) -> HttpResponse:
    """List the sites by name, with how many instruments stand in each."""
    actor = actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    rows = all_facilities().filter(organisation_id__in=own).annotate(n=Count("instruments"))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "has_many": len(own) > 1}
    return render(request, "instruments/facilities.html", context)


@edits
def facility_edit(request: HttpRequest, facility_id: UUID) -> HttpResponse:
    """Change what is said of a site; its time zone stays."""
    facility = facility_by_id(facility_id)
    require(actor_of(request.user), "manage-instruments", place_of(facility.organisation))
    form = FacilityEditForm(sent(request), facility=facility)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context["facility"] = facility
        return render(request, "instruments/facility.html", context, status=status)

    return act(
        request,
        page,
        lambda by, _: facility_update(by, facility_id=facility.pk, changes=form.values()),
        to="instruments:facilities",
        done=gettext("Saved."),
        form=form,
    )
