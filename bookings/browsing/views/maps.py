"""The map beside the list of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from accounts.replica import from_replica
from bookings.browsing.adapters.boundaries import boundaries
from bookings.browsing.domain.maps import (
    MOST_POINTS,
    NARROW,
    Boundaries,
    Box,
    Frame,
    Point,
    Site,
    grid_of,
    path_of,
    points_of,
)
from bookings.browsing.forms.catalogue import CatalogueForm
from bookings.browsing.selectors.maps import RegionSites, load_regions
from bookings.catalogue.selectors.catalogue import load_limit
from bookings.catalogue.selectors.catalogue_priced import affordable
from bookings.catalogue.selectors.catalogue_sieve import of_today
from bookings.catalogue.selectors.needs import load_reading
from bookings.catalogue.views.payers import payer_of
from bookings.pricing.selectors.fees import load_backing

LABELLED, LABELLED_NARROW = 25, 6  # so many points have their names beside them
LISTED = 300  # sites


@dataclass(frozen=True)
class Drawn:
    """A point of the map with the address that it links to. `named` gives its label: its site, or the region
    of its largest site; `more` is the number of others drawn with that one."""

    point: Point
    address: str
    named: Site | RegionSites
    more: int


@dataclass(frozen=True)
class Drawing:
    """A map of one size, with its points and what lies behind them."""

    frame: Frame
    points: list[Drawn]
    behind: Boundaries

    @property
    def is_narrow(self) -> bool:
        """Say whether it is the map for telephones."""
        return (self.frame.width, self.frame.height) == NARROW

    @property
    def is_labelled(self) -> bool:
        return len(self.points) <= (LABELLED_NARROW if self.is_narrow else LABELLED)

    @property
    def letters(self) -> int:
        """Return how many letters of a site's name are written on the map."""
        return 14 if self.is_narrow else 24

    @property
    def edges(self) -> tuple[int, int]:
        """Return the distances from the left within which a name begins, and from which on it ends, at its
        point, so that it stays on the map."""
        room = 60 if self.is_narrow else 110
        return room, self.frame.width - room

    @cached_property
    def grid(self) -> tuple[str, list[tuple[float, str]], list[tuple[float, str]]]:
        return grid_of(self.frame)

    @cached_property
    def boundaries(self) -> str:
        return path_of(self.behind, self.frame)


@require_safe
@from_replica
def catalogue_map(request: HttpRequest) -> HttpResponse:
    """Show where the instruments of a search are, with the fields of the catalogue's form; `box` is the part
    of the map that is shown."""
    now = timezone.now()
    payer, _ = payer_of(actor_of(request.user), request.GET.get("organisation"))
    form = CatalogueForm(request.GET, payer=payer)
    form.is_valid()
    criteria = load_reading(form.criteria()).criteria
    narrow = None
    if criteria.max_price is not None:
        limit = load_limit(criteria, payer, now)
        sieve = of_today(load_backing(payer), criteria.max_price, limit, now)
        narrow = partial(affordable, sieve=sieve)
    regions = load_regions(criteria, narrow)
    box = Box.read(request.GET.get("box", ""))
    inside = [_within(there, box) for there in regions] if box else regions
    sites = [site for there in inside for site in there.sites]
    by_region = len(sites) > MOST_POINTS and len(inside) > 1
    drawn = [there.middle for there in inside] if by_region else sites
    places = [site for site in drawn if site][:MOST_POINTS]
    region_of = {site.code: there for there in inside for site in there.sites}
    shown, behind = box or Box.around(places), boundaries()

    def drawn_in(frame: Frame) -> Drawing:
        points = [_drawn(request, point, by_region, region_of) for point in points_of(places, frame)]
        return Drawing(frame, points, behind)

    listed, groups = 0, []
    for there in inside:
        if box and not there.sites:
            continue
        few = there.sites[: max(0, LISTED - listed)]
        listed += len(few)
        address = _listed(request, region=there.code)
        groups.append((there, address, [(s, _listed(request, facility=s.code)) for s in few]))
    context: dict[str, Any] = {
        "form": form,
        "criteria": criteria,
        "total": sum(there.count for there in regions),
        "unplaced": sum(there.count - sum(s.count for s in there.sites) for there in regions),
        "drawings": [drawn_in(Frame(shown)), drawn_in(Frame(shown, *NARROW))],
        "is_cut": not by_region and len(sites) > MOST_POINTS,
        "attribution": behind.attribution,
        "is_part": box is not None,
        "groups": groups,
        "list_address": _listed(request),
        "whole_address": _address_of(request, box=""),
        "kept": [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if value and name not in ("q", "box", "page")
        ],
    }
    return render(request, "bookings/browsing/map.html", context)


def _within(there: RegionSites, box: Box) -> RegionSites:
    return replace(there, sites=[site for site in there.sites if box.holds(site)])


def _drawn(
    request: HttpRequest, point: Point, by_region: bool, region_of: Mapping[str, RegionSites]
) -> Drawn:
    address, first = _address(request, point, by_region), point.sites[0]
    if by_region or len(point.sites) == 1:
        return Drawn(point, address, first, len(point.sites) - 1)
    others = {region_of[site.code].code for site in point.sites}
    return Drawn(point, address, region_of[first.code], len(others) - 1)


def _address(request: HttpRequest, point: Point, by_region: bool) -> str:
    """Return the address that a point links to: for one site, its instruments in the list; for one region,
    its map; for several sites, the map around them or, if they are at the same place, their names below the
    map."""
    if len(point.sites) > 1:
        box = Box.around(point.sites)
        is_one_place = len({_place(site) for site in point.sites}) == 1
        return "#places" if is_one_place else _address_of(request, box=str(box))
    (site,) = point.sites
    if by_region:
        return _address_of(request, region=site.code, box="")
    return _listed(request, facility=site.code)


def _place(site: Site) -> tuple[float, float]:
    return round(site.latitude, 3), round(site.longitude, 3)


def _listed(request: HttpRequest, **changes: str) -> str:
    return reverse("bookings:catalogue") + _address_of(request, **changes, box="")


def _address_of(request: HttpRequest, **changes: str) -> str:
    """Return the query string of the page with some values changed."""
    query = request.GET.copy()
    for name, value in ({"page": ""} | changes).items():
        query[name] = value
        if not value:
            del query[name]
    return f"?{query.urlencode()}"
