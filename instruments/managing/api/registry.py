"""The API for the records of instruments."""

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

from accounts.api import shapes
from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource, acts, changes, named, reads
from accounts.api.schema import operation
from accounts.api.versions import etag
from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import By
from instruments.capabilities.api.capabilities import CapabilityShape
from instruments.capabilities.selectors.capabilities import capabilities_of
from instruments.exchange.selectors.exports import page_of, pidinst_of
from instruments.managing.domain.quality import MARKS
from instruments.managing.forms.registry import CopyBody, InstrumentBody, InstrumentChanges
from instruments.managing.selectors.quality import load_qualities
from instruments.managing.services.copying import instrument_copy
from instruments.managing.services.registry import instrument_create, instrument_update
from instruments.register.models import Instrument
from instruments.register.selectors.registry import facility_by_id, instrument_by_id, techniques_by_code
from instruments.vocabulary.models import Technique

# Answers


class NamedShape(serializers.Serializer[Any]):
    """Anything with a code and names."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()


class QualityShape(serializers.Serializer[Any]):
    """The quality mark of a record, and what it lacks for the next one."""

    mark = serializers.ChoiceField(["", *MARKS], help_text="Empty: not yet bronze.")
    following = serializers.ChoiceField(
        ["", *MARKS], help_text="The next mark. Empty: the record is already gold."
    )
    lacking = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of what is missing for the next quality mark."
    )


class InstrumentShape(serializers.Serializer[Any]):
    """A bookable piece of equipment, with its PIDINST 1.0 properties and those needed for sharing."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    publication = serializers.ChoiceField(Instrument.Publication.choices)
    published_at = shapes.Instant(allow_null=True)
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
    acquisition_cost = shapes.Money(currency="acquisition_currency", allow_null=True, read_only=True)
    acquisition_date = serializers.DateField(allow_null=True)
    service_modes = serializers.ListField(child=serializers.ChoiceField(Instrument.ServiceMode.choices))
    kind = serializers.ChoiceField(Instrument.Kind.choices)
    norm_hours = serializers.IntegerField(allow_null=True)
    units = serializers.IntegerField(source="policy.units", allow_null=True)
    merged_into = serializers.UUIDField(
        source="merged_into_id",
        allow_null=True,
        help_text="For a retired record: the record that replaces it.",
    )
    quality = QualityShape(read_only=True)
    confirmed_at = shapes.Instant(allow_null=True)
    version = serializers.IntegerField()
    created_at = shapes.Instant()
    updated_at = shapes.Instant()
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
    """One instrument's record, with its stated capabilities."""

    capabilities = CapabilityShape(source="stated", many=True, read_only=True)


def with_quality(rows: Sequence[Any], now: datetime, *, priced: Mapping[UUID, bool] | None = None) -> None:
    """Set `quality` on each row, as `InstrumentShape` needs it. `priced`: see `load_qualities`."""
    qualities = load_qualities(rows, now, priced=priced)
    for row in rows:
        row.quality = qualities[row.pk]


def _values(data: dict[str, Any]) -> tuple[dict[str, Any], list[Technique] | None]:
    """Return the record's own fields as they are stored, and the techniques that the body names; None if it
    names none."""
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
    """A base for all endpoints of an instrument's record."""

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
    """The endpoint at which instruments are entered. The list at the same address shows free slots and
    prices, so it is in bookings (bookings/browsing/api/catalogue.py), in a class that inherits this one."""

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
        """Enters a draft record of an instrument. Members of the host who book or manage may do this. It can
        be published once it has opening hours, a policy and a rate card in force."""
        data = shapes.checked(InstrumentBody, request.data)

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
    @reads(_("An instrument"))
    def detail(self, pk: UUID) -> None:
        """Returns one record. Anybody may read published and suspended ones; the host's own people read the
        others."""

    @changes(
        _("Change the record"),
        InstrumentChanges,
        named="_update",
        refuses=[404, 409],
        sends={"model": "Titan Themis", "norm_hours": 1400},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Changes the record of an instrument. Only the host's managers may do this. Fields left out stay as
        they are."""
        values, techniques = _values(data)
        units = values.pop("units", None)
        instrument_update(self.by, instrument_id=pk, changes=values, techniques=techniques, units=units)

    @acts(
        _("Copy an instrument"), CopyBody, status=201, sends={"name": "SEM 2", "inventory_number": "A-1002"}
    )
    def copy(self, pk: UUID, data: dict[str, Any]) -> Instrument:
        """Enters a draft that has everything of the instrument but its name, numbers and history: record,
        hours, policy, rate cards, capabilities, house rules, questions and, if `photos`, its photos. Only the
        host's managers may do this."""
        return instrument_copy(self.by, instrument_id=pk, **data)


class InstrumentPidinst(Endpoint):
    @operation(
        "instrument_pidinst",
        _("The record as PIDINST 1.0"),
        tag="instruments",
        gives={"type": "object", "additionalProperties": True},
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Returns the instrument's record as PIDINST 1.0 JSON."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return Response(pidinst_of(instrument), headers=etag(instrument.version))
