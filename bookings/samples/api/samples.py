"""Sample items."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, ListOf, Query, Shape, Text, Whole, query_values
from accounts.domain.errors import invalid
from accounts.permissions import require_somewhere
from accounts.selectors.rows import as_uuid
from bookings.record.adapters.labels import LAYOUTS, SHEET, label_sheet
from bookings.record.api.files import PDF, FileEndpoint
from bookings.samples.domain.samples import MOST_AT_ONCE, code_in
from bookings.samples.models import SampleItem, SampleStep
from bookings.samples.selectors import samples as selectors
from bookings.samples.selectors.labels import load_labels
from bookings.samples.services.joining import sample_leave, samples_join
from bookings.samples.services.samples import (
    SampleValues,
    Step,
    sample_announce,
    sample_change,
    samples_step,
)
from instruments.messages import HAZARD_LABELS

WAITS = {
    "due": selectors.due,
    "arriving": selectors.arriving,
    "here": selectors.here,
    "return": selectors.to_return,
}
Hazards = ListOf(
    child=Choice(list(HAZARD_LABELS.items())),
    default=list,
    help_text="Classes: the nine pictograms of the GHS, then what these do not say.",
)


class SampleItemBody(Shape):
    """What is said of a sample."""

    name = Text(120, help_text="As on the vessel.")
    description = Text(2000, default="", allow_blank=True)
    amount = Text(60, default="", allow_blank=True)
    hazards = Hazards
    storage = Text(200, default="", allow_blank=True)
    afterwards = Choice(SampleItem.Afterwards.choices, default="return")


class SampleItemsNewBody(SampleItemBody):
    """Whose it is, how many there are of a kind, and for which booking."""

    organisation = Text(
        40, required=False, help_text="Whose it is: a code. Your only one, unless named."
    )
    number = Whole(
        min_value=1,
        max_value=MOST_AT_ONCE,
        default=1,
        help_text="More than one: they are numbered, and the answer is the last.",
    )
    reservation = serializers.UUIDField(
        required=False, allow_null=True, help_text="A booking of one's own that they join."
    )


class SampleStepBody(Shape):
    """What a sample has become. Each state says whose step it is (docs/samples.md)."""

    state = Choice(SampleItem.State.choices)
    place = Text(200, default="", allow_blank=True, help_text="Empty: the booking's facility.")
    note = Text(500, default="", allow_blank=True, help_text="Needed: refused, discarded, lost.")
    carrier = Text(80, default="", allow_blank=True)
    tracking = Text(80, default="", allow_blank=True)
    condition = Choice(SampleStep.Condition.choices, default="", allow_blank=True)


class SampleStepsBody(SampleStepBody):
    """The same of several: all or none."""

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
    """A booking that a sample is for. refused_hazards: what its instrument does not accept."""

    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    start = Instant(source="reservation.start_at")
    refused_hazards = serializers.ListField(child=serializers.CharField())


class SampleItemShape(serializers.Serializer[Any]):
    """A thing to be measured, with each step it went."""

    id = serializers.UUIDField()
    code = serializers.CharField(help_text="Eight characters, the last a check: on its label.")
    name = serializers.CharField()
    user = PersonShape()
    organisation = serializers.CharField(source="organisation.code")
    description = serializers.CharField()
    amount = serializers.CharField()
    hazards = serializers.ListField(child=serializers.CharField())
    storage = serializers.CharField()
    afterwards = serializers.ChoiceField(SampleItem.Afterwards.choices)
    state = serializers.ChoiceField(SampleItem.State.choices)
    bookings = SampleBookingShape(many=True, source="booked")
    steps = SampleStepShape(many=True, source="steps.all")
    created_at = Instant()
    changed_at = Instant()
    version = serializers.IntegerField()


class SampleItemsShape(serializers.Serializer[Any]):
    results = SampleItemShape(many=True)


class SampleQuery(Pages):
    code = Text(200, default="", help_text="This one alone.")
    state = Choice(SampleItem.State.choices, required=False)
    reservation = serializers.UUIDField(required=False)
    waits = Choice(
        [(name, name) for name in WAITS],
        required=False,
        help_text="For managers: of their instruments, what is due within a week, is announced or "
        "on the way, is here, is to go back.",
    )
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False)


class LabelQuery(Query):
    samples = Text(4000, help_text="Ids, separated by commas.")
    layout = Choice([(name, name) for name in LAYOUTS], default="sheet")
    start = Whole(
        min_value=1, max_value=SHEET.of_page, default=1, help_text="The first free place."
    )


class Samples(Resource):
    at, key, tag = "samples/", "item_id", "samples"
    name, many, shape = "sample", "samples", SampleItemShape
    write_scope = "book"

    def visible(self, pk: UUID) -> SampleItem:
        return selectors.sample_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        full = selectors.with_bookings(SampleItem.objects.filter(pk__in=[row.pk for row in rows]))
        full = full.select_related("user", "organisation").prefetch_related("steps__by")
        by_id = {row.pk: row for row in full}
        sides = selectors.sides_of(self.actor, rows)
        every: list[Any] = [by_id[row.pk] for row in rows]
        for row in every:
            row.booked = selectors.bookings_shown(self.actor, row, sides.get(row.pk, set()))
            for one in row.booked:
                refusals = selectors.refusals_of(one.reservation.instrument, [row])
                one.refused_hazards = [refusal.numbers["hazard"] for refusal in refusals]
        return every

    @lists(_("Samples"), SampleQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[SampleItem]:
        """One's own, those of one's organisation for its managers, and for managers those on
        bookings of their instruments; the newest first."""
        rows = selectors.samples_for(self.actor)
        if "waits" in query:
            require_somewhere(self.actor, "manage-instruments")
            rows = WAITS[query["waits"]](self.actor, self.now)
        if query["code"]:
            rows = rows.filter(code=code_in(query["code"]))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if "reservation" in query:
            rows = rows.filter(bookings__reservation=query["reservation"])
        return selectors.on_instrument(rows, query.get("facility"), query.get("instrument"))

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
        """It gets a code. With `reservation` it joins a booking of one's own; a class of hazard
        that the instrument does not accept refuses that (422), and nothing is announced."""
        organisation = data.pop("organisation", None)
        number, reservation = data.pop("number"), data.pop("reservation", None)
        return sample_announce(
            self.by,
            values=SampleValues(**data),
            organisation=organisation,
            number=number,
            reservation_id=reservation,
        )[-1].pk

    @reads(_("A sample"))
    def detail(self, pk: UUID) -> None:
        """As it is now, with its steps."""

    @changes(_("Change a sample"), SampleItemBody, method="put", refuses=[404, 409, 422])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For its owner. A hazard that an instrument it is booked on does not accept is refused
        while the sample lies with its owner; of one that has left the host is told instead."""
        return sample_change(self.by, sample_id=pk, values=SampleValues(**data)).pk

    @acts(_("Record a step of a sample"), SampleStepBody, below="steps")
    def step(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For its owner, or the staff of a host that it is booked at. A step is never changed:
        another corrects it."""
        return samples_step(self.by, sample_ids=[pk], step=Step(**data))[0].pk

    @acts(
        _("Join a sample to a booking"), SampleBookingBody, versioned=False, refuses=[404, 409, 422]
    )
    def join(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Both one's own, and the booking not over."""
        samples_join(self.by, reservation_id=data["reservation"], sample_ids=[pk])
        return pk

    @acts(_("Take a sample off a booking"), SampleBookingBody, versioned=False)
    def leave(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """While it lies with its owner, and the booking has not taken place."""
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
        """The same step of each, all or none, up to a hundred."""
        rows = samples_step(self.by, sample_ids=data.pop("samples"), step=Step(**data))
        return {"results": self.prepared(list(rows))}


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
        """An A4 sheet of 24 labels, or a 62 mm roll, one a page; in the language asked for."""
        query = query_values(LabelQuery, request.query_params)
        ids = [as_uuid(text.strip()) for text in query["samples"].split(",") if text.strip()]
        if None in ids:
            raise invalid("samples", "not-an-id")
        labels = load_labels(self.actor, [pk for pk in ids if pk is not None])
        layout = LAYOUTS[query["layout"]]
        title = gettext("Labels of samples")
        content = label_sheet(labels, layout, start=query["start"], title=title)
        return self.file(content, PDF, "labels.pdf")
