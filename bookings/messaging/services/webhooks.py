"""Webhooks: setting them up, delivering events, trying again.

An event is stored, and becomes a delivery for each endpoint that wants it, in the transaction that carries
out the effect behind it; each attempt is an outbox row of its own. If a worker dies in the middle of a call,
the next one repeats it: a receiver may get an event twice, always under the same id.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts import trail
from accounts.adapters.calling import Limits, Resolve, call, resolve
from accounts.domain.addresses import AddressRefused, names_loopback, parse_address
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.hooks import data_of
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OutboxMessage
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.prepared import Prepared, insert
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.messaging.domain import webhooks
from bookings.messaging.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.messaging.selectors.webhooks import (
    MANAGE,
    all_events,
    events_by_effect,
    load_happenings,
    secrets_of,
    wanting,
)

LIMITS = Limits(connect=5, total=15, size=256 * 1024, redirects=2)
State = WebhookEndpoint.State
_TURN = 7_310_846  # the advisory lock of who numbers events


# Setting up


@transaction.atomic
def webhook_add(
    by: By, *, organisation_id: UUID, address: str, events: Sequence[str], description: str
) -> WebhookEndpoint:
    """Send an organisation's events to an address. Raises `NotPermitted`, `WrongState` (too-many-webhooks),
    `Invalid` (address-malformed, address-not-https, required, unknown-value)."""
    organisation = visible(
        Organisation.objects.select_for_update(of=("self",), no_key=True).select_related("region"),
        pk=organisation_id,
    )
    require(by.actor, MANAGE, place_of(organisation))
    checked = _checked(address, events)
    if WebhookEndpoint.objects.filter(organisation=organisation).count() >= webhooks.MOST_ENDPOINTS:
        raise WrongState("too-many-webhooks", most=webhooks.MOST_ENDPOINTS)
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
    by: By, *, endpoint_id: UUID, address: str, events: Sequence[str], description: str, is_active: bool
) -> WebhookEndpoint:
    """Change a webhook, or switch it off or on. Deliveries that fell due while it was off are not sent;
    replay them one by one. Raises `WrongVersion`, and what `webhook_add` raises."""
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
    """Give a webhook a new secret; the previous one signs as well for a day."""
    row = _locked(by, endpoint_id)
    row.generation += 1
    row.previous_until = by.now + webhooks.OVERLAP
    row.version += 1
    row.save(update_fields=["generation", "previous_until", "version"])
    _record(by, row, "webhook.rotate", {}, {"generation": row.generation})
    return row


@transaction.atomic
def webhook_delete(by: By, *, endpoint_id: UUID) -> None:
    """Delete a webhook with its log."""
    row = _locked(by, endpoint_id)
    _record(by, row, "webhook.delete", _recorded(row), {})
    row.delete()


@transaction.atomic
def webhook_ping(by: By, *, endpoint_id: UUID) -> WebhookDelivery:
    """Send a test event, also to a webhook that is disabled. Raises `WrongState` while an earlier one is
    waiting."""
    row = _locked(By(by.actor, by.now), endpoint_id)
    if row.deliveries.filter(event=webhooks.PING, state="waiting").exists():
        raise WrongState("ping-waits")
    delivery = WebhookDelivery.objects.create(
        endpoint=row,
        event=webhooks.PING,
        cause=f"ping:{by.now.isoformat()}",
        body=webhooks.body_of(webhooks.PING, by.now, data_of(webhooks.PING_PAYLOAD, row)),
        created_at=by.now,
        next_at=by.now,
    )
    enqueue([_attempt(delivery)], now=by.now)
    _record(by, row, "webhook.ping", {}, {})
    return delivery


@transaction.atomic
def webhook_replay(by: By, *, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again, with a full number of attempts, under the same id. Raises `WrongState` while it
    is still being tried."""
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


