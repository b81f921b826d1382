"""The records of facilities and instruments."""

import re
import zoneinfo
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.letters.words import named
from accounts.models import Organisation
from instruments.forms.fields import (
    DayField,
    StyledForm,
    TextListField,
    VersionForm,
    day_input,
)
from instruments.models import Facility, Instrument, Technique

_AREA = {"rows": 4}
_IDENTIFIER_TYPES = ("DOI", "Handle", "ARK", "URN", "URL")


class FacilityForm(StyledForm):
    """A site: where instruments stand, in which time zone, whom to ask."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    address = forms.CharField(label=_("Address"), required=False, max_length=300)
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("All opening hours and bookings here are in it. Choose from the list."),
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    contact_name = forms.CharField(label=_("Contact name"), required=False, max_length=120)
    contact_email = forms.EmailField(label=_("E-mail"), required=False)
    contact_phone = forms.CharField(label=_("Telephone"), required=False, max_length=60)
    website = forms.URLField(label=_("Website"), required=False, assume_scheme="https")
    latitude = forms.DecimalField(
        label=_("Latitude"),
        required=False,
        min_value=-90,
        max_value=90,
        max_digits=8,
        decimal_places=5,
    )
    longitude = forms.DecimalField(
        label=_("Longitude"),
        required=False,
        min_value=-180,
        max_value=180,
        max_digits=8,
        decimal_places=5,
    )

    def __init__(self, data: Any = None, *, organisations: Sequence[Organisation]) -> None:
        zone = organisations[0].region.time_zone if organisations else ""
        super().__init__(data, initial={"time_zone": zone})
        self.choose_organisation(organisations)
        self.organisations = {str(each.pk): each for each in organisations}

    def time_zones(self) -> list[str]:
        return sorted(z for z in zoneinfo.available_timezones() if "/" in z and "Etc/" not in z)

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if data.get(one) is not None and other in data and data[other] is None:
                self.add_error(other, _("Give both, or neither."))

    def values(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"organisation": self.organisations[data["organisation"]]}


class FacilityEditForm(FacilityForm):
    """The same of one that is there; organisation and time zone stay."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, facility: Facility) -> None:
        super().__init__(data, organisations=[])
        for name in ("organisation", "time_zone"):
            del self.fields[name]
        self.initial = {name: getattr(facility, name) for name in self.fields}

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields if name != "version"}


