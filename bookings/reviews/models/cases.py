"""Purchase cases: why somebody wants to buy an instrument, and the outcome."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.availability.models import KeptHours
from bookings.record.models.amounts import amount_field
from bookings.reviews.models.schemes import ReviewScheme
from instruments.register.models import Instrument
from instruments.vocabulary.models import Technique


class PurchaseCase(models.Model):
    """A purchase case: an instrument that somebody wants to buy, and its review.

    name: the standard name of the instrument; years: its life; requirements: as those of a need; hours:
    needed a year; staff, space: cost a year; marginal: cost of an hour on the purchased instrument; travel:
    cost of an hour elsewhere; due_on: when the present step should be over; decided_at with decision,
    grounds, reason and conditions: the last decision; pooled_with: the case with which it is bought together.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        CHECKED = "checked", pgettext_lazy("purchase case", "checked")
        SUBMITTED = "submitted", pgettext_lazy("purchase case", "submitted")
        HOSTS_ASKED = "hosts_asked", _("hosts asked")
        UNDER_REVIEW = "under_review", pgettext_lazy("purchase case", "under review")
        APPROVED = "approved", pgettext_lazy("purchase case", "approved")
        APPROVED_WITH_CONDITIONS = "approved_with_conditions", _("approved with conditions")
        SHARE_INSTEAD = "share_instead", _("share instead")
        POOLED = "pooled", _("buy together")
        REFUSED = "refused", pgettext_lazy("purchase case", "refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("purchase case", "withdrawn")
        ORDERED = "ordered", pgettext_lazy("purchase case", "ordered")
        IN_SERVICE = "in_service", _("in service")
        FOLLOWED_UP = "followed_up", _("followed up")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scheme = models.ForeignKey(ReviewScheme, models.PROTECT, related_name="cases")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    money = models.CharField(max_length=10, choices=ReviewScheme.Money)
    techniques = models.ManyToManyField(Technique, related_name="+")
    name = models.CharField(max_length=200)
    reason = models.CharField(max_length=4000)
    price = amount_field()
    currency = models.CharField(max_length=3)
    years = models.PositiveSmallIntegerField()
    upkeep_percent = models.DecimalField(max_digits=5, decimal_places=2)
    staff = amount_field(default=0)
    space = amount_field(default=0)
    marginal = amount_field(default=0)
    travel = amount_field(default=0)
    requirements = models.JSONField(default=list)
    hours = models.PositiveIntegerField()
    place = models.CharField(max_length=200)
    state = models.CharField(max_length=30, choices=State, default=State.DRAFT)
    due_on = models.DateField(null=True)
    submitted_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=30, choices=State, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    grounds = ArrayField(models.CharField(max_length=40), default=list)
    decision_reason = models.CharField(max_length=4000, blank=True)
    conditions = models.CharField(max_length=4000, blank=True)
    appealed_at = models.DateTimeField(null=True)
    pooled_with = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    instrument = models.ForeignKey(Instrument, models.PROTECT, null=True, related_name="+")
    in_service_on = models.DateField(null=True)
    follow_up_on = models.DateField(null=True)  # the day on which the next twelve months are over
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("purchase case")
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gt=0) & Q(years__gt=0) & Q(hours__gt=0), name="purchasecase_numbers"
            ),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decided_at__isnull=False), name="purchasecase_decided"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="purchasecase_organisation"),
            models.Index(fields=["state", "due_on"], name="purchasecase_due"),
            models.Index(
                fields=["follow_up_on"],
                condition=Q(follow_up_on__isnull=False),
                name="purchasecase_follow_up",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        """Return the places whose people may read it: the applicant's."""
        return (self.organisation_id,), self.organisation.region.lineage


class CaseStep(models.Model):
    """A state that a case reached; until: the day by which it should end, if one was set."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(PurchaseCase, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=30, choices=PurchaseCase.State)
    at = models.DateTimeField()
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    due_on = models.DateField(null=True)


class CaseComparison(models.Model):
    """The evidence of a case as it was when the case was submitted. It never changes; digest: SHA-256 of its
    canonical JSON, also in the trail."""

    case = models.OneToOneField(PurchaseCase, models.CASCADE, primary_key=True, related_name="comparison")
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()


class HostPledge(models.Model):
    """A host's answer to the request for hours that somebody would use instead of buying. No answer never
    counts as declining.

    hours: promised a year; price: of an hour, null for the usual one; from_date: the first day; years: their
    number; reason: for declining; kept_hours: the guaranteed hours of the promise's first year; later_hours:
    those of the following years.
    """

    class Answer(models.TextChoices):
        PROMISE = "promise", _("promised")
        DENIAL = "denial", pgettext_lazy("host", "declined")

    class Reason(models.TextChoices):
        FULL = "full", _("fully booked")
        UNSUITABLE = "unsuitable", _("not suitable")
        OTHER = "other", _("another reason")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(PurchaseCase, models.CASCADE, related_name="pledges")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_on = models.DateField()
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    hours = models.PositiveIntegerField(null=True)
    price = amount_field(null=True)
    currency = models.CharField(max_length=3, blank=True)
    from_date = models.DateField(null=True)
    years = models.PositiveSmallIntegerField(default=1, db_default=1)
    reason = models.CharField(max_length=10, choices=Reason, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kept_hours = models.ForeignKey(KeptHours, models.PROTECT, null=True, related_name="+")
    later_hours = models.ManyToManyField(KeptHours, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("host pledge")
        constraints = [
            models.UniqueConstraint(fields=["case", "instrument"], name="hostpledge_once"),
            models.CheckConstraint(
                condition=~Q(answer="promise") | (Q(hours__gt=0) & Q(from_date__isnull=False) & Q(reason="")),
                name="hostpledge_promise",
            ),
            models.CheckConstraint(
                condition=~Q(answer="denial") | (Q(hours=None) & ~Q(reason="")), name="hostpledge_denial"
            ),
            models.CheckConstraint(condition=Q(years__gt=0), name="hostpledge_years"),
        ]
        indexes = [models.Index(fields=["host", "answer"], name="hostpledge_host")]

    def places(self) -> Places:
        """Return the places whose people may read it: the host's and the applicant's."""
        return (
            (self.host_id, self.case.organisation_id),
            {*self.host.region.lineage, *self.case.organisation.region.lineage},
        )


class CaseExpert(models.Model):
    """An expert who is asked for an opinion. interest: what they declare, which excludes an opinion; barred:
    why they may not give one."""

    class Advice(models.TextChoices):
        BUY = "buy", _("buy")
        SHARE = "share", _("share instead")
        REFUSE = "refuse", _("do not buy")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(PurchaseCase, models.CASCADE, related_name="experts")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    declared_at = models.DateTimeField(null=True)
    interest = models.CharField(max_length=1000, blank=True)
    barred = models.CharField(max_length=20, blank=True)
    advice = models.CharField(max_length=10, choices=Advice, blank=True)
    grounds = ArrayField(models.CharField(max_length=40), default=list)
    text = models.CharField(max_length=4000, blank=True)
    given_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("expert of a purchase case")
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], name="caseexpert_once"),
            models.CheckConstraint(
                condition=Q(advice="") | (Q(barred="") & Q(given_at__isnull=False)),
                name="caseexpert_not_barred",
            ),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: those of the case."""
        return self.case.places()


class CaseFollowUp(models.Model):
    """The outcome of a case some months after its decision: minutes pledged for the twelve months before and
    how many of them were used, and minutes used on the purchased instrument. `is_avoided`: sharing replaced a
    purchase."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(PurchaseCase, models.CASCADE, related_name="follow_ups")
    months = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    pledged_minutes = models.PositiveIntegerField()
    used_minutes = models.PositiveIntegerField()
    own_minutes = models.PositiveIntegerField()
    is_avoided = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "months"], name="casefollowup_once")]
