"""Load what webhooks report about charges."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.hooks import (
    ID,
    MONEY,
    TEXT,
    WHOLE,
    Datum,
    Happening,
    Payload,
    about,
    data_of,
    money,
    one_of,
    schema_of,
)
from accounts.models import OutboxMessage
from bookings.pricing.models import Charge

_REVERSES = about("Id of the charge that this one takes back, in whole or in part.", ID)
_OWN: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "kind": Datum(lambda one: one.kind, one_of(Charge.Kind.values)),
    "state": Datum(lambda one: one.state, one_of(Charge.State.values)),
    "payable": Datum(lambda one: money(one.payable, one.currency), MONEY),
    "reverses": Datum(lambda one: one.reverses_id and str(one.reverses_id), _REVERSES, may_lack=True),
    "version": Datum(lambda one: one.version, WHOLE),
}
_ALL = about(
    "Every charge of the same booking or place, this one included: what was reversed, and by which.",
    {"type": "array", "items": schema_of(_OWN)},
)
CHARGE: Payload = {
    **_OWN,
    # A charge is for a booking or for a place in a course.
    "reservation": Datum(lambda one: one.reservation_id and str(one.reservation_id), ID, may_lack=True),
    "enrolment": Datum(lambda one: one.enrolment_id and str(one.enrolment_id), ID, may_lack=True),
    "organisation": Datum(lambda one: one.organisation.code, TEXT),
    "host": Datum(lambda one: one.host.code, TEXT),
    "charges": Datum(lambda one: [data_of(_OWN, each) for each in _for_the_same(one)], _ALL),
}


def of_charge(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook events of an effect about a charge, with the charge's present data and that of all
    charges for the same."""
    charges = Charge.objects.select_related("organisation", "host")
    one = charges.get(pk=UUID(row.payload["charge"]))
    concerned = frozenset({one.organisation_id, one.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(CHARGE, one))]


def _for_the_same(one: Charge) -> QuerySet[Charge]:
    same = Q(reservation=one.reservation_id) if one.reservation_id else Q(enrolment=one.enrolment_id)
    return Charge.objects.filter(same).order_by("created_at", "id")
