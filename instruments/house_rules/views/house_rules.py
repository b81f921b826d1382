"""Pages on which house rules are set, read and accepted."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import NotFound
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, sent, shown
from instruments.house_rules.forms.house_rules import HouseRulesForm
from instruments.house_rules.selectors.house_rules import house_rules_versions, load_house_rules
from instruments.house_rules.services.house_rules import house_rules_accept, house_rules_set
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.registry import facility_by_id, instrument_by_id, instrument_to_manage

MOST_VERSIONS = 50  # versions shown on the page; the API lists all


@edits
def instrument_rules(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show and set the house rules of an instrument."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    back = reverse("instruments:instrument-manage", args=[instrument_id])
    return _edit(request, instrument, back, instrument_id=instrument_id)


@edits
def facility_rules(request: HttpRequest, facility_id: UUID) -> HttpResponse:
    """Show and set the house rules of a facility."""
    facility = facility_by_id(facility_id)
    require(
        actor_of(request.user), "manage-instruments", place_of(facility.organisation, facility_id=facility.pk)
    )
    back = reverse("instruments:facility-edit", args=[facility_id])
    return _edit(request, facility, back, facility_id=facility_id)


def _edit(request: HttpRequest, place: Instrument | Facility, back: str, **of: UUID) -> HttpResponse:
    versions = list(house_rules_versions(place)[:MOST_VERSIONS])
    last = versions[0] if versions else None
    initial = {
        "version": last.version if last else 0,
        "text": last.text if last else "",
        "text_zh": last.text_zh if last else "",
    }
    page = partial(
        shown,
        request,
        "instruments/house_rules_edit.html",
        place=place,
        back=back,
        versions=versions,
        is_facility="facility_id" in of,
    )
    return act(
        request,
        page,
        lambda by, data: house_rules_set(by, text=data["text"], text_zh=data["text_zh"], **of),
        to=request.path,
        done=lambda row: gettext("Saved.") if row else gettext("Nothing has changed."),
        form=HouseRulesForm(sent(request), initial=initial),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def read(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the house rules in force at an instrument to anybody; people who are signed in can accept them."""
    by = by_of(request)
    instrument = instrument_by_id(by.actor, instrument_id)
    rules = load_house_rules(instrument, by.actor.user_id)
    if rules is None:
        raise NotFound
    if request.method == "POST" and by.actor.user_id is None:
        return redirect_to_login(request.path)
    if request.method == "POST" and not request.POST.get("house_rules", "").isdecimal():
        return redirect(request.path)
    page: Any = partial(
        shown, request, "instruments/house_rules.html", instrument=instrument, house_rules=rules
    )
    return act(
        request,
        page,
        lambda by, _: house_rules_accept(
            by, instrument_id=instrument_id, version=int(request.POST["house_rules"][:9])
        ),
        to=request.path,
        done=gettext("Accepted."),
    )
