"""Quotes, frozen with their inputs."""

from django.db import models

from accounts.models.keys import new_id
from bookings.record.models import Reservation
from bookings.record.models.amounts import amount_field


class Quote(models.Model):
    """A price quoted for a reservation: computing it again from `inputs` gives `result`, to the cent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.CASCADE, related_name="quotes")
    is_current = models.BooleanField(default=True)
    inputs = models.JSONField()
    result = models.JSONField()
    currency = models.CharField(max_length=3)
    total = amount_field()
    payable = amount_field()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reservation"], condition=models.Q(is_current=True), name="quote_one_current"
            )
        ]
