"""What the records that the trail speaks of are called."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, LPad, NullIf

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import (
    ApiToken,
    Invitation,
    JobFailure,
    JoinRequest,
    Membership,
    MessageSettings,
    Organisation,
    OrganisationRequest,
    OutboxMessage,
    Region,
    RoleGrant,
    User,
)
from bookings.audit.models import AuditException, AuditFinding, AuditSample
from bookings.audit.selectors.audit import exceptions_for, findings_for, samples_for
from bookings.availability.models import Closure, KeptHours
from bookings.board.models import Bid, Enquiry, IdleAlarm
from bookings.board.selectors.alarms import alarms_for
from bookings.browsing.models import SavedSearch
from bookings.catalogue.models import BusyCalendar
from bookings.conversation.models import Thread
from bookings.funding.models import FundingSource
from bookings.funding.selectors.funding_sources import sources_for
from bookings.funding.selectors.programmes import grants_for, programmes_for
from bookings.messaging.models import CalendarFeed, WebhookEndpoint
from bookings.needs.models import Batch, BatchPlace, Need
from bookings.planning.models import PlannedPurchase
from bookings.plans.models import BookingImport, WaitingWish
from bookings.plans.selectors.chains import chain_for
from bookings.pricing.models import (
    Agreement,
    Charge,
    ClosedMonth,
    ExchangeRate,
    VoucherGrant,
    VoucherProgramme,
)
from bookings.pricing.selectors.agreements import agreements_for
from bookings.pricing.selectors.charges import charges_for
from bookings.questions.models import AnswerSheet, MaintenanceCounter, Meter, Questionnaire
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.models import Chain
from bookings.results.models import CollectLink, HandOff
from bookings.results.selectors.handoffs import hand_offs_for
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from bookings.samples.models import SampleItem
from bookings.series.models import Series
from bookings.series.selectors.series import series_for
from bookings.settlement.models import Settlement, Statement
from bookings.settlement.selectors.settlements import settlements_for
from bookings.settlement.selectors.statements import statements_for
from bookings.statistics.models import HoursExport
from bookings.usage.models import CheckInCode, FaultReport, Kiosk
from bookings.usage.selectors.faults import faults_for
from instruments.models import (
    Course,
    CourseSession,
    DuplicateVerdict,
    Enrolment,
    Facility,
    Harvest,
    HouseRules,
    Import,
    ImportMapping,
    Instrument,
    Measurand,
    Parameter,
    Qualification,
    Technique,
)
from instruments.selectors.registry import instruments_for


@dataclass(frozen=True)
class Called:
    """A record's own name, also in Chinese where it has one, and the moment it is about."""

    name: str
    name_zh: str
    at: datetime | None


def _text(expression: Any) -> Any:
    return Cast(expression, TextField())


def _joined(*parts: Any) -> Any:
    return Concat(*(_text(part) for part in parts), output_field=TextField())


def _person(path: str = "") -> Any:
    return Coalesce(NullIf(_text(f"{path}name"), Value("")), _text(f"{path}email"))


_DOT = Value(" · ")
_TO = Value(" → ")

