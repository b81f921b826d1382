"""Steps of publication."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.domain.errors import Refused, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from instruments.domain.publishing import Incomplete, StillBooked
from instruments.forms import PublicationForm
from instruments.selectors.managing import guide_of, instrument_to_manage, load_standings
from instruments.services.publishing import instrument_confirm, instrument_publication


@login_required
@require_POST
def confirm(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """One click: the record is still true."""
    actor = actor_of(request.user)
    instrument_to_manage(actor, instrument_id)
    try:
        instrument_confirm(By(actor, timezone.now()), instrument_id=instrument_id)
    except WrongState:
        messages.error(request, gettext("It is not public: there is nothing to confirm."))
    else:
        messages.success(request, gettext("Confirmed: it is valid for another year."))
    if "list" in request.POST:
        return redirect(reverse("instruments:manage", query={"stale": "on"}))
    return redirect("instruments:instrument-manage", instrument_id=instrument_id)


@login_required
@require_POST
def publication(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Submit, publish, suspend or retire; what refuses is said on the instrument's page."""
    now, actor = timezone.now(), actor_of(request.user)
    form = PublicationForm(request.POST)
    refused: Refused | None = None
    status = 400
    if form.is_valid():
        data = form.cleaned_data
        try:
            instrument_publication(
                By(actor, now, data["version"]),
                instrument_id=instrument_id,
                act=data["act"],
                reason=data["reason"],
            )
        except (Incomplete, StillBooked, WrongState, WrongVersion) as error:
            refused = error
            status = 422 if isinstance(error, Incomplete | StillBooked) else 409
            status = 412 if isinstance(error, WrongVersion) else status
        else:
            messages.success(request, _done(data["act"]))
            return redirect("instruments:instrument-manage", instrument_id=instrument_id)
    instrument = instrument_to_manage(actor, instrument_id, "register-instruments")
    standing = load_standings([instrument], now)[0]
    is_manager = actor.may("manage-instruments", place_of(instrument.organisation))
    context = {
        "standing": standing,
        "guide": guide_of(standing, "publication") if is_manager else None,
        "instrument": instrument,
        "is_manager": is_manager,
        "form": form,
        "refused": refused,
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
