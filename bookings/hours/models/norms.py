"""Norm hours: how many effective hours a year are expected of an instrument."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models import Instrument


class NormHours(models.Model):
    """Norm hours in force from a day until later ones of the same scheme and kind. Rows are added, never
    changed: last year's figure keeps its norm. The norm before the first is in `hours/domain/norms`."""

    class Scheme(models.TextChoices):
        NRII = "nrii", _("national network (NRII)")
        SURVEY = "survey", _("national survey")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scheme = models.CharField(max_length=10, choices=Scheme)
    kind = models.CharField(max_length=10, choices=Instrument.Kind)
    hours = models.PositiveIntegerField()
    valid_from = models.DateField()
    reason = models.CharField(max_length=500, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("norm hours")
        constraints = [
            models.UniqueConstraint(fields=["scheme", "kind", "valid_from"], name="norm_one_a_day"),
            models.CheckConstraint(condition=Q(hours__gte=1, hours__lte=8784), name="norm_within_a_year"),
        ]
