"""Jobs and letters of *bank*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.bank.notifications import credits
from bookings.bank.services.texts import texts_forget

TASKS = Tasks(
    jobs=(
        Job(
            "forget_bank_texts", "forget bank texts", _("Forgetting texts of bank transactions"),
            crontab(minute=50, hour=2), texts_forget,
        ),
    ),
    letters=(credits.KINDS,),
)  # fmt: skip
