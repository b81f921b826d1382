"""Messages and other effects, stored in the transaction of the change that causes them."""

from django.db import models
from django.db.models import Q

from accounts.domain.jobs import LETTERS
from accounts.models.keys import new_id


class OutboxMessage(models.Model):
    """An effect to carry out from `due_at` on. `key` is unique: an effect enqueued twice is carried out once.

    A worker that takes it counts the attempt and sets `tried_at` before it begins. So a row that was tried
    and is not done may already have had its effect outside the database.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=40)
    lane = models.CharField(max_length=10, default=LETTERS)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["lane", "due_at"], condition=Q(done_at=None), name="outbox_waiting"),
            models.Index(fields=["done_at"], name="outbox_done"),
            models.Index(fields=["kind"], condition=Q(outcome="failed"), name="outbox_failed"),
        ]
