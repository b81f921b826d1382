"""The table of sites that house instruments."""

from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation
from accounts.models.keys import new_id


class Facility(models.Model):
    """A site: its address, its time zone, its contact."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="facilities")
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=300, blank=True)
    time_zone = models.CharField(max_length=64)
    contact_name = models.CharField(max_length=120, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=60, blank=True)
    website = models.URLField(blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    # Classes of instruments/policy/domain/hazards.py that none of its instruments accepts.
    refused_hazards = ArrayField(models.CharField(max_length=20), default=list, db_default=[])
    # The version of its house rules in force (house_rules/models); null: there are none.
    house_rules_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("facility")
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="facility_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone for calculations."""
        return ZoneInfo(self.time_zone)

    def places(self) -> Places:
        return self.organisation.places()
