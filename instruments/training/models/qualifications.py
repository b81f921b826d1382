"""The table of certificates that a person may operate an instrument alone."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument
from instruments.vocabulary.models.techniques import Technique


class Qualification(models.Model):
    """A certificate for one instrument, or for a technique on all instruments of its issuer that require it.

    It is valid on the local days of the instrument from `valid_from` to `valid_until`, both inclusive; None
    has no end. It is never edited, but revoked and issued again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="qualifications")
    instrument = models.ForeignKey(Instrument, models.PROTECT, null=True, related_name="+")
    technique = models.ForeignKey(Technique, models.PROTECT, null=True, related_name="+")
    issuer = models.ForeignKey(Organisation, models.PROTECT, related_name="qualifications")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    note = models.CharField(max_length=500, blank=True)
    granted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)  # why it was revoked
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("qualification")
        constraints = [
            models.CheckConstraint(
                condition=Q(instrument__isnull=False, technique=None)
                | Q(instrument=None, technique__isnull=False),
                name="qualification_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="qualification_forward",
            ),
            models.UniqueConstraint(
                fields=["user", "issuer", "instrument", "technique", "valid_from", "valid_until"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="qualification_once",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "issuer"], name="qualification_user"),
            models.Index(fields=["issuer", "-granted_at"], name="qualification_issuer"),
        ]

    def places(self) -> Places:
        return self.issuer.places()
