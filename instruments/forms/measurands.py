"""A measurand as a curator writes it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.domain.needs import FIELDS, LISTS
from instruments.forms.fields import StyledForm
from instruments.models import Measurand

MOST_LINES, LONGEST_LINE = 40, 200


def _lines(label: Any, help_text: Any = "") -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4})
    most = MOST_LINES * (LONGEST_LINE + 1)
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=most, widget=area
    )


class MeasurandForm(StyledForm):
    """Lists are written one item a line."""

    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)
    code = forms.SlugField(
        label=_("Code in addresses"),
        max_length=60,
        help_text=_("Small letters, digits and hyphens. It stays."),
    )
    name = forms.CharField(label=_("Name (English)"), max_length=200)
    name_zh = forms.CharField(label=_("Name (Chinese)"), max_length=200)
    unit = forms.CharField(
        label=_("Unit"), max_length=40, required=False, help_text=_("Empty if it is no quantity.")
    )
    samples = _lines(_("Sample forms"))
    techniques = _lines(_("Techniques"), _("Codes, one a line, the best first."))
    lines = _lines(_("What one finds out (English)"))
    lines_zh = _lines(_("What one finds out (Chinese)"))
    synonyms = _lines(_("Other words for it (English)"), _("One a line, as people type them."))
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
        """The fields of a measurand but its code, of a form that is right."""
        data = self.cleaned_data
        return {
            name: [line.strip() for line in data[name].splitlines() if line.strip()]
            if name in LISTS
            else data[name]
            for name in FIELDS
        }
