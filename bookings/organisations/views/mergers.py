"""Merging an organisation into another, and closing one."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, Refused
from accounts.forms import ConfirmForm
from accounts.models import Organisation
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id
from accounts.services.organisation_moves import CAPABILITY
from accounts.views.pages import act, by_of, edits, shown
from bookings.organisations.forms.mergers import MergeIntoForm
from bookings.organisations.selectors.mergers import kinds_going, load_open_business, merger_for
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.record.domain.refusals import RulesRefuse


@edits
def merge(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Merge an organisation: choose the other one, read what moves, then type the name of the one that is
    merged."""
    organisation = _organisation(request, organisation_id)
    given = request.POST if request.method == "POST" else request.GET
    choice = MergeIntoForm(given if "into" in given else None)
    into = merger = None
    if choice.is_bound and choice.is_valid():
        by = by_of(request)
        try:
            into = choice.cleaned_data["into"]
            merger = merger_for(by.actor, organisation_id, into, by.now)
        except NotFound:
            choice.add_error("into", gettext("No organisation is called so. Choose one from the list."))
    labels = {"instruments": gettext("Instruments")} | {kind.kind: kind.label for kind in kinds_going()}
    page = partial(
        shown,
        request,
        "bookings/organisations/organisation_merge.html",
        organisation=organisation,
        choice=choice,
        merger=merger,
        parts=[(labels[part.kind], part) for part in merger.parts] if merger else [],
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
        done=gettext("{name} is part of {into} now.").format(name=organisation.name, into=into.name),
        form=confirm,
        name="confirm",
        shows=_hindrances,
    )


@edits
def close(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Close an organisation: show what prevents it; if nothing does, typing its name closes it."""
    organisation = _organisation(request, organisation_id)

    def page(refusals: Sequence[object] = (), **context: Any) -> HttpResponse:
        context |= {"organisation": organisation, "refusals": refusals or load_open_business(organisation)}
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
    """Return an organisation that the reader may merge or close; raise `NotPermitted` for any other."""
    organisation = organisation_by_id(organisation_id)
    require(actor_of(request.user), CAPABILITY, place_of(organisation))
    return organisation


def _confirmation(request: HttpRequest, organisation: Organisation) -> ConfirmForm:
    data = request.POST if request.method == "POST" else None
    return ConfirmForm(data, organisation=organisation)


def _hindrances(refused: Refused) -> dict[str, Any]:
    """Return the reasons against a merger or closing, each with code and numbers, for the template."""
    return {"refusals": refused.refusals if isinstance(refused, RulesRefuse) else (refused,)}
