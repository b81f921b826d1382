from bookings.pricing.models.agreements import Agreement, AgreementMember
from bookings.pricing.models.charges import Charge, Correction, Dispute
from bookings.pricing.models.exchange_rates import ClosedMonth, ExchangeRate
from bookings.pricing.models.fees import Quote
from bookings.pricing.models.vouchers import VoucherGrant, VoucherProgramme

__all__ = [
    "Agreement",
    "AgreementMember",
    "Charge",
    "ClosedMonth",
    "Correction",
    "Dispute",
    "ExchangeRate",
    "Quote",
    "VoucherGrant",
    "VoucherProgramme",
]
