"""Merging an organisation into another, and closing one."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound, Refused
from accounts.forms import ConfirmForm
from accounts.models import Organisation
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code, organisation_by_id
from accounts.services.organisation_moves import CAPABILITY
from accounts.views.pages import act, by_of, edits, shown
from bookings.organisations.forms.mergers import MergeIntoForm
from bookings.organisations.selectors.mergers import load_open_business, merger_for
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.record.domain.refusals import RulesRefuse

KINDS = {
    "instruments": _("Instruments"),
    "series": _("Booking series"),
    "bookings": _("Upcoming bookings"),
    "chains": _("Booking chains"),
    "kept": _("Kept hours"),
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


@edits
def merge(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Into which one, then what that takes along, then the code of the one that goes."""
    organisation = _organisation(request, organisation_id)
    given = request.POST if request.method == "POST" else request.GET
    choice = MergeIntoForm(given if "into" in given else None)
    into = merger = None
    if choice.is_bound and choice.is_valid():
        by = by_of(request)
        try:
            into = organisation_by_code(choice.cleaned_data["into"])
            merger = merger_for(by.actor, organisation_id, into, by.now)
        except NotFound:
            choice.add_error("into", gettext("There is no organisation with this code."))
    page = partial(
        shown,
        request,
        "bookings/organisations/organisation_merge.html",
        organisation=organisation,
        choice=choice,
        merger=merger,
        parts=[(KINDS[part.kind], part) for part in merger.parts] if merger else [],
        refusals=merger.in_the_way if merger else (),
    )
    confirm = _confirmation(request, organisation)
    if into is None or merger is None:
        return page(status=400 if choice.errors else 200, confirm=confirm)
    return act(
        request,
        page,
        lambda by, _: organisations_merge(by, organisation_id=organisation.pk, into=into),
        to=reverse("bookings:organisation-merge", args=[organisation.pk]),
        done=gettext("{name} is part of {into} now.").format(
            name=organisation.name, into=into.name
        ),
        form=confirm,
        name="confirm",
        shows=_hindrances,
    )


@edits
def close(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """What keeps it from being closed; else the code, and it is."""
    organisation = _organisation(request, organisation_id)

    def page(refusals: Sequence[object] = (), **context: Any) -> HttpResponse:
        context |= {
            "organisation": organisation,
            "refusals": refusals or load_open_business(organisation),
        }
        return shown(request, "bookings/organisations/organisation_close.html", **context)

    return act(
        request,
        page,
        lambda by, _: organisation_close(by, organisation_id=organisation.pk),
        to=reverse("bookings:organisation-close", args=[organisation.pk]),
        done=gettext("The organisation is closed."),
        form=_confirmation(request, organisation),
        name="confirm",
        shows=_hindrances,
    )


def _organisation(request: HttpRequest, organisation_id: UUID) -> Organisation:
    """An organisation that the reader may merge or close; `NotPermitted` for any other."""
    organisation = organisation_by_id(organisation_id)
    require(actor_of(request.user), CAPABILITY, place_of(organisation))
    return organisation


def _confirmation(request: HttpRequest, organisation: Organisation) -> ConfirmForm:
    data = request.POST if request.method == "POST" else None
    return ConfirmForm(data, organisation=organisation)


def _hindrances(refused: Refused) -> dict[str, Any]:
    """What stands in the way, each with code and numbers."""
    return {"refusals": refused.refusals if isinstance(refused, RulesRefuse) else (refused,)}
