"""Webhooks: whose they are, their secrets, and what an event says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, OutboxMessage
from accounts.selectors.rows import visible
from accounts.selectors.secrets import derived_secrets
from bookings.messaging.domain.webhooks import EVENT_OF
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.pricing.models import Charge
from bookings.record.models import Reservation
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Statement
from instruments.models import Instrument

MANAGE = "manage-webhooks"


@dataclass(frozen=True)
class Happening:
    """One event: `organisations` are those whose affair it is, `data` what it says."""

    event: str
    about: UUID
    cause: str
    organisations: frozenset[UUID]
    data: Mapping[str, Any]


def secret_of(endpoint: WebhookEndpoint, generation: int) -> bytes:
    """24 bytes, the newest of them."""
    return _secrets(endpoint, generation)[0]


def _secrets(endpoint: WebhookEndpoint, generation: int) -> list[bytes]:
    secrets = derived_secrets("bookings.webhook", f"{endpoint.pk}:{generation}")
    return [secret[:24] for secret in secrets]


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[bytes]:
    """Those that sign now, the newest first, under each key of the platform in force."""
    secrets = _secrets(endpoint, endpoint.generation)
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        secrets += _secrets(endpoint, endpoint.generation - 1)
    return secrets


def organisations_with_webhooks(actor: Actor) -> QuerySet[Organisation]:
    """Where the actor may set webhooks up, by name; `NotPermitted` for nowhere."""
    rows = Organisation.objects.order_by("name", "id")
    if actor.may(MANAGE, Place(None)):
        return rows
    own = actor.organisations_where(MANAGE)
    if not own:
        raise NotPermitted(capability=MANAGE)
    return rows.filter(pk__in=own)


def endpoints_for(actor: Actor) -> QuerySet[WebhookEndpoint]:
    rows = WebhookEndpoint.objects.filter(organisation__in=organisations_with_webhooks(actor))
    return rows.select_related("organisation").order_by("organisation__name", "created_at", "id")


def endpoint_by_id(actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """`NotFound` if there is none, or it is not the actor's to see."""
    try:
        endpoint = endpoints_for(actor).filter(pk=endpoint_id).first()
    except NotPermitted:
        raise NotFound from None
    if endpoint is None:
        raise NotFound
    return endpoint


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """The newest first."""
    return endpoint.deliveries.prefetch_related("calls").order_by("-created_at", "-id")


def delivery_by_id(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    delivery = visible(
        WebhookDelivery.objects.select_related("endpoint__organisation").prefetch_related("calls"),
        pk=delivery_id,
    )
    endpoint_by_id(actor, delivery.endpoint_id)
    return delivery


def calls_of(delivery: WebhookDelivery) -> list[WebhookAttempt]:
    """The latest first."""
    return sorted(delivery.calls.all(), key=lambda call: call.pk, reverse=True)


def wanting(happenings: Iterable[Happening]) -> list[tuple[Happening, WebhookEndpoint]]:
    """Each event with the endpoints that want it. One statement."""
    events = list(happenings)
    if not events:
        return []
    subscribed = Q()
    for one in events:
        subscribed |= Q(events__contains=[one.event], organisation_id__in=one.organisations)
    rows = list(WebhookEndpoint.objects.filter(subscribed, state="active").order_by("pk"))
    return [
        (one, row)
        for one in events
        for row in rows
        if one.event in row.events and row.organisation_id in one.organisations
    ]


def load_happenings(row: OutboxMessage) -> list[Happening]:
    """What an outbox row tells of, as it is now; none for a row that tells of nothing. No
    statement unless some endpoint may want it (two then)."""
    event = EVENT_OF.get(row.kind)
    if (
        event is None
        or not WebhookEndpoint.objects.filter(state="active", events__contains=[event]).exists()
    ):
        return []
    match event.partition(".")[0]:
        case "reservation":
            return _of_reservations(event, row)
        case "charge":
            return _of_charge(event, row)
        case "statement":
            return _of_statement(event, row)
        case _:
            return _of_instrument(event, row)


def _of_reservations(event: str, row: OutboxMessage) -> list[Happening]:
    named = row.payload.get("reservations") or [row.payload.get("reservation")]
    reservations = Reservation.objects.select_related("organisation", "host").filter(pk__in=named)
    return [
        Happening(
            event,
            one.pk,
            f"{row.pk}:{one.pk}",
            frozenset({one.organisation_id, one.host_id}),
            {
                "id": str(one.pk),
                "instrument": str(one.instrument_id),
                "start": _instant(one.start_at),
                "end": _instant(one.end_at),
                "state": one.state,
                "organisation": one.organisation.code,
                "host": one.host.code,
                "version": one.version,
            },
        )
        for one in reservations.order_by("start_at", "id")
    ]


def _of_charge(event: str, row: OutboxMessage) -> list[Happening]:
    charges = Charge.objects.select_related("reservation__organisation", "reservation__host")
    one = charges.get(pk=UUID(row.payload["charge"]))
    booked = one.reservation
    data = {
        "id": str(one.pk),
        "reservation": str(booked.pk),
        "state": one.state,
        "payable": {"amount": str(one.payable), "currency": one.currency},
        "organisation": booked.organisation.code,
        "host": booked.host.code,
    }
    concerned = frozenset({booked.organisation_id, booked.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data)]


def _of_statement(event: str, row: OutboxMessage) -> list[Happening]:
    statements = Statement.objects.select_related("payer", "host")
    one = statements.get(pk=UUID(row.payload["statement"]))
    data = {
        "id": str(one.pk),
        "number": statement_number(one.host.code, one.year, one.number),
        "month": f"{one.month:%Y-%m}",
        "state": one.state,
        "payable": {"amount": str(one.payable), "currency": one.currency},
        "due": one.due_date.isoformat(),
        "payer": one.payer.code,
        "host": one.host.code,
    }
    concerned = frozenset({one.payer_id, one.host_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data)]


def _of_instrument(event: str, row: OutboxMessage) -> list[Happening]:
    instruments = Instrument.objects.select_related("organisation")
    one = instruments.get(pk=UUID(row.payload["instrument"]))
    data = {
        "id": str(one.pk),
        "name": one.name,
        "publication": one.publication,
        "host": one.organisation.code,
        "version": one.version,
    }
    return [Happening(event, one.pk, str(row.pk), frozenset({one.organisation_id}), data)]


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
