"""Import the administration pages that areas define in a module `admin`, and name their tables.

Django makes plurals with an s, in Chinese too. They are set here, and not in the models, whose migrations
would change with every word.
"""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.areas import modules

MODULES = list(modules("admin"))

# The name of one row, where the model has none that is translated, and that of several.
NAMES: dict[str, tuple[Any, Any]] = {
    "User": (None, _("users")),
    "Region": (None, _("regions")),
    "Organisation": (None, _("organisations")),
    "Membership": (None, _("memberships")),
    "RoleGrant": (None, _("roles")),
    "ApiToken": (_("API token"), _("API tokens")),
    "ServiceAccount": (None, _("service accounts")),
    "TrailEntry": (_("entry of the trail"), _("entries of the trail")),
    "OutboxMessage": (_("effect in the outbox"), _("effects in the outbox")),
    "Technique": (_("technique"), _("techniques")),
    "Facility": (None, _("facilities")),
    "Instrument": (None, _("instruments")),
    "Schedule": (None, _("schedules of opening hours")),
    "ScheduleAssignment": (_("assignment of a schedule"), _("assignments of schedules")),
    "RateCard": (_("rate card"), _("rate cards")),
    "Qualification": (None, _("qualifications")),
    "BookingPolicy": (_("booking policy"), _("booking policies")),
    "PolicyVersion": (_("version of a policy"), _("versions of policies")),
    "HouseRules": (None, _("house rules")),
    "HouseRulesAcceptance": (None, _("acceptances of house rules")),
    "Reservation": (None, _("reservations")),
    "UsageSession": (None, _("usage sessions")),
    "Occupancy": (_("occupied time"), _("occupied times")),
    "Closure": (None, _("closures")),
    "Quote": (_("quote"), _("quotes")),
    "Charge": (None, _("charges")),
    "SampleItem": (None, _("sample items")),
    "UnmetDemand": (_("request without a free time"), _("requests without a free time")),
    "Questionnaire": (None, _("questionnaires")),
    "AnswerSheet": (None, _("sheets of answers")),
    "Meter": (None, _("meters")),
    "MeterReading": (None, _("meter readings")),
    "MaintenanceCounter": (None, _("maintenance counters")),
    "CounterCycle": (None, _("cycles of maintenance counters")),
    "FaultReport": (None, _("fault reports")),
    "Kiosk": (None, _("kiosks")),
    "HandOff": (None, _("deliveries of results")),
    "HostStorage": (None, _("storage of hosts")),
    "CollectLink": (None, _("links to results")),
    "Receipt": (None, _("receipts")),
    "Announcement": (None, _("announcements")),
    "Maintenance": (None, _("times of maintenance")),
}


def _name() -> None:
    """Give each table of these pages the names above."""
    for model in admin.site._registry:
        one, many = NAMES.get(model.__name__, (None, None))
        if one:
            model._meta.verbose_name = one
        if many:
            model._meta.verbose_name_plural = many


_name()
