"""Input of a person's own pages: shape only."""

import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.domain import joining, roles
from accounts.domain.errors import NotFound
from accounts.domain.messages import TOPICS, Choice, Quiet
from accounts.letters.mails import TOPIC_NAMES
from accounts.letters.words import named
from accounts.models import Message, MessageSettings, Organisation, Region, RoleGrant
from accounts.selectors.messages import choices_in
from accounts.selectors.organisations import region_by_code

ROLE_NAMES: dict[Any, Any] = dict(RoleGrant._meta.get_field("role").choices or [])
SCOPES = (
    ("read", _("read: see what I may see")),
    ("book", _("book: reserve, move, cancel, check in and out")),
    ("manage", _("manage: instruments, requests, closures")),
    ("upload", _("upload: files of results")),
)
LIFETIMES = ((7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("1 year")))


# Fields of several forms.
_NAME = forms.CharField(
    label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
)
_EMAIL = forms.EmailField(
    label=_("Their e-mail address"),
    max_length=254,
    widget=forms.EmailInput(attrs={"autocomplete": "off"}),
)


class WordsField(forms.CharField):
    """A list of words, one on a line or with commas between."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
        super().__init__(required=False, max_length=2500, widget=widget, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return str(super().clean(value)).replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class SignUpForm(forms.Form):
    """What allauth's sign-up asks for besides address and password.

    The name is stored by the adapter, in one go with the rest.
    """

    field_order = ("name", "email", "password1", "password2")

    name = _NAME

    def signup(self, request: Any, user: Any) -> None:
        """allauth asks for this method; there is nothing left to do."""


class ProfileForm(forms.Form):
    """Name, language, time zone."""

    name = _NAME
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", "English"), ("zh-hans", "简体中文")],
        help_text=_("Used for pages and for the mail you receive."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(
            attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_(
            "Start typing a city or a region. Times are given in an instrument's own zone; where "
            "yours differs, your time is shown beside them."
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
        label=_("Permissions"),
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


class TopicRow:
    """A topic with its three fields, as a table shows it."""

    def __init__(self, form: forms.Form, name: str) -> None:
        self.name = TOPIC_NAMES[name]
        self.hint = TOPIC_HINTS[name]
        self.rule = TOPICS[name]
        self.mail, self.inbox, self.language = (
            form[f"{part}-{name}"] for part in ("mail", "inbox", "language")
        )


TOPIC_HINTS = {
    "confirmation": _("a booking is confirmed, or a request was sent"),
    "request": _("something needs your decision: bookings, members, records"),
    "decision": _("your request was declined, or nobody answered it"),
    "conversation": _("questions about bookings and needs, other times proposed"),
    "reminder": _("a day and an hour before a booking"),
    "change": _("another time, or cancelled"),
    "displacement": _("your booking cannot take place, so you need not come"),
    "offer": _("a time you wait for, or one for a flexible need, is kept for you for a while"),
    "expiry": _("a request nobody answered, a certificate about to expire"),
    "no-show": _("nobody checked in, which may cost something"),
    "charge": _("what was charged, disputed, corrected"),
    "statement": _("what your organisation or region has to pay"),
    "use": _("running over time, the previous user is late, use has finished"),
    "sample": _("sent, received, measured, returned; or missing"),
    "planning": _("what neighbours and hosts of your class mean to buy"),
    "review": _("purchases to advise, to answer or to decide on, and what became of them"),
    "enquiry": _("enquiries your instruments could answer, bids for yours"),
    "account": _("invitations, memberships, roles, your account"),
    "training": _("places, sessions, results"),
    "record": _("records not confirmed for a year"),
    "search": _("new results of a saved search"),
    "suggestion": _("instruments elsewhere for what you could not get"),
    "connection": _("harvests and webhooks that have stopped"),
    "audit": _("findings: raised, answered, due"),
    "seal": _("the newest seal every day: a proof outside the platform, for auditors"),
}


class MessageSettingsForm(forms.Form):
    """How each topic reaches somebody, and their quiet hours."""

    quiet_from = forms.TimeField(
        label=_("No mail from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        label=_("until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, row: MessageSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = choices_in(row)
        self.fields["quiet_from"].initial = row.quiet_from
        self.fields["quiet_until"].initial = row.quiet_until
        for name, rule in TOPICS.items():
            present = chosen.of(name)
            self.fields[f"mail-{name}"] = forms.ChoiceField(
                label=_("By mail"),
                choices=Message.Mail.choices,
                initial=present.mail,
                required=not rule.is_required,
                disabled=rule.is_required,
            )
            self.fields[f"inbox-{name}"] = forms.BooleanField(
                label=_("In the inbox"),
                initial=present.inbox,
                required=False,
                disabled=rule.is_required or rule.stays_in_inbox,
            )
            self.fields[f"language-{name}"] = forms.ChoiceField(
                label=_("Language"),
                choices=[("", _("as in the profile")), ("en", "English"), ("zh-hans", "简体中文")],
                initial=present.language,
                required=False,
            )

    def rows(self) -> Iterator[TopicRow]:
        return (TopicRow(self, name) for name in TOPICS)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        ends = (data.get("quiet_from"), data.get("quiet_until"))
        if (ends[0] is None) != (ends[1] is None) and not self.errors:
            self.add_error(
                "quiet_until", _("Enter both the start and the end of the quiet hours, or neither.")
            )
        return data

    def topics(self) -> dict[str, Choice]:
        data = self.cleaned_data
        return {
            name: Choice(data[f"mail-{name}"], data[f"inbox-{name}"], data[f"language-{name}"])
            for name in TOPICS
        }

    def quiet(self) -> Quiet | None:
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return Quiet(start, end) if start is not None and end is not None else None


# Joining and roles

JOINING_ROLES = tuple((role, ROLE_NAMES[role]) for role in joining.ROLES)


class FindForm(forms.Form):
    """Looking for an organisation or a person."""

    q = forms.CharField(label=_("Name, code or mail domain"), required=False, max_length=100)


class JoinForm(forms.Form):
    """What somebody says of themselves to the managers."""

    text = forms.CharField(
        label=_("What should the managers know?"),
        required=False,
        max_length=joining.MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as your group and what you work on."),
    )


class InviteForm(forms.Form):
    """Whom to ask in, as what, for how long."""

    email = _EMAIL
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=JOINING_ROLES,
        initial=["researcher"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        choices=((3, _("3 days")), (14, _("14 days")), (60, _("60 days"))),
        coerce=int,
        initial=joining.USUAL.days,
    )

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class FirstManagerForm(InviteForm):
    """Whom to ask in as the first manager of an organisation, for how long."""

    roles = None  # type: ignore[assignment]  # as Django leaves a field out


class SecondForm(forms.Form):
    """For which role a second person is asked, where, and the page to come back to."""

    code = forms.ChoiceField(choices=[(code, "") for code in roles.SECOND_ROLE])
    organisation = forms.UUIDField(required=False)
    region = forms.UUIDField(required=False)
    next = forms.CharField(required=False, max_length=2000)


class JoinDecideForm(forms.Form):
    """A word on a request to join."""

    act = forms.ChoiceField(choices=[("approve", ""), ("reject", "")])
    roles = forms.MultipleChoiceField(choices=JOINING_ROLES, required=False)
    reason = forms.CharField(required=False, max_length=joining.MOST_TEXT)


class JoiningForm(forms.Form):
    """Which addresses are the organisation's own."""

    mail_domains = WordsField(
        label=_("Mail domains"),
        help_text=_(
            "One per line, such as example.edu; addresses below it, such as lab.example.edu, "
            "count as well. People with a confirmed address there find you at once."
        ),
    )
    admits_by_mail = forms.BooleanField(
        label=_("Anyone with such an address becomes a member and researcher without approval"),
        required=False,
    )


