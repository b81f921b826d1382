from bookings.audit.models.audit import AuditException, AuditFinding, AuditRun, AuditSample
from bookings.audit.models.bundles import TrailBundle

__all__ = ["AuditException", "AuditFinding", "AuditRun", "AuditSample", "TrailBundle"]
