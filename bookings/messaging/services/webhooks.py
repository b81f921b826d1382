"""Webhooks: setting them up, telling of events, trying again.

An event becomes a delivery for each endpoint that wants it, in the transaction that carries out
the effect that tells of it; each attempt is an outbox row of its own. A worker that dies in the
middle of a call leaves the row to the next one: a receiver may hear of an event twice, always
under the same id.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import trail
from accounts.adapters.calling import Limits, Resolve, call, resolve
from accounts.domain.addresses import AddressRefused, parse_address
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OutboxMessage
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.messaging.domain.webhooks import (
    EVENTS,
    GONE,
    MOST_ANSWER,
    MOST_ENDPOINTS,
    OVERLAP,
    PING,
    body_of,
    is_done,
    signed,
    try_again_at,
)
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.messaging.selectors.webhooks import MANAGE, load_happenings, secrets_of, wanting

LIMITS = Limits(connect=5, total=15, size=256 * 1024, redirects=2)
State = WebhookEndpoint.State


# Setting up


@transaction.atomic
def webhook_add(
    by: By, *, organisation_id: UUID, address: str, events: Sequence[str], description: str
) -> WebhookEndpoint:
    """Tell an address of an organisation's events. `NotPermitted`, `WrongState`
    (too-many-webhooks), `Invalid` (address-malformed, address-not-https, required,
    unknown-value)."""
    organisation = visible(
        Organisation.objects.select_for_update(of=("self",), no_key=True).select_related("region"),
        pk=organisation_id,
    )
    require(by.actor, MANAGE, place_of(organisation))
    checked = _checked(address, events)
    if WebhookEndpoint.objects.filter(organisation=organisation).count() >= MOST_ENDPOINTS:
        raise WrongState("too-many-webhooks", most=MOST_ENDPOINTS)
    row = WebhookEndpoint.objects.create(
        organisation=organisation,
        address=checked[0],
        events=checked[1],
        description=description.strip()[:200],
        created_by_id=by.actor.person,
        created_at=by.now,
    )
    _record(by, row, "webhook.add", {}, _recorded(row))
    return row


@transaction.atomic
def webhook_change(
    by: By,
    *,
    endpoint_id: UUID,
    address: str,
    events: Sequence[str],
    description: str,
    is_active: bool,
) -> WebhookEndpoint:
    """Change it, or switch it off and on. What waited while it was off was given up; replay it by
    hand. `WrongVersion`, and as `webhook_add`."""
    row = _locked(by, endpoint_id)
    before = _recorded(row)
    row.address, row.events = _checked(address, events)
    row.description = description.strip()[:200]
    row.state = State.ACTIVE if is_active else State.DISABLED
    row.disabled_because = ""
    row.version += 1
    row.save()
    _record(by, row, "webhook.change", before, _recorded(row))
    return row


@transaction.atomic
def webhook_rotate(by: By, *, endpoint_id: UUID) -> WebhookEndpoint:
    """A new secret; for a day the one before signs as well."""
    row = _locked(by, endpoint_id)
    row.generation += 1
    row.previous_until = by.now + OVERLAP
    row.version += 1
    row.save(update_fields=["generation", "previous_until", "version"])
    _record(by, row, "webhook.rotate", {}, {"generation": row.generation})
    return row


@transaction.atomic
def webhook_delete(by: By, *, endpoint_id: UUID) -> None:
    """With its log."""
    row = _locked(by, endpoint_id)
    _record(by, row, "webhook.delete", _recorded(row), {})
    row.delete()


@transaction.atomic
def webhook_ping(by: By, *, endpoint_id: UUID) -> WebhookDelivery:
    """Send a test event, also to one that is disabled. `WrongState` while one waits."""
    row = _locked(By(by.actor, by.now), endpoint_id)
    if row.deliveries.filter(event=PING, state="waiting").exists():
        raise WrongState("ping-waits")
    delivery = WebhookDelivery.objects.create(
        endpoint=row,
        event=PING,
        cause=f"ping:{by.now.isoformat()}",
        body=body_of(PING, by.now, {"webhook": str(row.pk)}),
        created_at=by.now,
        next_at=by.now,
    )
    enqueue([_attempt(delivery)], now=by.now)
    _record(by, row, "webhook.ping", {}, {})
    return delivery


@transaction.atomic
def webhook_replay(by: By, *, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again, with all its attempts, under the same id. `WrongState` while it is
    still being tried."""
    unlocked = visible(WebhookDelivery.objects, pk=delivery_id)
    row = _locked(By(by.actor, by.now), unlocked.endpoint_id)
    delivery = WebhookDelivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state == "waiting":
        raise WrongState(state="waiting", wanted="replayed")
    delivery.state, delivery.attempts, delivery.next_at = "waiting", 0, by.now
    delivery.rounds += 1
    delivery.save(update_fields=["state", "attempts", "next_at", "rounds"])
    enqueue([_attempt(delivery)], now=by.now)
    _record(by, row, "webhook.replay", {}, {"delivery": delivery.pk})
    return delivery


def _checked(address: str, events: Sequence[str]) -> tuple[str, list[str]]:
    address = address.strip()
    try:
        parse_address(address, loopback=settings.CALLS_LOOPBACK)
    except AddressRefused as refused:
        raise invalid("address", refused.code, **refused.numbers) from None
    if not events:
        raise invalid("events", "required")
    if not set(events) <= set(EVENTS):
        raise invalid("events", "unknown-value")
    return address, [event for event in EVENTS if event in set(events)]


