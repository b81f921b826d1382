"""Bodies and the form of an instrument's record."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api import shapes
from accounts.domain.currencies import MINOR_DIGITS
from accounts.letters.words import named
from instruments.exchange.domain.pidinst import (
    ALTERNATE_IDENTIFIER_TYPES,
    DATE_TYPES,
    RELATED_IDENTIFIER_TYPES,
    RELATION_TYPES,
)
from instruments.reading.forms.fields import TextListField, VersionForm
from instruments.reading.forms.shapes import field_of
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.models import Technique

_IDENTIFIER_TYPES = ("DOI", "Handle", "ARK", "URN", "URL")


class Named(shapes.Shape):
    """Somebody or something by name, with an identifier where there is one."""

    name = shapes.Text(250)
    identifier = shapes.Text(200, required=False, allow_blank=True)
    identifier_type = shapes.Text(40, required=False, allow_blank=True, help_text="`ROR`, `URL` ...")


class Owner(Named):
    """An owner of the instrument, and how to reach them."""

    contact = serializers.EmailField(max_length=254, required=False, allow_blank=True)


class RecordDate(shapes.Shape):
    """The day on which an instrument was taken into use, or out of it."""

    date = shapes.Day()
    date_type = shapes.Choice(DATE_TYPES)


class RelatedIdentifier(shapes.Shape):
    """The identifier of something related to the instrument, such as an article, and how they are related."""

    identifier = shapes.Text(500)
    identifier_type = shapes.Choice(RELATED_IDENTIFIER_TYPES)
    relation_type = shapes.Choice(RELATION_TYPES)
    name = shapes.Text(250, required=False, allow_blank=True)


class AlternateIdentifier(shapes.Shape):
    """Another name of the same instrument: a serial or inventory number."""

    identifier = shapes.Text(200)
    identifier_type = shapes.Choice(ALTERNATE_IDENTIFIER_TYPES)
    name = shapes.Text(250, required=False, allow_blank=True)


class Cost(shapes.Shape):
    """The acquisition cost of an instrument."""

    amount = shapes.Number(14, 2, min_value=0)
    currency = shapes.Choice(sorted(MINOR_DIGITS))


class InstrumentChanges(shapes.Shape):
    """Changes to an instrument's record; fields left out stay as they are."""

    name = shapes.Text(250, required=False, label=_("Name"))
    name_zh = shapes.Text(250, required=False, allow_blank=True, label=_("Name in Chinese"))
    identifier = shapes.Text(
        200,
        required=False,
        allow_blank=True,
        label=_("Persistent identifier"),
        style={"help": _("For example 10.5281/zenodo.1234567")},
    )
    identifier_type = shapes.Text(20, required=False, allow_blank=True)
    landing_page = shapes.WebAddress(500, required=False, allow_blank=True, label=_("Landing page"))
    owners = shapes.ListOf(child=Owner(), required=False)
    manufacturers = shapes.ListOf(child=Named(), required=False)
    model = shapes.Text(200, required=False, allow_blank=True, label=_("Model"))
    model_identifier = shapes.Text(200, required=False, allow_blank=True)
    model_identifier_type = shapes.Text(40, required=False, allow_blank=True)
    description = shapes.Text(
        20_000,
        required=False,
        allow_blank=True,
        label=_("Description"),
        style={
            "rows": 4,
            "help": _(
                "What it measures, how precisely, on what samples. One language is required to publish."
            ),
        },
    )
    description_zh = shapes.Text(
        20_000, required=False, allow_blank=True, label=_("Description in Chinese"), style={"rows": 4}
    )
    instrument_types = shapes.ListOf(child=Named(), required=False)
    measured_variables = shapes.ListOf(child=Named(), required=False)
    dates = shapes.ListOf(child=RecordDate(), required=False)
    related_identifiers = shapes.ListOf(child=RelatedIdentifier(), required=False)
    alternate_identifiers = shapes.ListOf(child=AlternateIdentifier(), required=False)
    techniques = shapes.ListOf(child=shapes.Text(60), required=False, help_text="Their codes.")
    classification_code = shapes.Text(20, required=False, allow_blank=True, label=_("Classification code"))
    acquisition_cost = Cost(required=False, allow_null=True)
    acquisition_date = shapes.Day(required=False, allow_null=True, label=_("Acquired on"))
    service_modes = shapes.ListOf(
        child=shapes.Choice(Instrument.ServiceMode.choices),
        required=False,
        label=_("How it can be used"),
        style={"help": _("Required to publish.")},
    )
    kind = shapes.Choice(
        Instrument.Kind.choices,
        required=False,
        label=_("Kind"),
        style={"help": _("Determines how many hours of use a year are expected.")},
    )
    norm_hours = shapes.Whole(
        min_value=0,
        max_value=8784,
        required=False,
        allow_null=True,
        label=_("Norm hours a year for this instrument"),
        style={"help": _("Only if they differ from the norm hours of its kind.")},
    )
    room = shapes.Text(80, required=False, allow_blank=True, label=_("Room"))
    units = shapes.Whole(min_value=1, max_value=500, required=False)


