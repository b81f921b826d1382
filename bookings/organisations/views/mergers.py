"""Merging an organisation into another, and closing one."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import NotFound, Refused, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.forms import ConfirmForm
from accounts.models import Organisation
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code, organisation_by_id
from accounts.services.organisation_moves import CAPABILITY
from bookings.organisations.forms.mergers import MergeIntoForm
from bookings.organisations.selectors.mergers import load_open_business, merger_for
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.record.domain.refusals import RulesRefuse

KINDS = {
    "instruments": _("Instruments"),
    "series": _("Booking series"),
    "bookings": _("Upcoming bookings"),
    "chains": _("Booking chains"),
    "people": _("Members"),
    "roles": _("Roles"),
    "invitations": _("Open invitations, which are withdrawn"),
    "requests": _("Open requests to join"),
    "facilities": _("Facilities"),
    "courses": _("Courses"),
    "harvests": _("Harvests"),
    "mappings": _("Column mappings"),
    "imports": _("Imports under way"),
    "webhooks": _("Webhooks"),
    "wishes": _("Waiting-list entries"),
    "searches": _("Saved searches"),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Into which one, then what that takes along, then the code of the one that goes."""
    now, actor = timezone.now(), actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    require(actor, CAPABILITY, place_of(organisation))
    given = request.POST if request.method == "POST" else request.GET
    choice = MergeIntoForm(given if "into" in given else None)
    into, merger, refused, status = None, None, None, 200
    if choice.is_bound and choice.is_valid():
        try:
            into = _named(choice.cleaned_data["into"])
            merger = merger_for(actor, organisation_id, into, now)
        except NotFound:
            choice.add_error("into", gettext("There is no organisation with this code."))
    confirm = ConfirmForm(
        request.POST if request.method == "POST" else None, organisation=organisation
    )
    if choice.errors or (merger and confirm.errors):
        status = 400
    if request.method == "POST" and merger and into and confirm.is_valid():
        try:
            organisations_merge(By(actor, now), organisation_id=organisation.pk, into=into)
        except (RulesRefuse, WrongState, WrongVersion) as problem:
            refused, status = problem, 409
        else:
            messages.success(
                request,
                gettext("{name} is part of {into} now.").format(
                    name=organisation.name, into=into.name
                ),
            )
            return redirect("bookings:organisation-merge", organisation.pk)
    context = {
        "organisation": organisation,
        "choice": choice,
        "confirm": confirm,
        "merger": merger,
        "parts": [(KINDS[part.kind], part) for part in merger.parts] if merger else [],
        "refusals": _refusals(refused) or (merger.in_the_way if merger else ()),
    }
    return render(request, "bookings/organisations/organisation_merge.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """What keeps it from being closed; else the code, and it is."""
    now, actor = timezone.now(), actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    require(actor, CAPABILITY, place_of(organisation))
    confirm = ConfirmForm(
        request.POST if request.method == "POST" else None, organisation=organisation
    )
    refused, status = None, 400 if confirm.errors else 200
    if confirm.is_bound and confirm.is_valid():
        try:
            organisation_close(By(actor, now), organisation_id=organisation.pk)
        except (RulesRefuse, WrongState, WrongVersion) as problem:
            refused, status = problem, 409
        else:
            messages.success(request, gettext("The organisation is closed."))
            return redirect("bookings:organisation-close", organisation.pk)
    context = {
        "organisation": organisation,
        "confirm": confirm,
        "refusals": _refusals(refused) or load_open_business(organisation),
    }
    return render(request, "bookings/organisations/organisation_close.html", context, status=status)


def _named(code: str) -> Organisation:
    return organisation_by_code("" if "\0" in code else code.strip())


def _refusals(refused: Refused | None) -> tuple[object, ...]:
    """Each with code and numbers."""
    if isinstance(refused, RulesRefuse):
        return tuple(refused.refusals)
    return (refused,) if refused else ()
