"""The append-only record. The database refuses to change or remove a row (the first migration)."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models.keys import new_id


class TrailEntry(models.Model):
    """An act: the person, the time, the record and the request. `accounts.trail.record` writes it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)  # no foreign key: it outlives the person's row
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    # The organisations and regions it touches, so that each auditor finds what is theirs.
    organisation_ids = ArrayField(models.UUIDField(), default=list)
    region_ids = ArrayField(models.UUIDField(), default=list)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    text_digest = models.BinaryField(max_length=32, null=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(fields=["object_id", "at"], name="trail_object"),
            models.Index(fields=["actor_id", "at"], name="trail_actor"),
            models.Index(fields=["at"], name="trail_at"),
            # By the beginning of the act: `reservation.`
            models.Index(
                fields=["action", "at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="trail_action",
            ),
            GinIndex(fields=["region_ids"], name="trail_regions"),
        ]


class TrailText(models.Model):
    """The part of an entry that may have to be erased. The entry keeps its salted digest."""

    entry = models.OneToOneField(TrailEntry, models.PROTECT, primary_key=True, related_name="text")
    salt = models.BinaryField(max_length=16)
    content = models.JSONField()
