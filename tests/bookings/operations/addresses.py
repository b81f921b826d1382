"""The addresses of *operations*, as tests/architecture/permission_table.py reads them."""

from datetime import timedelta

from accounts.domain.roles import PLATFORM, By
from bookings.operations.services.announcements import announcement_make
from bookings.operations.services.maintenance import maintenance_plan
from tests.factories.cast import NOW, Cast

TEXTS = {"kind": "warning", "text": "The loading bay is closed.", "text_zh": "卸货区关闭。"}
REASONS = {"reason": "New disks are built in.", "reason_zh": "正在更换硬盘。"}


def things(cast: Cast) -> dict[str, str]:
    """Return an announcement to everyone, and maintenance in ten days."""
    by, start = By(PLATFORM, NOW), NOW + timedelta(days=10)
    announced = announcement_make(
        by, **TEXTS, starts_at=None, ends_at=NOW + timedelta(days=1), audience="everyone"
    )
    planned = maintenance_plan(by, starts_at=start, ends_at=start + timedelta(hours=2), **REASONS)
    return {"announcement": str(announced.pk), "maintenance": str(planned.pk)}


PAGES = """
GET  bookings:address-change        404 404 404 404 404 404 404 404 404 404 404 404 404
POST bookings:address-change        404 404 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:operations             - 403 403 403 403 403 403 403 403 403 403 403 200
GET  bookings:operations-health      - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:operations-health-examine - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:operations-failures    - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:operations-give-up     - 403 403 403 403 403 403 403 403 403 403 403 409
POST bookings:operations-retry       - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-retry-all   - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:operations-people      - 403 403 403 403 403 403 403 403 403 403 403 200
GET  bookings:operations-person      - 403 403 403 403 403 403 403 403 403 403 403 200
GET  bookings:operations-settings    - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:operations-look        - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-look-stop   - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:operations-person-unlock               - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-end-sessions         - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-revoke-tokens        - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-suspend              - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-restore              - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-reset-factor         - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-confirm-reset        - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-withdraw-reset       - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-reset-by-code        - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-change-address       - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-withdraw-address     - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-send-again           - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-person-send-password-link   - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:announcements          - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:announcements          - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:announcement           - 404 404 404 404 404 404 404 404 404 404 404 200
POST bookings:announcement           - 404 404 404 404 404 404 404 404 404 404 404 302
POST bookings:announcement-withdraw  - 404 404 404 404 404 404 404 404 404 404 404 302
GET  bookings:maintenance            - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:maintenance            - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:maintenance-prolong    - 404 404 404 404 404 404 404 404 404 404 404 302
POST bookings:maintenance-time-end        - 404 404 404 404 404 404 404 404 404 404 404 302
"""
API = """
GET    api-operations                - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-failures       - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-failures       - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-health         - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-health         - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-groups         - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-give-up        - 403 403 403 403 403 403 403 403 403 403 403 409
POST   api-operations-retry          - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-settings       - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-people         - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-person         - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-person-unlock               - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-end-sessions         - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-revoke-tokens        - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-suspend              - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-restore              - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-reset-factor         - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-confirm-reset        - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-withdraw-reset       - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-reset-by-code        - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-change-address       - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-withdraw-address     - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-send-again           - 403 403 403 403 403 403 403 403 403 403 403 403
POST   api-operations-person-send-password-link   - 403 403 403 403 403 403 403 403 403 403 403 403
GET    api-installation-announcements 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-announcements             - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-announcements             - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-announcement              - 404 404 404 404 404 404 404 404 404 404 404 200
PUT    api-announcement              - 404 404 404 404 404 404 404 404 404 404 404 200
POST   api-announcement-withdraw     - 404 404 404 404 404 404 404 404 404 404 404 200
GET    api-maintenance-times         - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-maintenance-times         - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-maintenance-time          - 404 404 404 404 404 404 404 404 404 404 404 200
POST   api-maintenance-time-prolong  - 404 404 404 404 404 404 404 404 404 404 404 200
POST   api-maintenance-time-end      - 404 404 404 404 404 404 404 404 404 404 404 200
"""
# The work of a job is never given up; what changes an account asks to confirm who one is.
REFUSED = """
POST   api-operations-give-up                     409 never-given-up
POST   api-operations-person-unlock               403 not-recent
POST   api-operations-person-end-sessions         403 not-recent
POST   api-operations-person-revoke-tokens        403 not-recent
POST   api-operations-person-suspend              403 not-recent
POST   api-operations-person-restore              403 not-recent
POST   api-operations-person-reset-factor         403 not-recent
POST   api-operations-person-confirm-reset        403 not-recent
POST   api-operations-person-withdraw-reset       403 not-recent
POST   api-operations-person-reset-by-code        403 not-recent
POST   api-operations-person-change-address       403 not-recent
POST   api-operations-person-withdraw-address     403 not-recent
POST   api-operations-person-send-again           403 not-recent
POST   api-operations-person-send-password-link   403 not-recent
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"failure_id": "failure", "announcement_id": "announcement", "maintenance_id": "maintenance"}
ANNOUNCED = TEXTS | {"ends_at": "2026-03-21T12:00", "audience": "everyone"}
PLANNED = REASONS | {"starts_at": "2026-03-20T10:00", "ends_at": "2026-03-20T12:00"}
NEVER = {"name": "final charges", "reason": "no more"}
WHY = {"reason": "Asked by telephone."}
# And where an address means another: signed for something else, a forged link.
THINGS = {("bookings:address-change", "token"): "unsubscribe-token"}
PAGE_BODIES = {
    "bookings:operations-retry-all": {"name": "final charges"},
    "bookings:operations-give-up": NEVER,
    "bookings:announcements": ANNOUNCED,
    "bookings:announcement": ANNOUNCED,
    "bookings:maintenance": PLANNED,
    "bookings:maintenance-prolong": {"ends_at": "2026-03-15T20:00"},
}
API_BODIES = {
    ("POST", "api-operations-failures"): {"name": "final charges"},
    ("POST", "api-operations-give-up"): NEVER,
    ("POST", "api-announcements"): ANNOUNCED | {"ends_at": "2026-03-21T12:00:00Z"},
    ("PUT", "api-announcement"): ANNOUNCED | {"ends_at": "2026-03-21T12:00:00Z"},
    ("POST", "api-maintenance-times"): REASONS
    | {"starts_at": "2026-03-20T10:00:00Z", "ends_at": "2026-03-20T12:00:00Z"},
    ("POST", "api-maintenance-time-prolong"): {"ends_at": "2026-03-15T20:00:00Z"},
} | {
    ("POST", f"api-operations-person-{act}"): WHY
    for act in ("unlock", "end-sessions", "revoke-tokens", "suspend", "restore", "reset-factor")
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:operations": 30,  # each queue is counted by itself; few people look at it
    "bookings:operations-health": 45,  # each part is examined by itself
    "bookings:operations-failures": 14,  # each kind of work is asked by itself
    "bookings:operations-person": 19,  # devices, tokens, roles, messages, the trail: few people look at it
}
