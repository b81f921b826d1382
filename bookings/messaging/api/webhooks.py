"""Webhooks (standardwebhooks.com)."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Nothing,
    Shape,
    Text,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version, require_version
from accounts.domain.errors import NotFound
from accounts.models import Organisation
from bookings.messaging.domain.webhooks import EVENTS, secret_text
from bookings.messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.messaging.selectors.webhooks import (
    calls_of,
    deliveries_of,
    endpoint_by_id,
    endpoints_for,
    secret_of,
)
from bookings.messaging.services.webhooks import (
    webhook_add,
    webhook_change,
    webhook_delete,
    webhook_ping,
    webhook_replay,
    webhook_rotate,
)

TAG = "webhooks"
EVENT_CHOICES = [(event, event) for event in EVENTS]


class WebhookChange(Shape):
    address = Text(1000)
    events = ListOf(child=Choice(EVENT_CHOICES), min_length=1)
    description = Text(200, default="", allow_blank=True)
    is_active = Flag(default=True)


class WebhookBody(Shape):
    organisation = Text(40, help_text="A code.")
    address = Text(1000)
    events = ListOf(child=Choice(EVENT_CHOICES), min_length=1)
    description = Text(200, default="", allow_blank=True)


class WebhookShape(serializers.Serializer[Any]):
    """A webhook. `secret` (`whsec_...`) checks the signatures; after it was rotated the one
    before signs as well until `previous_until`."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    address = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    state = serializers.ChoiceField(["active", "disabled"])
    disabled_because = serializers.CharField(help_text="`failing`, `gone`; empty: by a person.")
    secret = serializers.CharField()
    previous_until = Instant(allow_null=True)
    created_at = Instant()


class CallShape(serializers.Serializer[Any]):
    """One call; without a `status` a `problem` says why there was no answer."""

    at = Instant()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(allow_null=True)
    answer = serializers.CharField(help_text="Its first 500 bytes.")


class DeliveryShape(serializers.Serializer[Any]):
    """One event; `webhook_id` is the same for every call and replay. The latest call first."""

    id = serializers.UUIDField()
    webhook_id = serializers.CharField()
    event = serializers.CharField()
    about = serializers.UUIDField(allow_null=True)
    body = serializers.CharField()
    state = serializers.ChoiceField(["waiting", "delivered", "failed"])
    next_at = Instant(allow_null=True)
    created_at = Instant()
    calls = CallShape(many=True)


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    def call(one: WebhookAttempt) -> dict[str, Any]:
        return {
            "at": rfc3339(one.at),
            "milliseconds": one.milliseconds,
            "status": one.status,
            "problem": one.problem.get("code"),
            "answer": one.answer,
        }

    return {
        "id": str(row.pk),
        "webhook_id": row.message_id,
        "event": row.event,
        "about": str(row.about) if row.about else None,
        "body": row.body,
        "state": row.state,
        "next_at": rfc3339(row.next_at) if row.next_at else None,
        "created_at": rfc3339(row.created_at),
        "calls": [call(one) for one in calls_of(row)],
    }


class WebhooksEndpoint(Endpoint):
    write_scope = "manage"
    needs_person = True

    @staticmethod
    def shown(row: WebhookEndpoint) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "organisation": row.organisation.code,
            "address": row.address,
            "events": row.events,
            "description": row.description,
            "state": row.state,
            "disabled_because": row.disabled_because,
            "secret": secret_text(secret_of(row, row.generation)),
            "previous_until": rfc3339(row.previous_until) if row.previous_until else None,
            "created_at": rfc3339(row.created_at),
        }

    def answer(self, row: WebhookEndpoint, status: int = 200) -> Response:
        return Response(self.shown(row), status=status, headers=etag(row.version))


