"""Jobs and letters of *programs*."""

from datetime import timedelta

from allauth.idp.oidc.models import Token
from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks
from bookings.programs.notifications import KINDS
from bookings.programs.services.accounts import accounts_look

TASKS = Tasks(
    jobs=(
        Job(
            "look_at_service_accounts", "service accounts", _("Yearly look at service accounts"),
            crontab(hour=6, minute=20), accounts_look,
        ),
    ),
    letters=(KINDS,),
    keeps=(
        Kept(
            "oauth-tokens", _("Expired tokens of OAuth clients"), timedelta(days=1), "expired",
            lambda before: Token.objects.filter(expires_at__lt=before),
        ),
    ),
)  # fmt: skip
