"""The number of samples a price is for, as stated by the person who booked."""

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT

from bookings.pricing.models import Quote
from bookings.record.models import Reservation


def number_of_samples(reservation: str) -> Subquery:
    """Return a subquery for the number of samples, as digits, of the reservation that a field of the row
    refers to; empty or null if none was given."""
    quotes = Quote.objects.filter(reservation=OuterRef(reservation), is_current=True)
    return Subquery(quotes.annotate(number=KT("inputs__quantity")).values("number"))


def with_number_of_samples(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Annotate each reservation with its number of samples, as `number_of_samples`."""
    return rows.annotate(number_of_samples=number_of_samples("pk"))