def _locked(by: By, endpoint_id: UUID) -> WebhookEndpoint:
    row = (
        WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .filter(pk=endpoint_id)
        .first()
    )
    if row is None or not by.actor.may(MANAGE, place_of(row.organisation)):
        raise NotFound
    by.require_version(row.version)
    return row


def _recorded(row: WebhookEndpoint) -> dict[str, object]:
    """For the trail: the host alone, since a path may hold a secret."""
    host = urlsplit(row.address).hostname
    return {"host": host, "events": row.events, "state": row.state}


def _record(
    by: By, row: WebhookEndpoint, action: str, before: dict[str, object], after: dict[str, object]
) -> None:
    trail.record(by, action, row, before=before, after=after)


# Telling


def events_tell(row: OutboxMessage, *, now: datetime) -> int:
    """Deliveries of what an outbox row tells of, to every endpoint that wants it; how many."""
    deliveries = [
        WebhookDelivery(
            endpoint=endpoint,
            event=one.event,
            about=one.about,
            cause=one.cause,
            body=body_of(one.event, row.created_at, one.data),
            created_at=now,
            next_at=now,
        )
        for one, endpoint in wanting(load_happenings(row))
    ]
    WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    enqueue([_attempt(delivery) for delivery in deliveries], now=now)
    return len(deliveries)


def _attempt(delivery: WebhookDelivery) -> Effect:
    return Effect(
        kind="webhook.deliver",
        key=f"webhook:{delivery.pk}:{delivery.rounds}:{delivery.attempts}",
        payload={"delivery": str(delivery.pk), "attempts": delivery.attempts},
        due_at=delivery.next_at,
    )


def webhook_deliver(row: OutboxMessage, *, now: datetime, resolve: Resolve = resolve) -> str:
    """One attempt: call the address, write down what came of it, and let the next attempt come
    later if it failed. The row's outcome."""
    delivery = (
        WebhookDelivery.objects.select_related("endpoint__organisation__region")
        .filter(pk=UUID(row.payload["delivery"]), state="waiting")
        .filter(attempts=row.payload["attempts"])
        .first()
    )
    if delivery is None:
        return "skipped"
    if delivery.endpoint.state != State.ACTIVE and delivery.event != PING and delivery.rounds == 1:
        delivery.state, delivery.next_at = "failed", None
        delivery.save(update_fields=["state", "next_at"])
        return "skipped"
    attempt = _call(delivery, now, resolve)
    attempt.save()
    delivery.attempts += 1
    if attempt.status is not None and is_done(attempt.status):
        delivery.state, delivery.next_at = "delivered", None
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(succeeded_at=now)
    else:
        # A test, or one that is asked for by hand while it is disabled, need not go on for a day.
        goes_on = delivery.event != PING and delivery.endpoint.state == State.ACTIVE
        goes_on = goes_on and attempt.status != GONE
        delivery.next_at = try_again_at(delivery.attempts, now) if goes_on else None
        if delivery.next_at is None:
            delivery.state = "failed"
            if delivery.event != PING or attempt.status == GONE:
                _give_up(delivery, attempt, now)
        else:
            enqueue([_attempt(delivery)], now=now)
    delivery.save(update_fields=["state", "attempts", "next_at"])
    return "sent" if delivery.state == "delivered" else "failed"


def _call(delivery: WebhookDelivery, now: datetime, resolve: Resolve) -> WebhookAttempt:
    secrets = secrets_of(delivery.endpoint, now)
    began = time.monotonic()
    attempt = WebhookAttempt(delivery=delivery, at=now)
    try:
        answer = call(
            delivery.endpoint.address,
            method="POST",
            headers=signed(secrets, delivery.message_id, now, delivery.body),
            body=delivery.body.encode(),
            limits=LIMITS,
            loopback=settings.CALLS_LOOPBACK,
            resolve=resolve,
        )
        with answer.body:
            first = answer.body.read(MOST_ANSWER)
        attempt.status = answer.status
        # What cannot be stored as text is left out.
        attempt.answer = first.decode(errors="replace").replace("\0", "")
    except AddressRefused as refused:
        attempt.problem = {"code": refused.code, "numbers": dict(refused.numbers)}
    attempt.milliseconds = int((time.monotonic() - began) * 1000)
    return attempt


def _give_up(delivery: WebhookDelivery, attempt: WebhookAttempt, now: datetime) -> None:
    """A day of attempts failed: if nothing else has come through since, or the receiver says that
    it is gone, nothing more is sent, and those who manage it hear of it."""
    endpoint = (
        WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .get(pk=delivery.endpoint_id)
    )
    since = endpoint.succeeded_at
    is_gone = attempt.status == GONE
    if endpoint.state != State.ACTIVE or (since and since >= delivery.created_at and not is_gone):
        return
    endpoint.state = State.DISABLED
    endpoint.disabled_because = "gone" if is_gone else "failing"
    endpoint.version += 1
    endpoint.save(update_fields=["state", "disabled_because", "version"])
    _record(
        By(PLATFORM, now), endpoint, "webhook.disable", {}, {"because": endpoint.disabled_because}
    )
    payload = {"endpoint": str(endpoint.pk), "delivery": str(delivery.pk)}
    key = f"hook.disabled:{endpoint.pk}:{endpoint.version}"
    enqueue([Effect("hook.disabled", key, payload)], now=now)
