"""Forms of weights, and of one decision on all exceptions of a rule and an organisation."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Day, Shape, Text, Whole
from bookings.audit.domain.audit import CONFIRMED, EXPLAINED
from bookings.audit.domain.risk import FIRST, MOST
from bookings.audit.forms.audit import AuditForm
from bookings.audit.models import AuditFinding
from bookings.audit.selectors.rules import AUDIT_RULES
from bookings.record.forms.fields import DayField
from instruments.reading.forms.shapes import form_of


class WeightBody(Shape):
    rule = Choice([(rule, AUDIT_RULES[rule][0]) for rule in FIRST], label=_("Rule"))
    weight = Whole(label=_("Weight"), min_value=1, max_value=MOST, help_text="From 1 to 100.")
    valid_from = Day(label=_("Holds from"), help_text="Today at the earliest.")
    reason = Text(500, label=_("Why"))


WeightForm = form_of(WeightBody)
# What all of them may become.
STATES = [(EXPLAINED, _("Mark as explained")), (CONFIRMED, _("Raise one finding for all"))]


class DecideAllBody(Shape):
    """One decision on all exceptions of a rule and an organisation. With the state `confirmed` one finding is
    raised for all, which needs `severity`, `title` and `text`."""

    rule = Choice(list(FIRST))
    organisation = Text(40, help_text="Code of the organisation.")
    region = Text(20, default="", allow_blank=True, help_text="Code of a region.")
    since = Day(required=False, allow_null=True)
    until = Day(required=False, allow_null=True, help_text="The last day.")
    count = Whole(min_value=1, help_text="How many you were shown; refused if there are others by now.")
    state = Choice([(code, code) for code, _label in STATES])
    reason = Text(1000, default="", allow_blank=True, help_text="Required if they are explained.")
    severity = Choice(AuditFinding.Severity.choices, default="medium")
    title = Text(200, default="", allow_blank=True)
    text = Text(5000, default="", allow_blank=True)
    due_date = Day(required=False, allow_null=True)


class DecideAllForm(AuditForm):
    """One decision on all exceptions of a rule and an organisation: explained with a reason, or a finding."""

    count = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    state = forms.ChoiceField(label=_("Decision"), choices=STATES)
    reason = forms.CharField(
        label=_("Reason"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed to mark them as explained."),
    )  # fmt: skip
    severity = forms.ChoiceField(
        label=_("Severity"), required=False, choices=AuditFinding.Severity.choices, initial="medium"
    )
    title = forms.CharField(label=_("Title of the finding"), max_length=200, required=False)
    text = forms.CharField(
        label=_("What is wrong, and by which rule"), max_length=5000, required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip
    due_date = DayField(
        label=_("To be answered by"), required=False, help_text=_("Empty: 5, 14, 30 or 60 days, by severity.")
    )
