"""Forms of the actions agreed on a finding, and of files."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.forms import PersonField
from accounts.models import Organisation
from bookings.audit.domain.actions import MOST_TEXT
from bookings.audit.forms.audit import AuditForm
from bookings.record.forms.fields import DayField
from instruments.attachments.domain.attachments import ACCEPTED_WITH_OFFICE
from instruments.reading.forms.fields import VersionForm

FILES = _(
    "Pictures (JPEG, PNG, WebP, up to 15 MB), PDF, spreadsheets or texts (.xlsx, .docx, .ods, .odt, up to 25 "
    "MB, without macros), four at most."
)
OWNER = pgettext_lazy("action", "Owner")
DUE = pgettext_lazy("action", "Due")


def _area(label: Any, rows: int = 2, *, most: int = 5000, required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=most, widget=widget, required=required)


class _SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, as a list."""

    widget = _SeveralFiles(attrs={"accept": ACCEPTED_WITH_OFFICE})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [data] if data and not isinstance(data, list | tuple) else data or []
        if self.required and not files:
            super().clean(None, initial)
        return [super(FilesField, self).clean(one, initial) for one in files]


class AgreeForm(AuditForm, VersionForm):
    """An action that both sides have agreed on."""

    text = _area(_("What is to be done"), most=MOST_TEXT)
    owner = PersonField(label=OWNER, help_text=_("A member of the organisation."))
    due_date = DayField(label=DUE)


class OwnerForm(AuditForm, VersionForm):
    """Another owner of an action."""

    owner = PersonField(label=OWNER, help_text=_("A member of the organisation."))


def offer_members(form: forms.Form, organisation: Organisation) -> None:
    """Let the field of the owner offer members of the organisation, and nobody else."""
    attrs: dict[str, Any] = form.fields["owner"].widget.attrs
    attrs["data-choose"] = (
        f"{reverse('bookings:choices-people')}?{urlencode({'member_of': organisation.code})}"
    )


class DoneForm(AuditForm, VersionForm):
    """The report that an action is done."""

    note = _area(_("What was done"))
    file = FilesField(label=_("Files"), required=False, help_text=FILES)


class VerifyForm(AuditForm, VersionForm):
    reason = _area(_("What you checked (optional)"), required=False)


class SendBackForm(AuditForm, VersionForm):
    reason = _area(_("Why it is not done"))
    due_date = DayField(label=_("New due date"), required=False, help_text=_("Empty: as before."))


class WithdrawForm(AuditForm, VersionForm):
    reason = _area(_("Why it is no longer needed"))


class AttachForm(AuditForm):
    file = FilesField(label=_("Files"), help_text=FILES)
