"""Making regions and organisations."""

import zoneinfo
from datetime import datetime
from typing import Any

import holidays
from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, invalid
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, Region
from accounts.permissions import require


@transaction.atomic
def region_create(
    *,
    actor: Actor | None,
    scheme: str,
    code: str,
    parent: Region | None,
    now: datetime,
    **values: Any,
) -> Region:
    """A region below `parent`. `actor` None is the platform itself (commands). `Invalid` for a
    currency, zone or holiday calendar there is not, and for a code that stands already, in
    whichever scheme: regions are looked up by their code."""
    if actor is not None:
        require(actor, "administer", Place(None))
    region = Region(scheme=scheme, code=code, parent=parent, **values)
    if problems := region_problems(region):
        raise Invalid(problems)
    region.lineage = [region.pk, *(parent.lineage if parent else [])]
    try:
        with transaction.atomic():
            region.save(force_insert=True)
    except IntegrityError:
        raise invalid("code", "code-taken") from None
    trail.record(
        actor=actor,
        action="region.create",
        target=region,
        now=now,
        after={"scheme": scheme, "code": code, "parent": parent.pk if parent else None},
        region_ids=region.lineage,
    )
    return region


def region_problems(region: Region) -> list[FieldProblem]:
    """What of a region's currency, zone and holiday calendar the platform does not know."""
    problems = []
    if region.currency not in MINOR_DIGITS:
        problems.append(FieldProblem("currency", "unknown-currency"))
    if region.time_zone not in zoneinfo.available_timezones():
        problems.append(FieldProblem("time_zone", "unknown-time-zone"))
    if region.holiday_calendar and not _is_calendar(region.holiday_calendar):
        problems.append(FieldProblem("holiday_calendar", "unknown-calendar"))
    return problems


def _is_calendar(name: str) -> bool:
    """Whether the library of public holidays has the country, or its subdivision."""
    country, _, subdivision = name.partition("-")
    countries = holidays.list_supported_countries()
    return country in countries and (not subdivision or subdivision in countries[country])


@transaction.atomic
def organisation_create(
    *, actor: Actor | None, code: str, region: Region, now: datetime, **values: Any
) -> Organisation:
    """An organisation of a region."""
    if actor is not None:
        require(actor, "administer", Place(None))
    organisation = Organisation.objects.create(code=code, region=region, **values)
    trail.record(
        actor=actor,
        action="organisation.create",
        target=organisation,
        now=now,
        after={"code": code, "region": region.pk, "kind": organisation.kind},
        organisation_ids=[organisation.pk],
        region_ids=region.lineage,
    )
    return organisation
