"""Webhooks: who may see them, their secrets, and what an event contains."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from accounts.areas import areas, computed
from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.hooks import Happening, HookEvent
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, OutboxMessage
from accounts.prepared import Prepared
from accounts.selectors.rows import visible
from accounts.selectors.secrets import derived_secrets
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

MANAGE = "manage-webhooks"


@computed
def all_events() -> dict[str, HookEvent]:
    """Return the events of all areas by code, in the order in which the form offers them."""
    every = [event for area in areas() for event in area.events]
    return {event.code: event for event in sorted(every, key=attrgetter("place"))}


@computed
def events_by_effect() -> dict[str, HookEvent]:
    """Return the events by the kinds of effects that cause them."""
    return {kind: event for event in all_events().values() for kind in event.effects}


def secret_of(endpoint: WebhookEndpoint, generation: int) -> bytes:
    """Return the secret of a generation of the endpoint, 24 bytes, derived from the platform's newest key."""
    return _secrets(endpoint, generation)[0]


def _secrets(endpoint: WebhookEndpoint, generation: int) -> list[bytes]:
    secrets = derived_secrets("bookings.webhook", f"{endpoint.pk}:{generation}")
    return [secret[:24] for secret in secrets]


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[bytes]:
    """Return the secrets that sign now: the current one, then the previous one if it still counts, each
    derived from every key of the platform in force."""
    secrets = _secrets(endpoint, endpoint.generation)
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        secrets += _secrets(endpoint, endpoint.generation - 1)
    return secrets


def organisations_with_webhooks(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations for which the actor may set up webhooks, by name; raise `NotPermitted` if
    there are none."""
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
    """Return a webhook; raise `NotFound` if there is none, or the actor may not see it."""
    try:
        endpoint = endpoints_for(actor).filter(pk=endpoint_id).first()
    except NotPermitted:
        raise NotFound from None
    if endpoint is None:
        raise NotFound
    return endpoint


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """Return the deliveries of a webhook, the newest first."""
    return endpoint.deliveries.select_related("told").prefetch_related("calls").order_by("-created_at", "-id")


def delivery_by_id(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    delivery = visible(
        WebhookDelivery.objects.select_related("endpoint__organisation", "told").prefetch_related("calls"),
        pk=delivery_id,
    )
    endpoint_by_id(actor, delivery.endpoint_id)
    return delivery


def calls_of(delivery: WebhookDelivery) -> list[WebhookAttempt]:
    """Return the attempts to send a delivery, the latest first."""
    return sorted(delivery.calls.all(), key=lambda call: call.pk, reverse=True)


def wanting(happenings: Iterable[Happening]) -> list[tuple[Happening, WebhookEndpoint]]:
    """Return each event with the endpoints that want it. One statement."""
    events = list(happenings)
    if not events:
        return []
    rows = _ACTIVE.rows(ids=sorted(frozenset().union(*(one.organisations for one in events))))
    return [
        (one, row)
        for one in events
        for row in rows
        if one.event in row.events and row.organisation_id in one.organisations
    ]


_ACTIVE = Prepared(
    lambda ids: WebhookEndpoint.objects.filter(organisation_id__one_of=ids, state="active").order_by("pk")
)


def load_happenings(row: OutboxMessage) -> list[Happening]:
    """Load the events of an outbox row, as they are now; none if it has none, or what it is about is gone."""
    event = events_by_effect().get(row.kind)
    try:
        return event.load(event.code, row) if event else []
    except ObjectDoesNotExist:
        return []
