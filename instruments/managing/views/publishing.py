"""Pages for the managers of an instrument, and for the steps of its publication."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, chooses, reads, writes
from instruments.exchange.selectors.imports import load_provenance
from instruments.managing.forms.publishing import PUBLICATION_ACTS, PublicationForm
from instruments.managing.selectors.managing import guide_of, load_standings
from instruments.managing.services.publishing import instrument_confirm, instrument_publication
from instruments.register.selectors.registry import instrument_to_manage


@reads
def instrument_manage(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the steps to publication as a checklist, with the settings in force."""
    return _page(request, instrument_id)


@writes
def confirm(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Confirm with one click that the record is still true."""
    to = reverse("instruments:instrument-manage", args=[instrument_id])
    if "list" in request.POST:
        to = reverse("instruments:manage", query={"stale": "on"})
    return act(
        request,
        lambda status: redirect(to),
        lambda by, _: instrument_confirm(by, instrument_id=instrument_id),
        to=to,
        done=gettext("Confirmed: it is valid for another year."),
        shows=lambda refused: messages.error(
            request, gettext("It is not public: there is nothing to confirm.")
        ),
    )


@writes
@chooses(*PUBLICATION_ACTS)
def publication(request: HttpRequest, instrument_id: UUID, choice: str) -> HttpResponse:
    """Submit, return, publish, suspend or retire; a refusal is shown on the instrument's page."""
    form = PublicationForm(request.POST)
    return act(
        request,
        partial(_page, request, instrument_id),
        lambda by, data: instrument_publication(
            by, instrument_id=instrument_id, act=choice, reason=data["reason"]
        ),
        to=reverse("instruments:instrument-manage", args=[instrument_id]),
        done=_done(choice),
        form=form,
    )


def _page(
    request: HttpRequest,
    instrument_id: UUID,
    *,
    form: PublicationForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id, "register-instruments")
    standing = load_standings([instrument], by.now)[0]
    is_manager = by.actor.may("manage-instruments", place_of(instrument.organisation, instrument))
    context |= {
        "standing": standing,
        "guide": guide_of(standing, "publication") if is_manager else None,
        "instrument": instrument,
        "is_manager": is_manager,
        "manages_facility": by.actor.may(
            "manage-instruments", place_of(instrument.organisation, facility_id=instrument.facility_id)
        ),
        "manages_whole": by.actor.may("manage-instruments", place_of(instrument.organisation)),
        "form": form or PublicationForm(initial={"version": instrument.version}),
        "provenance": load_provenance(instrument),
    }
    return render(request, "instruments/instrument.html", context, status=status)


def _done(act: str) -> str:
    return {
        "submit": gettext("Submitted. A manager of the organisation publishes it."),
        "return": gettext("Returned. The person who submitted it is told why."),
        "publish": gettext("Published. It is in the catalogue now."),
        "suspend": gettext("Suspended. It cannot be booked until it is published again."),
        "retire": gettext("Retired. It stays on record and is no longer offered."),
    }[act]
