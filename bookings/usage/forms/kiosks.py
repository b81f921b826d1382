"""Forms for setting up kiosks, for the codes typed there, and for labels to print."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from bookings.usage.domain.kiosks import MOST_INSTRUMENTS
from instruments.reading.forms.fields import StyledForm
from instruments.register.models import Facility, Instrument


class FacilityForm(StyledForm):
    """The facility whose instruments are listed to be marked."""

    facility = forms.TypedChoiceField(label=_("Facility"), required=False, empty_value=None)

    def __init__(self, data: Any = None, *, facilities: Sequence[Facility]) -> None:
        super().__init__(data)
        self.facilities = {str(each.pk): each for each in facilities}
        field: Any = self.fields["facility"]
        field.choices = [
            (pk, f"{named(each)} · {named(each.organisation)}") for pk, each in self.facilities.items()
        ]

    def chosen(self) -> Facility | None:
        """Return the chosen facility, or the first."""
        first = next(iter(self.facilities), "")
        asked = self.cleaned_data.get("facility") if self.is_valid() else ""
        return self.facilities.get(asked or first)


class InstrumentsForm(StyledForm):
    """Instruments of a facility, to be ticked."""

    instrument = forms.MultipleChoiceField(label=_("Instruments"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, instruments: Sequence[Instrument], **more: Any) -> None:
        super().__init__(data, **more)
        field: Any = self.fields["instrument"]
        field.choices = [
            (str(each.pk), f"{named(each)} · {each.room}" if each.room else named(each))
            for each in instruments
        ]


class KioskForm(InstrumentsForm):
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Where the tablet is, such as Room 214.")
    )
    field_order = ("name", "instrument")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["instrument"].help_text = _("At most {n}.").format(n=MOST_INSTRUMENTS)


class LabelsForm(InstrumentsForm):
    layout = forms.ChoiceField(
        label=_("Paper"),
        choices=[("sheet", _("A4 sheet, 24 labels of 70 × 37 mm")), ("roll", _("Roll of 62 mm"))],
        widget=forms.RadioSelect,
        initial="sheet",
    )


class EnrolForm(StyledForm):
    code = forms.CharField(
        label=_("Code of the kiosk"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


class CodeForm(StyledForm):
    code = forms.RegexField(
        r"^[0-9]{6}$",
        label=_("Your code"),
        help_text=_("Six digits, from your booking's page on your telephone."),
        error_messages={"invalid": _("The code has six digits.")},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"}
        ),
    )
