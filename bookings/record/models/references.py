"""The columns that callers use for their own systems."""

from django.db import models

from bookings.record.domain.references import LONGEST_REFERENCE


class Referenced(models.Model):
    """A base for rows with the caller's own id (not unique) and named texts. They are for those who made the
    row and their organisation: they stand neither in the trail nor in answers to anybody else."""

    reference = models.CharField(max_length=LONGEST_REFERENCE, blank=True, default="", db_default="")
    metadata = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        abstract = True
