"""What an instrument can do, in numbers."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from instruments.domain.capabilities import LONGEST_CONDITION, Parameter
from instruments.forms.fields import DayField, VersionForm
from instruments.models import Capability


def _number(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        max_digits=27,
        decimal_places=15,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )


class CapabilityForm(VersionForm):
    """Values of one parameter: the one given, or one to be chosen from several."""

    minimum = _number(_("Smallest value"))
    maximum = _number(_("Largest value"))
    unit = forms.CharField(label=_("Unit"), required=False, max_length=20)
    condition = forms.CharField(
        label=_("Condition"),
        required=False,
        max_length=LONGEST_CONDITION,
        help_text=_("Under which these values hold, such as “at 15 kV”. Empty: in general."),
    )
    checked_on = DayField(label=_("Checked on"), required=False)
    is_missing = forms.BooleanField(
        label=_("Not available: the instrument does not have it"), required=False
    )

    def __init__(
        self,
        *args: Any,
        parameter: Parameter | None = None,
        choices: Iterable[tuple[str, Iterable[Parameter]]] = (),
        row: Capability | None = None,
        **kwargs: Any,
    ) -> None:
        if row is not None and parameter is not None:
            kwargs["initial"] = {
                "version": row.version,
                "minimum": None if row.minimum is None else parameter.shown(row.minimum, row.unit),
                "maximum": None if row.maximum is None else parameter.shown(row.maximum, row.unit),
                "unit": row.unit,
                "condition": row.condition,
                "checked_on": row.checked_on,
                "is_missing": not row.is_available,
            } | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        if parameter is None:
            field = forms.ChoiceField(
                label=_("Parameter"),
                choices=[
                    ("", "–"),
                    *(
                        (label, [(row.code, _with_unit(row)) for row in rows])
                        for label, rows in choices
                    ),
                ],
            )
            self.add("parameter", field)
            self.order_fields(["parameter"])
        elif any(parameter.all_units):
            self.fields["unit"].help_text = ", ".join(filter(None, parameter.all_units))
            self.fields["unit"].initial = parameter.unit

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        return data | {"is_available": not data.pop("is_missing", False)}


def _with_unit(parameter: Parameter) -> str:
    return f"{named(parameter)} ({parameter.unit})" if parameter.unit else named(parameter)