# By kind of record: the model, its name, its Chinese name and what moment it is about. Names of
# people who were forgotten are no longer in their rows, and so not here.
NAMES: dict[str, tuple[type[Model], Any, Any, str | None]] = {
    # People and places
    "user": (User, _person(), None, None),
    "region": (Region, "name", "name_zh", None),
    "organisation": (Organisation, "name", "name_zh", None),
    "membership": (
        Membership,
        _joined(_person("user__"), _DOT, "organisation__name"),
        _joined(_person("user__"), _DOT, "organisation__name_zh"),
        None,
    ),
    "rolegrant": (RoleGrant, _person("user__"), None, None),
    "joinrequest": (
        JoinRequest,
        _joined(_person("user__"), _DOT, "organisation__name"),
        _joined(_person("user__"), _DOT, "organisation__name_zh"),
        None,
    ),
    "organisationrequest": (OrganisationRequest, "name", "name_zh", None),
    "invitation": (Invitation, "organisation__name", "organisation__name_zh", None),
    "apitoken": (ApiToken, "label", None, None),
    "messagesettings": (MessageSettings, _person("user__"), None, None),
    "outboxmessage": (OutboxMessage, "kind", None, None),
    "jobfailure": (JobFailure, "job", None, None),
    # What is offered
    "instrument": (Instrument, "name", "name_zh", None),
    "facility": (Facility, "name", "name_zh", None),
    "technique": (Technique, "name", "name_zh", None),
    "measurand": (Measurand, "name", "name_zh", None),
    "parameter": (Parameter, "name", "name_zh", None),
    "qualification": (Qualification, _person("user__"), None, None),
    "course": (Course, "name", "name_zh", None),
    "coursesession": (CourseSession, "course__name", "course__name_zh", "start_at"),
    "enrolment": (Enrolment, "session__course__name", "session__course__name_zh",
                  "session__start_at"),
    "import": (Import, "file_name", None, None),
    "importmapping": (ImportMapping, "name", None, None),
    "harvest": (Harvest, "name", None, None),
    "duplicateverdict": (
        DuplicateVerdict, _joined("first__name", _DOT, "second__name"),
        _joined("first__name_zh", _DOT, "second__name_zh"), None,
    ),
    "houserules": (
        HouseRules,
        _joined(Coalesce("instrument__name", "facility__name"), _DOT, "version"),
        _joined(Coalesce("instrument__name_zh", "facility__name_zh"), _DOT, "version"),
        None,
    ),
    "questionnaire": (Questionnaire, "instrument__name", "instrument__name_zh", None),
    "meter": (Meter, "name", "name_zh", None),
    "maintenancecounter": (MaintenanceCounter, "name", "name_zh", None),
    # What happens
    "answersheet": (
        AnswerSheet, "reservation__instrument__name", "reservation__instrument__name_zh",
        "reservation__start_at",
    ),
    "reservation": (Reservation, "instrument__name", "instrument__name_zh", "start_at"),
    "kepthours": (KeptHours, "instrument__name", "instrument__name_zh", "start_at"),
    "series": (Series, "instrument__name", "instrument__name_zh", None),
    "chain": (Chain, "organisation__name", "organisation__name_zh", "created_at"),
    "waitingwish": (WaitingWish, "instrument__name", "instrument__name_zh", "earliest"),
    # Not whose they are: a host that bids does not know it yet.
    "enquiry": (Enquiry, "techniques__0", None, "created_at"),
    "bid": (Bid, "instrument__name", "instrument__name_zh", "created_at"),
    "need": (Need, _person("user__"), None, "created_at"),
    "batch": (Batch, "region__name", "region__name_zh", "starts_at"),
    "batchplace": (BatchPlace, "instrument__name", "instrument__name_zh", "created_at"),
    "plannedpurchase": (PlannedPurchase, "name", None, None),
    "thread": (
        Thread, Coalesce("reservation__instrument__name", "sample__name", _person("need__user__")),
        Coalesce("reservation__instrument__name_zh", Value("")),
        "created_at",
    ),
    "reviewscheme": (ReviewScheme, "name", "name_zh", None),
    "purchasecase": (PurchaseCase, "name", None, "created_at"),
    "hostpledge": (HostPledge, "instrument__name", "instrument__name_zh", "asked_at"),
    "caseexpert": (CaseExpert, "case__name", None, "asked_at"),
    "sampleitem": (SampleItem, "name", None, None),
    "handoff": (HandOff, "reservation__instrument__name", "reservation__instrument__name_zh",
                "reservation__start_at"),
    "collectlink": (CollectLink, "hand_off__reservation__instrument__name",
                    "hand_off__reservation__instrument__name_zh", "created_at"),
    "closure": (Closure, "instrument__name", "instrument__name_zh", "start_at"),
    "idlealarm": (IdleAlarm, "instrument__name", "instrument__name_zh", "raised_at"),
    "faultreport": (FaultReport, "instrument__name", "instrument__name_zh", "created_at"),
    "kiosk": (Kiosk, "name", None, None),
    "checkincode": (CheckInCode, "instrument__name", "instrument__name_zh", "expires_at"),
    "savedsearch": (SavedSearch, "name", None, None),
    "bookingimport": (BookingImport, "file_name", None, None),
    "calendarfeed": (CalendarFeed, "instrument__name", "instrument__name_zh", None),
    "busycalendar": (BusyCalendar, _person("user__"), None, None),
    "webhookendpoint": (WebhookEndpoint, "address", None, None),
    "hoursexport": (HoursExport, _person("user__"), None, "created_at"),
    # Money
    "charge": (Charge, "reservation__instrument__name", "reservation__instrument__name_zh",
               "reservation__start_at"),
    "fundingsource": (FundingSource, "name", None, None),
    "agreement": (Agreement, "name", "name_zh", None),
    "voucherprogramme": (VoucherProgramme, "name", "name_zh", None),
    "vouchergrant": (
        VoucherGrant,
        _joined("code", _DOT, "organisation__name"),
        _joined("code", _DOT, "organisation__name_zh"),
        None,
    ),
    "statement": (
        Statement,
        _joined(
            "host__code", Value("-"), "year", Value("-"),
            LPad(_text("number"), 4, Value("0")),
        ),
        None,
        None,
    ),
    "settlement": (
        Settlement,
        _joined("first__name", Value(" – "), "second__name"),
        _joined("first__name_zh", Value(" – "), "second__name_zh"),
        None,
    ),
    "closedmonth": (ClosedMonth, "host__name", "host__name_zh", None),
    "exchangerate": (ExchangeRate, _joined("base", _TO, "quote"), None, None),
    # The auditors' desk; the name of an exception is its rule's code
    "auditexception": (AuditException, "rule", None, "happened_at"),
    "auditfinding": (AuditFinding, "title", None, None),
    "auditsample": (AuditSample, "seed", None, "made_at"),
}  # fmt: skip


