from bookings.planning.models.cases import (
    CaseComparison,
    CaseExpert,
    CaseFollowUp,
    CaseStep,
    HostPledge,
    PurchaseCase,
)
from bookings.planning.models.plans import PlannedPurchase
from bookings.planning.models.schemes import ReviewScheme

__all__ = [
    "CaseComparison",
    "CaseExpert",
    "CaseFollowUp",
    "CaseStep",
    "HostPledge",
    "PlannedPurchase",
    "PurchaseCase",
    "ReviewScheme",
]
