"""Jobs, effects and letters of *audit*."""

from datetime import timedelta

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import PLATFORM, By
from accounts.work import Job, Kept, Tasks
from bookings.audit.models import AuditPaper, TrailBundle
from bookings.audit.notifications import actions, audit
from bookings.audit.services.actions import actions_remind
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.bundles import bundles_work
from bookings.audit.services.findings import findings_remind
from bookings.audit.services.papers import papers_work

TASKS = Tasks(
    jobs=(
        Job("write_bundles", "bundles", _("Bundles of the trail"), 60.0, bundles_work),
        Job("write_papers", "papers of auditors", _("Auditors' reports and papers"), 60.0, papers_work),
        Job(
            "find_exceptions", "exceptions", _("Exceptions for auditors"), crontab(minute=50, hour=3),
            lambda now: exceptions_find(By(PLATFORM, now)), is_single=True,
        ),
        Job(
            "remind_of_findings", "findings to answer", _("Reminders of findings"),
            crontab(minute=15, hour=6),
            lambda now: findings_remind(now=now) + actions_remind(now=now),
        ),
    ),
    letters=(audit.KINDS, actions.KINDS),
    keeps=(
        Kept(
            "trail-bundles", _("Bundles of the trail"), timedelta(days=7), "made", files=TrailBundle, least=1
        ),
        Kept(
            "audit-papers", _("Auditors' reports and papers"), timedelta(days=7), "made",
            files=AuditPaper, least=1,
        ),
    ),
)  # fmt: skip
