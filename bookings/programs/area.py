"""The manifest of *programs*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_PLACES, Area, Merges, Record
from accounts.menu import Below
from accounts.models import ServiceAccount
from bookings.programs.messages import ACTS, REFUSALS

AREA = Area(
    "bookings.programs",
    refusals=REFUSALS,
    below=(Below("accounts:people", "service-account*"),),
    records=(Record(ServiceAccount, "user__name", kind=_("service account")),),
    acts=ACTS,
    official={
        "accounts.ServiceAccount.user": "no person",
        "accounts.ServiceAccount.created_by": FOR_PLACES,
        "allauth_idp_oidc.Client.owner": "no person: a service account",
    },
    merges=(
        Merges(
            "service-accounts", ServiceAccount, 165, _("Service accounts, which end"),
            where={"ended_at": None}, is_handed_over=False,
        ),
    ),
)  # fmt: skip
