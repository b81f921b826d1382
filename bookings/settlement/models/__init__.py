from bookings.settlement.models.statements import (
    Payment,
    PaymentNotice,
    Settlement,
    SettlementLine,
    Statement,
    StatementCounter,
    StatementLine,
)

__all__ = [
    "Payment",
    "PaymentNotice",
    "Settlement",
    "SettlementLine",
    "Statement",
    "StatementCounter",
    "StatementLine",
]
