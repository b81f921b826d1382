"""Webhooks: where an organisation wants to be told of events, and what became of each delivery."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.messaging.models.events import Event


class WebhookEndpoint(models.Model):
    """An address with the events it wants. Its secret is derived from its id, its `generation` and the
    platform's secret; the previous secret signs as well until `previous_until`."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        DISABLED = "disabled", _("disabled")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="webhooks")
    address = models.CharField(max_length=1000)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40))
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    # Why the platform has disabled it: `failing`, `gone`; empty if a person did so.
    disabled_because = models.CharField(max_length=20, blank=True)
    generation = models.PositiveIntegerField(default=1)
    previous_until = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("webhook")

    def __str__(self) -> str:
        return self.address

    def places(self) -> Places:
        return self.organisation.places()


class WebhookDelivery(models.Model):
    """One event for one endpoint. The body of the event `told` is sent byte for byte, however often; a test
    has only a `body` of its own."""

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("delivery", "waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    # Removed no earlier than its deliveries (`events_past`).
    told = models.ForeignKey(
        Event, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    event = models.CharField(max_length=40)
    about = models.UUIDField(null=True)
    # Makes the event one delivery, however often its effect is carried out.
    cause = models.CharField(max_length=200)
    # A copy of the event's, too: workers of the release before `told` send this one.
    body = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)  # attempts since it was last requested
    rounds = models.PositiveSmallIntegerField(default=1)  # increases each time it is replayed
    next_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("delivery")
        constraints = [models.UniqueConstraint(fields=["endpoint", "cause"], name="webhook_delivery_once")]
        indexes = [
            models.Index(fields=["endpoint", "-created_at"], name="webhook_delivery_of"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    @property
    def sent(self) -> str:
        """Return the body that is sent."""
        return self.told.body if self.told else self.body

    @property
    def message_id(self) -> str:
        """Return the id of the message, the same for every attempt and replay, by which receivers recognise
        it."""
        return f"msg_{self.pk.hex}"


class WebhookAttempt(models.Model):
    """One attempt to call a webhook: the status of the answer with its first bytes, or a `problem` (code,
    numbers)."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    problem = models.JSONField(default=dict)
    answer = models.TextField(blank=True)

    class Meta:
        verbose_name = _("call")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__isnull=False) | ~Q(problem={}), name="webhook_attempt_ends"
            )
        ]