@transaction.atomic
def webhook_replay_range(
    by: By, *, endpoint_id: UUID, since: datetime, until: datetime, only_failed: bool = True
) -> int:
    """Send the deliveries of a period again, from `since` to before `until`, each under its own id and the
    oldest first; those still being tried are left out. Return how many. Raises `Invalid`
    (ends-before-it-starts, too-many-deliveries)."""
    row = _locked(By(by.actor, by.now), endpoint_id)
    if since >= until:
        raise invalid("until", "ends-before-it-starts")
    found = row.deliveries.filter(created_at__gte=since, created_at__lt=until).exclude(event=webhooks.PING)
    found = found.filter(state="failed") if only_failed else found.exclude(state="waiting")
    most = webhooks.MOST_REPLAYED
    locked = found.select_for_update(of=("self",)).order_by("created_at", "id")
    deliveries = list(locked[: most + 1])
    if len(deliveries) > most:
        raise invalid("until", "too-many-deliveries", most=most)
    for delivery in deliveries:
        delivery.state, delivery.attempts, delivery.next_at = "waiting", 0, by.now
        delivery.rounds += 1
    WebhookDelivery.objects.bulk_update(deliveries, ["state", "attempts", "next_at", "rounds"])
    enqueue([_attempt(delivery) for delivery in deliveries], now=by.now)
    if deliveries:
        told = {"since": since, "until": until, "count": len(deliveries)}
        _record(by, row, "webhook.replay", {}, told)
    return len(deliveries)


def _checked(address: str, events: Sequence[str]) -> tuple[str, list[str]]:
    address = address.strip()
    if names_loopback(address) and not _may_loop(address):
        raise invalid("address", "address-on-this-machine")
    try:
        parse_address(address, loopback=_may_loop(address))
    except AddressRefused as refused:
        raise invalid("address", refused.code, **refused.numbers) from None
    if not events:
        raise invalid("events", "required")
    if not set(events) <= set(all_events()):
        raise invalid("events", "unknown-value")
    return address, [event for event in all_events() if event in set(events)]


def _may_loop(address: str) -> bool:
    """Say whether the address may be on this machine, without TLS: in the demonstration, if it says so."""
    return settings.CALLS_LOOPBACK or (settings.LOCAL_MODE and names_loopback(address))


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
    """Return what the trail records of a webhook: only its host, since a path may hold a secret."""
    host = urlsplit(row.address).hostname
    return {"host": host, "events": row.events, "state": row.state}


def _record(
    by: By, row: WebhookEndpoint, action: str, before: dict[str, object], after: dict[str, object]
) -> None:
    trail.record(by, action, row, before=before, after=after)


# Telling


def events_tell(*rows: OutboxMessage, now: datetime) -> int:
    """Store the events of outbox rows, and their deliveries to every endpoint that wants them; return how
    many events.

    One worker at a time, to the end of its transaction: so numbers follow the order of commits, and an event
    with a higher number never has older data."""
    telling = [row for row in rows if row.kind in events_by_effect()]
    if not telling:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
    told = [(row.created_at, one) for row in telling for one in load_happenings(row)]
    if not told:
        return 0
    last = _LAST.first() or 0
    events = {
        one.cause: Event(
            number=number,
            kind=one.event,
            about=one.about,
            cause=one.cause,
            organisations=sorted(one.organisations),
            body=webhooks.body_of(one.event, at, one.data),
            created_at=now,
        )
        for number, (at, one) in enumerate(told, last + 1)
    }
    for known in _KNOWN.rows(causes=list(events)):
        events[known.cause] = known
    insert([event for event in events.values() if event._state.adding])
    deliveries = [
        WebhookDelivery(
            endpoint=endpoint,
            told=events[one.cause],
            event=one.event,
            about=one.about,
            cause=one.cause,
            body=events[one.cause].body,
            created_at=now,
            next_at=now,
        )
        for one, endpoint in wanting(one for _, one in told)
    ]
    insert(deliveries, ignore_conflicts=True)
    enqueue([_attempt(delivery) for delivery in deliveries], now=now)
    return len(events)


