from bookings.audit.models.audit import (
    AuditAction,
    AuditException,
    AuditFinding,
    AuditRun,
    AuditSample,
    FindingFile,
    RiskWeight,
)
from bookings.audit.models.bundles import TrailBundle
from bookings.audit.models.papers import AuditPaper

__all__ = [
    "AuditAction",
    "AuditException",
    "AuditFinding",
    "AuditPaper",
    "AuditRun",
    "AuditSample",
    "FindingFile",
    "RiskWeight",
    "TrailBundle",
]
