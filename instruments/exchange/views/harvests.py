"""Pages of harvests: which file is fetched from where and when, and each outcome."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisations
from accounts.views.pages import act, edits, sent
from instruments.exchange.adapters.table import own_mappings
from instruments.exchange.forms.harvests import HarvestForm
from instruments.exchange.models import Harvest
from instruments.exchange.selectors.harvests import fetchings_of, harvest_by_id, harvests_for, load_plan
from instruments.exchange.selectors.imports import mappings_for
from instruments.exchange.services import harvests as harvest_services

PAGE = 20


@edits
def harvests(request: HttpRequest) -> HttpResponse:
    """List the harvests; POST adds one."""
    actor = actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    form = HarvestForm(
        sent(request),
        organisations=list(organisations().filter(pk__in=own, closed_at=None)),
        mappings=_mappings(actor),
    )

    def page(status: int = 200, **context: Any) -> HttpResponse:
        rows = harvests_for(actor).order_by("name", "pk")
        context |= {"has_many": len(own) > 1, "page": Paginator(rows, PAGE).get_page(request.GET.get("page"))}
        return render(request, "instruments/harvests.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: harvest_services.harvest_add(
            by, organisation_id=UUID(data["organisation"]), plan=form.plan()
        ),
        to=lambda row: reverse("instruments:harvest", args=[row.pk]),
        done=gettext("Saved. It is fetched for the first time now."),
        form=form,
    )


def _mappings(actor: Actor) -> list[str]:
    return [*(mapping.name for mapping in mappings_for(actor)), *own_mappings()]


@edits
def one(request: HttpRequest, harvest_id: UUID, **shown: Any) -> HttpResponse:
    """Show a harvest with its history; POST changes it."""
    actor = actor_of(request.user)
    if request.method != "POST" or shown:
        return _page(request, harvest_id, **shown)
    form = _form(actor, harvest_by_id(actor, harvest_id), request.POST)
    return act(
        request,
        partial(_page, request, harvest_id),
        lambda by, _: harvest_services.harvest_change(by, harvest_id=harvest_id, plan=form.plan()),
        to=reverse("instruments:harvest", args=[harvest_id]),
        done=gettext("Saved."),
        form=form,
    )


def _form(actor: Actor, harvest: Harvest, data: Any = None) -> HarvestForm:
    return HarvestForm(
        data, organisations=[harvest.organisation], mappings=_mappings(actor), plan=load_plan(harvest)
    )


def _page(
    request: HttpRequest,
    harvest_id: UUID,
    *,
    form: HarvestForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    actor = actor_of(request.user)
    harvest = harvest_by_id(actor, harvest_id)
    context |= {
        "harvest": harvest,
        "form": form or _form(actor, harvest),
        "zone": harvest.organisation.region.time_zone,
        "page": Paginator(fetchings_of(harvest), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "instruments/harvest.html", context, status=status)
