"""Tables of booking policies and of their past versions."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument


class BookingPolicy(models.Model):
    """The booking policy of an instrument. Field names are those of the API; defaults are those of
    `domain/policies`."""

    class Approval(models.TextChoices):
        AUTOMATIC = "automatic"
        MANUAL = "manual"
        FIRST_TIME = "first-time"
        CROSS_REGION = "cross-region"

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="policy")
    slot_minutes = models.PositiveIntegerField()
    min_minutes = models.PositiveIntegerField()
    max_minutes = models.PositiveIntegerField()
    setup_minutes = models.PositiveIntegerField(default=0)
    teardown_minutes = models.PositiveIntegerField(default=0)
    notice_minutes = models.PositiveIntegerField(default=0)
    horizon_days = models.JSONField(default=dict)
    approval = models.CharField(max_length=12, choices=Approval, default=Approval.AUTOMATIC)
    approval_minutes = models.PositiveIntegerField(default=2880)
    check_in_minutes = models.PositiveIntegerField(null=True)
    offer_minutes = models.PositiveIntegerField(default=120)
    qualification = models.CharField(max_length=60, blank=True, default="")
    quotas = models.JSONField(default=list)
    cross_region_share = models.JSONField(null=True)
    units = models.PositiveIntegerField(default=1)
    # null: none, as the previous release writes it
    refused_hazards = ArrayField(models.CharField(max_length=20), default=list, null=True)
    group_hours = models.JSONField(null=True)
    # The end of the last guaranteed hours (bookings' KeptHours); spares looking for them in vain.
    kept_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(slot_minutes__gt=0)
                & Q(min_minutes__gt=0)
                & Q(max_minutes__gte=F("min_minutes"))
                & Q(units__gt=0),
                name="policy_lengths",
            )
        ]


class PolicyVersion(models.Model):
    """A policy as it was from a moment until the next version; never changed or removed. `policy` is the JSON
    of the API, `version` that of the policy's row at the time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="policy_versions", db_index=False)
    version = models.PositiveIntegerField()
    policy = models.JSONField()
    valid_from = models.DateTimeField()
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False
    )  # null: the platform, or no longer known
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "version"], name="policyversion_unique")]
