"""Tables of harvests (files fetched from an address on a timetable) and of each fetching."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation
from accounts.models.keys import new_id
from instruments.exchange.models.imports import Import
from instruments.exchange.models.polling import PolledAddress


class Harvest(PolledAddress):
    """An address whose file is fetched on a timetable. `sha256` is the digest of the last file fetched."""

    class Rhythm(models.TextChoices):
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("every week")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="harvests")
    # The person whose rights it has: the last one to change it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="harvests")
    name = models.CharField(max_length=80)
    format = models.CharField(max_length=10, choices=Import.Format)
    encoding = models.CharField(max_length=40, default="utf-8")
    mapping = models.CharField(max_length=80, blank=True)
    facility = models.CharField(max_length=200, blank=True)
    hand_changes = models.CharField(
        max_length=10, choices=Import.HandChanges, default=Import.HandChanges.KEEP
    )
    applies = models.BooleanField(default=False)
    rhythm = models.CharField(max_length=10, choices=Rhythm)
    weekday = models.PositiveSmallIntegerField(null=True)
    hour = models.PositiveSmallIntegerField(validators=[MaxValueValidator(23)])
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("harvest")
        indexes = [models.Index(fields=["due_at"], condition=Q(state="active"), name="harvest_due")]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return self.organisation.places()


class Fetching(models.Model):
    """One attempt to fetch a file. `problem`: code and numbers of the reason why it failed."""

    class Outcome(models.TextChoices):
        FETCHED = "fetched", _("fetched")
        UNCHANGED = "unchanged", _("unchanged")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    harvest = models.ForeignKey(Harvest, models.CASCADE, related_name="fetchings")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    problem = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(null=True)
    job = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="fetchings")

    class Meta:
        verbose_name = _("fetching")
        indexes = [models.Index(fields=["harvest", "-at"], name="fetching_of_harvest")]