class Webhooks(WebhooksEndpoint):
    @operation("webhooks", _("Webhooks"), tag=TAG, query=Pages, gives=page(WebhookShape))
    def get(self, request: Request) -> Response:
        """Those of the organisations that the asking person manages, the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            endpoints_for(self.actor),
            query,
            ("-created_at", "-id"),
            lambda rows: [self.shown(row) for row in rows],
        )

    @operation(
        "webhook_add",
        _("Add a webhook"),
        tag=TAG,
        takes=WebhookBody,
        gives=WebhookShape,
        status=201,
        refuses=[404, 409],
        sends={
            "organisation": "hefei-materials",
            "address": "https://lab.example/hooks",
            "events": ["reservation.confirmed", "reservation.cancelled"],
        },
    )
    def post(self, request: Request) -> Response:
        """Twenty an organisation. Each event is a POST with the headers of Standard Webhooks
        (`webhook-id`, `webhook-timestamp`, `webhook-signature`); any status from 200 to 299 ends
        it, 410 disables the webhook, everything else is tried again for a day."""
        body = checked(WebhookBody, request.data)
        organisation = Organisation.objects.filter(code=body["organisation"]).first()
        if organisation is None:
            raise NotFound
        made = webhook_add(
            actor=self.actor,
            organisation_id=organisation.pk,
            address=body["address"],
            events=body["events"],
            description=body["description"],
            now=self.now,
        )
        return self.answer(made, 201)


class Webhook(WebhooksEndpoint):
    @operation("webhook", _("A webhook"), tag=TAG, gives=WebhookShape, refuses=[404])
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """With its secret."""
        return self.answer(endpoint_by_id(self.actor, endpoint_id))

    @operation(
        "webhook_change",
        _("Change a webhook"),
        tag=TAG,
        takes=WebhookChange,
        gives=WebhookShape,
        refuses=[404],
        versioned=True,
    )
    def put(self, request: Request, endpoint_id: UUID) -> Response:
        """Also off, and on again."""
        made = webhook_change(
            actor=self.actor,
            endpoint_id=endpoint_id,
            now=self.now,
            expected_version=expected_version(request),
            **checked(WebhookChange, request.data),
        )
        return self.answer(made)

    @operation(
        "webhook_delete",
        _("Delete a webhook"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """With its log."""
        found = endpoint_by_id(self.actor, endpoint_id)
        require_version(request, found.version)
        webhook_delete(actor=self.actor, endpoint_id=endpoint_id, now=self.now)
        return Response(status=204)


class WebhookRotate(WebhooksEndpoint):
    @operation(
        "webhook_rotate",
        _("A new secret for a webhook"),
        tag=TAG,
        takes=Nothing,
        gives=WebhookShape,
        refuses=[404],
        versioned=True,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """For a day the one before signs as well."""
        checked(Nothing, request.data)
        made = webhook_rotate(
            actor=self.actor,
            endpoint_id=endpoint_id,
            now=self.now,
            expected_version=expected_version(request),
        )
        return self.answer(made)


class WebhookPing(WebhooksEndpoint):
    @operation(
        "webhook_ping",
        _("Test a webhook"),
        tag=TAG,
        takes=Nothing,
        gives=DeliveryShape,
        status=202,
        refuses=[404, 409],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Sends `webhook.ping`, once, also to one that is disabled."""
        checked(Nothing, request.data)
        made = webhook_ping(actor=self.actor, endpoint_id=endpoint_id, now=self.now)
        return Response(_delivery(made), status=202)


class WebhookDeliveries(WebhooksEndpoint):
    @operation(
        "webhook_deliveries",
        _("Deliveries of a webhook"),
        tag=TAG,
        query=Pages,
        gives=page(DeliveryShape),
        refuses=[404],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """The newest first; a month of them."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            deliveries_of(endpoint_by_id(self.actor, endpoint_id)),
            query,
            ("-created_at", "-id"),
            lambda rows: [_delivery(row) for row in rows],
        )


class WebhookReplay(WebhooksEndpoint):
    @operation(
        "webhook_replay",
        _("Send a delivery again"),
        tag=TAG,
        takes=Nothing,
        gives=DeliveryShape,
        status=202,
        refuses=[404, 409],
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Under the same `webhook-id`, so that a receiver that has it knows. While it is still
        being tried: 409."""
        checked(Nothing, request.data)
        made = webhook_replay(actor=self.actor, delivery_id=delivery_id, now=self.now)
        return Response(_delivery(made), status=202)
