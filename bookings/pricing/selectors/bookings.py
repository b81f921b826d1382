"""Lists of bookings: a person's own, those of managed instruments, requests to decide, bookings to
complete."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import By
from bookings.pricing.selectors.samples import with_number_of_samples
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.lists import Column, Listing
from bookings.record.selectors.reservations import hosted_reservations, own_reservations, reservations_for

# Fields in which lists look for words.
WORDS = (
    "instrument__name", "instrument__name_zh", "user__name", "organisation__name",
    "organisation__name_zh", "purpose_text",
)  # fmt: skip


def _state(row: Reservation, by: By) -> str:
    return effective_state(row.state, row.deadline_at, by.now)


BOOKINGS = Listing(
    "bookings",
    reservations_for,
    (
        Column("booking", "pk"),
        Column("instrument", "instrument.name", _("Instrument"), "instrument__name"),
        Column("start", "start_at", _("Booked"), "start_at"),
        Column("end", "end_at"),
        Column("person", "user", _("Person"), "user__name"),
        Column("payer", "organisation.code", sort="organisation__name"),
        Column("payer_name", "organisation.name"),
        Column("host", sort="host__name"),
        Column("state", _state, _("State"), "state"),
        Column("requested", sort="requested_at"),
        Column("samples", lambda row, by: row.number_of_samples or ""),
    ),
    words=WORDS,
    q_help="Part of the name of the instrument, person or payer, or of the purpose.",
    day="start_at",
    for_files=lambda rows, by: with_number_of_samples(rows),
)
OWN_BOOKINGS = replace(
    BOOKINGS,
    rows=own_reservations,
    words=("instrument__name", "instrument__name_zh", "host__name", "host__name_zh"),
)
HOSTED_BOOKINGS = replace(BOOKINGS, rows=hosted_reservations)
