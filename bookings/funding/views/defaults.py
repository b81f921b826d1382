"""The page on which people choose what pays for their own bookings unless they say otherwise."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.selectors.organisations import organisations
from accounts.views.pages import act, by_of, edits
from accounts.views.pages import shown as page_shown
from bookings.funding.forms.funding import OwnDefaultForm
from bookings.funding.selectors.defaults import defaults_of, load_default
from bookings.funding.selectors.funding_sources import chargeable
from bookings.funding.services.defaults import default_choose
from instruments.reading.domain.clock import local_date


@edits
def own_default(request: HttpRequest) -> HttpResponse:
    """Show what pays for the reader's own bookings by default, at each of their organisations, and let them
    choose."""
    by = by_of(request)
    mine = list(organisations().filter(pk__in=by.actor.own_organisations, closed_at=None))
    if not mine:
        raise NotPermitted("join-first")
    asked = (request.POST or request.GET).get("organisation", "")
    organisation = next((row for row in mine if row.code == asked), mine[0])
    today = local_date(ZoneInfo(organisation.region.time_zone), by.now)
    sources = chargeable(organisation, [by.actor.person], today)
    form = OwnDefaultForm(
        request.POST if request.method == "POST" else None,
        sources=sources,
        default=load_default(organisation.pk, by.actor.person, sources),
    )

    def choose(by: Any, _: dict[str, Any]) -> None:
        default_choose(by, organisation=organisation, shares=form.shares())

    return act(
        request,
        partial(
            page_shown,
            request,
            "bookings/funding/own_default.html",
            organisation=organisation,
            organisations=mine,
            defaults=list(defaults_of(by.actor.person)),
        ),
        choose,
        to=f"{reverse('bookings:default-source')}?organisation={organisation.code}",
        done=gettext("Saved."),
        form=form,
    )
