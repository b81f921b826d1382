"""Where the instruments of a search stand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

from bookings.catalogue.domain.maps import Site
from instruments.domain.search import Criteria
from instruments.models import SearchEntry
from instruments.selectors.search import entries

type Narrow = Callable[[QuerySet[SearchEntry]], QuerySet[SearchEntry]]


@dataclass
class RegionSites:
    """The instruments of a region: how many, and at which sites with coordinates."""

    code: str
    name: str
    name_zh: str
    count: int = 0
    sites: list[Site] = field(default_factory=list)

    @property
    def middle(self) -> Site | None:
        """The sites as one, in the middle of their instruments; None without any."""
        placed = sum(site.count for site in self.sites)
        if not placed:
            return None
        return Site(
            self.code,
            self.name,
            self.name_zh,
            sum(site.latitude * site.count for site in self.sites) / placed,
            sum(site.longitude * site.count for site in self.sites) / placed,
            placed,
        )


def load_regions(criteria: Criteria, narrow: Narrow = lambda rows: rows) -> list[RegionSites]:
    """Count the instruments that fit by region and facility, the regions of most first; free time
    does not count. One statement. `narrow`: what else they must fit."""
    rows = (
        narrow(entries(criteria))
        .order_by()
        .values_list(
            "region__code",
            "region__name",
            "region__name_zh",
            "instrument__facility_id",
            "instrument__facility__name",
            "instrument__facility__name_zh",
            "instrument__facility__latitude",
            "instrument__facility__longitude",
        )
        .annotate(number=Count("pk"))
    )
    regions: dict[str, RegionSites] = {}
    for code, region, region_zh, pk, name, name_zh, latitude, longitude, number in rows:
        there = regions.setdefault(code, RegionSites(code, region, region_zh))
        there.count += number
        if latitude is not None and longitude is not None:
            place = float(latitude), float(longitude)
            there.sites.append(Site(str(pk), name, name_zh, *place, number))
    for there in regions.values():
        there.sites.sort(key=lambda site: (-site.count, site.name))
    return sorted(regions.values(), key=lambda there: (-there.count, there.name))
