"""Webhooks (standardwebhooks.com)."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, parts, reads, removes
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Nothing, Shape, Text
from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.messaging.domain.webhooks import secret_text
from bookings.messaging.forms.webhooks import ReplayForm, WebhookForm
from bookings.messaging.models import WebhookDelivery, WebhookEndpoint
from bookings.messaging.selectors import webhooks
from bookings.messaging.services import webhooks as webhook_services

TAG = "webhooks"
EVENT_CHOICES = [(event, event) for event in webhooks.all_events()]


class WebhookChange(Shape):
    address = Text(1000)
    events = ListOf(child=Choice(EVENT_CHOICES), min_length=1)
    description = Text(200, default="", allow_blank=True)
    is_active = Flag(default=True)


class WebhookBody(Shape):
    organisation = Text(40, help_text="Code of the organisation.")
    address = Text(1000)
    events = ListOf(child=Choice(EVENT_CHOICES), min_length=1)
    description = Text(200, default="", allow_blank=True)


class WebhookReplayBody(Shape):
    since = Instant(help_text="Of deliveries that were made at this time or later.")
    until = Instant(help_text="And before this time.")
    only_failed = Flag(default=True)


class WebhookReplayedShape(serializers.Serializer[Any]):
    """How many deliveries are sent again."""

    count = serializers.IntegerField()


class SecretField(serializers.CharField):
    def get_attribute(self, row: WebhookEndpoint) -> str:
        return secret_text(webhooks.secret_of(row, row.generation))


class WebhookShape(serializers.Serializer[Any]):
    """A webhook. `secret` (`whsec_...`) checks the signatures; after a rotation the previous secret signs as
    well until `previous_until`."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    address = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    state = serializers.ChoiceField(["active", "disabled"])
    disabled_because = serializers.CharField(help_text="`failing` or `gone`; empty if a person disabled it.")
    secret = SecretField()
    previous_until = Instant(allow_null=True)
    created_at = Instant()


class Calls(serializers.ListSerializer[Any]):
    def get_attribute(self, row: WebhookDelivery) -> Any:
        return webhooks.calls_of(row)


class CallShape(serializers.Serializer[Any]):
    """One attempt to call the webhook; if `status` is empty, `problem` says why there was no answer."""

    class Meta:
        list_serializer_class = Calls

    at = Instant()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(source="problem.code", allow_null=True)
    answer = serializers.CharField(help_text="The first 500 bytes of the answer.")


class DeliveryShape(serializers.Serializer[Any]):
    """One event with its calls, the latest first; `webhook_id` is the same for every call and replay."""

    id = serializers.UUIDField()
    webhook_id = serializers.CharField(source="message_id")
    event = serializers.CharField()
    about = serializers.UUIDField(allow_null=True)
    body = serializers.CharField(source="sent")
    state = serializers.ChoiceField(["waiting", "delivered", "failed"])
    next_at = Instant(allow_null=True)
    created_at = Instant()
    calls = CallShape(many=True)


def _replayed_words(replayed: dict[str, int]) -> str:
    if not (n := replayed["count"]):
        return gettext("There is no such delivery in this period: nothing is sent again.")
    return ngettext(
        "{n} delivery is sent again: load this page again in a moment.",
        "{n} deliveries are sent again: load this page again in a moment.",
        n,
    ).format(n=n)


class Webhooks(Resource):
    at, key, name, many, tag = "webhooks/", "endpoint_id", "webhook", "webhooks", TAG
    shape, needs_person, page_at = WebhookShape, True, "manage/webhooks/"

    def visible(self, pk: UUID) -> WebhookEndpoint:
        return webhooks.endpoint_by_id(self.actor, pk)

    def location(self, row: WebhookEndpoint) -> str:
        return ""  # answers do not give its address

    @lists(_("Webhooks"))
    def rows(self, query: dict[str, Any]) -> QuerySet[WebhookEndpoint]:
        """Return the webhooks of organisations you manage, the newest first."""
        return webhooks.endpoints_for(self.actor)

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
        """Add a webhook, at most twenty an organisation. Each event is a POST with the headers of Standard
        Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Any status from 200 to 299
        completes the delivery, 410 disables the webhook, and anything else is tried again for a day."""
        organisation = visible(Organisation.objects, code=data.pop("organisation"))
        return webhook_services.webhook_add(self.by, organisation_id=organisation.pk, **data)

    @reads(_("A webhook"))
    def detail(self, pk: UUID) -> None:
        """Return a webhook, with its secret."""

    @OnPage("bookings:webhook", done=_("Saved."), form=WebhookForm, below="change")
    @changes(_("Change a webhook"), WebhookChange, "put")
    def change(self, pk: UUID, data: dict[str, Any]) -> WebhookEndpoint:
        """Change a webhook, or switch it off or on."""
        return webhook_services.webhook_change(self.by, endpoint_id=pk, **data)

    @OnPage(
        "bookings:webhook",
        _("Delete"),
        _("Deleted."),
        _("Delete this webhook, with its log? Nothing is sent to its address any more."),
        to=lambda _: reverse("bookings:webhooks"),
        below="delete",
    )
    @removes(_("Delete a webhook"))
    def remove(self, pk: UUID) -> None:
        """Delete a webhook with its log."""
        webhook_services.webhook_delete(self.by, endpoint_id=pk)

    @OnPage(
        "bookings:webhook",
        _("A new secret"),
        _("There is a new secret; the old one stays valid for a day."),
        _("Create a new secret? The old one stays valid for another day."),
    )
    @acts(_("A new secret for a webhook"), Nothing, refuses=[404], once=False)
    def rotate(self, pk: UUID, data: dict[str, Any]) -> WebhookEndpoint:
        """Give the webhook a new secret. The old one keeps signing beside it for a day."""
        return webhook_services.webhook_rotate(self.by, endpoint_id=pk)

    @OnPage(
        "bookings:webhook", _("Send a test"), _("The test is on its way: load this page again in a moment.")
    )
    @acts(_("Test a webhook"), Nothing, gives=DeliveryShape, status=202, versioned=False, once=False)
    def ping(self, pk: UUID, data: dict[str, Any]) -> WebhookDelivery:
        """Send `webhook.ping`, once, also to a webhook that is disabled."""
        return webhook_services.webhook_ping(self.by, endpoint_id=pk)

    @parts(_("Deliveries of a webhook"), DeliveryShape)
    def deliveries(self, pk: UUID, query: dict[str, Any]) -> QuerySet[WebhookDelivery]:
        """Return the deliveries of the last month, the newest first."""
        return webhooks.deliveries_of(self.visible(pk))

    @OnPage(
        "bookings:webhook", done=_replayed_words, form=ReplayForm, name="replay_form", below="replay-range"
    )
    @acts(
        _("Send the deliveries of a period again"),
        WebhookReplayBody,
        below="replay",
        address="api-webhook-replay-range",
        named="_replay_range",
        gives=WebhookReplayedShape,
        status=202,
        refuses=[404],
        versioned=False,
        once=False,
    )
    def replay_range(self, pk: UUID, data: dict[str, Any]) -> dict[str, int]:
        """Send the deliveries of a period again, at most 500, each under its own `webhook-id`; those still
        being tried are left out."""
        return {"count": webhook_services.webhook_replay_range(self.by, endpoint_id=pk, **data)}

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
        """Send a delivery again under the same `webhook-id`, so that a receiver recognises it. 409 while it
        is still being tried."""
        return webhook_services.webhook_replay(self.by, delivery_id=pk)
