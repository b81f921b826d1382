"""Faults that people report."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.resource import Resource, acts, creates, lists, reads
from accounts.api.shapes import Choice, Flag, Instant, ListOf, ReasonBody, Shape, Text, Whole
from accounts.selectors.memberships import place_of
from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import NOTES, fault_by_id, faults_for
from bookings.usage.services.closures import Outage
from bookings.usage.services.faults import fault_confirm, fault_dismiss, fault_report
from instruments.selectors.registry import instrument_by_id


class FaultNoteShape(serializers.Serializer[Any]):
    """What one person says. `user` is null for those who may not know whose words they are."""

    text = serializers.CharField()
    severity = serializers.ChoiceField(FaultReport.Severity.choices)
    has_photo = serializers.BooleanField()
    created_at = Instant()
    user = PersonShape(allow_null=True, source="told")


class FaultShape(serializers.Serializer[Any]):
    """The worst that anybody says of it is its severity. `closure`: what confirming it made; null
    where it was only noted."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    severity = serializers.ChoiceField(FaultReport.Severity.choices)
    state = serializers.ChoiceField(FaultReport.State.choices)
    notes = FaultNoteShape(many=True, source="said")
    created_at = Instant()
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField()
    closure = serializers.UUIDField(allow_null=True, source="closure_id")
    version = serializers.IntegerField()


class FaultBody(Shape):
    severity = Choice(FaultReport.Severity.choices)
    text = Text(
        1000,
        default="",
        allow_blank=True,
        help_text="May be empty where it joins a report that is open.",
    )


class FaultConfirmBody(Shape):
    start = Instant(
        required=False,
        allow_null=True,
        help_text="From when it is closed for the breakdown; null: it is only noted.",
    )
    end = Instant(allow_null=True, required=False, help_text="Null while it is not known.")
    units = ListOf(
        child=Whole(min_value=1, max_value=500),
        max_length=500,
        required=False,
        help_text="Default: all.",
    )
    reason = Text(500, default="", allow_blank=True)
    displace = Flag(default=False, help_text="As when closing.")


class FaultResource(Resource):
    """What the addresses of faults share."""

    at, key, name, many, tag = "faults/", "fault_id", "fault", "faults", "closures"
    shape, needs_person = FaultShape, True

    def visible(self, pk: UUID) -> FaultReport:
        return fault_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            knows = self.actor.may("read-bookings", place_of(row.instrument.organisation))
            for note in row.said:
                is_own = note.user_id == self.actor.user_id
                note.told = note.user if knows or is_own else None
        return rows


class Faults(FaultResource):
    @lists(_("Fault reports"))
    def rows(self, query: dict[str, Any]) -> QuerySet[FaultReport]:
        """Those you wrote in, and those of instruments whose bookings you may read; the newest
        first."""
        return faults_for(self.actor).prefetch_related(NOTES)

    @reads(_("One fault report"))
    def detail(self, pk: UUID) -> None:
        """For those who wrote in it, and the host."""

    @acts(
        _("Confirm a fault"),
        FaultConfirmBody,
        refuses=[404, 409, 422],
        sends={"start": "2026-03-09T08:00:00+08:00", "reason": "The vacuum does not hold."},
    )
    def confirm(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For the host's managers. With `start` the instrument is closed for the breakdown, as
        closing does it (409 lists the bookings in the way); without, it is only noted. Everybody
        who reported it is told."""
        self.visible(pk)
        displace, units = data.pop("displace"), tuple(sorted(set(data.pop("units", []))))
        start, end = data.pop("start", None), data.pop("end", None)
        reason = data["reason"]
        outage = Outage("breakdown", start, end, units, reason) if start else None
        fault_confirm(self.by, fault_id=pk, outage=outage, displace=displace, reason=reason)
        return pk

    @acts(_("Dismiss a fault"), ReasonBody)
    def dismiss(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For the host's managers, with a reason, which everybody who reported it is told."""
        self.visible(pk)
        fault_dismiss(self.by, fault_id=pk, reason=data["reason"])
        return pk


class InstrumentFaults(FaultResource):
    at = "instruments/<uuid:instrument_id>/faults/"
    many = "instrument_faults"
    write_scope = "book"

    @lists(_("Fault reports of an instrument"), refuses=[404])
    def rows(self, instrument_id: UUID, query: dict[str, Any]) -> QuerySet[FaultReport]:
        """Those you may read, the newest first."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return faults_for(self.actor).filter(instrument=instrument).prefetch_related(NOTES)

    @creates(
        _("Report a fault"),
        FaultBody,
        refuses=[404, 409, 422],
        sends={"severity": "usable", "text": "The stage drifts."},
    )
    def create(self, instrument_id: UUID, data: dict[str, Any]) -> UUID:
        """For whoever may book, manages the instrument or has used it. It closes nothing and frees
        nobody's fee. While a report is open it joins that. A photo is added on the page."""
        instrument_by_id(self.actor, instrument_id)
        return fault_report(self.by, instrument_id=instrument_id, **data).pk
