"""Forms and bodies of announcements and of maintenance."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Flag, Instant, Shape, Text
from accounts.domain.announcements import MOST_TEXT
from accounts.domain.maintenance import MOST_REASON
from accounts.forms import ROLE_NAMES
from accounts.letters.words import named, zone_name
from accounts.models import Announcement
from accounts.selectors.organisations import region_by_code, regions
from bookings.record.forms.fields import LocalMomentField, local_moment
from instruments.reading.forms.fields import VersionForm
from instruments.reading.forms.shapes import field_of

ADDRESSES = _("Web addresses that begin with https:// become links.")


class AnnouncementBody(Shape):
    kind = Choice(Announcement.Kind.choices, label=_("Kind"))
    text = Text(MOST_TEXT, label=_("English text"), style={"rows": 3, "help": ADDRESSES})
    text_zh = Text(MOST_TEXT, label=_("Chinese text"), style={"rows": 3})
    starts_at = Instant(required=False, allow_null=True, help_text="Default: now.")
    ends_at = Instant(help_text="At most a year after it starts.")
    audience = Choice(Announcement.Audience.choices, label=_("Shown to"))
    region = Text(
        40, required=False, allow_null=True, help_text="Code of the region, for `audience: region`."
    )
    role = Choice(
        list(ROLE_NAMES.items()), required=False, allow_blank=True, help_text="For `audience: role`."
    )


class MaintenanceBody(Shape):
    starts_at = Instant(required=False, allow_null=True, help_text="Default: now.")
    ends_at = Instant(help_text="At most a week after it starts.")
    reason = Text(MOST_REASON, label=_("English reason"), style={"help": _("Everyone reads it.")})
    reason_zh = Text(MOST_REASON, label=_("Chinese reason"))
    announce = Flag(
        default=False,
        label=_("Announce it until it starts"),
        help_text="Show everyone a warning with time and reason until it starts.",
    )


class MaintenanceEndBody(Shape):
    ends_at = Instant(help_text="The new end, sooner or later than before.")


class _TimedForm(VersionForm):
    """A form with wall-clock times of the reader's zone, which the form names."""

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            if name in self.fields:
                field: Any = self.fields[name]
                field.zone = ZoneInfo(zone)
                told = zone_name(zone)
                field.help_text = f"{field.help_text} · {told}" if field.help_text else told
                if self.initial.get(name):
                    self.initial[name] = local_moment(self.initial[name], field.zone)


class AnnouncementForm(_TimedForm):
    kind = field_of(AnnouncementBody, "kind")
    text = field_of(AnnouncementBody, "text")
    text_zh = field_of(AnnouncementBody, "text_zh")
    starts_at = LocalMomentField(label=_("From"), required=False, help_text=_("Empty: from now on"))
    ends_at = LocalMomentField(label=_("Until"), is_end=True)
    audience = field_of(AnnouncementBody, "audience")
    region = forms.TypedChoiceField(
        label=_("Region"),
        required=False,
        coerce=region_by_code,
        empty_value=None,
        help_text=_("If it is for the people of a region."),
    )
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", "–"), *ROLE_NAMES.items()],
        help_text=_("If it is for people with a role."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["region"]
        field.choices = [("", "–"), *((one.code, named(one)) for one in regions())]


class MaintenanceForm(_TimedForm):
    starts_at = LocalMomentField(label=_("From"), required=False, help_text=_("Empty: from now on"))
    ends_at = LocalMomentField(label=_("Until"), is_end=True)
    reason = field_of(MaintenanceBody, "reason")
    reason_zh = field_of(MaintenanceBody, "reason_zh")
    announce = field_of(MaintenanceBody, "announce")


class MaintenanceEndForm(_TimedForm):
    ends_at = LocalMomentField(label=_("New end"), is_end=True)
