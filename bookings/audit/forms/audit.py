"""The auditors' desk: what to look at, and what to say of it."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.audit.domain.audit import RULES
from bookings.audit.messages import AUDIT_RULES
from bookings.audit.models import AuditException, AuditFinding, AuditSample
from bookings.record.forms.fields import DayField

_TEXT = {"class": "form-control"}
_SELECT = {"class": "form-select"}


def _area(label: Any, rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=5000, widget=forms.Textarea(attrs={**_TEXT, "rows": rows})
    )


class ExceptionFilterForm(forms.Form):
    """Which exceptions to list."""

    rule = forms.ChoiceField(label=_("Rule"), required=False, widget=forms.Select(attrs=_SELECT))
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), *AuditException.State.choices],
        widget=forms.Select(attrs=_SELECT),
    )
    organisation = forms.ChoiceField(
        label=_("Organisation"), required=False, widget=forms.Select(attrs=_SELECT)
    )
    region = forms.ChoiceField(
        label=_("Region"), required=False, widget=forms.Select(attrs=_SELECT)
    )

    def __init__(self, data: Any, *, organisations: Any, regions: Any) -> None:
        super().__init__(data)
        fields: Any = self.fields
        every = ("", _("all"))
        fields["rule"].choices = [every, *((code, AUDIT_RULES[code][0]) for code in RULES)]
        fields["organisation"].choices = [every, *organisations]
        fields["region"].choices = [every, *regions]


class ExceptionForm(forms.Form):
    """What an exception is."""

    state = forms.ChoiceField(choices=[("review", ""), ("explained", "")])
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={**_TEXT, "rows": 3}),
    )


def _id_and_version(text: str) -> tuple[UUID, int]:
    pk, _, version = text.partition(":")
    return UUID(pk), int(version)


class _Chosen(forms.TypedMultipleChoiceField):
    """Rows of a list as `<id>:<version>`; the service says which of them it cannot do."""

    def valid_value(self, value: Any) -> bool:
        return True


class ExceptionsForm(ExceptionForm):
    """The same word on several exceptions."""

    chosen = _Chosen(
        coerce=_id_and_version,
        error_messages={"required": _("Choose at least one exception.")},
    )


class FindingForm(forms.Form):
    """A finding to raise."""

    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=AuditFinding.Severity.choices,
        initial="medium",
        widget=forms.Select(attrs=_SELECT),
    )
    title = forms.CharField(label=_("Title"), max_length=200, widget=forms.TextInput(attrs=_TEXT))
    text = _area(_("What is wrong, and by which rule"))
    due_date = DayField(
        label=_("To be answered by"),
        required=False,
        help_text=_("Empty: 5, 14, 30 or 60 days, by severity."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT}),
    )


class OtherFindingForm(FindingForm):
    """One that no exception led to."""

    organisation = forms.ChoiceField(label=_("Organisation"), widget=forms.Select(attrs=_SELECT))
    sample = forms.UUIDField(required=False, widget=forms.HiddenInput())
    field_order = ["organisation"]

    def __init__(self, *args: Any, organisations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["organisation"].choices = [("", _("choose one")), *organisations]


class ReplyForm(forms.Form):
    reply = _area(_("Your answer: what was wrong, and what is done about it"))


class ReturnForm(forms.Form):
    note = _area(_("Why the answer is not enough"), 2)
    due_date = DayField(
        label=_("To be answered by"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT}),
    )


class CloseForm(forms.Form):
    evidence = _area(_("What shows that it was put right"), 2)


class SampleForm(forms.Form):
    """A sample to draw."""

    subject = forms.ChoiceField(
        label=_("Drawn from"),
        choices=AuditSample.Subject.choices,
        widget=forms.Select(attrs=_SELECT),
    )
    method = forms.ChoiceField(
        label=_("Method"),
        choices=AuditSample.Method.choices,
        widget=forms.Select(attrs=_SELECT),
    )
    since = DayField(
        label=_("From"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT})
    )
    until = DayField(
        label=_("until (exclusive)"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT}),
    )
    size = forms.IntegerField(
        label=_("How many"),
        min_value=1,
        max_value=5000,
        initial=25,
        widget=forms.NumberInput(attrs=_TEXT),
    )
    seed = forms.CharField(
        label=_("Seed"),
        required=False,
        max_length=64,
        help_text=_("Empty: random. It is kept, so that anyone can draw the same sample again."),
        widget=forms.TextInput(attrs=_TEXT),
    )
    currency = forms.CharField(
        label=_("Currency"),
        required=False,
        max_length=3,
        help_text=_("Of a sample by monetary unit."),
        widget=forms.TextInput(attrs=_TEXT),
    )
