"""The tables of instruments, whose records follow PIDINST 1.0, and of their earlier hosts."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_code, new_id
from instruments.register.models.facilities import Facility
from instruments.vocabulary.models.techniques import Technique


def new_short_code() -> str:
    return new_code(7)


class Instrument(models.Model):
    """A bookable piece of equipment.

    Lists of PIDINST properties are JSON in its own shapes, e.g. manufacturers
    `[{"name": ..., "identifier"?: ..., "identifier_type"?: ...}]`, dates
    `[{"date": "2020-01-31", "date_type": "Commissioned"}]`.
    """

    class Publication(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        PUBLISHED = "published", _("published")
        SUSPENDED = "suspended", _("suspended")
        RETIRED = "retired", _("retired")

    class Kind(models.TextChoices):
        GENERAL = "general", _("general-purpose")
        DEDICATED = "dedicated", _("dedicated")

    class ServiceMode(models.TextChoices):
        SELF = "self", _("on your own")
        ASSISTED = "assisted", _("with an operator")
        ENTRUSTED = "entrusted", _("samples sent in")
        REMOTE = "remote", _("remotely")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="instruments")
    # The host and its region, stored here too, because every search and every booking needs them.
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="instruments")
    region = models.ForeignKey(Region, models.PROTECT, related_name="instruments")

    # The code in the address on its label (/at/<code>/); it never changes.
    short_code = models.CharField(  # noqa: DJ001 (several may have none while upgrading)
        max_length=8, null=True, default=new_short_code, editable=False
    )

    # PIDINST 1.0
    identifier = models.CharField(max_length=200, blank=True)
    identifier_type = models.CharField(max_length=20, blank=True)
    landing_page = models.URLField(max_length=500, blank=True)
    name = models.CharField(max_length=250)
    name_zh = models.CharField(max_length=250, blank=True)
    owners = models.JSONField(default=list)
    manufacturers = models.JSONField(default=list)
    model = models.CharField(max_length=200, blank=True)
    model_identifier = models.CharField(max_length=200, blank=True)
    model_identifier_type = models.CharField(max_length=40, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    instrument_types = models.JSONField(default=list)
    measured_variables = models.JSONField(default=list)
    dates = models.JSONField(default=list)
    related_identifiers = models.JSONField(default=list)
    alternate_identifiers = models.JSONField(default=list)

    # Fields for sharing, beyond PIDINST
    techniques = models.ManyToManyField(Technique, related_name="instruments", blank=True)
    classification_code = models.CharField(max_length=20, blank=True)
    acquisition_cost = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    acquisition_currency = models.CharField(max_length=3, blank=True)
    acquisition_date = models.DateField(null=True, blank=True)
    service_modes = ArrayField(models.CharField(max_length=10, choices=ServiceMode), default=list)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GENERAL)
    norm_hours = models.PositiveIntegerField(null=True, blank=True)
    room = models.CharField(max_length=80, blank=True)

    # The fields of the record: the trail stores their old and new values, and a merged record passes
    # them on. They contain no names of people.
    RECORDED = (
        "name", "name_zh", "description", "description_zh", "identifier", "identifier_type",
        "landing_page", "owners", "manufacturers", "model", "model_identifier",
        "model_identifier_type", "instrument_types", "measured_variables", "dates",
        "related_identifiers", "alternate_identifiers", "classification_code", "acquisition_cost",
        "acquisition_currency", "acquisition_date", "service_modes", "kind", "norm_hours", "room",
    )  # fmt: skip

    publication = models.CharField(
        max_length=10, choices=Publication, default=Publication.DRAFT, db_index=True
    )
    published_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # The number of its photos, stored with every change to attachments, so that the catalogue needs no join.
    photo_count = models.PositiveSmallIntegerField(default=0, editable=False)
    # When somebody last confirmed that the record is still true (managing/domain/quality).
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # The record into which this one was merged, as both described the same instrument.
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    schedule = models.ForeignKey(
        "instruments.Schedule", models.PROTECT, null=True, blank=True, related_name="instruments"
    )

    # Versions in force of its own house rules (house_rules/models), and of the questions before and after
    # use and at booking (bookings/questions); null: there are none. They spare reading another table.
    house_rules_version = models.PositiveIntegerField(null=True, editable=False)
    before_questions = models.PositiveIntegerField(null=True, editable=False)
    after_questions = models.PositiveIntegerField(null=True, editable=False)
    booking_questions = models.PositiveIntegerField(null=True, editable=False)

    # The origin of an imported record: the source, its key there, and a digest of the row's values.
    source = models.CharField(max_length=40, blank=True)
    source_key = models.CharField(max_length=200, blank=True)
    source_digest = models.CharField(max_length=64, blank=True)

    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("instrument")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source", "source_key"],
                condition=~Q(source=""),
                name="instrument_source_unique",
            ),
            models.UniqueConstraint(
                fields=["short_code"], condition=Q(short_code__isnull=False), name="instrument_short_code"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(publication="retired"), name="instrument_merged_is_retired"
            ),
        ]
        indexes = [
            models.Index(fields=["region", "name", "id"], name="instrument_region"),
            models.Index(fields=["name", "id"], name="instrument_name"),
            # For other registers, which ask for records changed since an instant.
            models.Index(
                fields=["updated_at", "id"],
                condition=Q(published_at__isnull=False),
                name="instrument_changed",
            ),
            models.Index(fields=["identifier"], condition=~Q(identifier=""), name="instrument_identifier"),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (self.organisation_id,), self.region.lineage


class PastHost(models.Model):
    """A past period in which an instrument belonged to another organisation or region: the local days
    [`from_date`, `until_date`), from the first day if `from_date` is null. Hours count for the host of their
    day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="past_hosts")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    from_date = models.DateField(null=True)
    until_date = models.DateField()

    class Meta:
        verbose_name = _("former host")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "until_date"], name="pasthost_once"),
            models.CheckConstraint(
                condition=Q(from_date=None) | Q(until_date__gt=F("from_date")), name="pasthost_forward"
            ),
        ]
