"""Jobs, effects and letters of *browsing*."""

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Tasks
from bookings.browsing.notifications import searches
from bookings.browsing.services.register import register_follow
from bookings.browsing.services.searches import searches_tell

TASKS = Tasks(
    jobs=(Job("tell_of_searches", "saved searches", _("Saved searches"), crontab(minute=25), searches_tell),),
    effects={"register": register_follow},
    letters=(searches.KINDS,),
)
