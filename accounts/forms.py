"""Input of a person's own pages: shape only."""

import zoneinfo
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

SCOPES = (
    ("read", _("read: see what I may see")),
    ("book", _("book: reserve, move, cancel, check in and out")),
    ("manage", _("manage: instruments, requests, closures")),
)
LIFETIMES = ((7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("1 year")))


class SignUpForm(forms.Form):
    """What allauth's sign-up asks for besides address and password.

    The name is stored by the adapter, in one go with the rest.
    """

    field_order = ("name", "email", "password1", "password2")

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: Any, user: Any) -> None:
        """allauth asks for this method; there is nothing left to do."""


class ProfileForm(forms.Form):
    """Name, language, time zone."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", "English"), ("zh-hans", "简体中文")],
        help_text=_("Of pages and of the mail you get."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(
            attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_(
            "Start typing a city or a region. Times are given in an instrument's own zone; "
            "where yours differs, it stands beside them."
        ),
    )

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                _("There is no such time zone. One is, for example, Asia/Shanghai.")
            )
        return zone


class TokenForm(forms.Form):
    """A new API token."""

    label = forms.CharField(
        label=_("What is it for?"),
        max_length=60,
        help_text=_("Such as the program or the machine that will use it."),
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"), choices=LIFETIMES, coerce=int, initial=settings.TOKEN_LIFETIME.days
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=SCOPES,
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class LanguageForm(forms.Form):
    """The language switch, with the page to come back to."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    next = forms.CharField(required=False, max_length=2000)