class InstrumentForm(VersionForm):
    """An instrument's record. A new one chooses its facility; one that exists stays there."""

    facility = forms.ChoiceField(label=_("Facility"))
    name = forms.CharField(label=_("Name"), max_length=250)
    name_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=250)
    makers = TextListField(
        label=_("Maker"),
        least=2,
        required=False,
        help_text=_("One to a line. Needed to publish."),
    )
    model = forms.CharField(label=_("Model"), required=False, max_length=200)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=10000,
        widget=forms.Textarea(attrs=_AREA),
        help_text=_(
            "What it measures, how precisely, on what samples. One language is needed to publish."
        ),
    )
    description_zh = forms.CharField(
        label=_("Description in Chinese"),
        required=False,
        max_length=10000,
        widget=forms.Textarea(attrs=_AREA),
    )
    service_modes = forms.MultipleChoiceField(
        label=_("How it can be used"),
        required=False,
        choices=Instrument.ServiceMode.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Needed to publish."),
    )
    techniques = TextListField(
        label=_("Technique"),
        least=2,
        required=False,
        list_id="technique-terms",
        help_text=_("Begin to type and choose from the list, or enter a code or an exact name."),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=Instrument.Kind.choices,
        help_text=_("Sets how many hours a year are expected of it."),
    )
    norm_hours = forms.IntegerField(
        label=_("Own norm hours a year"),
        required=False,
        min_value=1,
        max_value=8784,
        help_text=_("Only where they differ from those of its kind."),
    )
    room = forms.CharField(label=_("Room"), required=False, max_length=80)
    identifier = forms.CharField(
        label=_("Persistent identifier"),
        required=False,
        max_length=200,
        help_text=_("For example 10.5281/zenodo.1234567"),
    )
    identifier_type = forms.ChoiceField(label=_("Kind of identifier"), required=False)
    landing_page = forms.URLField(
        label=_("Landing page"), required=False, max_length=500, assume_scheme="https"
    )
    classification_code = forms.CharField(
        label=_("Classification code"), required=False, max_length=20
    )
    acquisition_cost = forms.DecimalField(
        label=_("Acquisition cost"),
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
    )
    acquisition_currency = forms.ChoiceField(label=_("Currency"), required=False)
    acquisition_date = DayField(label=_("Acquired on"), required=False, widget=day_input())

    def __init__(
        self,
        data: Any = None,
        *,
        vocabulary: Iterable[Technique],
        facilities: Sequence[Facility] = (),
        facility_id: str = "",
        instrument: Instrument | None = None,
    ) -> None:
        self.vocabulary = list(vocabulary)
        self.instrument = instrument
        chosen = facility_id or (str(facilities[0].pk) if facilities else "")
        new = {"facility": chosen, "kind": Instrument.Kind.GENERAL.value}
        initial = self._told(instrument) if instrument else new
        super().__init__(data, initial=initial)
        fields: Any = self.fields
        kinds = [*_IDENTIFIER_TYPES]
        if instrument and instrument.identifier_type not in ("", *kinds):
            kinds.append(instrument.identifier_type)
        fields["identifier_type"].choices = [("", "–"), *((kind, kind) for kind in kinds)]
        fields["acquisition_currency"].choices = [
            ("", "–"), *((code, code) for code in sorted(MINOR_DIGITS))
        ]  # fmt: skip
        if instrument:
            del self.fields["facility"]
            return
        self.facilities = {str(f.pk): f for f in facilities}
        several = len({f.organisation_id for f in facilities}) > 1
        fields["facility"].choices = [
            (pk, f"{named(f)} · {named(f.organisation)}" if several else named(f))
            for pk, f in self.facilities.items()
        ]

    @staticmethod
    def _told(instrument: Instrument) -> dict[str, Any]:
        told = {
            name: getattr(instrument, name)
            for name in InstrumentForm.base_fields
            if hasattr(instrument, name)
        }
        return told | {
            "makers": [maker.get("name", "") for maker in instrument.manufacturers],
            "techniques": [term(t) for t in instrument.techniques.all()],
        }

    def terms(self) -> list[tuple[str, str]]:
        """Return what may be chosen, each with what else it is called, by which it is found too."""
        return [(term(t), " · ".join(map(str, t.synonyms))) for t in self.vocabulary]

    def clean_techniques(self) -> list[Technique]:
        by_code = {t.code.casefold(): t for t in self.vocabulary}
        by_name = {str(name).casefold(): t for t in self.vocabulary for name in t.synonyms} | {
            name.casefold(): t for t in self.vocabulary for name in (t.name, t.name_zh) if name
        }
        chosen, unknown = [], []
        for text in self.cleaned_data["techniques"]:
            code = match[1] if (match := re.search(r"\(([^()]+)\)$", text)) else text
            technique = by_code.get(code.casefold()) or by_name.get(text.casefold())
            if technique:
                chosen.append(technique)
            else:
                unknown.append(text)
        if unknown:
            raise forms.ValidationError(
                _("Not in the vocabulary: %(terms)s. Choose from the list."),
                params={"terms": ", ".join(unknown)},
            )
        return list(dict.fromkeys(chosen))

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if data.get("acquisition_cost") is not None and not data.get("acquisition_currency"):
            self.add_error("acquisition_currency", _("Choose the currency."))
        if data.get("identifier") and not data.get("identifier_type"):
            self.add_error("identifier_type", _("Choose the kind of identifier."))

    def values(self) -> dict[str, Any]:
        """Return the fields of the record; what is known of a maker beyond its name is kept."""
        values = dict(self.cleaned_data)
        for name in ("makers", "techniques", "version", "facility"):
            values.pop(name, None)
        known = {
            maker.get("name"): maker
            for maker in (self.instrument.manufacturers if self.instrument else [])
        }
        makers = [known.get(name, {"name": name}) for name in self.cleaned_data["makers"]]
        return values | {"manufacturers": makers}

    def facility_chosen(self) -> Facility:
        return self.facilities[self.cleaned_data["facility"]]


def term(technique: Technique) -> str:
    """Return a technique as it is typed and suggested: both names and the code find it."""
    names = " ".join(name for name in (technique.name, technique.name_zh) if name)
    return f"{names} ({technique.code})"
