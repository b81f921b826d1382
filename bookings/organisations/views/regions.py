"""The tree of regions, entering and changing them."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import Invalid, Refused, WrongState, WrongVersion
from accounts.domain.organisations import CHINA, same_place, scheme_of
from accounts.domain.roles import By, Place
from accounts.letters.words import named
from accounts.models import Region
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors.divisions import Division, countries, division, divisions_of
from accounts.selectors.organisations import region_by_id, region_tree, regions
from accounts.services.organisations import (
    region_change,
    region_close,
    region_create,
    regions_enter,
)
from bookings.charging.selectors.stories import story_of
from bookings.organisations.forms.organisations import PickedForm, PickForm, RegionForm
from bookings.organisations.views.organisations import story_rows, tabs_of

MOST_SHOWN = 300  # places at once to pick from


@login_required
@require_safe
def tree(request: HttpRequest) -> HttpResponse:
    """All regions, for coordinators and administrators."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    context = {
        "branches": region_tree(),
        "tabs": tabs_of(request),
        "runs_platform": actor.may("administer", Place(None)),
    }
    return render(request, "bookings/organisations/regions.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Pick places of a shipped list; POST enters those that were picked, or a region of one's
    own."""
    now, actor = timezone.now(), actor_of(request.user)
    require(actor, "administer", Place(None))
    is_own = request.POST.get("act") == "own"
    own = RegionForm(request.POST if is_own else None, regions=_open_regions())
    wrong: Refused | None = None
    places, pick = _places(request)
    picked = PickedForm(
        request.POST if request.method == "POST" and not is_own else None,
        codes=[place.code for place, standing in places if not standing],
    )
    try:
        if is_own and own.is_valid():
            scheme = own.cleaned_data["scheme"]
            region = region_create(By(actor, now), scheme=scheme, **own.values())
            messages.success(request, gettext("The region is entered."))
            return redirect("bookings:region", region.pk)
        if picked.is_bound and picked.is_valid():
            made = regions_enter(By(actor, now), **picked.cleaned_data)
            text = ngettext("{n} region is entered.", "{n} regions are entered.", len(made))
            messages.success(request, text.format(n=len(made)))
            return redirect("bookings:regions")
    except (Invalid, WrongState) as refused:
        if is_own and isinstance(refused, Invalid):
            own.refuse(refused.problems)
        else:
            wrong = refused
    context = {
        "own": own,
        "is_own": is_own,
        "pick": pick,
        "picked": picked,
        "places": places[:MOST_SHOWN],
        "hidden": max(0, len(places) - MOST_SHOWN),
        "zones": _zones(places),
        "refused": wrong,
        "nothing_picked": picked.is_bound and bool(picked.errors),
    }
    failed = request.method == "POST"
    status = 409 if isinstance(wrong, WrongState) else 400 if failed else 200
    return render(request, "bookings/organisations/region_new.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def region(request: HttpRequest, region_id: UUID) -> HttpResponse:
    """One region; administrators change and close it."""
    now, actor = timezone.now(), actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    found = region_by_id(region_id)
    runs_platform = actor.may("administer", Place(None))
    is_closing = request.POST.get("act") == "close"
    initial = {name: getattr(found, name) for name in RegionForm.base_fields if name != "parent"}
    initial["parent"] = str(found.parent_id or "")
    form = RegionForm(
        request.POST if request.method == "POST" and not is_closing else None,
        regions=[one for one in _open_regions() if found.pk not in one.lineage],
        initial=initial,
    )
    del form.fields["scheme"]
    refused: Refused | None = None
    if request.method == "POST":
        require(actor, "administer", Place(None))
        try:
            if is_closing:
                region_close(By(actor, now), region_id=region_id)
                messages.success(request, gettext("The region is closed."))
                return redirect("bookings:regions")
            if form.is_valid():
                region_change(
                    By(actor, now, form.cleaned_data["version"]),
                    region_id=region_id,
                    **form.values(),
                )
                messages.success(request, gettext("Saved."))
                return redirect("bookings:region", region_id)
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused = problem
    context = {
        "region": found,
        "form": form,
        "refused": refused,
        "runs_platform": runs_platform,
        "below": Region.objects.filter(parent=found).order_by("name"),
        "open_organisations": found.organisations.filter(closed_at=None).count(),
        "story": story_rows(story_of(actor, region_id), RegionForm) if runs_platform else [],
    }
    status = 409 if refused else 400 if form.errors else 200
    return render(request, "bookings/organisations/region.html", context, status=status)


def _open_regions() -> list[Region]:
    return list(regions().filter(closed_at=None).order_by("name", "code"))


def _places(request: HttpRequest) -> tuple[list[tuple[Division, Region | None]], PickForm]:
    """What there is to pick from, each with the region that it stands as already."""
    pick = PickForm(request.GET, countries=countries())
    data = pick.cleaned_data if pick.is_valid() else {}
    country, text = data.get("country", ""), data.get("q", "")
    if not country:
        return [], pick
    places = divisions_of(data.get("scheme") or scheme_of(f"{country}-"), country, text)
    if data.get("scheme") != CHINA:
        places = sorted(places, key=named)
    elif not text:
        places = [one for one in places if one.parent == "CN"]
    whole = division(scheme_of(country), country)
    if whole is not None and not text:
        places = [whole, *places]
    codes = {code for one in places for code in (one.code, same_place(one.code)) if code}
    rows = {row.code: row for row in Region.objects.filter(code__in=codes)}
    return [(one, rows.get(one.code) or rows.get(same_place(one.code))) for one in places], pick


def _zones(places: list[tuple[Division, Region | None]]) -> list[str]:
    """The zones to choose from, where some of the places have several."""
    open_places = [place for place, standing in places if not standing]
    return list(
        dict.fromkeys(zone for one in open_places if not one.time_zone for zone in one.zones)
    )
