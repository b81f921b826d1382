"""Forms for importing a calendar that was kept elsewhere."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from accounts.models import Organisation
from bookings.plans.adapters.tables import ENCODINGS
from bookings.plans.domain.imports import MOST_BYTES
from bookings.record.messages import sentence
from instruments.reading.forms.fields import StyledForm

_ENCODING_NAMES = {
    "utf-8": _("UTF-8"),
    "gb18030": _("GB 18030 (Excel in Chinese)"),
    "big5": _("Big5"),
    "cp1252": _("Windows-1252 (Excel in Western Europe)"),
}


class FileForm(StyledForm):
    """A table. After a preview the file is sent back inside the page, in base64, so that it need not be
    chosen again."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx", "class": "form-control"}),
        help_text=_("A table as CSV or Excel (.xlsx), at most 1000 rows."),
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload = data.get("file")
        if upload is not None and upload.size > MOST_BYTES:
            self.add_error("file", sentence("file-too-large", {"most": MOST_BYTES // 1000}))
        elif upload is not None:
            data["bytes"], data["name"] = upload.read(), upload.name[:200]
        if upload is not None:
            return data
        try:
            data["bytes"] = base64.b64decode(data.get("content", ""), validate=True)
        except (binascii.Error, ValueError):
            data["bytes"] = b""
        if not data["bytes"] and "file" not in self.errors:
            self.add_error("file", sentence("required"))
        return data

    @property
    def carried(self) -> str:
        """Return the file for the form that follows the preview."""
        return base64.b64encode(self.cleaned_data.get("bytes", b"")).decode()

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Show the problems that the service reports, each at its field."""
        for problem in problems:
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, sentence(problem.code, problem.numbers))


class ImportForm(FileForm):
    """A file of bookings, and who pays for them."""

    organisation = forms.ChoiceField(label=_("Charged to"), required=False)
    encoding = forms.ChoiceField(
        label=_("Characters of a CSV file"),
        choices=[(name, _ENCODING_NAMES[name]) for name in ENCODINGS],
        initial="utf-8",
        required=False,
    )

    def __init__(self, *args: Any, payers: Sequence[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.choices = [(payer.code, payer.name) for payer in payers]
        self.payers = payers

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        data["organisation"] = data.get("organisation") or self.payers[0].code
        return data
