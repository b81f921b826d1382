"""Sample items."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import Resource, acts, changes, creates, reads, removes
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, ListOf, Query, Shape, Text, Whole, query_values
from accounts.domain.errors import invalid
from accounts.permissions import require_somewhere
from accounts.selectors.rows import as_uuid
from bookings.record.adapters.labels import LAYOUTS, SHEET, label_sheet
from bookings.record.api.files import PDF, FileEndpoint
from bookings.record.api.lists import listed
from bookings.record.api.shapes import ReferenceBody, ReferencedShape, references_show
from bookings.samples.domain.samples import MOST_AT_ONCE
from bookings.samples.models import SampleItem, SampleStep
from bookings.samples.selectors import samples as selectors
from bookings.samples.selectors.labels import load_labels
from bookings.samples.services import samples as sample_services
from bookings.samples.services.joining import sample_leave, samples_join
from bookings.samples.services.sheets import sheet_put, sheet_remove
from instruments.attachments.api.attachments import StoredFileShape, Upload, binary
from instruments.policy.messages import HAZARD_LABELS

Hazards = ListOf(
    child=Choice(list(HAZARD_LABELS.items())),
    default=list,
    help_text="Hazard classes: the nine GHS pictograms, then hazards that these do not cover.",
)


class SampleItemBody(Shape):
    """Description of a sample."""

    name = Text(120, help_text="Name as written on the vessel.")
    description = Text(2000, default="", allow_blank=True)
    amount = Text(60, default="", allow_blank=True)
    hazards = Hazards
    storage = Text(200, default="", allow_blank=True)
    afterwards = Choice(SampleItem.Afterwards.choices, default="return")


class SampleItemsNewBody(SampleItemBody, ReferenceBody):
    """Description of new samples, their owner, their number, the booking they are for, and what is noted at
    each."""

    organisation = Text(
        40,
        required=False,
        help_text="Code of the organisation that the samples belong to; default: your only organisation.",
    )
    number = Whole(
        min_value=1,
        max_value=MOST_AT_ONCE,
        default=1,
        help_text="If more than one, the samples are numbered and the last one is returned.",
    )
    reservation = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Id of one of your bookings, to which the samples are added.",
    )


class SampleStepBody(Shape):
    """A new state of a sample. Each state says who may record it (docs/samples.md)."""

    state = Choice(SampleItem.State.choices)
    place = Text(200, default="", allow_blank=True, help_text="Default: the facility of the booking.")
    note = Text(
        500, default="", allow_blank=True, help_text="Required if the sample is refused, discarded or lost."
    )
    carrier = Text(80, default="", allow_blank=True)
    tracking = Text(80, default="", allow_blank=True)
    condition = Choice(SampleStep.Condition.choices, default="", allow_blank=True)


class SampleStepsBody(SampleStepBody):
    """A step of several samples; it is recorded for all of them or none."""

    samples = ListOf(child=serializers.UUIDField(), max_length=MOST_AT_ONCE, min_length=1)


class SampleBookingBody(Shape):
    reservation = serializers.UUIDField()


class SampleStepShape(serializers.Serializer[Any]):
    state = serializers.ChoiceField(SampleItem.State.choices)
    at = Instant()
    by = PersonShape(allow_null=True)
    place = serializers.CharField()
    note = serializers.CharField()
    carrier = serializers.CharField()
    tracking = serializers.CharField()
    condition = serializers.CharField()


class SampleBookingShape(serializers.Serializer[Any]):
    """A booking that a sample is for. refused_hazards: the sample's hazards that its instrument does not
    accept."""

    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    start = Instant(source="reservation.start_at")
    refused_hazards = serializers.ListField(child=serializers.CharField())


class SafetySheetShape(StoredFileShape):
    """A safety data sheet; `files` has its address in the API."""

    address = "api-sample-sheet-file"


class SampleItemShape(ReferencedShape):
    """A thing to be measured, with every step it went through."""

    id = serializers.UUIDField()
    code = serializers.CharField(
        help_text="The code on the label: eight characters, of which the last is a check character."
    )
    name = serializers.CharField()
    user = PersonShape()
    organisation = serializers.CharField(source="organisation.code")
    description = serializers.CharField()
    amount = serializers.CharField()
    hazards = serializers.ListField(child=serializers.CharField())
    storage = serializers.CharField()
    sheet = SafetySheetShape(allow_null=True)
    afterwards = serializers.ChoiceField(SampleItem.Afterwards.choices)
    state = serializers.ChoiceField(SampleItem.State.choices)
    bookings = SampleBookingShape(many=True, source="booked")
    steps = SampleStepShape(many=True, source="steps.all")
    created_at = Instant()
    changed_at = Instant()
    version = serializers.IntegerField()
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class SampleItemsShape(serializers.Serializer[Any]):
    results = SampleItemShape(many=True)


class LabelQuery(Query):
    samples = Text(4000, help_text="Ids of samples, separated by commas.")
    layout = Choice([(name, name) for name in LAYOUTS], default="sheet")
    start = Whole(
        min_value=1,
        max_value=SHEET.of_page,
        default=1,
        help_text="Position of the first free label on the sheet.",
    )


class SampleSheetBody(Shape):
    file = Upload(help_text="PDF up to 25 MB.")
    name = Text(250, help_text="File name shown to readers.")


class SampleResource(Resource):
    """A base for all resources of samples."""

    at, key, tag = "samples/", "item_id", "samples"
    name, many, shape = "sample", "samples", SampleItemShape
    write_scope = "book"

    def visible(self, pk: UUID) -> SampleItem:
        return selectors.sample_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        full = selectors.with_bookings(SampleItem.objects.filter(pk__in=[row.pk for row in rows]))
        full = full.select_related("user", "organisation", "sheet").prefetch_related("steps__by")
        by_id: dict[UUID, Any] = {row.pk: row for row in full}
        sides = selectors.sides_of(self.actor, rows)
        every = [by_id[row.pk] for row in rows]
        for one, row in zip(every, rows, strict=True):
            # Of the row that was chosen: what was stored since may be behind changes that are yet to come.
            one.modified = row.modified
        references_show(every, lambda row: selectors.owns(self.actor, row))
        for row in every:
            row.booked = selectors.bookings_shown(self.actor, row, sides.get(row.pk, set()))
            for one in row.booked:
                refusals = selectors.refusals_of(one.reservation.instrument, [row])
                one.refused_hazards = [refusal.numbers["hazard"] for refusal in refusals]
        return every


class Samples(SampleResource):
    @listed(_("Samples"), selectors.SAMPLES)
    def rows(self, query: dict[str, Any]) -> QuerySet[SampleItem]:
        """Return your own samples, those of your organisation for its managers, and those on bookings of an
        instrument for its managers; the newest first."""
        if "waits" in query:
            require_somewhere(self.actor, "operate-instruments")
        return selectors.samples_for(self.actor)

    @creates(
        _("Announce a sample"),
        SampleItemsNewBody,
        refuses=[403, 404, 409, 422],
        sends={
            "name": "Perovskite film B",
            "amount": "3 pieces of 1 cm²",
            "hazards": ["toxic", "environmental"],
            "storage": "dry, in the dark",
            "organisation": "wusong-tech",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Announce a sample, which gets a code. With `reservation` it joins one of your bookings; if the
        instrument does not accept one of its hazards, the request is refused (422) and nothing is
        announced."""
        organisation = data.pop("organisation", None)
        number, reservation = data.pop("number"), data.pop("reservation", None)
        given: dict[str, Any] = {name: data.pop(name) for name in ("reference", "metadata") if name in data}
        return sample_services.sample_announce(
            self.by,
            values=sample_services.SampleValues(**data),
            organisation=organisation,
            number=number,
            reservation_id=reservation,
            given=given,
        )[-1].pk

    @reads(_("A sample"))
    def detail(self, pk: UUID) -> None:
        """Return one sample as it is now, with its steps."""

    @changes(_("Change a sample"), SampleItemBody, method="put", refuses=[404, 409, 422])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Change the description of a sample. Only its owner may do this. A hazard that an instrument it is
        booked on does not accept is refused while the owner has the sample; if the sample has left the owner,
        the hazard is recorded and the host is told."""
        return sample_services.sample_change(
            self.by, sample_id=pk, values=sample_services.SampleValues(**data)
        ).pk

    @changes(
        _("Note a reference at a sample"),
        ReferenceBody,
        named="_note",
        sends={"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    )
    def note(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Note your own id of a sample and your own named texts, as its owner; hosts do not see them."""
        return sample_services.sample_note(self.by, sample_id=pk, given=data).pk

    @acts(_("Record a step of a sample"), SampleStepBody, below="steps")
    def step(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Record a step of a sample, as its owner or the staff of a host where it is booked. A step is never
        changed: another one corrects it."""
        return sample_services.samples_step(self.by, sample_ids=[pk], step=sample_services.NextStep(**data))[
            0
        ].pk

    @acts(_("Add a sample to a booking"), SampleBookingBody, versioned=False, refuses=[404, 409, 422])
    def join(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Add one of your samples to one of your bookings that is not over."""
        samples_join(self.by, reservation_id=data["reservation"], sample_ids=[pk])
        return pk

    @acts(_("Remove a sample from a booking"), SampleBookingBody, versioned=False)
    def leave(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Remove a sample from a booking, as long as its owner has it and the booking has not taken place."""
        return sample_leave(self.by, reservation_id=data["reservation"], sample_id=pk).pk

    @acts(
        _("Record a step of several samples"),
        SampleStepsBody,
        below="*steps",
        address="api-samples-steps",
        named="samples_step",
        versioned=False,
        gives=SampleItemsShape,
        refuses=[404, 409],
    )
    def steps(self, data: dict[str, Any]) -> dict[str, Any]:
        """Record the same step for up to a hundred samples, all or none."""
        rows = sample_services.samples_step(
            self.by, sample_ids=data.pop("samples"), step=sample_services.NextStep(**data)
        )
        stored = SampleItem.objects.in_bulk([row.pk for row in rows])
        return {"results": self.prepared([stored[row.pk] for row in rows])}


class SampleSheets(SampleResource):
    parser_classes = [MultiPartParser]

    @acts(
        _("Put a safety data sheet with a sample"),
        SampleSheetBody,
        below="sheet",
        named="_sheet",
        address="api-sample-sheet",
        refuses=[404],
    )
    def put_sheet(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Upload a PDF as `multipart/form-data`, in place of the one before. Only the sample's owner may do
        this; everybody who sees the sample may read it."""
        return sheet_put(self.by, sample_id=pk, file=(data["name"], data["file"])).pk

    @removes(_("Remove the safety data sheet from a sample"), below="sheet", named="_sheet_remove")
    def remove_sheet(self, pk: UUID) -> None:
        """Remove the safety data sheet from a sample. Only the sample's owner may do this."""
        sheet_remove(self.by, sample_id=pk)


class SheetFiles(Endpoint):
    only_reads, needs_person = True, True
    http_method_names = ["get", "head"]

    @operation(
        "sample_sheet_file",
        _("A safety data sheet"),
        tag="samples",
        gives=OpenApiTypes.BINARY,
        media=[PDF],
        refuses=[404],
    )
    def get(self, request: Request, file_id: UUID, size: str) -> HttpResponseBase:
        """Return a safety data sheet, always as a download. Everybody who sees its sample may read it."""
        return binary(selectors.sheet_by_id(self.actor, file_id), size)


class SampleLabels(FileEndpoint):
    @operation(
        "sample_labels",
        _("Labels of samples as PDF"),
        tag="samples",
        query=LabelQuery,
        gives=OpenApiTypes.BINARY,
        media=PDF,
        refuses=[404],
    )
    def get(self, request: Request) -> HttpResponse:
        """Return labels for samples: an A4 sheet of 24, or a 62 mm roll with one a page; in the requested
        language."""
        query = query_values(LabelQuery, request.query_params)
        ids = [as_uuid(text.strip()) for text in query["samples"].split(",") if text.strip()]
        if None in ids:
            raise invalid("samples", "not-an-id")
        labels = load_labels(self.actor, [pk for pk in ids if pk is not None])
        layout = LAYOUTS[query["layout"]]
        title = gettext("Labels of samples")
        content = label_sheet(labels, layout, start=query["start"], title=title)
        return self.file(content, PDF, "labels.pdf")