_LAST = Prepared(lambda: Event.objects.order_by("-number").values_list("number", flat=True)[:1])
_KNOWN = Prepared(lambda causes: Event.objects.filter(cause__one_of=causes))


def _attempt(delivery: WebhookDelivery) -> Effect:
    return Effect(
        kind="webhook.deliver",
        key=f"webhook:{delivery.pk}:{delivery.rounds}:{delivery.attempts}",
        payload={"delivery": str(delivery.pk), "attempts": delivery.attempts},
        due_at=delivery.next_at,
    )


def webhook_deliver(row: OutboxMessage, *, now: datetime, resolve: Resolve = resolve) -> str:
    """Attempt a delivery once: call the address, record the result, and schedule the next attempt if it
    failed. Return the outcome of the row."""
    delivery = (
        WebhookDelivery.objects.select_related("endpoint__organisation__region", "told")
        .filter(pk=UUID(row.payload["delivery"]), state="waiting")
        .filter(attempts=row.payload["attempts"])
        .first()
    )
    if delivery is None:
        return "skipped"
    if delivery.endpoint.state != State.ACTIVE and delivery.event != webhooks.PING and delivery.rounds == 1:
        delivery.state, delivery.next_at = "failed", None
        delivery.save(update_fields=["state", "next_at"])
        return "skipped"
    attempt = _call(delivery, now, resolve)
    attempt.save()
    delivery.attempts += 1
    if attempt.status is not None and webhooks.is_done(attempt.status):
        delivery.state, delivery.next_at = "delivered", None
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(succeeded_at=now)
    else:
        # A test, or a replay by hand while it is disabled, is not repeated for a day.
        goes_on = delivery.event != webhooks.PING and delivery.endpoint.state == State.ACTIVE
        goes_on = goes_on and attempt.status != webhooks.GONE
        delivery.next_at = webhooks.try_again_at(delivery.attempts, now) if goes_on else None
        if delivery.next_at is None:
            delivery.state = "failed"
            if delivery.event != webhooks.PING or attempt.status == webhooks.GONE:
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
            headers=webhooks.signed(secrets, delivery.message_id, now, delivery.sent),
            body=delivery.sent.encode(),
            limits=LIMITS,
            loopback=_may_loop(delivery.endpoint.address),
            resolve=resolve,
        )
        with answer.body:
            first = answer.body.read(webhooks.MOST_ANSWER)
        attempt.status = answer.status
        # Characters that cannot be stored as text are left out.
        attempt.answer = first.decode(errors="replace").replace("\0", "")
    except AddressRefused as refused:
        attempt.problem = {"code": refused.code, "numbers": dict(refused.numbers)}
    attempt.milliseconds = int((time.monotonic() - began) * 1000)
    return attempt


def _give_up(delivery: WebhookDelivery, attempt: WebhookAttempt, now: datetime) -> None:
    """Give a delivery up after a day of failed attempts, or because the receiver says it is gone. Disable the
    webhook and tell those who manage it, unless it is not gone and another delivery has succeeded since."""
    endpoint = (
        WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .get(pk=delivery.endpoint_id)
    )
    since = endpoint.succeeded_at
    is_gone = attempt.status == webhooks.GONE
    if endpoint.state != State.ACTIVE or (since and since >= delivery.created_at and not is_gone):
        return
    endpoint.state = State.DISABLED
    endpoint.disabled_because = "gone" if is_gone else "failing"
    endpoint.version += 1
    endpoint.save(update_fields=["state", "disabled_because", "version"])
    _record(By(PLATFORM, now), endpoint, "webhook.disable", {}, {"because": endpoint.disabled_because})
    payload = {"endpoint": str(endpoint.pk), "delivery": str(delivery.pk)}
    key = f"hook.disabled:{endpoint.pk}:{endpoint.version}"
    enqueue([Effect("hook.disabled", key, payload)], now=now)
