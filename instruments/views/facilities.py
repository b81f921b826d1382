"""The sites of the organisations one manages."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from instruments.forms import FacilityEditForm
from instruments.selectors.registry import facilities as all_facilities
from instruments.selectors.registry import facility_by_id
from instruments.services.registry import facility_update

PAGE = 50


@login_required
@require_safe
def facilities(request: HttpRequest) -> HttpResponse:
    """By name, with how many instruments stand in each."""
    actor = actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    found = all_facilities().filter(organisation_id__in=own).annotate(n=Count("instruments"))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "has_many": len(own) > 1}
    return render(request, "instruments/facilities.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facility_edit(request: HttpRequest, facility_id: UUID) -> HttpResponse:
    """What is said of a site; its time zone stays."""
    now, actor = timezone.now(), actor_of(request.user)
    facility = facility_by_id(facility_id)
    if not actor.may("manage-instruments", place_of(facility.organisation)):
        raise NotPermitted(capability="manage-instruments")
    form = FacilityEditForm(request.POST if request.method == "POST" else None, facility=facility)
    refused: WrongVersion | None = None
    if form.is_bound and form.is_valid():
        try:
            facility_update(
                By(actor, now, form.cleaned_data["version"]),
                facility_id=facility.pk,
                changes=form.values(),
            )
        except WrongVersion as error:
            refused = error
        except Invalid as wrong:
            form.refuse(wrong.problems)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("instruments:facilities")
    context = {"form": form, "facility": facility, "refused": refused}
    status = 412 if refused else 400 if form.errors else 200
    return render(request, "instruments/facility.html", context, status=status)
