"""Planned purchases: what organisations intend to buy in the years ahead."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field
from bookings.reviews.models.cases import PurchaseCase
from instruments.vocabulary.models import Technique


class PlannedPurchase(models.Model):
    """An instrument that an organisation intends to buy; its neighbours are told before the order.

    technique: its class; name: the standard name of the thing to buy; quarter: 1 to 4, null if only the year
    is known; hours: expected use in a year; place: where it will be installed; case: the purchase case that
    it became.
    """

    class Confidence(models.TextChoices):
        CONSIDERED = "considered", _("considered")
        LIKELY = "likely", _("likely")
        FUNDED = "funded", _("funded")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DROPPED = "dropped", _("dropped")
        BECAME_CASE = "became_case", _("became a case")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    technique = models.ForeignKey(Technique, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField()
    quarter = models.PositiveSmallIntegerField(null=True)
    price = amount_field()
    currency = models.CharField(max_length=3)
    hours = models.PositiveIntegerField()
    place = models.CharField(max_length=200, blank=True)
    confidence = models.CharField(max_length=10, choices=Confidence)
    state = models.CharField(max_length=15, choices=State, default=State.PLANNED)
    case = models.ForeignKey(PurchaseCase, models.PROTECT, null=True, related_name="plans")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("planned purchase")
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gt=0) & Q(hours__gt=0) & Q(year__gte=2000), name="plannedpurchase_numbers"
            ),
            models.CheckConstraint(
                condition=Q(quarter=None) | Q(quarter__range=(1, 4)), name="plannedpurchase_quarter"
            ),
            models.CheckConstraint(
                condition=Q(state="became_case", case__isnull=False)
                | (~Q(state="became_case") & Q(case=None)),
                name="plannedpurchase_case",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "state"], name="plannedpurchase_organisation"),
            models.Index(fields=["technique", "state"], name="plannedpurchase_technique"),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        """Return the places whose people may read it: the organisation's."""
        return (self.organisation_id,), self.organisation.region.lineage
