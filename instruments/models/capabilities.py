"""What an instrument can do in numbers, and what people ask about that."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from instruments.models.instruments import Instrument


class Parameter(models.Model):
    """A quantity by which instruments are compared, as `instruments/domain/capabilities.py` has it.

    `unit` is that of stored values; `units` maps another to `[factor, offset]`, decimal strings:
    value x factor + offset is the value in `unit`. `bare_units` mean this parameter where a text
    names none. `techniques` are codes: it is asked of instruments of these and of narrower ones.
    """

    class Direction(models.TextChoices):
        DOWN = "down", _("smaller is better")
        UP = "up", _("larger is better")
        RANGE = "range", _("a range")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, blank=True)
    units = models.JSONField(default=dict)
    bare_units = models.JSONField(default=list)
    synonyms = models.JSONField(default=list)
    synonyms_zh = models.JSONField(default=list)
    direction = models.CharField(max_length=5, choices=Direction)
    techniques = models.JSONField(default=list)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("parameter")

    def __str__(self) -> str:
        return self.name


class Capability(models.Model):
    """What is stated of an instrument's parameter under a condition (empty: in general).

    `minimum` and `maximum` are in the parameter's unit, null where that side is not stated; `unit`
    is the one in which they were stated and are shown. Not `is_available`: the instrument does not
    have it at all.
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
            models.UniqueConstraint(
                fields=["instrument", "parameter", "condition"], name="capability_once"
            ),
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
            models.Index(
                fields=["parameter", "minimum", "maximum", "instrument"],
                name="capability_search",
            ),
        ]

    def places(self) -> Places:
        return self.instrument.places()


class CapabilityQuestion(models.Model):
    """A parameter that people ask an instrument's managers about. There is one open question for
    each; who asks the same joins it. What the askers need the answer for is not known here."""

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
                fields=["instrument", "parameter"],
                condition=Q(answered_at=None),
                name="question_open_once",
            ),
        ]

    def places(self) -> Places:
        return self.instrument.places()


class QuestionAsker(models.Model):
    """Somebody who asks a question, and is told the answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    question = models.ForeignKey(CapabilityQuestion, models.PROTECT, related_name="askers")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("person who asks")
        constraints = [
            models.UniqueConstraint(fields=["question", "user"], name="asker_once"),
        ]
        indexes = [models.Index(fields=["user", "-asked_at"], name="asker_day")]
