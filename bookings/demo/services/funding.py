"""Create what pays for bookings of the demonstration: funding sources, an agreement between two regions, and
vouchers for organisations of one of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.roles import By
from accounts.models import Organisation
from bookings.demo.services.files import load
from bookings.funding.domain.funding_sources import SourceTerms
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.services.funding import source_create
from bookings.funding.services.grants import grant_create
from bookings.funding.services.programmes import programme_create
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.selectors.fees import Backing, load_backings
from bookings.pricing.services.agreements import agreement_propose, agreement_sign
from bookings.record.domain.months import month_after, month_before
from bookings.world import Calendar, Places
from instruments.reading.domain.clock import local_date


def sources_make(places: Places, *, began: datetime, now: datetime) -> int:
    """Create the funding sources of `funding.yaml`, as of the beginning of the world; return how many."""
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


DAY = timedelta(days=1)
PROPOSED, SIGNED, GRANTED = 120 * DAY, 110 * DAY, 100 * DAY  # ago, before `_first_of` any day


def agreements_make(places: Places, calendar: Calendar) -> int:
    """Create agreements and grants through the services, as their coordinators would. They have applied for
    two whole months, so that statements have vouchers and there are settlements. Return the number of
    grants."""
    data = load("agreements")
    _agreement(places, data["agreement"], calendar)
    _proposal(places, data["proposal"], calendar)
    return sum(_programme(places, row, calendar) for row in data["programmes"])


def _first_of(today: date) -> date:
    """Return the day on which agreement and vouchers begin."""
    return month_before(today.replace(day=1), 2)


def backings_of(payers: Iterable[Organisation | None]) -> dict[UUID, Backing]:
    """Return each payer's side of prices in the past, by its id: half of what a grant has left is for what is
    to come."""
    return {
        pk: replace(
            backing, grants=tuple(replace(grant, remaining=grant.remaining // 2) for grant in backing.grants)
        )
        for pk, backing in load_backings(payer for payer in payers if payer is not None).items()
    }


def _programme(places: Places, row: Mapping[str, Any], calendar: Calendar) -> int:
    region, coordinator = places.regions[row["region"]], places.people[row["by"]].actor
    first = _first_of(local_date(ZoneInfo(region.time_zone), calendar.now))
    programme = programme_create(
        By(coordinator, calendar.now - GRANTED),
        region=region,
        terms=ProgrammeTerms(
            code=row["code"],
            name=row["name"],
            name_zh=row["name_zh"],
            percent=Decimal(row["percent"]),
            cap_per_booking=Decimal(row["cap_per_booking"]),
            currency=row["currency"],
            budget=Decimal(row["budget"]),
            payer_kinds=tuple(row.get("payer_kinds", ())),
            host_regions=tuple(places.regions[code].pk for code in row["host_regions"]),
            valid_from=first,
            valid_until=None,
        ),
    )
    for code, amount in row["grants"].items():
        grant_create(
            By(coordinator, calendar.now - GRANTED),
            programme_id=programme.pk,
            organisation=places.organisations[code],
            amount=Decimal(amount),
            valid_from=first,
            valid_until=date(first.year + 1, first.month, 1),
        )
    return len(row["grants"])


def _proposal(places: Places, data: Mapping[str, Any], calendar: Calendar) -> None:
    """Create an agreement that its proposer has signed and that waits for the other regions."""
    actor, regions = places.people[data["by"]].actor, [places.regions[c] for c in data["regions"]]
    today = local_date(ZoneInfo(regions[0].time_zone), calendar.now)
    by = By(actor, calendar.now - 2 * DAY)
    agreement = agreement_propose(
        by,
        terms=AgreementTerms(
            code=data["code"],
            name=data["name"],
            name_zh=data["name_zh"],
            regions=tuple(region.pk for region in regions),
            valid_from=month_after(today.replace(day=1)),
            valid_until=None,
            discount_percent=Decimal(data["discount_percent"]),
        ),
    )
    agreement_sign(by, agreement_id=agreement.pk, region_id=regions[0].pk)


def _agreement(places: Places, data: Mapping[str, Any], calendar: Calendar) -> None:
    people = {code: places.people[email].actor for code, email in data["regions"].items()}
    regions = [places.regions[code] for code in people]
    agreement = agreement_propose(
        By(next(iter(people.values())), calendar.now - PROPOSED),
        terms=AgreementTerms(
            code=data["code"],
            name=data["name"],
            name_zh=data["name_zh"],
            regions=tuple(region.pk for region in regions),
            valid_from=_first_of(local_date(ZoneInfo(regions[0].time_zone), calendar.now)),
            valid_until=None,
            discount_percent=Decimal(data["discount_percent"]),
            honours_vouchers=data["honours_vouchers"],
            recognises_qualifications=data["recognises_qualifications"],
        ),
    )
    for number, (code, actor) in enumerate(people.items()):
        agreement_sign(
            By(actor, calendar.now - SIGNED + number * DAY),
            agreement_id=agreement.pk,
            region_id=places.regions[code].pk,
        )
