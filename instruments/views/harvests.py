"""Files fetched from an address: which, when, and what came of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid, NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisations
from instruments.adapters.table import own_mappings
from instruments.forms import HarvestForm
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


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def harvests(request: HttpRequest) -> HttpResponse:
    """Those there are, and a new one."""
    now, actor = timezone.now(), actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    form = HarvestForm(
        request.POST if request.method == "POST" else None,
        organisations=list(organisations().filter(pk__in=own, closed_at=None)),
        mappings=_mappings(actor),
    )
    if form.is_bound and form.is_valid():
        try:
            made = harvest_add(
                By(actor, now),
                organisation_id=UUID(form.cleaned_data["organisation"]),
                plan=form.plan(),
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("Saved. It is fetched for the first time now."))
            return redirect("instruments:harvest", harvest_id=made.pk)
    context = {
        "form": form,
        "has_many": len(own) > 1,
        "page": Paginator(harvests_for(actor).order_by("name", "pk"), PAGE).get_page(
            request.GET.get("page")
        ),
    }
    return render(request, "instruments/harvests.html", context, status=400 if form.errors else 200)


def _mappings(actor: Actor) -> list[str]:
    return [*(mapping.name for mapping in mappings_for(actor)), *own_mappings()]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    """One with its history; sent, it is changed."""
    now, actor = timezone.now(), actor_of(request.user)
    harvest = harvest_by_id(actor, harvest_id)
    if request.method != "POST":
        return _shown(request, actor, harvest)
    form = _form(actor, harvest, request.POST)
    if form.is_valid():
        try:
            harvest_change(
                By(actor, now, _version(request)), harvest_id=harvest_id, plan=form.plan()
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        except WrongVersion as refused:
            return _shown(request, actor, harvest, form=form, refused=refused, status=412)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("instruments:harvest", harvest_id=harvest_id)
    return _shown(request, actor, harvest, form=form, status=400)


def _form(actor: Actor, harvest: Harvest, data: Any = None) -> HarvestForm:
    return HarvestForm(
        data,
        organisations=[harvest.organisation],
        mappings=_mappings(actor),
        plan=load_plan(harvest),
    )


def _shown(
    request: HttpRequest,
    actor: Actor,
    harvest: Harvest,
    *,
    form: HarvestForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "harvest": harvest,
        "form": form or _form(actor, harvest),
        "refused": refused,
        "zone": harvest.organisation.region.time_zone,
        "page": Paginator(fetchings_of(harvest), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "instruments/harvest.html", context, status=status)


@login_required
@require_POST
def fetch(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    done = gettext("It is being fetched. Load this page again in a moment to see the result.")
    return _step(request, harvest_id, harvest_fetch, done)


@login_required
@require_POST
def pause(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    return _step(request, harvest_id, harvest_pause, gettext("Paused."))


@login_required
@require_POST
def resume(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    return _step(request, harvest_id, harvest_resume, gettext("Resumed. It is being fetched."))


@login_required
@require_POST
def delete(request: HttpRequest, harvest_id: UUID) -> HttpResponse:
    harvest_delete(By(actor_of(request.user), timezone.now()), harvest_id=harvest_id)
    messages.success(request, gettext("Deleted. Imported records stay."))
    return redirect("instruments:harvests")


def _step(
    request: HttpRequest, harvest_id: UUID, act: Callable[..., Harvest], done: str
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    try:
        act(By(actor, now, _version(request)), harvest_id=harvest_id)
    except (WrongState, WrongVersion) as refused:
        status = 412 if isinstance(refused, WrongVersion) else 409
        found = harvest_by_id(actor, harvest_id)
        return _shown(request, actor, found, refused=refused, status=status)
    messages.success(request, done)
    return redirect("instruments:harvest", harvest_id=harvest_id)


def _version(request: HttpRequest) -> int | None:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else None
