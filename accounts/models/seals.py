"""Seals over the trail, and what they hold.

The database refuses to change or remove seals and what they hold (the first migration).
"""

from django.db import models
from django.db.models import Q

from accounts.models.trail import TrailEntry


class Seal(models.Model):
    """So many entries as they were at one moment; `digest` covers all but `digests`, which
    `root` covers: the entries' digests in their order, one after the other, so that what was
    changed since can be named and not only noticed."""

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
    """An entry's place in a seal; each has one."""

    # Not checked by the database: sealing would mark each row of the trail that it names.
    entry = models.OneToOneField(
        TrailEntry, models.PROTECT, primary_key=True, related_name="sealed", db_constraint=False
    )
    seal = models.ForeignKey(Seal, models.PROTECT, related_name="entries", db_index=False)
    position = models.PositiveIntegerField()  # from 0
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seal", "position"], name="sealedentry_place")
        ]


class UnsealedEntry(models.Model):
    """An entry that no seal holds yet. Written by a trigger with the entry itself, taken away
    with its sealing, so that an entry that commits late is found whenever it does."""

    entry = models.OneToOneField(
        TrailEntry, models.PROTECT, primary_key=True, related_name="unsealed", db_constraint=False
    )
