"""The last year of an instrument, priced by another rate card."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, FilteredRelation, JSONField, Q, When

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.pricing.domain.charges import Ending
from bookings.pricing.domain.what_if import Comparison, Past, Sums
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import ENDING
from bookings.record.models import Reservation
from instruments.rates.domain.ratecards import RateCardValues
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

YEAR = timedelta(days=365)
MOST = 10_000
BATCH = 1000


@dataclass(frozen=True)
class WhatIf:
    """A comparison of prices for the bookings that began in [`since`, `until`). `total` is their number; only
    the latest, at most `MOST`, were priced."""

    instrument: Instrument
    since: datetime
    until: datetime
    total: int
    comparison: Comparison
    organisations: list[tuple[Organisation, Sums]]

    @property
    def is_whole(self) -> bool:
        return self.comparison.seen >= self.total


def what_if(actor: Actor, instrument_id: UUID, card: RateCardValues, now: datetime) -> WhatIf:
    """Price the last year's bookings of an instrument by a card, for those who may read the host's money. At
    most six statements, however many bookings: they are streamed."""
    instrument = instrument_to_manage(actor, instrument_id, "read-money")
    since = now - YEAR
    comparison = Comparison(card)
    bookings = _bookings(instrument, since, now)
    with transaction.atomic(savepoint=False):  # keeps the cursor open
        for past in _stream(bookings):
            comparison.add(past)
    ids = list(comparison.organisations)
    named = Organisation.objects.select_related("region").in_bulk(ids)
    return WhatIf(
        instrument=instrument,
        since=since,
        until=now,
        total=bookings.count() if comparison.seen == MOST else comparison.seen,
        comparison=comparison,
        organisations=[(named[pk], sums) for pk, sums in comparison.by_organisation()],
    )


def _bookings(instrument: Instrument, since: datetime, until: datetime) -> Any:
    """Return the bookings that were charged, and those cancelled or missed without a charge, for which
    another card might have charged. Those ended by the host are left out, as they cost nothing by any
    card."""
    charged = Q(charged__isnull=False)
    free = Q(
        state__in=["cancelled", "displaced", "no_show", "expired"],
        confirmed_at__isnull=False,
        is_ended_by_host=False,
    )
    in_force = Q(charges__kind__in=Charge.ORIGINAL) & ~Q(charges__state="reversed")
    return Reservation.objects.alias(
        charged=FilteredRelation("charges", condition=in_force),
        quoted=FilteredRelation("quotes", condition=Q(quotes__is_current=True)),
    ).filter(charged | free, instrument=instrument, start_at__gte=since, start_at__lt=until)


def _stream(bookings: Any) -> Iterator[Past]:
    is_charged = Q(charged__isnull=False)
    rows = (
        bookings.annotate(
            kind=F("charged__kind"),
            total=F("charged__total"),
            inputs=Case(
                When(is_charged, then=F("charged__inputs")),
                default=F("quoted__inputs"),
                output_field=JSONField(),
            ),
            currency=Case(
                When(is_charged, then=F("charged__currency")), default=F("quoted__currency")
            ),
        )
        .order_by("-start_at", "-id")
        .values(
            "organisation_id", "start_at", "end_at", "state", "ended_at", "kind", "total",
            "inputs", "currency", *ENDING,
            "session__checked_in_at", "session__checked_out_at", "session__cut_at",
        )[:MOST]
    )  # fmt: skip
    for row in rows.iterator(chunk_size=BATCH):
        if row["inputs"] is not None:
            yield _past(row)


def _past(row: dict[str, Any]) -> Past:
    usage = None
    if row["session__checked_out_at"] is not None:
        usage = (row["session__checked_in_at"], row["session__checked_out_at"])
    inputs = row["inputs"]
    return Past(
        organisation_id=row["organisation_id"],
        inputs=inputs.get("quote", inputs),
        currency=row["currency"],
        total=row["total"] or Decimal(0),
        reserved=(row["start_at"], row["end_at"]),
        ending=Ending(
            state="completed" if row["kind"] == "use" else row["state"],
            ended_at=row["ended_at"] or row["end_at"],
            was_confirmed=True,
            usage=usage,
            cut_at=row["session__cut_at"],
            **{name: row[name] for name in ENDING},
        ),
        is_of_use=row["kind"] == "use",
        waive_percent=Decimal(inputs.get("waive_percent", 0)),
    )
