"""Faults that people report, as far as each person may see them."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import MANAGER, OPERATOR, Actor, By
from accounts.models import User
from accounts.selectors.memberships import holders_of, in_scope, place_of
from accounts.selectors.rows import visible
from bookings.record.models import UsageSession
from bookings.record.selectors.lists import CHOICE, FLAG, Column, Filter, Listing, amount_of
from bookings.usage.models import FaultNote, FaultReport
from instruments.register.models import Instrument

WITH = (
    "instrument__facility", "instrument__organisation__region", "instrument__region", "closure", "assignee",
)  # fmt: skip
HOST = "instrument__organisation"
NOTES = Prefetch(
    "notes", FaultNote.objects.select_related("user", "kiosk").order_by("created_at", "id"), to_attr="said"
)


def may_report(actor: Actor, instrument: Instrument) -> bool:
    """Say whether the actor, who sees the instrument, may report a fault of it: those who may book, for
    themselves or others; its managers; and those who have used it. One statement at most."""
    if actor.user_id is None:
        return False
    books = actor.organisations_where("book") or actor.organisations_where("book-for-members")
    if books or actor.may("operate-instruments", place_of(instrument.organisation, instrument)):
        return True
    used = UsageSession.objects.filter(instrument=instrument, reservation__user_id=actor.user_id)
    return used.exists()


def faults_for(actor: Actor) -> QuerySet[FaultReport]:
    """Return the reports that the actor wrote in, those at hosts whose bookings they may read, and those of
    instruments that they operate; the newest first."""
    own = FaultNote.objects.filter(fault=OuterRef("pk"), user=actor.person)
    seen = Q(Exists(own))
    for capability in ("read-bookings", "operate-instruments"):
        seen |= in_scope(actor.scope_where(capability), HOST)
    if regions := list(actor.regions_where("read-bookings")):
        seen |= Q(instrument__region__lineage__overlap=regions)
    rows = FaultReport.objects.filter(seen).select_related(*WITH)
    return rows.order_by("-created_at", "-id")


def faults_to_repair(actor: Actor, now: datetime) -> QuerySet[FaultReport]:
    """Return the confirmed reports that are assigned to the actor, the oldest first."""
    rows = FaultReport.objects.filter(state=FaultReport.State.CONFIRMED, assignee=actor.person)
    reach = in_scope(actor.scope_where("operate-instruments"), HOST)
    return rows.filter(reach).select_related(*WITH).order_by("created_at", "id")


def faults_to_decide(actor: Actor, now: datetime) -> QuerySet[FaultReport]:
    """Return the open reports of instruments the actor operates, the oldest first."""
    reach = in_scope(actor.scope_where("operate-instruments"), HOST)
    return (
        FaultReport.objects.filter(reach, state=FaultReport.State.OPEN)
        .select_related(*WITH)
        .order_by("created_at", "id")
    )


def fault_by_id(actor: Actor, fault_id: UUID) -> FaultReport:
    """Return a fault report; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(faults_for(actor).prefetch_related(NOTES), pk=fault_id)


def note_by_id(actor: Actor, note_id: UUID) -> FaultNote:
    """Return a note with a photo in a report that the actor may see; raise `NotFound` otherwise."""
    rows = FaultNote.objects.filter(fault__in=faults_for(actor).values("pk"), has_photo=True)
    return visible(rows, pk=note_id)


def standing_faults(instrument_id: UUID, now: datetime) -> tuple[FaultReport | None, list[FaultReport]]:
    """Return the open report of an instrument with all notes, if there is one, and its known issues: the
    reports that are confirmed and not repaired, the newest first, each with whether it closes the instrument
    now, as `is_closing`. Two statements at most."""
    rows = FaultReport.objects.filter(
        instrument=instrument_id, state__in=(FaultReport.State.OPEN, FaultReport.State.CONFIRMED)
    )
    found = list(rows.select_related("closure").order_by("-created_at", "-id"))
    known = [row for row in found if row.state == FaultReport.State.CONFIRMED]
    for row in known:
        row.is_closing = row.closes_at(now)  # type: ignore[attr-defined]
    is_open = [row for row in found if row.state == FaultReport.State.OPEN]
    prefetch_related_objects(is_open, NOTES)
    return next(iter(is_open), None), known


def hours_down(fault: FaultReport, now: datetime) -> Decimal | None:
    """Return the hours, to a tenth, for which the instrument has been closed for a fault; None if it was
    not."""
    span = fault.down(now)
    return None if span is None else round(Decimal(span / timedelta(hours=1)), 1)


def repairers_of(fault: FaultReport) -> QuerySet[User]:
    """Return the people to whom a fault may be assigned: those who manage or operate the instrument."""
    row = fault.instrument
    return holders_of(MANAGER, row.organisation_id, row) | holders_of(OPERATOR, row.organisation_id, row)


def reporters_of(fault: FaultReport) -> list[User]:
    """Return the people who wrote in a fault report."""
    notes = FaultNote.objects.filter(fault=fault)
    return list(User.objects.filter(pk__in=notes.values("user"), is_active=True).order_by("pk"))


def is_of_host(fault: FaultReport, by: By) -> bool:
    """Return whether the reader may see who sees to a fault: the host's people."""
    place = place_of(fault.instrument.organisation, fault.instrument)
    return by.actor.may("read-bookings", place) or by.actor.may("operate-instruments", place)


def knows_cost(fault: FaultReport, by: By) -> bool:
    """Return whether the reader may see what a repair cost: the host's people, but not who only operates the
    instrument."""
    return by.actor.may("read-bookings", place_of(fault.instrument.organisation, fault.instrument))


_cost = amount_of("cost")


FAULTS = Listing(
    "faults",
    lambda actor: faults_for(actor).prefetch_related(NOTES),
    (
        Column("fault", "pk"),
        Column("instrument", "instrument.name", _("Instrument"), "instrument__name"),
        Column("facility", "instrument.facility.name"),
        Column("severity", "severity"),
        Column("state", "state", _("State"), "state"),
        Column("reported", "created_at", _("Fault"), "created_at"),
        Column("notes", lambda row, by: "; ".join(note.text for note in row.said if note.text)),
        Column("assignee", lambda row, by: row.assignee if is_of_host(row, by) else None),
        Column("repaired", "repaired_at"),
        Column("repair", "repair"),
        Column("cost", lambda row, by: _cost(row, by) if knows_cost(row, by) else None),
        Column("currency", lambda row, by: row.currency if knows_cost(row, by) else ""),
        Column("down_hours", lambda row, by: hours_down(row, by.now)),
    ),
    waits={
        "faults": lambda actor, now: faults_to_decide(actor, now).prefetch_related(NOTES),
        "repairs": lambda actor, now: faults_to_repair(actor, now).prefetch_related(NOTES),
    },
    waits_help="Only faults that you have to decide, or that are assigned to you and not repaired.",
    words=(
        "instrument__name", "instrument__name_zh", "instrument__facility__name",
        "instrument__facility__name_zh", "repair",
    ),
    q_help="Part of the name of the instrument or facility, or of the repair.",
    day="created_at",
    filters=(
        Filter("state", "state", CHOICE, label=_("State"), choices=FaultReport.State.choices),
        Filter(
            "mine", lambda rows, value, by: rows.filter(assignee=by.actor.person), FLAG,
            label=_("Assigned to me"),
        ),
    ),
)  # fmt: skip