class InstrumentBody(InstrumentChanges):
    """A new record. What is left out can be added before it is published."""

    facility = serializers.UUIDField()
    name = shapes.Text(250, label=_("Name"))


class CopyBody(shapes.Shape):
    """The name and numbers of a copy of an instrument."""

    name = shapes.Text(250, label=_("Name"))
    name_zh = shapes.Text(250, default="", allow_blank=True, label=_("Name in Chinese"))
    inventory_number = shapes.Text(200, default="", allow_blank=True, label=_("Inventory number"))
    serial_number = shapes.Text(200, default="", allow_blank=True, label=_("Serial number"))
    photos = shapes.Flag(default=False, label=_("Copy the photos too"))


class CopyForm(VersionForm):
    """The name and numbers of a copy of an instrument."""

    name = field_of(CopyBody, "name")
    name_zh = field_of(CopyBody, "name_zh")
    inventory_number = field_of(CopyBody, "inventory_number")
    serial_number = field_of(CopyBody, "serial_number")
    photos = forms.BooleanField(label=_("Copy the photos too"), required=False)


class InstrumentForm(VersionForm):
    """An instrument's record. The facility is chosen only for a new one and cannot be changed later."""

    facility = forms.ChoiceField(label=_("Facility"))
    name = field_of(InstrumentBody, "name")
    name_zh = field_of(InstrumentBody, "name_zh")
    makers = TextListField(
        label=_("Maker"), least=2, required=False, help_text=_("One per line. Required to publish.")
    )
    model = field_of(InstrumentBody, "model")
    description = field_of(InstrumentBody, "description")
    description_zh = field_of(InstrumentBody, "description_zh")
    service_modes = field_of(InstrumentBody, "service_modes")
    techniques = TextListField(
        label=_("Technique"),
        least=2,
        required=False,
        list_id="technique-terms",
        help_text=_("Begin to type and choose from the list, or enter a code or an exact name."),
    )
    kind = field_of(InstrumentBody, "kind", required=True)
    norm_hours = field_of(InstrumentBody, "norm_hours")
    room = field_of(InstrumentBody, "room")
    identifier = field_of(InstrumentBody, "identifier")
    identifier_type = forms.ChoiceField(label=_("Kind of identifier"), required=False)
    landing_page = field_of(InstrumentBody, "landing_page")
    classification_code = field_of(InstrumentBody, "classification_code")
    acquisition_cost = field_of(Cost, "amount", label=_("Acquisition cost"), required=False)
    acquisition_currency = forms.ChoiceField(label=_("Currency"), required=False)
    acquisition_date = field_of(InstrumentBody, "acquisition_date")

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
        if instrument.acquisition_cost is not None and not instrument.acquisition_currency:
            told["acquisition_currency"] = instrument.organisation.region.currency  # files seldom name one
        return told | {
            "makers": [maker.get("name", "") for maker in instrument.manufacturers],
            "techniques": [term(t) for t in instrument.techniques.all()],
        }

    @property
    def faults(self) -> list[tuple[Any, str]]:
        """Return the fields with errors, in the order of the form, each with its label."""
        return [(self[name], str(self.fields[name].label)) for name in self.fields if name in self.errors]

    def terms(self) -> list[tuple[str, str]]:
        """Return the techniques to choose from, each with its synonyms, by which it is also found."""
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
        """Return the fields of the record. Details of a maker beyond its name are kept."""
        values = dict(self.cleaned_data)
        for name in ("makers", "techniques", "version", "facility"):
            values.pop(name, None)
        known = {
            maker.get("name"): maker for maker in (self.instrument.manufacturers if self.instrument else [])
        }
        makers = [known.get(name, {"name": name}) for name in self.cleaned_data["makers"]]
        return values | {"manufacturers": makers}

    def facility_chosen(self) -> Facility:
        return self.facilities[self.cleaned_data["facility"]]


def term(technique: Technique) -> str:
    """Return a technique as it is typed and suggested, with both names and the code."""
    names = " ".join(name for name in (technique.name, technique.name_zh) if name)
    return f"{names} ({technique.code})"
