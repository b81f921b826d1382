"""Messages about faults that people report."""

from datetime import datetime
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage
from accounts.selectors.memberships import managers_or_administrators, staff_of
from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import WITH, repairers_of, reporters_of


def _content(fault: FaultReport, row: OutboxMessage, now: datetime) -> Content:
    notes = list(fault.notes.select_related("user", "kiosk").order_by("created_at", "id"))
    return Content(
        fault.pk,
        reverse("bookings:fault", args=[fault.pk]),
        {"instrument": fault.instrument, "severity": fault.get_severity_display()},
        {"fault": fault, "notes": notes},
        zone=fault.instrument.facility.time_zone,
        days=[fault.created_at],
    )


def _assignee(fault: FaultReport) -> Any:
    return repairers_of(fault).filter(pk=fault.assignee_id) if fault.assignee_id else ()


def _staff(fault: FaultReport) -> Any:
    """Return who manages or operates the instrument, or else the administrators."""
    host = fault.instrument.organisation_id
    return staff_of(host, fault.instrument) or managers_or_administrators(host)


_fault = partial(
    Kind,
    load=row_of(FaultReport.objects.select_related(*WITH), "fault"),
    content=_content,
    template="bookings/usage/mail/fault",
)
KINDS = table(
    _fault(
        "fault.reported",
        _("Fault reported: {instrument}"),
        _("Somebody reports a fault of {instrument}. Nothing is closed until you confirm it."),
        "request",
        readers=_staff,
        is_still_true=in_state("open"),
    ),
    _fault(
        "fault.worse",
        _("Not usable any more: {instrument}"),
        _("Somebody says that {instrument} cannot be used. Nothing is closed until you confirm it."),
        "request",
        readers=_staff,
        is_still_true=in_state("open"),
    ),
    _fault(
        "fault.confirmed",
        _("Fault confirmed: {instrument}"),
        _("The owner has confirmed the fault of {instrument} that you reported. Thank you."),
        "decision",
        readers=reporters_of,
    ),
    _fault(
        "fault.assigned",
        _("A fault for you to see to: {instrument}"),
        _("A fault of {instrument} has been assigned to you."),
        "request",
        readers=_assignee,
        is_still_true=in_state("open", "confirmed"),
    ),
    _fault(
        "fault.repaired",
        _("Repaired: {instrument}"),
        _("The fault of {instrument} that you reported has been repaired."),
        "decision",
        readers=reporters_of,
    ),
    _fault(
        "fault.dismissed",
        _("No fault: {instrument}"),
        _("The owner has checked {instrument} and found that what you reported is not a fault."),
        "decision",
        readers=reporters_of,
    ),
)
