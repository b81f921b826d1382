"""Forms of the auditors' desk: filters, and decisions on exceptions and findings."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from bookings.audit.domain.audit import RULES
from bookings.audit.models import AuditFinding, AuditSample
from bookings.audit.selectors.rules import AUDIT_RULES
from bookings.record.forms.fields import DayField
from bookings.record.messages import sentence
from instruments.reading.forms.fields import StyledForm, VersionForm

FOLLOW_UP = _("The day from which you verify what was done. Until then it cannot be closed. Empty: none.")


def _area(label: Any, rows: int = 4) -> forms.CharField:
    return forms.CharField(label=label, max_length=5000, widget=forms.Textarea(attrs={"rows": rows}))


class AuditForm(StyledForm):
    """A form that shows at its field what a service finds wrong with it."""

    use_required_attribute = True

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        for problem in problems:
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, sentence(problem.code, problem.numbers))


class ExceptionFilterForm(StyledForm):
    """Filters for the list of exceptions: rules, and the organisations and regions that the reader may
    see."""

    rule = forms.ChoiceField(label=_("Rule"), required=False)
    organisation = forms.ChoiceField(label=_("Organisation"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)

    def __init__(self, data: Any, *, organisations: Any, regions: Any) -> None:
        super().__init__(data)
        fields: Any = self.fields
        every = ("", _("all"))
        fields["rule"].choices = [every, *((code, AUDIT_RULES[code][0]) for code in RULES)]
        fields["organisation"].choices = [every, *organisations]
        fields["region"].choices = [every, *regions]


class DecideForm(AuditForm):
    """The verdict on one or several exceptions: a state and its reason."""

    state = forms.ChoiceField(choices=[("review", ""), ("explained", "")])
    reason = forms.CharField(
        label=_("Reason"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ExceptionForm(DecideForm, VersionForm):
    """The verdict on one exception, with the version that was read."""


def _id_and_version(text: str) -> tuple[UUID, int]:
    pk, _, version = text.partition(":")
    return UUID(pk), int(version)


class _Chosen(forms.TypedMultipleChoiceField):
    """The chosen rows of a list as `<id>:<version>`; the service decides which of them it can handle."""

    def valid_value(self, value: Any) -> bool:
        return True


class ExceptionsForm(DecideForm):
    """The same verdict on several exceptions."""

    chosen = _Chosen(coerce=_id_and_version, error_messages={"required": _("Choose at least one exception.")})


class FindingForm(AuditForm):
    """The values of a finding that an auditor raises."""

    severity = forms.ChoiceField(label=_("Severity"), choices=AuditFinding.Severity.choices, initial="medium")
    title = forms.CharField(label=_("Title"), max_length=200)
    text = _area(_("What is wrong, and by which rule"))
    due_date = DayField(
        label=_("To be answered by"), required=False, help_text=_("Empty: 5, 14, 30 or 60 days, by severity.")
    )
    follow_up_date = DayField(label=_("Follow-up from"), required=False, help_text=FOLLOW_UP)


class OtherFindingForm(FindingForm):
    """The values of a finding that an auditor raises without an exception."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    sample = forms.UUIDField(required=False, widget=forms.HiddenInput())
    field_order = ["organisation"]

    def __init__(self, *args: Any, organisations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["organisation"].choices = [("", _("choose one")), *organisations]


class ReplyForm(AuditForm, VersionForm):
    reply = _area(_("Your answer: what was wrong, and what is being done about it"))


class ReturnForm(AuditForm, VersionForm):
    note = _area(_("Why the answer is not enough"), 2)
    due_date = DayField(label=_("To be answered by"), required=False)


class CloseForm(AuditForm, VersionForm):
    evidence = _area(_("Evidence that it was corrected"), 2)


class UnansweredForm(AuditForm, VersionForm):
    statement = _area(_("How the answer was asked for, and why the finding goes on without it"), 2)


class FollowUpForm(AuditForm, VersionForm):
    follow_up_date = DayField(label=_("Follow-up from"), required=False, help_text=FOLLOW_UP)


class SampleForm(AuditForm):
    """The plan of a sample that an auditor draws."""

    subject = forms.ChoiceField(label=_("Drawn from"), choices=AuditSample.Subject.choices)
    method = forms.ChoiceField(label=_("Method"), choices=AuditSample.Method.choices)
    since = DayField(label=_("From"))
    until = DayField(label=_("Until (exclusive)"))
    size = forms.IntegerField(label=_("How many"), min_value=1, max_value=5000, initial=25)
    seed = forms.CharField(
        label=_("Seed"),
        required=False,
        max_length=64,
        help_text=_("Empty: random. The seed is kept, so that anyone can draw the same sample again."),
    )
    currency = forms.CharField(
        label=_("Currency"), required=False, max_length=3, help_text=_("For samples by monetary unit.")
    )
