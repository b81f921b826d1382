"""A form in which a curator writes a measurand."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm
from instruments.vocabulary.domain.needs import FIELDS, LISTS
from instruments.vocabulary.models import Measurand

MOST_LINES, LONGEST_LINE = 40, 200


def _lines(label: Any, help_text: Any = "") -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4})
    most = MOST_LINES * (LONGEST_LINE + 1)
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=most, widget=area)


class MeasurandForm(StyledForm):
    """A measurand; lists are written with one item a line."""

    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)
    code = forms.SlugField(
        label=_("Code in addresses"),
        max_length=60,
        help_text=_("Lower-case letters, digits and hyphens. It cannot be changed later."),
    )
    name = forms.CharField(label=_("Name (English)"), max_length=200)
    name_zh = forms.CharField(label=_("Name (Chinese)"), max_length=200)
    unit = forms.CharField(
        label=_("Unit"), max_length=40, required=False, help_text=_("Empty if it is not a quantity.")
    )
    samples = _lines(_("Sample forms"))
    techniques = _lines(_("Techniques"), _("Codes, one per line, the best first."))
    lines = _lines(_("What can be found out (English)"))
    lines_zh = _lines(_("What can be found out (Chinese)"))
    synonyms = _lines(_("Other words for it (English)"), _("One per line, as people type them."))
    synonyms_zh = _lines(_("Other words for it (Chinese)"))
    source = forms.CharField(
        label=_("Source"), max_length=300, required=False, help_text=_("A standard or glossary.")
    )

    def __init__(self, *args: Any, row: Measurand | None = None, **kwargs: Any) -> None:
        if row is not None:
            values = {name: getattr(row, name) for name in FIELDS}
            joined = {name: "\n".join(values[name]) for name in LISTS}
            kwargs["initial"] = values | joined | {"version": row.version, "code": row.code}
        super().__init__(*args, **kwargs)
        if row is not None:
            self.fields["code"].disabled = True

    def values(self) -> dict[str, Any]:
        """Return the fields of the measurand except its code. The form must be valid."""
        data = self.cleaned_data
        return {
            name: [line.strip() for line in data[name].splitlines() if line.strip()]
            if name in LISTS
            else data[name]
            for name in FIELDS
        }
