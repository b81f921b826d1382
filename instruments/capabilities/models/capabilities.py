"""Tables of what instruments can do in numbers, and of questions about it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models.instruments import Instrument
from instruments.vocabulary.models.parameters import Parameter


class Capability(models.Model):
    """A stated capability: the values of a parameter of an instrument under a condition (empty: in general).

    `minimum` and `maximum` are in the parameter's unit, null if that side is not stated; `unit` is the one in
    which they were stated and are shown. Without `is_available` the instrument does not have it at all.
    """

    class Source(models.TextChoices):
        IMPORT = "import", _("imported")
        OWNER = "owner", _("stated by the host")
        ANSWER = "answer", _("answer to a question")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="capabilities")
    parameter = models.ForeignKey(Parameter, models.PROTECT, related_name="+")
    minimum = models.DecimalField(max_digits=27, decimal_places=15, null=True)
    maximum = models.DecimalField(max_digits=27, decimal_places=15, null=True)
    unit = models.CharField(max_length=20, blank=True)
    is_available = models.BooleanField(default=True)
    condition = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=6, choices=Source)
    checked_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("capability")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "parameter", "condition"], name="capability_once"),
            models.CheckConstraint(
                condition=Q(minimum=None) | Q(maximum=None) | Q(minimum__lte=F("maximum")),
                name="capability_forward",
            ),
            models.CheckConstraint(
                condition=Q(is_available=False, minimum=None, maximum=None)
                | Q(is_available=True) & (Q(minimum__isnull=False) | Q(maximum__isnull=False)),
                name="capability_says_something",
            ),
        ]
        indexes = [
            models.Index(fields=["parameter", "minimum", "maximum", "instrument"], name="capability_search")
        ]

    def places(self) -> Places:
        return self.instrument.places()


class CapabilityQuestion(models.Model):
    """A parameter that people ask an instrument's managers about. An instrument has at most one open question
    per parameter; people who ask the same join it. Their reasons are not stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="questions")
    parameter = models.ForeignKey(Parameter, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("question")
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "parameter"], condition=Q(answered_at=None), name="question_open_once"
            )
        ]

    def places(self) -> Places:
        return self.instrument.places()


class QuestionAsker(models.Model):
    """A person who asks a question and is told the answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    question = models.ForeignKey(CapabilityQuestion, models.PROTECT, related_name="askers")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("person who asks")
        constraints = [models.UniqueConstraint(fields=["question", "user"], name="asker_once")]
        indexes = [models.Index(fields=["user", "-asked_at"], name="asker_day")]
