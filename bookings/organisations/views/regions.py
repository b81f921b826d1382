"""The tree of regions, entering and changing them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.organisations import CHINA, same_place, scheme_of
from accounts.domain.roles import Place
from accounts.letters.words import named
from accounts.models import Region
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors.divisions import Division, countries, division, divisions_of
from accounts.selectors.organisations import region_by_id, region_tree, regions
from accounts.services.organisations import region_change, region_close, region_create, regions_enter
from accounts.views.pages import act, chooses, edits, in_full, reads, shown
from bookings.charging.selectors.stories import story_of
from bookings.organisations.forms.organisations import PickedForm, PickForm, RegionForm
from bookings.organisations.views.organisations import story_rows, tabs_of

MOST_SHOWN = 300  # places at once to pick from


@reads
def tree(request: HttpRequest) -> HttpResponse:
    """Show all regions, for coordinators and administrators."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    context = {
        "branches": region_tree(),
        "tabs": tabs_of(request),
        "runs_platform": actor.may("administer", Place(None)),
    }
    return render(request, "bookings/organisations/regions.html", context)


@edits
@chooses("own", "pick")
def new(request: HttpRequest, choice: str) -> HttpResponse:
    """Pick places from a shipped list; POST enters those that were picked, or another region."""
    require(actor_of(request.user), "administer", Place(None))
    is_own = choice == "own"
    own = RegionForm(request.POST if is_own else None, regions=_open_regions())
    places, pick = _places(request)
    picked = PickedForm(
        request.POST if choice == "pick" else None,
        codes=[place.code for place, standing in places if not standing],
    )

    def page(**context: Any) -> HttpResponse:
        context = {
            "own": own,
            "is_own": is_own,
            "pick": pick,
            "picked": picked,
            "places": places[:MOST_SHOWN],
            "hidden": max(0, len(places) - MOST_SHOWN),
            "zones": _zones(places),
            "nothing_picked": picked.is_bound and bool(picked.errors),
            **context,
        }
        return shown(request, "bookings/organisations/region_new.html", **context)

    if is_own:
        return act(
            request,
            page,
            lambda by, data: region_create(by, scheme=data["scheme"], **own.values()),
            to=lambda row: reverse("bookings:region", args=[row.pk]),
            done=gettext("The region is entered."),
            form=own,
            name="own",
        )

    def done(rows: Sequence[Region]) -> str:
        text = ngettext("{n} region is entered.", "{n} regions are entered.", len(rows))
        return text.format(n=len(rows))

    return act(
        request,
        page,
        lambda by, data: regions_enter(by, **data),
        to=reverse("bookings:regions"),
        done=done,
        form=picked,
        name="picked",
        shows=in_full,
    )


@edits
@chooses("change", "close")
def region(request: HttpRequest, region_id: UUID, choice: str) -> HttpResponse:
    """Show one region; administrators change and close it here."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    row = region_by_id(region_id)
    runs_platform = actor.may("administer", Place(None))
    initial = {name: getattr(row, name) for name in RegionForm.base_fields if name != "parent"}
    initial["parent"] = str(row.parent_id or "")
    form = RegionForm(
        request.POST if choice == "change" else None,
        regions=[one for one in _open_regions() if row.pk not in one.lineage],
        initial=initial,
    )
    del form.fields["scheme"]

    def page(**context: Any) -> HttpResponse:
        context = {
            "region": row,
            "form": form,
            "runs_platform": runs_platform,
            "below": Region.objects.filter(parent=row).order_by("name"),
            "open_organisations": row.organisations.filter(closed_at=None).count(),
            "story": story_rows(story_of(actor, region_id), RegionForm) if runs_platform else [],
            **context,
        }
        return shown(request, "bookings/organisations/region.html", **context)

    if request.method == "POST":
        require(actor, "administer", Place(None))
    if choice == "close":
        return act(
            request,
            page,
            lambda by, _: region_close(by, region_id=region_id),
            to=reverse("bookings:regions"),
            done=gettext("The region is closed."),
        )
    return act(
        request,
        page,
        lambda by, _: region_change(by, region_id=region_id, **form.values()),
        to=reverse("bookings:region", args=[region_id]),
        done=gettext("Saved."),
        form=form,
    )


def _open_regions() -> list[Region]:
    return list(regions().filter(closed_at=None).order_by("name", "code"))


def _places(request: HttpRequest) -> tuple[list[tuple[Division, Region | None]], PickForm]:
    """Return the places to pick from, each with its region if that exists already."""
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
    """Return the time zones to choose from, for places that have several."""
    open_places = [place for place, standing in places if not standing]
    return list(dict.fromkeys(zone for one in open_places if not one.time_zone for zone in one.zones))
