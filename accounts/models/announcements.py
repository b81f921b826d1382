"""The tables of what administrators tell everybody: announcements and maintenance."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain import announcements
from accounts.domain.roles import Places
from accounts.models.keys import new_id
from accounts.models.organisations import Region
from accounts.models.users import User


class Announcement(models.Model):
    """A text that is shown on all pages from one moment to another, to everyone or to some."""

    class Kind(models.TextChoices):
        INFORMATION = announcements.INFORMATION, _("Information")
        WARNING = announcements.WARNING, _("Warning")

    class Audience(models.TextChoices):
        EVERYONE = announcements.EVERYONE, _("Everyone")
        SIGNED_IN = announcements.SIGNED_IN, _("Everyone signed in")
        REGION = announcements.REGION, _("People of a region")
        ROLE = announcements.ROLE, _("People with a role")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.CharField(max_length=announcements.MOST_TEXT)
    text_zh = models.CharField(max_length=announcements.MOST_TEXT)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    audience = models.CharField(max_length=20, choices=Audience)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    role = models.CharField(max_length=20, blank=True)
    # None: a command has entered it.
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    entered_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    RECORDED: ClassVar = ("kind", "text", "text_zh", "starts_at", "ends_at", "audience", "role")

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="announcement_span"),
            models.CheckConstraint(
                condition=Q(audience="region", region__isnull=False)
                | ~Q(audience="region") & Q(region__isnull=True),
                name="announcement_region",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="announcement_ends")]

    def __str__(self) -> str:
        return self.text

    def places(self) -> Places:
        return (), self.region.lineage if self.region else ()


class Maintenance(models.Model):
    """A time in which everything can be read and nothing changed. `ended_at`: it was ended, or called off,
    before its end. `announcement`: the text that tells of it beforehand."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    reason_zh = models.CharField(max_length=200)
    announcement = models.OneToOneField(Announcement, models.PROTECT, null=True, related_name="maintenance")
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenance")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="maintenance_span")
        ]
        indexes = [models.Index(fields=["ends_at"], name="maintenance_ends")]

    def __str__(self) -> str:
        return self.reason

    def places(self) -> Places:
        return (), ()
