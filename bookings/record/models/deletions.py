"""Notes of what is gone from lists of which other systems keep copies."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from bookings.record.models.copies import Copied
from instruments.register.models import Instrument


class Deletion(Copied):
    """A thing that was deleted, or that some readers no longer see. `about` is its id. Those who saw it are
    `person`, whoever books for the members of `payer`, or the staff of the instrument at `host`; the ids are
    no foreign keys, so that the note keeps nobody's row."""

    class Kind(models.TextChoices):
        NEED = "need", _("need")
        SAMPLE = "sample", _("sample item")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    about = models.UUIDField()
    person = models.UUIDField(null=True)
    payer = models.UUIDField(null=True)
    host = models.UUIDField(null=True)
    instrument = models.ForeignKey(
        Instrument, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["need", "sample"]), name="deletion_kind"),
            models.CheckConstraint(
                condition=Q(person__isnull=False)
                | Q(payer__isnull=False)
                | Q(host__isnull=False, instrument__isnull=False),
                name="deletion_readers",
            ),
        ]
        indexes = [models.Index(fields=["modified", "id"], name="deletion_modified")]
