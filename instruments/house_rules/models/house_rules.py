"""Tables of house rules, which people accept before they use an instrument."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models.facilities import Facility
from instruments.register.models.instruments import Instrument


class HouseRules(models.Model):
    """A version of the house rules of an instrument, or of all instruments of a facility that have none of
    their own. It never changes; a version without text withdraws the rules."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.CASCADE, null=True, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.CASCADE, null=True, related_name="+", db_index=False)
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    text_zh = models.TextField(blank=True)
    valid_from = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("house rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(instrument=None, facility__isnull=False)
                | Q(instrument__isnull=False, facility=None),
                name="houserules_of_one",
            ),
            models.UniqueConstraint(fields=["instrument", "version"], name="houserules_of_instrument"),
            models.UniqueConstraint(fields=["facility", "version"], name="houserules_of_facility"),
        ]

    def __str__(self) -> str:
        return str(self.version)

    def places(self) -> Places:
        place = self.instrument or self.facility
        return place.places() if place else ((), ())


class HouseRulesAcceptance(models.Model):
    """A person's acceptance of a version of house rules. With `means`, the host's manager `recorded_by` has
    recorded it for them."""

    class Means(models.TextChoices):
        PAPER = "paper", _("signed on paper")
        READ_OUT = "read_out", _("read out and agreed to")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rules = models.ForeignKey(HouseRules, models.CASCADE, related_name="acceptances")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    accepted_at = models.DateTimeField()
    means = models.CharField(max_length=8, choices=Means, blank=True, default="", db_default="")
    recorded_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        verbose_name = _("acceptance of house rules")
        constraints = [models.UniqueConstraint(fields=["user", "rules"], name="houserules_accepted_once")]
