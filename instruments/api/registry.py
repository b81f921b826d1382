"""Instruments: their records."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource, changes, named, reads
from accounts.api.schema import operation
from accounts.api.shapes import (
    Choice,
    Day,
    Instant,
    ListOf,
    Money,
    Number,
    Shape,
    Text,
    WebAddress,
    Whole,
    checked,
)
from accounts.api.versions import etag
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import By
from instruments.api.capabilities import CapabilityShape
from instruments.domain.pidinst import (
    ALTERNATE_IDENTIFIER_TYPES,
    DATE_TYPES,
    RELATED_IDENTIFIER_TYPES,
    RELATION_TYPES,
)
from instruments.domain.quality import MARKS
from instruments.models import Instrument, Technique
from instruments.selectors.capabilities import capabilities_of
from instruments.selectors.exports import page_of, pidinst_of
from instruments.selectors.quality import load_qualities
from instruments.selectors.registry import facility_by_id, instrument_by_id, techniques_by_code
from instruments.services.registry import instrument_create, instrument_update

# Answers


class NamedShape(serializers.Serializer[Any]):
    """A record that has a code."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()


class Named(Shape):
    """Somebody or something by name, with an identifier where there is one."""

    name = Text(250)
    identifier = Text(200, required=False, allow_blank=True)
    identifier_type = Text(40, required=False, allow_blank=True, help_text="`ROR`, `URL` ...")


class Owner(Named):
    """Who owns the instrument, and how to reach them."""

    contact = serializers.EmailField(max_length=254, required=False, allow_blank=True)


class RecordDate(Shape):
    """When it was taken into use, or out of it."""

    date = Day()
    date_type = Choice(DATE_TYPES)


class RelatedIdentifier(Shape):
    """Something that has to do with the instrument."""

    identifier = Text(500)
    identifier_type = Choice(RELATED_IDENTIFIER_TYPES)
    relation_type = Choice(RELATION_TYPES)
    name = Text(250, required=False, allow_blank=True)


class AlternateIdentifier(Shape):
    """Another name of the same instrument: a serial or inventory number."""

    identifier = Text(200)
    identifier_type = Choice(ALTERNATE_IDENTIFIER_TYPES)
    name = Text(250, required=False, allow_blank=True)


class QualityShape(serializers.Serializer[Any]):
    """How good the record is, and what would raise it."""

    mark = serializers.ChoiceField(["", *MARKS], help_text="Empty: below bronze.")
    following = serializers.ChoiceField(["", *MARKS], help_text="Empty: it is gold already.")
    lacking = serializers.ListField(
        child=serializers.CharField(),
        help_text="What is missing for the next quality mark, by code.",
    )


class InstrumentShape(serializers.Serializer[Any]):
    """A bookable piece of equipment, with the properties of PIDINST 1.0 and those of sharing."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    publication = serializers.ChoiceField(Instrument.Publication.choices)
    published_at = Instant(allow_null=True)
    host = NamedShape(source="organisation")
    region = serializers.CharField(source="region.code")
    region_name = serializers.CharField(source="region.name")
    facility = serializers.UUIDField(source="facility_id")
    facility_name = serializers.CharField(source="facility.name")
    time_zone = serializers.CharField(source="facility.time_zone")
    room = serializers.CharField()
    identifier = serializers.CharField()
    identifier_type = serializers.CharField()
    landing_page = serializers.CharField()
    owners = serializers.ListField(child=serializers.DictField())
    manufacturers = serializers.ListField(child=serializers.DictField())
    model = serializers.CharField()
    model_identifier = serializers.CharField()
    model_identifier_type = serializers.CharField()
    description = serializers.CharField()
    description_zh = serializers.CharField()
    instrument_types = serializers.ListField(child=serializers.DictField())
    measured_variables = serializers.ListField(child=serializers.DictField())
    dates = serializers.ListField(child=serializers.DictField())
    related_identifiers = serializers.ListField(child=serializers.DictField())
    alternate_identifiers = serializers.ListField(child=serializers.DictField())
    techniques = NamedShape(many=True)
    classification_code = serializers.CharField()
    acquisition_cost = Money(currency="acquisition_currency", allow_null=True, read_only=True)
    acquisition_date = serializers.DateField(allow_null=True)
    service_modes = serializers.ListField(
        child=serializers.ChoiceField(Instrument.ServiceMode.choices)
    )
    kind = serializers.ChoiceField(Instrument.Kind.choices)
    norm_hours = serializers.IntegerField(allow_null=True)
    units = serializers.IntegerField(source="policy.units", allow_null=True)
    merged_into = serializers.UUIDField(
        source="merged_into_id",
        allow_null=True,
        help_text="For a retired record: the record that replaces it.",
    )
    quality = QualityShape(read_only=True)
    confirmed_at = Instant(allow_null=True)
    version = serializers.IntegerField()
    created_at = Instant()
    updated_at = Instant()
    links = serializers.SerializerMethodField()

    def get_links(self, instrument: Instrument) -> dict[str, str]:
        here = reverse("api-instrument", kwargs={"instrument_id": instrument.pk})
        return {
            "self": here,
            "pidinst": f"{here}pidinst/",
            "availability": f"{here}availability/",
            "attachments": f"{here}attachments/",
            "capabilities": f"{here}capabilities/",
            "page": page_of(instrument),
        }


class RecordShape(InstrumentShape):
    """One record, with what is stated of what the instrument can do."""

    capabilities = CapabilityShape(source="stated", many=True, read_only=True)


def with_quality(
    rows: Sequence[Any], now: datetime, *, priced: Mapping[UUID, bool] | None = None
) -> None:
    """Set what `InstrumentShape` shows beside the fields; as `load_qualities`."""
    qualities = load_qualities(rows, now, priced=priced)
    for row in rows:
        row.quality = qualities[row.pk]


# Requests


class Cost(Shape):
    """What it cost."""

    amount = Number(14, 2, min_value=0)
    currency = Choice(sorted(MINOR_DIGITS))


class InstrumentChanges(Shape):
    """Fields of the record to change."""

    name = Text(250, required=False)
    name_zh = Text(250, required=False, allow_blank=True)
    identifier = Text(200, required=False, allow_blank=True)
    identifier_type = Text(20, required=False, allow_blank=True)
    landing_page = WebAddress(500, required=False, allow_blank=True)
    owners = ListOf(child=Owner(), required=False)
    manufacturers = ListOf(child=Named(), required=False)
    model = Text(200, required=False, allow_blank=True)
    model_identifier = Text(200, required=False, allow_blank=True)
    model_identifier_type = Text(40, required=False, allow_blank=True)
    description = Text(20_000, required=False, allow_blank=True)
    description_zh = Text(20_000, required=False, allow_blank=True)
    instrument_types = ListOf(child=Named(), required=False)
    measured_variables = ListOf(child=Named(), required=False)
    dates = ListOf(child=RecordDate(), required=False)
    related_identifiers = ListOf(child=RelatedIdentifier(), required=False)
    alternate_identifiers = ListOf(child=AlternateIdentifier(), required=False)
    techniques = ListOf(child=Text(60), required=False, help_text="Their codes.")
    classification_code = Text(20, required=False, allow_blank=True)
    acquisition_cost = Cost(required=False, allow_null=True)
    acquisition_date = Day(required=False, allow_null=True)
    service_modes = ListOf(child=Choice(Instrument.ServiceMode.choices), required=False)
    kind = Choice(Instrument.Kind.choices, required=False)
    norm_hours = Whole(min_value=0, max_value=8784, required=False, allow_null=True)
    room = Text(80, required=False, allow_blank=True)
    units = Whole(min_value=1, max_value=500, required=False)


class InstrumentBody(InstrumentChanges):
    """A new record. What is left out can be added before it is published."""

    facility = serializers.UUIDField()
    name = Text(250)


def _values(data: dict[str, Any]) -> tuple[dict[str, Any], list[Technique] | None]:
    """The record's own fields as it stores them, and the techniques that are named."""
    values = dict(data)
    if "acquisition_cost" in values:
        cost = values["acquisition_cost"] or {"amount": None, "currency": ""}
        values["acquisition_cost"] = cost["amount"]
        values["acquisition_currency"] = cost["currency"]
    if "dates" in values:
        values["dates"] = [
            {name: str(v) if isinstance(v, date) else v for name, v in item.items()}
            for item in values["dates"]
        ]
    if "service_modes" in values:
        values["service_modes"] = list(dict.fromkeys(values["service_modes"]))
    codes = values.pop("techniques", None)
    return values, None if codes is None else _techniques(codes)