class InvoiceDetailsForm(forms.Form):
    """What statements print of an organisation."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    legal_name = forms.CharField(
        label=_("Legal name"),
        required=False,
        max_length=200,
        help_text=_("As contracts and invoices write it."),
    )
    address = forms.CharField(
        label=_("Address"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 4})
    )
    tax_number = forms.CharField(
        label=_("Tax number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    bank_account = forms.CharField(
        label=_("Bank account"),
        required=False,
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Where payers pay to: the bank, the account number, and the BIC or CNAPS code. A change"
            " is told to the organisation's finance people and managers, and payers see when it"
            " was made."
        ),
    )
    invoice_email = forms.EmailField(
        label=_("Invoice mail address"),
        required=False,
        max_length=254,
        help_text=_("Statements you have to pay are sent there as well, as PDF."),
    )

    def details(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class ScopesForm(forms.Form):
    """What identity providers call an organisation."""

    scopes = WordsField(
        label=_("Scopes"),
        help_text=_(
            "One per line: the part after the @ in member@example.edu when its people sign in at "
            "their own institution."
        ),
    )
    admits_by_scope = forms.BooleanField(
        label=_("Anyone who is a member there becomes a member and researcher without approval"),
        required=False,
    )


class ProviderForm(forms.Form):
    """A place where people may sign in."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("openid_connect", "OpenID Connect"), ("saml", "SAML 2.0")]
    )
    id = forms.SlugField(
        label=_("Short name in addresses"),
        max_length=40,
        help_text=_("It cannot be changed later: users are identified by it."),
    )
    name = forms.CharField(label=_("Name on the button"), max_length=40)
    entity = forms.CharField(
        label=_("Issuer or entity ID"), max_length=500, help_text=_("As the provider states it.")
    )
    metadata_url = forms.CharField(
        label=_("Address of the metadata (SAML)"), required=False, max_length=500
    )
    identifier = forms.ChoiceField(
        label=_("User identifier (SAML)"),
        choices=[
            ("pairwise-id", "pairwise-id"),
            ("subject-id", "subject-id"),
            ("persistent", "persistent NameID, eduPersonTargetedID"),
        ],
        required=False,
    )
    client_id = forms.CharField(
        label=_("Client ID (OpenID Connect)"), required=False, max_length=190
    )
    secret = forms.CharField(
        label=_("Secret (OpenID Connect)"),
        required=False,
        max_length=190,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Leave empty to keep the stored secret."),
    )
    scopes = WordsField(
        label=_("Scopes it is trusted for"),
        rows=3,
        help_text=_("One per line. Statements about other scopes are ignored."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_saml = data.get("kind") == "saml"
        needed = "metadata_url" if is_saml else "client_id"
        if not data.get(needed):
            self.add_error(needed, _("This is needed for the kind you chose."))
        url_field = "metadata_url" if is_saml else "entity"
        url = data.get(url_field) or ""
        schemes = ("https://", "http://") if settings.LOCAL_MODE else ("https://",)
        if url and not url.startswith(schemes):
            self.add_error(url_field, _("Give an address that begins with https://."))
        return data

    def values(self) -> dict[str, Any]:
        """Return what the service takes."""
        data = self.cleaned_data
        settings_: dict[str, Any] = {"scopes": data["scopes"]}
        if data["kind"] == "saml":
            settings_ |= {
                "idp": {"entity_id": data["entity"], "metadata_url": data["metadata_url"]},
                "identifier": data["identifier"] or "pairwise-id",
            }
        else:
            settings_["server_url"] = data["entity"]
        return {
            "kind": data["kind"],
            "provider_id": data["id"],
            "name": data["name"],
            "client_id": data["id"] if data["kind"] == "saml" else data["client_id"],
            "secret": data["secret"],
            "settings": settings_,
        }


class InstallationForm(forms.Form):
    """What the platform is called here and allows."""

    name = forms.CharField(label=_("Name"), max_length=100)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=100, required=False)
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 1 MB. It stands on light and on dark pages."),
    )
    without_logo = forms.BooleanField(label=_("Remove the present logo"), required=False)
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=settings.LANGUAGES, widget=forms.CheckboxSelectMultiple
    )
    usual = forms.ChoiceField(
        label=_("Usual language"),
        choices=settings.LANGUAGES,
        help_text=_("For whom neither the browser nor the profile says another."),
    )
    admits_strangers = forms.BooleanField(
        label=_("Anyone may create an account"),
        required=False,
        help_text=_(
            "Otherwise only people with an invitation and those who sign in at an institution whose"
            " scopes are entered under “External sign-in” may."
        ),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def languages_in_order(self) -> list[str]:
        """Return the usual one first."""
        usual = self.cleaned_data["usual"]
        return [usual, *(code for code in self.cleaned_data["languages"] if code != usual)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "languages" in data and data.get("usual") not in data["languages"]:
            self.add_error("usual", _("Choose one of the languages above."))
        return data


class RoleForm(forms.Form):
    """A role to give to a member."""

    role = forms.ChoiceField(label=_("Role"), choices=JOINING_ROLES)


class TakeForm(forms.Form):
    """Why a role is taken."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)


class PlatformRoleForm(forms.Form):
    """A role that administrators give: of a region, or of the platform."""

    user = _EMAIL
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (role, ROLE_NAMES[role])
            for role in (roles.COORDINATOR, roles.AUDITOR, roles.ADMINISTRATOR)
        ],
    )
    region = forms.CharField(
        label=_("Region"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"list": "regions", "autocomplete": "off"}),
        help_text=_("Its code, such as CN-AH. An administrator has none."),
    )

    def clean_region(self) -> Region | None:
        code = self.cleaned_data["region"]
        try:
            return region_by_code(code) if code else None
        except NotFound:
            raise forms.ValidationError(_("There is no such region.")) from None


class ConfirmForm(forms.Form):
    """Whoever does what cannot be undone types the organisation's code."""

    code = forms.CharField(
        label=_("The organisation's code, to confirm"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, organisation: Organisation, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.organisation = organisation
        self.fields["code"].help_text = _("Type {code}.").format(code=organisation.code)

    def clean_code(self) -> str:
        if self.cleaned_data["code"].strip() != self.organisation.code:
            raise forms.ValidationError(_("This is not the organisation's code."))
        return self.organisation.code


class MoveForm(ConfirmForm):
    """To which region, from which day on."""

    field_order = ("region", "starts_on", "code")

    region = forms.ChoiceField(label=_("New region"))
    starts_on = forms.DateField(
        label=_("From this day on"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, regions: Iterable[Region], **rest: Any) -> None:
        super().__init__(*args, **rest)
        field: Any = self.fields["region"]
        field.choices = [(str(region.pk), named(region)) for region in regions]


class MoveWithdrawForm(ConfirmForm):
    """Taking a move back."""
