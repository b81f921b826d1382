"""Populations that samples are drawn from."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q

from bookings.audit.domain.sampling import Item
from bookings.audit.models import AuditSample
from bookings.pricing.models import Charge
from bookings.record.domain.money import minor_digits
from bookings.record.models import Reservation, UsageSession

BATCH = 2000


class Asked(Protocol):
    """What of: see `audit/services/sampling.py`."""

    @property
    def subject(self) -> str: ...
    @property
    def since(self) -> date: ...
    @property
    def until(self) -> date: ...
    @property
    def currency(self) -> str: ...


def load_population(asked: Asked, regions: Sequence[UUID]) -> Iterator[Item]:
    """Everything of the subject that touches the regions or one below, and began on the days.
    The stratum is the price group, of charges with what they are for. One statement, streamed."""
    first, last = (datetime.combine(day, time(), UTC) for day in (asked.since, asked.until))

    def touches(prefix: str) -> Q:
        return Q(**{f"{prefix}host_region__lineage__overlap": list(regions)}) | Q(
            **{f"{prefix}payer_region__lineage__overlap": list(regions)}
        )

    rows: Any
    match asked.subject:
        case "charges":
            rows = Charge.objects.filter(
                touches(""), created_at__gte=first, created_at__lt=last
            ).values_list("pk", "kind", "reservation__price_group", "total", "currency")
            if asked.currency:
                rows = rows.filter(currency=asked.currency)
            for pk, kind, group, total, currency in rows.iterator(BATCH):
                value = int(total.scaleb(minor_digits(currency)))
                yield Item(str(pk), f"{kind} {group}", value)
        case "sessions":
            rows = UsageSession.objects.filter(
                touches("reservation__"), checked_in_at__gte=first, checked_in_at__lt=last
            ).values_list("pk", "reservation__price_group")
            for pk, group in rows.iterator(BATCH):
                yield Item(str(pk), group)
        case _:
            rows = (
                Reservation.objects.filter(touches(""), start_at__gte=first, start_at__lt=last)
                .exclude(state="held")
                .values_list("pk", "price_group")
            )
            for pk, group in rows.iterator(BATCH):
                yield Item(str(pk), group)


def population_of(sample: AuditSample) -> bytes:
    """The CSV as it was frozen."""
    return zlib.decompress(bytes(sample.population))


def drawn_rows(sample: AuditSample) -> list[Any]:
    """What was drawn, as rows with their reservations. One statement."""
    ids = sample.drawn
    match sample.subject:
        case "charges":
            return list(
                Charge.objects.filter(pk__in=ids)
                .select_related("reservation__instrument", "organisation")
                .order_by("pk")
            )
        case "sessions":
            return list(
                UsageSession.objects.filter(pk__in=ids)
                .select_related("reservation__instrument", "reservation__organisation")
                .order_by("pk")
            )
        case _:
            return list(
                Reservation.objects.filter(pk__in=ids)
                .select_related("instrument", "organisation")
                .order_by("pk")
            )
