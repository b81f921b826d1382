"""Seals over the trail, and the entries that they cover.

The database refuses to change or delete seals and their entries (the first migration).
"""

from django.db import models
from django.db.models import Q

from accounts.models.trail import TrailEntry


class Seal(models.Model):
    """A seal over `count` entries as they were at one moment. `digest` covers all fields but `digests`: the
    entries' digests in order, concatenated. These are covered by `root`, and make it possible to name an
    entry that was changed later, not only to notice the change."""

    number = models.PositiveIntegerField(primary_key=True)  # from 1, without gaps
    at = models.DateTimeField()
    count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32, null=True)
    digest = models.BinaryField(max_length=32)
    digests = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1, count__gte=1), name="seal_of_some"),
            models.CheckConstraint(
                condition=Q(number=1, previous=None) | Q(number__gt=1, previous__isnull=False),
                name="seal_follows_one",
            ),
        ]


class SealedEntry(models.Model):
    """The position of an entry in its seal; an entry has only one."""

    # Not checked by the database: sealing would mark each row of the trail that it names.
    entry = models.OneToOneField(
        TrailEntry, models.PROTECT, primary_key=True, related_name="sealed", db_constraint=False
    )
    seal = models.ForeignKey(Seal, models.PROTECT, related_name="entries", db_index=False)
    position = models.PositiveIntegerField()  # from 0
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seal", "position"], name="sealedentry_place")]


class UnsealedEntry(models.Model):
    """An entry that is not in a seal yet. A trigger creates the row together with the entry, and sealing
    deletes it; so an entry whose transaction commits late is found as well."""

    entry = models.OneToOneField(
        TrailEntry, models.PROTECT, primary_key=True, related_name="unsealed", db_constraint=False
    )
