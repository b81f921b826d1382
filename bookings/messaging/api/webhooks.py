"""Webhooks (standardwebhooks.com)."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, changes, creates, lists, parts, reads, removes
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Nothing, Shape, Text
from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.messaging.domain.webhooks import EVENTS, secret_text
from bookings.messaging.models import WebhookDelivery, WebhookEndpoint
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


class SecretField(serializers.CharField):
    def get_attribute(self, row: WebhookEndpoint) -> str:
        return secret_text(secret_of(row, row.generation))


class WebhookShape(serializers.Serializer[Any]):
    """A webhook. `secret` (`whsec_...`) checks the signatures; after it was rotated the one
    before signs as well until `previous_until`."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    address = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    state = serializers.ChoiceField(["active", "disabled"])
    disabled_because = serializers.CharField(help_text="`failing`, `gone`; empty: by a person.")
    secret = SecretField()
    previous_until = Instant(allow_null=True)
    created_at = Instant()


class Calls(serializers.ListSerializer[Any]):
    def get_attribute(self, row: WebhookDelivery) -> Any:
        return calls_of(row)


class CallShape(serializers.Serializer[Any]):
    """One call; without a `status` a `problem` says why there was no answer."""

    class Meta:
        list_serializer_class = Calls

    at = Instant()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(source="problem.code", allow_null=True)
    answer = serializers.CharField(help_text="Its first 500 bytes.")


class DeliveryShape(serializers.Serializer[Any]):
    """One event; `webhook_id` is the same for every call and replay. The latest call first."""

    id = serializers.UUIDField()
    webhook_id = serializers.CharField(source="message_id")
    event = serializers.CharField()
    about = serializers.UUIDField(allow_null=True)
    body = serializers.CharField()
    state = serializers.ChoiceField(["waiting", "delivered", "failed"])
    next_at = Instant(allow_null=True)
    created_at = Instant()
    calls = CallShape(many=True)


class Webhooks(Resource):
    at, key, name, many, tag = "webhooks/", "endpoint_id", "webhook", "webhooks", TAG
    shape = WebhookShape
    needs_person = True

    def visible(self, pk: UUID) -> WebhookEndpoint:
        return endpoint_by_id(self.actor, pk)

    def location(self, row: WebhookEndpoint) -> str:
        return ""  # no answer names it

    @lists(_("Webhooks"))
    def rows(self, query: dict[str, Any]) -> QuerySet[WebhookEndpoint]:
        """Those of the organisations that the asking person manages, the newest first."""
        return endpoints_for(self.actor)

    @creates(
        _("Add a webhook"),
        WebhookBody,
        named="_add",
        refuses=[404, 409],
        once=False,
        sends={
            "organisation": "hefei-materials",
            "address": "https://lab.example/hooks",
            "events": ["reservation.confirmed", "reservation.cancelled"],
        },
    )
    def add(self, data: dict[str, Any]) -> WebhookEndpoint:
        """Twenty an organisation. Each event is a POST with the headers of Standard Webhooks
        (`webhook-id`, `webhook-timestamp`, `webhook-signature`); any status from 200 to 299 ends
        it, 410 disables the webhook, everything else is tried again for a day."""
        organisation = visible(Organisation.objects, code=data.pop("organisation"))
        return webhook_add(self.by, organisation_id=organisation.pk, **data)

    @reads(_("A webhook"))
    def detail(self, pk: UUID) -> None:
        """With its secret."""

    @changes(_("Change a webhook"), WebhookChange, "put")
    def change(self, pk: UUID, data: dict[str, Any]) -> WebhookEndpoint:
        """Also off, and on again."""
        return webhook_change(self.by, endpoint_id=pk, **data)

    @removes(_("Delete a webhook"))
    def remove(self, pk: UUID) -> None:
        """With its log."""
        self.meant(pk)
        webhook_delete(self.by, endpoint_id=pk)

    @acts(_("A new secret for a webhook"), Nothing, refuses=[404], once=False)
    def rotate(self, pk: UUID, data: dict[str, Any]) -> WebhookEndpoint:
        """For a day the one before signs as well."""
        return webhook_rotate(self.by, endpoint_id=pk)

    @acts(
        _("Test a webhook"),
        Nothing,
        gives=DeliveryShape,
        status=202,
        versioned=False,
        once=False,
    )
    def ping(self, pk: UUID, data: dict[str, Any]) -> WebhookDelivery:
        """Sends `webhook.ping`, once, also to one that is disabled."""
        return webhook_ping(self.by, endpoint_id=pk)

    @parts(_("Deliveries of a webhook"), DeliveryShape)
    def deliveries(self, pk: UUID, query: dict[str, Any]) -> QuerySet[WebhookDelivery]:
        """The newest first; a month of them."""
        return deliveries_of(self.visible(pk))

    @acts(
        _("Send a delivery again"),
        Nothing,
        below="*deliveries/<uuid:delivery_id>/replay",
        address="api-webhook-replay",
        named="_replay",
        gives=DeliveryShape,
        status=202,
        versioned=False,
        once=False,
    )
    def replay(self, pk: UUID, data: dict[str, Any]) -> WebhookDelivery:
        """Under the same `webhook-id`, so that a receiver that has it knows. While it is still
        being tried: 409."""
        return webhook_replay(self.by, delivery_id=pk)
