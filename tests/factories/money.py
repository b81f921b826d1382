"""Final charges written directly, with their postings: what leads to them is tested elsewhere,
and statements bill what is there."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Organisation, Region
from accounts.models.keys import new_id
from bookings.models import Charge, Reservation
from instruments.register.models import Facility, Instrument
from tests.factories.cast import Cast, at, publish

MARCH = date(2026, 3, 1)
APRIL = at("2026-04-01 09:00")

POST = """
WITH made AS (
    INSERT INTO bookings_ledgerentry (id, kind, at, charge_id)
    SELECT gen_random_uuid(), 'charge', created_at, id FROM bookings_charge
    WHERE id = ANY(%s) AND total <> 0 RETURNING id, charge_id
)
INSERT INTO bookings_posting
    (entry_id, account, host_id, payer_id, host_region_id, payer_region_id, currency, amount)
SELECT e.id, p.account, c.host_id, c.organisation_id, c.host_region_id, c.payer_region_id,
    c.currency, p.amount
FROM made e JOIN bookings_charge c ON c.id = e.charge_id,
LATERAL (VALUES ('receivable', c.payable), ('subsidy', c.covered),
    ('revenue', c.tax - c.total), ('tax', -c.tax)) p(account, amount)
WHERE p.amount <> 0
"""


def charge_of(
    cast: Cast,
    payer: Organisation | None = None,
    *,
    instrument: Instrument | None = None,
    total: str = "106.00",
    covered: str = "0",
    currency: str = "CNY",
    month: date | None = MARCH,
    start: datetime | None = None,
    **values: Any,
) -> Charge:
    """A charge, not yet stored, of a booking that is not stored either; final in its month, or
    open without one. Tax is 6 parts of 106."""
    payer, instrument = payer or cast.fudan, instrument or cast.microscope
    start = start or at("2026-03-02 10:00")
    host = instrument.organisation
    amount, paid_by_voucher = Decimal(total), Decimal(covered)
    final_at = at(f"{month:%Y-%m}-20 12:00") if month else None
    reservation = Reservation(
        instrument=instrument,
        unit=1,
        start_at=start,
        end_at=start + timedelta(hours=1),
        state="completed",
        user=cast.people["wang"],
        made_by=cast.people["wang"],
        organisation=payer,
        payer_region=payer.region,
        host=host,
        host_region=host.region,
        service_mode="self",
        price_group="external",
        rate_card=instrument.rate_cards.first(),
        requested_at=start - timedelta(days=2),
        confirmed_at=start - timedelta(days=2),
        ended_at=start + timedelta(hours=1),
    )
    return Charge(
        reservation=reservation,
        kind="use",
        state="final" if month else "open",
        organisation=payer,
        host=host,
        payer_region=payer.region,
        host_region=host.region,
        inputs={},
        result={"billed_minutes": 60, "lines": []},
        currency=currency,
        tax=(amount * 6 / 106).quantize(Decimal("0.01")),
        total=amount,
        covered=paid_by_voucher,
        payable=amount - paid_by_voucher,
        created_at=start + timedelta(hours=1),
        open_until=start + timedelta(days=7) if month else at("2100-01-01 00:00"),
        final_at=final_at,
        month=month,
        **values,
    )


def store(charges: Sequence[Charge]) -> list[Charge]:
    """With their bookings, and posted."""
    Reservation.objects.bulk_create([charge.reservation for charge in charges])
    Charge.objects.bulk_create(charges)
    with connection.cursor() as cursor:
        cursor.execute(POST, [[charge.pk for charge in charges]])
    return list(charges)


def abroad(cast: Cast, *, zone: str = "Europe/London", currency: str = "GBP") -> Instrument:
    """An instrument of a university of a third region, which prices in its own currency."""
    region = Region.objects.create(
        id=(pk := new_id()),
        lineage=[pk],
        scheme="ISO 3166-2",
        code="GB-SCT",
        name="Scotland",
        name_zh="苏格兰",
        time_zone=zone,
        currency=currency,
        shares=True,
    )
    host = Organisation.objects.create(
        code="edinburgh", name="Edinburgh", name_zh="爱丁堡大学", kind="university", region=region
    )
    facility = Facility.objects.create(organisation=host, name="Centre", time_zone=zone)
    instrument = publish(cast, name="Diffractometer")
    Instrument.objects.filter(pk=instrument.pk).update(facility=facility, organisation=host, region=region)
    return Instrument.objects.get(pk=instrument.pk)
