"""Jobs, effects and letters of *statistics*."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks
from bookings.statistics.models import HoursExport
from bookings.statistics.services.exports import exports_work

TASKS = Tasks(
    jobs=(Job("write_exports", "exports of hours", _("Exports of hours"), 60.0, exports_work),),
    keeps=(
        Kept("hours-exports", _("Exports of hours"), timedelta(days=7), "made", files=HoursExport, least=1),
    ),
)
