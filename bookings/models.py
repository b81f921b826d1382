"""The tables of what happens: occupancy, reservations, use, money, hours."""

from bookings.audit.models import AuditException, AuditFinding, AuditRun, AuditSample, TrailBundle
from bookings.availability.models import Closure, Occupancy
from bookings.catalogue.models import (
    BusyCalendar,
    BusyTime,
    InstrumentList,
    ListEntry,
    SavedSearch,
    SearchMatch,
    UnmetDemand,
)
from bookings.charging.models import LedgerEntry, Posting
from bookings.funding.models import Earmark, FundingSource, PurseTransfer
from bookings.hours.models import (
    DirtyDay,
    DirtyMonths,
    FacilityMonth,
    FacilityYear,
    HoursExport,
    InstrumentDay,
    InstrumentDayUse,
    NormHours,
    RollUp,
)
from bookings.messaging.models import CalendarFeed, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from bookings.needs.models import HostRecord, Need, Suggestion
from bookings.plans.models import BookingImport, ImportedBooking, WaitingOffer, WaitingWish
from bookings.pricing.models import (
    Agreement,
    AgreementMember,
    Charge,
    ClosedMonth,
    Correction,
    Dispute,
    ExchangeRate,
    Quote,
    VoucherGrant,
    VoucherProgramme,
)
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.models import Chain
from bookings.series.models import Series
from bookings.settlement.models import (
    Payment,
    PaymentNotice,
    Settlement,
    SettlementLine,
    Statement,
    StatementCounter,
    StatementLine,
)

__all__ = [
    "Agreement",
    "AgreementMember",
    "AuditException",
    "AuditFinding",
    "AuditRun",
    "AuditSample",
    "BookingImport",
    "BusyCalendar",
    "BusyTime",
    "CalendarFeed",
    "Chain",
    "Charge",
    "ClosedMonth",
    "Closure",
    "Correction",
    "DirtyDay",
    "DirtyMonths",
    "Dispute",
    "Earmark",
    "ExchangeRate",
    "FacilityMonth",
    "FacilityYear",
    "FundingSource",
    "HostRecord",
    "HoursExport",
    "ImportedBooking",
    "InstrumentDay",
    "InstrumentDayUse",
    "InstrumentList",
    "LedgerEntry",
    "ListEntry",
    "Need",
    "NormHours",
    "Occupancy",
    "Payment",
    "PaymentNotice",
    "Posting",
    "PurseTransfer",
    "Quote",
    "Reservation",
    "RollUp",
    "SavedSearch",
    "SearchMatch",
    "Series",
    "Settlement",
    "SettlementLine",
    "Statement",
    "StatementCounter",
    "StatementLine",
    "Suggestion",
    "TrailBundle",
    "UnmetDemand",
    "UsageSession",
    "VoucherGrant",
    "VoucherProgramme",
    "WaitingOffer",
    "WaitingWish",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
