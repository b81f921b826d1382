"""Load where the instruments of a search are."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from bookings.browsing.domain.maps import Site
from instruments.search.domain.search import Criteria
from instruments.search.models import SearchEntry
from instruments.search.selectors.search import FEW, KEPT_SECONDS, entries, hash_of

type Narrow = Callable[[QuerySet[SearchEntry]], QuerySet[SearchEntry]]

# Names are looked up for what is counted, not for each instrument.
_COUNTED = """
    WITH counted AS (
        SELECT e.region_id, i.facility_id, count(*) AS number
        FROM ({fitting}) e (id, region_id) JOIN instruments_instrument i ON i.id = e.id
        GROUP BY 1, 2
    )
    SELECT r.code, r.name, r.name_zh, f.id, f.name, f.name_zh, f.latitude, f.longitude, c.number
    FROM counted c JOIN accounts_region r ON r.id = c.region_id
    JOIN instruments_facility f ON f.id = c.facility_id
"""


@dataclass
class RegionSites:
    """The instruments of a region: their number, and the sites with coordinates."""

    code: str
    name: str
    name_zh: str
    count: int = 0
    sites: list[Site] = field(default_factory=list)

    @property
    def middle(self) -> Site | None:
        """Return the region's sites as a single site at the average position of their instruments; None
        without any."""
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


def load_regions(criteria: Criteria, narrow: Narrow | None = None) -> list[RegionSites]:
    """Count the matching instruments by region and facility, without regard to free time; regions with the
    most come first. `narrow` adds a condition. It takes one statement; a result over more than `FEW`
    instruments may be a minute old."""
    at = f"map:{hash_of(criteria)}"
    if narrow is None and (kept := cache.get(at)) is not None:
        return kept  # type: ignore[no-any-return]
    rows = entries(criteria)
    fitting = (narrow(rows) if narrow else rows).order_by().values("pk", "region_id")
    try:
        sql, values = fitting.query.sql_with_params()
    except EmptyResultSet:  # no instrument can match
        return []
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(fitting=sql), values)
        counted = cursor.fetchall()
    regions: dict[str, RegionSites] = {}
    for code, region, region_zh, pk, name, name_zh, latitude, longitude, number in counted:
        there = regions.setdefault(code, RegionSites(code, region, region_zh))
        there.count += number
        if latitude is not None and longitude is not None:
            place = float(latitude), float(longitude)
            there.sites.append(Site(str(pk), name, name_zh, *place, number))
    for there in regions.values():
        there.sites.sort(key=lambda site: (-site.count, site.name))
    result = sorted(regions.values(), key=lambda there: (-there.count, there.name))
    if narrow is None and sum(there.count for there in result) > FEW:
        cache.set(at, result, KEPT_SECONDS)
    return result
