"""Bodies of requests and forms in which facilities are described."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api import shapes
from accounts.models import Organisation
from instruments.policy.messages import HAZARD_LABELS
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import field_of
from instruments.register.models import Facility


class FacilityChanges(shapes.Shape):
    """Changes to a facility; its organisation and time zone stay."""

    name = shapes.Text(200, required=False, label=_("Name"))
    name_zh = shapes.Text(200, required=False, allow_blank=True, label=_("Name in Chinese"))
    address = shapes.Text(300, required=False, allow_blank=True, label=_("Address"))
    contact_name = shapes.Text(120, required=False, allow_blank=True, label=_("Contact name"))
    contact_email = serializers.EmailField(
        max_length=254, required=False, allow_blank=True, label=_("E-mail")
    )
    contact_phone = shapes.Text(60, required=False, allow_blank=True, label=_("Telephone"))
    website = shapes.WebAddress(200, required=False, allow_blank=True, label=_("Website"))
    latitude = shapes.Number(
        8, 5, min_value=-90, max_value=90, required=False, allow_null=True, label=_("Latitude")
    )
    longitude = shapes.Number(
        8, 5, min_value=-180, max_value=180, required=False, allow_null=True, label=_("Longitude")
    )
    refused_hazards = shapes.ListOf(
        child=shapes.Choice(list(HAZARD_LABELS.items())),
        required=False,
        label=_("Samples with these hazards are not accepted"),
        help_text="Hazard classes of samples that none of its instruments accepts.",
        style={"help": _("By no instrument here. The booking rules of an instrument can refuse more.")},
    )


class FacilityBody(FacilityChanges):
    """A new site."""

    organisation = shapes.Text(40, help_text="Its code.")
    name = shapes.Text(200, label=_("Name"))
    time_zone = shapes.Text(
        64,
        help_text="An IANA zone: `Asia/Shanghai`.",
        label=_("Time zone"),
        style={"help": _("All opening hours and bookings here use it. Choose from the list.")},
    )


class FacilityForm(StyledForm):
    """A site: its address, its time zone, its contact."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    name = field_of(FacilityBody, "name")
    name_zh = field_of(FacilityBody, "name_zh")
    address = field_of(FacilityBody, "address")
    time_zone = field_of(
        FacilityBody, "time_zone", widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"})
    )
    contact_name = field_of(FacilityBody, "contact_name")
    contact_email = field_of(FacilityBody, "contact_email")
    contact_phone = field_of(FacilityBody, "contact_phone")
    website = field_of(FacilityBody, "website")
    latitude = field_of(FacilityBody, "latitude")
    longitude = field_of(FacilityBody, "longitude")
    refused_hazards = field_of(FacilityBody, "refused_hazards")

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
    """The fields of an existing facility; its organisation and time zone cannot be changed."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, facility: Facility) -> None:
        super().__init__(data, organisations=[])
        for name in ("organisation", "time_zone"):
            del self.fields[name]
        self.initial = {name: getattr(facility, name) for name in self.fields}

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields if name != "version"}
