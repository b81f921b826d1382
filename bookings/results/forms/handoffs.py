"""Forms for releasing, pointing to and withdrawing results; for an instrument's terms and a host's
storage."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Shape, Text
from bookings.results.domain.handoffs import MOST_DUE_DAYS, MOST_KEEP_DAYS
from bookings.results.services.handoffs import PROTOCOLS
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.reading.forms.shapes import form_of
from instruments.register.models import Instrument

GIGABYTE = 1 << 30


class NoteBody(Shape):
    note = Text(
        1000,
        default="",
        allow_blank=True,
        label=_("Note to the recipients"),
        help_text="For the people who collect the results.",
        style={"rows": 2},
    )


class PointerBody(NoteBody):
    protocol = Choice(
        [(name, _("other") if name == "other" else name) for name in PROTOCOLS], label=_("Protocol")
    )
    host = Text(253, label=_("Host"))
    path = Text(1000, label=_("Path"))
    checksums = Text(
        20000,
        default="",
        allow_blank=True,
        label=_("Checksums"),
        help_text="Lines in the format of `sha256sum`.",
        style={"rows": 3, "help": _("Lines as sha256sum writes them.")},
    )


ReleaseForm = form_of(NoteBody)
PointForm = form_of(PointerBody, "protocol", "host", "path", "checksums", "note")


class WithdrawForm(VersionForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("The reason is kept in the trail.")
    )


class TermsForm(StyledForm):
    due_days = forms.IntegerField(
        label=_("Delivered within (days after the booking)"), min_value=1, max_value=MOST_DUE_DAYS
    )
    keep_days = forms.IntegerField(
        label=_("Kept for (days after the release)"), min_value=1, max_value=MOST_KEEP_DAYS
    )
    modes = forms.MultipleChoiceField(
        label=_("Expected after"),
        required=False,
        choices=Instrument.ServiceMode.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For other bookings, deliveries can be announced one by one."),
    )


class StorageForm(StyledForm):
    quota = forms.IntegerField(
        label=_("Storage in GB"),
        required=False,
        min_value=0,
        max_value=10**6,
        help_text=_("Empty: the usual limit."),
    )

    def quota_bytes(self) -> int | None:
        quota = self.cleaned_data["quota"]
        return None if quota is None else quota * GIGABYTE