def _called(kind: str, ids: Iterable[UUID]) -> QuerySet[Any]:
    model, name, name_zh, at = NAMES[kind]
    nothing = Value("", output_field=TextField())
    never = Value(None, output_field=DateTimeField())
    columns = {
        "its_kind": Value(kind, output_field=TextField()),
        "its_name": Coalesce(_text(name), nothing),
        "its_name_zh": Coalesce(_text(name_zh), nothing) if name_zh else nothing,
        "its_moment": Cast(at or never, DateTimeField()),
    }
    rows = model._default_manager.filter(pk__in=sorted(ids)).order_by().annotate(**columns)
    named: QuerySet[Any] = rows.values_list("pk", *columns)
    return named


def called_of(records: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Called]:
    """The names of some records by kind and id; those are left out that have none, or are gone.
    One statement, whatever the kinds, none where nothing is asked."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, pk in records:
        if kind in NAMES:
            by_kind.setdefault(kind, set()).add(pk)
    if not by_kind:
        return {}
    first, *others = (_called(kind, ids) for kind, ids in sorted(by_kind.items()))
    rows = first.union(*others, all=True) if others else first
    return {(kind, pk): Called(name, name_zh, at) for pk, kind, name, name_zh, at in rows}


# Kinds that have a page of their own, and who may see it.
_SEEN: dict[str, Any] = {
    "reservation": reservations_for,
    "idlealarm": alarms_for,
    "faultreport": faults_for,
    "charge": charges_for,
    "handoff": hand_offs_for,
    "instrument": instruments_for,
    "fundingsource": sources_for,
    "agreement": agreements_for,
    "voucherprogramme": programmes_for,
    "vouchergrant": grants_for,
    "statement": statements_for,
    "settlement": settlements_for,
    "auditexception": exceptions_for,
    "auditfinding": findings_for,
    "auditsample": samples_for,
}


def has_page(actor: Actor, kind: str, pk: UUID) -> bool:
    """Whether a record has a page of its own, and the actor may see it. One statement or two."""
    if kind in ("series", "chain"):
        with suppress(NotFound):
            return bool(series_for(actor, pk) if kind == "series" else chain_for(actor, pk))
        return False
    seen = _SEEN.get(kind)
    return seen is not None and seen(actor).filter(pk=pk).exists()
