"""The form that starts a batch."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Region
from bookings.needs.services.batches import USUAL_WINDOW
from bookings.record.forms.fields import LocalMomentField, local_moment
from instruments.reading.forms.fields import StyledForm


class BatchForm(StyledForm):
    """The region and window of a batch; times are in the reader's time zone."""

    region = forms.ChoiceField(label=_("Region"))
    starts_at = LocalMomentField(label=_("Times from"))
    ends_at = LocalMomentField(label=_("Times until"), is_end=True)

    def __init__(
        self, data: Any = None, *, zone: ZoneInfo, regions: Iterable[Region], now: datetime, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["starts_at"].zone = fields["ends_at"].zone = zone
        fields["region"].choices = [(region.code, named(region)) for region in regions]
        start = now.replace(minute=0, second=0, microsecond=0)
        self.initial["starts_at"] = local_moment(start, zone)
        self.initial["ends_at"] = local_moment(start + USUAL_WINDOW, zone)
