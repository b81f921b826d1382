"""Jobs, effects and letters of *settlement*."""

from datetime import date, datetime

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.settlement.notifications import papers
from bookings.settlement.selectors.statements import months_to_draw
from bookings.settlement.services.papers import invoice_send
from bookings.settlement.services.statements import statements_draw_due, statements_remind


def _months(now: datetime) -> tuple[int, date | None]:
    months = [month for _, month in months_to_draw(now)]
    return len(months), min(months, default=None)


TASKS = Tasks(
    jobs=(
        # Hourly, since the first of a month begins at another hour in each zone.
        Job(
            "draw_statements", "statements", _("Statements and settlements"), crontab(minute=10),
            statements_draw_due, due=_months,
        ),
        Job(
            "remind_of_statements", "overdue statements", _("Reminders of overdue statements"),
            crontab(minute=30, hour=1), statements_remind, is_single=True,
        ),
    ),
    effects={"invoice": invoice_send},
    letters=(papers.KINDS,),
)  # fmt: skip
