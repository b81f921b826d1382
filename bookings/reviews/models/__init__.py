from bookings.reviews.models.cases import (
    CaseComparison,
    CaseExpert,
    CaseFollowUp,
    CaseStep,
    HostPledge,
    PurchaseCase,
)
from bookings.reviews.models.schemes import ReviewScheme

__all__ = [
    "CaseComparison",
    "CaseExpert",
    "CaseFollowUp",
    "CaseStep",
    "HostPledge",
    "PurchaseCase",
    "ReviewScheme",
]
