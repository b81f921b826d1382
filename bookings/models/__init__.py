"""The tables of what happens: occupancy, reservations, use, money, hours."""

from bookings.models.agreements import Agreement, AgreementMember
from bookings.models.audit import AuditException, AuditFinding, AuditRun, AuditSample
from bookings.models.bundles import TrailBundle
from bookings.models.charges import Charge, Correction, Dispute
from bookings.models.closures import Closure
from bookings.models.demand import UnmetDemand
from bookings.models.exports import HoursExport
from bookings.models.feeds import BusyCalendar, BusyTime, CalendarFeed
from bookings.models.fees import Quote
from bookings.models.funding import FundingSource
from bookings.models.imports import BookingImport, ImportedBooking
from bookings.models.ledger import LedgerEntry, Posting
from bookings.models.norms import NormHours
from bookings.models.occupancy import Occupancy
from bookings.models.reservations import Reservation
from bookings.models.searches import SavedSearch, SearchMatch
from bookings.models.series import Chain, Series
from bookings.models.statements import (
    ClosedMonth,
    ExchangeRate,
    Payment,
    PaymentNotice,
    Settlement,
    SettlementLine,
    Statement,
    StatementCounter,
    StatementLine,
)
from bookings.models.usage import UsageSession
from bookings.models.utilisation import (
    DirtyDay,
    DirtyMonths,
    FacilityMonth,
    FacilityYear,
    InstrumentDay,
    InstrumentDayUse,
    RollUp,
)
from bookings.models.vouchers import Earmark, PurseTransfer, VoucherGrant, VoucherProgramme
from bookings.models.waiting import WaitingOffer, WaitingWish
from bookings.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

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
    "HoursExport",
    "ImportedBooking",
    "InstrumentDay",
    "InstrumentDayUse",
    "LedgerEntry",
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
