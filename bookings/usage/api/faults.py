"""Faults that people report."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.resource import OnPage, Resource, acts, creates, reads
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Money, ReasonBody, Shape, Text, Whole
from bookings.record.api.lists import listed
from bookings.usage.forms.faults import FaultAssignBody, FaultRepairBody, RepairForm
from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import FAULTS, NOTES, fault_by_id, faults_for, is_of_host, knows_cost
from bookings.usage.services.closures import Outage
from bookings.usage.services.faults import (
    fault_assign,
    fault_confirm,
    fault_dismiss,
    fault_repair,
    fault_report,
)
from instruments.register.selectors.registry import instrument_by_id


class FaultNoteShape(serializers.Serializer[Any]):
    """One person's note in a report. `user` is null for those who may not know who wrote it, and for a note
    written at a kiosk, whose name is `kiosk`."""

    text = serializers.CharField()
    severity = serializers.ChoiceField(FaultReport.Severity.choices)
    has_photo = serializers.BooleanField()
    created_at = Instant()
    user = PersonShape(allow_null=True, source="told")
    kiosk = serializers.CharField(source="at_kiosk", allow_null=True)


class FaultShape(serializers.Serializer[Any]):
    """A report of a fault. Its severity is the worst that anybody stated. `closure`: the closure made by
    confirming it; null if it was only noted. `down_minutes`: how long the instrument has been closed for it
    so far. `assignee` and `cost` are null for everybody but the host."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    severity = serializers.ChoiceField(FaultReport.Severity.choices)
    state = serializers.ChoiceField(FaultReport.State.choices)
    notes = FaultNoteShape(many=True, source="said")
    created_at = Instant()
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField()
    closure = serializers.UUIDField(allow_null=True, source="closure_id")
    assignee = PersonShape(allow_null=True, source="sees_to_it")
    repaired_at = Instant(allow_null=True)
    repair = serializers.CharField()
    cost = Money(allow_null=True, source="paid")
    down_minutes = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()


class FaultBody(Shape):
    severity = Choice(FaultReport.Severity.choices)
    text = Text(1000, default="", allow_blank=True, help_text="May be empty if the report joins an open one.")


class FaultConfirmBody(Shape):
    start = Instant(
        required=False,
        allow_null=True,
        help_text="Start of the breakdown closure. Null: the fault is only noted.",
    )
    end = Instant(allow_null=True, required=False, help_text="Null if the end is not known yet.")
    units = ListOf(
        child=Whole(min_value=1, max_value=500),
        max_length=500,
        required=False,
        help_text="Numbers of the closed units; default: all.",
    )
    reason = Text(500, default="", allow_blank=True)
    displace = Flag(default=False, help_text="Displace existing bookings, as when you close the instrument.")


class FaultResource(Resource):
    """A base for all resources of faults."""

    at, key, name, many, tag = "faults/", "fault_id", "fault", "faults", "closures"
    shape, needs_person = FaultShape, True

    def visible(self, pk: UUID) -> FaultReport:
        return fault_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            knows = is_of_host(row, self.by)
            row.sees_to_it = row.assignee if knows else None
            row.paid = row.cost if knows_cost(row, self.by) else None
            down = row.down(self.now)
            row.down_minutes = None if down is None else down // timedelta(minutes=1)
            for note in row.said:
                is_own = note.user_id == self.actor.user_id
                note.told = note.user if knows or is_own else None
                note.at_kiosk = note.kiosk.name if note.kiosk else None
        return rows


class Faults(FaultResource):
    @listed(_("Fault reports"), FAULTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[FaultReport]:
        """Return the reports you wrote in, and those on instruments whose bookings you may read; the newest
        first."""
        return faults_for(self.actor).prefetch_related(NOTES)

    @reads(_("A fault report"))
    def detail(self, pk: UUID) -> None:
        """Return a report. Those who wrote in it, and the host, may read it."""

    @acts(
        _("Confirm a fault"),
        FaultConfirmBody,
        refuses=[404, 409, 422],
        sends={"start": "2026-03-09T08:00:00+08:00", "reason": "The vacuum does not hold."},
    )
    def confirm(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Confirm a report. Only the host's managers may do this. With `start` the instrument is closed for
        the breakdown as any closure would (409 lists the bookings in the way); without it, the fault is only
        noted. Everybody who reported it is told."""
        displace, units = data.pop("displace"), tuple(sorted(set(data.pop("units", []))))
        start, end = data.pop("start", None), data.pop("end", None)
        reason = data["reason"]
        outage = Outage("breakdown", start, end, units, reason) if start else None
        fault_confirm(self.by, fault_id=pk, outage=outage, displace=displace, reason=reason)
        return pk

    @OnPage("bookings:fault", done=_("Saved."), form=None)
    @acts(_("Assign a fault"), FaultAssignBody, refuses=[403, 404, 409], sends={"person": None})
    def assign(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Name the manager who sees to a fault. Only the host's managers may do this."""
        return fault_assign(self.by, fault_id=pk, person=data.get("person")).pk

    @OnPage(
        "bookings:fault",
        done=_("Repaired. Those who reported it are notified."),
        form=RepairForm,
        name="repair_form",
    )
    @acts(
        _("State that a fault is repaired"),
        FaultRepairBody,
        refuses=[403, 404, 409, 422],
        sends={"repair": "The gasket was replaced.", "cost": "860.00"},
    )
    def repair(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """State that a confirmed fault is repaired. Only the host's managers may do this. A closure made for
        it ends now; everybody who reported it is told."""
        return fault_repair(self.by, fault_id=pk, **data).pk

    @acts(_("Dismiss a fault"), ReasonBody)
    def dismiss(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Dismiss a report, with a reason that everybody who reported it is told. Only the host's managers
        may do this."""
        fault_dismiss(self.by, fault_id=pk, reason=data["reason"])
        return pk


class InstrumentFaults(FaultResource):
    at = "instruments/<uuid:instrument_id>/faults/"
    many = "instrument_faults"
    write_scope = "book"

    @listed(_("Fault reports of an instrument"), FAULTS, refuses=[404])
    def rows(self, instrument_id: UUID, query: dict[str, Any]) -> QuerySet[FaultReport]:
        """Return the reports on an instrument that you may read, the newest first."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return faults_for(self.actor).filter(instrument=instrument).prefetch_related(NOTES)

    @creates(
        _("Report a fault"),
        FaultBody,
        refuses=[404, 409, 422],
        sends={"severity": "usable", "text": "The stage drifts."},
    )
    def create(self, instrument_id: UUID, data: dict[str, Any]) -> UUID:
        """Report a fault. Everybody who may book the instrument, manages it or has used it may do this. It
        closes nothing and waives no fee. While a report is open, further ones join it. A photo can be added
        on the page."""
        return fault_report(self.by, instrument_id=instrument_id, **data).pk
