"""Sample items: things to be measured, what became of them, and their bookings."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models import Reservation
from bookings.record.models.copies import Copied
from bookings.record.models.references import Referenced
from bookings.samples.domain.samples import MOST_DAYS
from instruments.attachments.models import StoredFile
from instruments.policy.domain.hazards import HAZARDS
from instruments.register.models import Facility


class SafetySheet(StoredFile):
    """The safety data sheet of a sample, or of several that were announced together: a PDF as it was
    uploaded. Everybody who sees one of the samples may read it."""

    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("safety data sheet")


class SampleItem(Referenced, Copied):
    """A thing to be measured, belonging to a person and their organisation. `hazards` are classes of
    `instruments/policy/domain/hazards.py`; `state` is that of its last step."""

    class State(models.TextChoices):
        ANNOUNCED = "announced", _("announced")
        SHIPPED = "shipped", _("shipped")
        RECEIVED = "received", pgettext_lazy("sample", "received")
        REFUSED = "refused", _("refused")
        IN_WORK = "in_work", _("being measured")
        MEASURED = "measured", _("measured")
        RETURN_SHIPPED = "return_shipped", _("on its way back")
        RETURNED = "returned", _("returned")
        DISCARDED = "discarded", _("disposed of")
        KEPT = "kept", _("kept by the host")
        LOST = "lost", _("lost")
        CANCELLED = "cancelled", _("cancelled")

    class Afterwards(models.TextChoices):
        RETURN = "return", _("send it back")
        DISCARD = "discard", _("dispose of it")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=8, unique=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=2000, blank=True)
    amount = models.CharField(max_length=60, blank=True)
    hazards = ArrayField(models.CharField(max_length=20), default=list)
    storage = models.CharField(max_length=200, blank=True)
    sheet = models.ForeignKey(SafetySheet, models.PROTECT, null=True, related_name="samples", db_index=False)
    afterwards = models.CharField(max_length=10, choices=Afterwards, default=Afterwards.RETURN)
    state = models.CharField(max_length=15, choices=State, default=State.ANNOUNCED)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("sample item")
        constraints = [
            models.CheckConstraint(
                condition=Q(hazards__contained_by=list(HAZARDS)), name="sample_hazards_known"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[2-9A-HJ-NP-TV-Z]{8}$"), name="sample_code_shape"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="sample_user"),
            models.Index(fields=["organisation", "-created_at"], name="sample_organisation"),
            models.Index(fields=["sheet"], name="sample_sheet", condition=~Q(sheet=None)),
            models.Index(fields=["modified", "id"], name="sampleitem_modified"),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        """Return the places whose people may read it: the owner's."""
        return (self.organisation_id,), self.organisation.region.lineage


class SampleStep(models.Model):
    """A step of a sample: its new state, when, by whom and where. It is never changed; another step corrects
    it."""

    class Condition(models.TextChoices):
        INTACT = "intact", _("intact")
        DAMAGED = "damaged", _("damaged")
        INCOMPLETE = "incomplete", _("incomplete")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sample = models.ForeignKey(SampleItem, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=15, choices=SampleItem.State)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    place = models.CharField(max_length=200, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    tracking = models.CharField(max_length=80, blank=True)
    condition = models.CharField(max_length=10, choices=Condition, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["at", "id"]


class BookedSample(models.Model):
    """A sample on a booking. Through `host`, the host of the booking, its staff find the sample."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sample = models.ForeignKey(SampleItem, models.CASCADE, related_name="bookings")
    reservation = models.ForeignKey(Reservation, models.CASCADE, related_name="sample_items", db_index=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reservation", "sample"], name="bookedsample_once")]


class SamplePhoto(models.Model):
    """A picture of a sample, re-encoded, in two sizes; its files are in the storage of uploads under its id.
    Everybody who sees the sample may see it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sample = models.ForeignKey(SampleItem, models.CASCADE, related_name="photos")
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sample", "digest"], name="samplephoto_once")]
        ordering = ["added_at", "id"]


class SampleReceiving(models.Model):
    """How a facility receives samples by post: to whom and where they are sent, and how they are packed."""

    facility = models.OneToOneField(
        Facility, models.CASCADE, primary_key=True, related_name="sample_receiving"
    )
    recipient = models.CharField(max_length=120)
    address = models.CharField(max_length=300)
    phone = models.CharField(max_length=60, blank=True)
    hours = models.CharField(max_length=200, blank=True)
    not_accepted = models.CharField(max_length=1000, blank=True)
    packing = models.CharField(max_length=1000, blank=True)
    # From posting until work can begin; None: as usual (`USUAL_DAYS`).
    lead_days = models.PositiveSmallIntegerField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("receiving of samples")
        constraints = [
            models.CheckConstraint(
                condition=Q(lead_days=None) | Q(lead_days__lte=MOST_DAYS), name="samplereceiving_lead_days"
            )
        ]
