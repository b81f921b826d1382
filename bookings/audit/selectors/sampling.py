"""Load the populations from which samples are drawn."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Q

from bookings.audit.domain.sampling import Item, Sampling
from bookings.audit.models import AuditSample
from bookings.pricing.models import Charge
from bookings.record.domain.money import minor_digits
from bookings.record.models import Reservation, UsageSession

BATCH = 2000


def load_population(sampling: Sampling, regions: Sequence[UUID]) -> Iterator[Item]:
    """Yield all items of the subject that concern the regions or those below them and began on the days.
    Their stratum is the price group, for charges together with their kind; charges of courses are one
    stratum. It takes one statement,
    streamed."""
    first, last = (datetime.combine(day, time(), UTC) for day in (sampling.since, sampling.until))

    def touches(prefix: str) -> Q:
        return Q(**{f"{prefix}host_region__lineage__overlap": list(regions)}) | Q(
            **{f"{prefix}payer_region__lineage__overlap": list(regions)}
        )

    rows: Any
    match sampling.subject:
        case "charges":
            rows = Charge.objects.filter(touches(""), created_at__gte=first, created_at__lt=last).values_list(
                "pk", "kind", "reservation__price_group", "total", "currency"
            )
            if sampling.currency:
                rows = rows.filter(currency=sampling.currency)
            for pk, kind, group, total, currency in rows.iterator(BATCH):
                value = int(total.scaleb(minor_digits(currency)))
                yield Item(str(pk), f"{kind} {group}" if group else kind, value)
        case "sessions":
            rows = UsageSession.objects.filter(
                touches("reservation__"), checked_in_at__gte=first, checked_in_at__lt=last
            ).values_list("pk", "reservation__price_group")
            for pk, group in rows.iterator(BATCH):
                yield Item(str(pk), group)
        case _:
            rows = (
                Reservation.objects.filter(touches(""), start_at__gte=first, start_at__lt=last)
                .exclude(~Q(held_for="") | Q(state="held"))
                .values_list("pk", "price_group")
            )
            for pk, group in rows.iterator(BATCH):
                yield Item(str(pk), group)


def population_of(sample: AuditSample) -> bytes:
    """Return the CSV of a sample's population as it was frozen."""
    return zlib.decompress(bytes(sample.population))


def drawn_rows(sample: AuditSample) -> list[Any]:
    """Return the rows that were drawn for a sample, with their reservations. It takes one statement."""
    model, reservation = {
        "charges": (Charge, ("reservation__instrument", "enrolment__session__course", "organisation")),
        "sessions": (UsageSession, ("reservation__instrument", "reservation__organisation")),
    }.get(sample.subject, (Reservation, ("instrument", "organisation")))
    rows: Any = model._default_manager.filter(pk__in=sample.drawn)
    return list(rows.select_related(*reservation).order_by("pk"))
