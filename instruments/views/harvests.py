"""Files fetched from an address: which, when, and what came of it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisations
from accounts.views.pages import act, by_of, edits, sent, writes
from instruments.adapters.table import own_mappings
from instruments.forms.fields import VersionForm
from instruments.forms.harvests import HarvestForm
from instruments.models import Harvest
from instruments.selectors.harvests import (
    fetchings_of,
    harvest_by_id,
    harvests_for,
    load_plan,
)
from instruments.selectors.imports import mappings_for
from instruments.services.harvests import (
    harvest_add,
    harvest_change,
    harvest_delete,
    harvest_fetch,
    harvest_pause,
    harvest_resume,
)

PAGE = 20


@edits
def harvests(request: HttpRequest) -> HttpResponse:
    """List the files that are fetched, and take a new one."""
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
        context |= {
            "has_many": len(own) > 1,
            "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        }
        return render(request, "instruments/harvests.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: harvest_add(
            by, organisation_id=UUID(data["organisation"]), plan=form.plan()
        ),
        to=lambda row: reverse("instruments:harvest", args=[row.pk]),
        done=gettext("Saved. It is fetched for the first time now."),
        form=form,
    )


def _mappings(actor: Actor) -> list[str]:
    return [*(mapping.name for mapping in mappings_for(actor)), *own_mappings()]


@edits
def one(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    """Show one with its history; sent, it is changed."""
    actor = actor_of(request.user)
    if request.method != "POST":
        return _page(request, harvest_id)
    form = _form(actor, harvest_by_id(actor, harvest_id), request.POST)
    return act(
        request,
        partial(_page, request, harvest_id),
        lambda by, _: harvest_change(by, harvest_id=harvest_id, plan=form.plan()),
        to=reverse("instruments:harvest", args=[harvest_id]),
        done=gettext("Saved."),
        form=form,
    )


def _form(actor: Actor, harvest: Harvest, data: Any = None) -> HarvestForm:
    return HarvestForm(
        data,
        organisations=[harvest.organisation],
        mappings=_mappings(actor),
        plan=load_plan(harvest),
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


@writes
def fetch(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    done = gettext("It is being fetched. Load this page again in a moment to see the result.")
    return _step(request, harvest_id, harvest_fetch, done)


@writes
def pause(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    return _step(request, harvest_id, harvest_pause, gettext("Paused."))


@writes
def resume(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    return _step(request, harvest_id, harvest_resume, gettext("Resumed. It is being fetched."))


@writes
def delete(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    harvest_delete(by_of(request), harvest_id=harvest_id)
    messages.success(request, gettext("Deleted. Imported records stay."))
    return redirect("instruments:harvests")


def _step(
    request: HttpRequest, harvest_id: UUID, step: Callable[..., Harvest], done: str
) -> HttpResponse:
    return act(
        request,
        partial(_page, request, harvest_id),
        lambda by, _: step(by, harvest_id=harvest_id),
        to=reverse("instruments:harvest", args=[harvest_id]),
        done=done,
        form=VersionForm(request.POST),
        name="step_form",
    )
