"""What people of the demonstration may charge their bookings to."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.domain.roles import By
from bookings.demo.services.files import load
from bookings.demo.services.places import Places
from bookings.funding.domain.funding_sources import SourceTerms
from bookings.funding.services.funding import source_create
from instruments.domain.opening import local_date


def sources_make(places: Places, *, began: datetime, now: datetime) -> int:
    """The funding sources of `funding.yaml`, made when the world began; how many."""
    rows = load("funding")["sources"]
    for row in rows:
        organisation = places.organisations[row["organisation"]]
        year = local_date(ZoneInfo(organisation.region.time_zone), now).year
        source_create(
            By(places.people[row["by"]].actor, began),
            organisation=organisation,
            code=row["code"],
            terms=SourceTerms(
                name=row["name"],
                owner=places.people[row["owner"]].user.pk,
                users=frozenset(places.people[name].user.pk for name in row.get("users", ())),
                is_open=row.get("is_open", False),
                currency=row["currency"],
                budget=Decimal(row["budget"]),
                valid_from=date(year, 1, 1),
                # Bookings reach into the next year, whenever the world is made.
                valid_until=date(year + row["years"] + 1, 1, 1),
            ),
        )
    return len(rows)
