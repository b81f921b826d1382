"""A form for what an instrument can do, in numbers."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Day, Flag, Number, Shape, Text
from accounts.letters.words import named
from instruments.capabilities.models import Capability
from instruments.reading.forms.fields import VersionForm
from instruments.reading.forms.shapes import field_of
from instruments.vocabulary.domain.parameters import LONGEST_CONDITION, Parameter

_DECIMAL = forms.TextInput(attrs={"inputmode": "decimal"})


class ValuesBody(Shape):
    """The values of an instrument's parameter in `unit`; without a unit, in the parameter's own. At least one
    side is required unless the instrument does not have it at all."""

    minimum = Number(27, 15, required=False, allow_null=True, label=_("Smallest value"))
    maximum = Number(27, 15, required=False, allow_null=True, label=_("Largest value"))
    unit = Text(20, required=False, allow_blank=True, label=_("Unit"))
    condition = Text(
        LONGEST_CONDITION,
        required=False,
        allow_blank=True,
        label=_("Condition"),
        style={
            "help": _("The condition under which these values hold, such as “at 15 kV”. Empty: in general.")
        },
    )
    is_available = Flag(required=False)
    checked_on = Day(required=False, allow_null=True, label=_("Checked on"))


class CapabilityForm(VersionForm):
    """The values of one parameter: of the given one, or of one chosen from several."""

    minimum = field_of(ValuesBody, "minimum", widget=_DECIMAL)
    maximum = field_of(ValuesBody, "maximum", widget=_DECIMAL)
    unit = field_of(ValuesBody, "unit")
    condition = field_of(ValuesBody, "condition")
    checked_on = field_of(ValuesBody, "checked_on")
    is_missing = forms.BooleanField(label=_("Not available: the instrument does not have it"), required=False)

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
                    *((label, [(row.code, _with_unit(row)) for row in rows]) for label, rows in choices),
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
