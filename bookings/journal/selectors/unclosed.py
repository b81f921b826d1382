"""Read which months of the journal are still to be closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, Max, OuterRef

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.organisations import organisations
from bookings.journal.domain.closing import months_to_close
from bookings.journal.domain.journal import HOST, PAYER
from bookings.journal.models import JournalMonth
from bookings.pricing.models import Charge
from bookings.record.domain.months import month_of


@dataclass(frozen=True)
class Unclosed:
    """The months that an organisation has not closed on one side, of the year of the first of them: what the
    page of that year lists from `first` on."""

    organisation: Organisation
    side: str
    first: date
    number: int


def load_unclosed(actor: Actor, now: datetime) -> Sequence[Unclosed]:
    """Return the months to close of the organisations whose finance the actor is, on the sides on which they
    have charges, by name. Two statements."""
    rows = organisations().filter(pk__in=actor.organisations_where("account"), closed_at=None)
    charged = {
        side: Exists(Charge.objects.filter(**{field: OuterRef("pk")}))
        for side, field in ((HOST, "host"), (PAYER, "organisation"))
    }
    kept = list(
        rows.annotate(**{f"as_{side}": has for side, has in charged.items()}).order_by("name", "code")
    )
    closed = JournalMonth.objects.filter(organisation__in=kept).order_by().values("organisation", "side")
    last = {
        (pk, side): month
        for pk, side, month in closed.annotate(last=Max("month")).values_list("organisation", "side", "last")
    }
    found = []
    for row in kept:
        present = month_of(now, row.region.time_zone)
        for side in (HOST, PAYER):
            months = months_to_close(last.get((row.pk, side)), present)
            if months and getattr(row, f"as_{side}"):
                found.append(Unclosed(row, side, months[0], len(months)))
    return found