def _techniques(codes: list[str]) -> list[Technique]:
    try:
        return techniques_by_code(codes)
    except NotFound as unknown:
        index = codes.index(str(unknown.numbers["technique"]))
        raise invalid(f"techniques[{index}]", "unknown-value") from None


EXAMPLE = {
    "facility": "0197a1de-0000-7000-8000-000000000001",
    "name": "Transmission electron microscope",
    "name_zh": "透射电子显微镜",
    "manufacturers": [{"name": "Thermo Fisher Scientific"}],
    "model": "Titan",
    "description": "Atomic resolution imaging at 300 kV.",
    "service_modes": ["self", "assisted"],
    "techniques": ["PaNET01198"],
}


class InstrumentResource(Resource):
    """What the addresses of a record share."""

    at, key, tag = "instruments/", "instrument_id", "instruments"
    name, many, shape = "instrument", "instruments", RecordShape

    def visible(self, pk: UUID) -> Instrument:
        return instrument_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        with_quality(rows, self.now)
        for row in rows:  # one
            row.stated = list(capabilities_of(row.pk))
        return rows


class InstrumentRegister(InstrumentResource):
    """Entering instruments. The list at the same address shows free slots and prices, so it
    is in bookings (bookings/browsing/api/catalogue.py), which has this as well."""

    @operation(
        "instrument_create",
        _("Enter an instrument"),
        tag="instruments",
        takes=InstrumentBody,
        gives=RecordShape,
        status=201,
        once=True,
        sends=EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """A draft, for members of the host who book or manage. It is published with opening
        hours, a policy and a rate card in force."""
        data = checked(InstrumentBody, request.data)

        def create() -> Response:
            values, techniques = _values(data)
            row = instrument_create(
                By(self.actor, self.now),
                facility=named("facility", facility_by_id, values.pop("facility")),
                techniques=techniques or [],
                **values,
            )
            return self.one(row.pk, status=201)

        return self.once(create)


class InstrumentRecord(InstrumentResource):
    @reads(_("One instrument"))
    def detail(self, pk: UUID) -> None:
        """One record: published and suspended ones for everybody, others for the host's own."""

    @changes(
        _("Change the record"),
        InstrumentChanges,
        named="_update",
        refuses=[404, 409],
        sends={"model": "Titan Themis", "norm_hours": 1400},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's managers. What is not named stays as it is."""
        values, techniques = _values(data)
        units = values.pop("units", None)
        self.visible(pk)
        instrument_update(
            self.by, instrument_id=pk, changes=values, techniques=techniques, units=units
        )


class InstrumentPidinst(Endpoint):
    @operation(
        "instrument_pidinst",
        _("The record as PIDINST 1.0"),
        tag="instruments",
        gives={"type": "object", "additionalProperties": True},
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """The same record as PIDINST 1.0 JSON."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return Response(pidinst_of(instrument), headers=etag(instrument.version))
