"""Forms of a person's own pages; they check only the form of the input."""

import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain import joining, roles
from accounts.domain.errors import NotFound
from accounts.domain.invoice_details import LENGTHS
from accounts.domain.messages import Choice, Quiet, Topic
from accounts.domain.roles import NOBODY, Actor
from accounts.letters.words import named
from accounts.models import Message, MessageSettings, Organisation, Region, RoleGrant, User
from accounts.selectors.choosing import LONGEST, MOST, organisations_like, people_like
from accounts.selectors.messages import choices_in
from accounts.selectors.organisations import organisation_by_code, region_by_code, regions
from accounts.selectors.rows import as_uuid

ROLE_NAMES: dict[Any, Any] = dict(RoleGrant._meta.get_field("role").choices or [])
SCOPES = (
    ("read", _("read: see what I may see")),
    ("book", _("book: reserve, move, cancel, check in and out")),
    ("manage", _("manage: instruments, requests, closures")),
    ("upload", _("upload: files of results")),
    ("provision", _("provision: an organisation's members, for its directory (SCIM)")),
)
LIFETIMES = ((7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("1 year")))


# Fields that several forms share.
_NAME = forms.CharField(
    label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
)
_EMAIL = forms.EmailField(
    label=_("Their e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
)


# A choice that js/palette.js put into a field: a name, and the code or address behind it.
_CHOSEN = re.compile(r"\s*(?P<name>.*)\s*[(（](?P<key>[^()（）\s]+)[)）]\s*", re.DOTALL)


def organisation_choice(organisation: Organisation) -> str:
    """Return the text that stands in a field for a chosen organisation."""
    return f"{named(organisation)} ({organisation.code})"


def person_choice(person: User) -> str:
    """Return the text that stands in a field for a chosen person."""
    return f"{person.name} ({person.email})" if person.name else person.email


def is_choice_of_person(text: str) -> bool:
    """Return whether a text is a chosen person, "Name (address)"."""
    chosen = _CHOSEN.fullmatch(text)
    return bool(chosen and "@" in chosen["key"])


def address_in(text: str) -> str:
    """Return the mail address of a chosen person; any other text unchanged."""
    chosen = _CHOSEN.fullmatch(text)
    return chosen["key"] if chosen and "@" in chosen["key"] else text.strip()


def _plain(name: str, present: str = "") -> str:
    """Return a person's name; raise `ValidationError` if it has signs that stand between people and addresses
    in a list of them. The name that somebody has at present passes."""
    if name != present and re.search(r"[@＠,，;；()（）]", name):
        raise forms.ValidationError(_("A name cannot contain @, commas, semicolons or parentheses."))
    return name


class NameInput(forms.TextInput):
    """A text input that offers names as one types (js/palette.js); without scripts the name is typed."""

    def __init__(self, kind: str, attrs: Any = None) -> None:
        offers = reverse_lazy(f"bookings:choices-{kind}")
        kept = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__({"data-choose": offers, "maxlength": LONGEST} | kept | (attrs or {}))


class OrganisationField(forms.CharField):
    """An organisation, chosen or typed by its name in either language; its code is understood too. One that
    is called exactly as typed comes before one that has the code."""

    def __init__(self, **kwargs: Any) -> None:
        widget = NameInput("organisations", {"placeholder": _("Begin to type its name")})
        options: dict[str, Any] = {"label": _("Organisation"), "widget": widget, "max_length": LONGEST}
        super().__init__(**options | kwargs)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value) or "")
        if not text:
            return None
        found = list(organisations_like(text)[: MOST + 1])
        exact = [row for row in found if _is_called(row, text)]
        chosen = _CHOSEN.fullmatch(text)
        if chosen and (row := _coded(chosen["key"])) and (not exact or _is_called(row, chosen["name"])):
            return row
        if not exact and (row := _coded(text)):
            return row
        return _only(
            exact or found, organisation_choice, _("No organisation is called so. Choose one from the list.")
        )


def _is_called(organisation: Organisation, text: str) -> bool:
    names = (organisation.name.casefold(), organisation.name_zh.casefold())
    return text.strip().casefold() in names


def _coded(code: str) -> Organisation | None:
    try:
        return organisation_by_code(code)
    except NotFound:
        return None


class PersonField(forms.CharField):
    """A person, chosen or typed by name, as their mail address. Names are those of people whom the reader
    sees anyway (`known_to` says who reads); any address or id passes unchanged."""

    actor = NOBODY

    def __init__(self, **kwargs: Any) -> None:
        widget = NameInput("people", {"placeholder": _("Begin to type a name")})
        options: dict[str, Any] = {"label": _("Person"), "widget": widget, "max_length": LONGEST}
        super().__init__(**options | kwargs)

    def clean(self, value: Any) -> str:
        return person_address(self.actor, str(super().clean(value) or ""))


def person_address(actor: Actor, text: str) -> str:
    """Return the mail address of a person chosen or typed by name, of those whom the actor sees; an address
    or an id unchanged. Raise `ValidationError` if none or several are called exactly so."""
    text = address_in(text)
    if not text or "@" in text or as_uuid(text):
        return text
    found = list(people_like(actor, text)[: MOST + 1])
    exact = [person for person in found if person.name.casefold() == text.casefold()]
    none = _("You know of nobody called so. Choose somebody from the list, or enter their mail address.")
    if found and not exact:
        names = str(gettext("; ")).join(person_choice(person) for person in found[:MOST])
        near = gettext("Did you mean {names}?").format(names=names)
        raise forms.ValidationError(near)
    return str(_only(exact, person_choice, none).email)


def known_to(form: forms.Form, actor: Actor) -> None:
    """Let the fields of a form that name people know who reads them."""
    for field in form.fields.values():
        if hasattr(field, "actor"):
            field.actor = actor


def _only[Row](found: list[Row], choice: Callable[[Row], str], none: Any) -> Row:
    """Return the only row found; raise `ValidationError`, which names several."""
    if len(found) == 1:
        return found[0]
    if found:
        names = str(gettext("; ")).join(choice(row) for row in found[:MOST])
        several = gettext("Several are called so. Enter one of: {names}").format(names=names)
        raise forms.ValidationError(several)
    raise forms.ValidationError(none)


class WordsField(forms.CharField):
    """A list of words, one per line or separated by commas."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
        super().__init__(required=False, max_length=2500, widget=widget, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return str(super().clean(value)).replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class SignUpForm(forms.Form):
    """The field that allauth's sign-up shows besides address and password: the name.

    The adapter stores the name together with the rest.
    """

    field_order = ("name", "email", "password1", "password2")

    name = _NAME

    def clean_name(self) -> str:
        return _plain(self.cleaned_data["name"])

    def signup(self, request: Any, user: Any) -> None:
        """Do nothing: allauth requires this method, but the adapter has stored everything."""


class ProfileForm(forms.Form):
    """The name, the language and the time zone of a person; with several organisations, the default one."""

    name = _NAME
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", "English"), ("zh-hans", "简体中文")],
        help_text=_("Used for pages and for the mail you receive."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Start typing a city or region. Times are shown in the instrument's own time zone; if "
            "yours is different, your time is shown as well."
        ),
    )

    def __init__(self, *args: Any, organisations: Sequence[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(organisations) > 1:
            names = [(each.code, named(each)) for each in organisations]
            self.fields["organisation"] = forms.ChoiceField(
                label=_("Default organisation"),
                choices=[("", _("No default")), *names],
                required=False,
                help_text=_(
                    "Pages begin with it. What a program books or enters is for it, unless it names another."
                ),
            )

    def clean_name(self) -> str:
        return _plain(self.cleaned_data["name"], self.initial.get("name", ""))

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("There is no such time zone. Use a name such as Asia/Shanghai."))
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
        label=_("Permissions"), choices=SCOPES, initial=["read"], widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, provisions: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provisions:  # only of who manages members
            self.fields["scopes"].choices = SCOPES[:-1]  # type: ignore[attr-defined]

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class LanguageForm(forms.Form):
    """The language switch, with the page to come back to."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    next = forms.CharField(required=False, max_length=2000)


class TopicRow:
    """A topic with its three fields, as a table shows it."""

    def __init__(self, form: forms.Form, topic: Topic) -> None:
        self.rule, self.name, self.hint = topic, topic.label, topic.hint
        self.mail, self.inbox, self.language = (
            form[f"{part}-{topic.name}"] for part in ("mail", "inbox", "language")
        )


class MessageSettingsForm(forms.Form):
    """How each topic reaches somebody, and their quiet hours."""

    quiet_from = forms.TimeField(
        label=_("No mail from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        label=_("until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: Any, row: MessageSettings, topics: Sequence[Topic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = choices_in(row)
        self.shown = topics
        self.fields["quiet_from"].initial = row.quiet_from
        self.fields["quiet_until"].initial = row.quiet_until
        for rule in topics:
            name, present = rule.name, chosen.of(rule)
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
        return (TopicRow(self, topic) for topic in self.shown)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        ends = (data.get("quiet_from"), data.get("quiet_until"))
        if (ends[0] is None) != (ends[1] is None) and not self.errors:
            self.add_error(
                "quiet_until", _("Enter both the start and the end of the quiet hours, or neither.")
            )
        return data

    def topics(self) -> dict[str, Choice]:
        data, names = self.cleaned_data, [topic.name for topic in self.shown]
        return {
            name: Choice(data[f"mail-{name}"], data[f"inbox-{name}"], data[f"language-{name}"])
            for name in names
        }

    def quiet(self) -> Quiet | None:
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return Quiet(start, end) if start is not None and end is not None else None


# Joining and roles

JOINING_ROLES = tuple((role, ROLE_NAMES[role]) for role in joining.ROLES)
MEMBERS_ROLES = tuple(
    (role, ROLE_NAMES[role]) for role in (roles.RESEARCHER, roles.OPERATOR, roles.MANAGER, roles.FINANCE)
)


class FindForm(forms.Form):
    """A search for an organisation or a person."""

    q = forms.CharField(label=_("Name, code or mail domain"), required=False, max_length=100)


class JoinForm(forms.Form):
    """A few words that somebody who wants to join writes to the managers."""

    text = forms.CharField(
        label=_("What should the managers know?"),
        required=False,
        max_length=joining.MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as your group and what you work on."),
    )


class InviteForm(forms.Form):
    """An invitation: the address, the roles, and how long it is open."""

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
    """An invitation of the first manager of an organisation, and how long it is open."""

    roles = None  # type: ignore[assignment]  # as Django leaves a field out


class SecondForm(forms.Form):
    """A request for a second person: the role, the place, and the page to come back to."""

    code = forms.ChoiceField(choices=[(code, "") for code in roles.SECOND_ROLE])
    organisation = forms.UUIDField(required=False)
    region = forms.UUIDField(required=False)
    next = forms.CharField(required=False, max_length=2000)


_REFUSAL_SALT, _REFUSAL_LASTS = "accounts.refusal", timedelta(hours=12)


class AccessForm(forms.Form):
    """A request for a role after a refusal: the organisation that can give it, and what was refused, which
    the page has signed (`refusal_signed`): the letter says it in the platform's name."""

    organisation = forms.UUIDField(required=False)
    refusal = forms.CharField(max_length=4000)

    def clean_refusal(self) -> dict[str, str]:
        try:
            capability, path = signing.loads(
                self.cleaned_data["refusal"], salt=_REFUSAL_SALT, max_age=_REFUSAL_LASTS
            )
        except signing.BadSignature as exc:
            raise forms.ValidationError("unknown-act", code="unknown-act") from exc
        return {"capability": capability, "path": path}


def refusal_signed(capability: str, path: str = "") -> str:
    """Return the text by which `AccessForm` knows which capability is lacking, and for which page."""
    return signing.dumps([capability, path], salt=_REFUSAL_SALT)


class JoiningForm(forms.Form):
    """The mail domains that belong to an organisation."""

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


# Of fields in which a browser should change nothing.
AS_TYPED = {"autocomplete": "off", "spellcheck": "false"}


class InvoiceDetailsForm(forms.Form):
    """The details of an organisation that its statements print."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    legal_name = forms.CharField(
        label=_("Legal name"),
        required=False,
        max_length=LENGTHS["legal_name"],
        help_text=_("As written in contracts and invoices."),
    )
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=LENGTHS["address"],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    tax_number = forms.CharField(
        label=_("Tax number"),
        required=False,
        max_length=LENGTHS["tax_number"],
        widget=forms.TextInput(attrs=AS_TYPED),
    )
    bank_name = forms.CharField(
        label=_("Bank and branch"),
        required=False,
        max_length=LENGTHS["bank_name"],
        help_text=_(
            "The organisation's finance people and managers are notified when any of the bank "
            "details changes, and payers see when that was."
        ),
    )
    account_number = forms.CharField(
        label=_("Account number"),
        required=False,
        max_length=LENGTHS["account_number"],
        widget=forms.TextInput(attrs=AS_TYPED),
        help_text=_("For payers in your country."),
    )
    iban = forms.CharField(
        label=_("IBAN"),
        required=False,
        max_length=42,  # in groups of four
        widget=forms.TextInput(attrs=AS_TYPED),
        help_text=_("Where your country has it."),
    )
    bic = forms.CharField(
        label=_("BIC (SWIFT)"),
        required=False,
        max_length=14,
        widget=forms.TextInput(attrs=AS_TYPED),
        help_text=_("For payers in other countries."),
    )
    bank_account = forms.CharField(
        label=_("More about the account"),
        required=False,
        max_length=LENGTHS["bank_account"],
        widget=forms.Textarea(attrs=AS_TYPED | {"rows": 2}),
        help_text=_("What has no field above: CNAPS code, sort code, routing number."),
    )
    invoice_email = forms.EmailField(
        label=_("Invoice mail address"),
        required=False,
        max_length=LENGTHS["invoice_email"],
        help_text=_("Statements you have to pay are sent there as well, as PDF."),
    )
    order_number = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=LENGTHS["order_number"],
        help_text=_("Statements that you have to pay quote it, unless one is given its own."),
    )

    def details(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class ScopesForm(forms.Form):
    """Scopes by which identity providers know an organisation."""

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
    """An identity provider at which people may sign in."""

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
    metadata_url = forms.CharField(label=_("Address of the metadata (SAML)"), required=False, max_length=500)
    identifier = forms.ChoiceField(
        label=_("User identifier (SAML)"),
        choices=[
            ("pairwise-id", "pairwise-id"),
            ("subject-id", "subject-id"),
            ("persistent", "persistent NameID, eduPersonTargetedID"),
        ],
        required=False,
    )
    client_id = forms.CharField(label=_("Client ID (OpenID Connect)"), required=False, max_length=190)
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
            self.add_error(needed, _("This is required for the kind you chose."))
        url_field = "metadata_url" if is_saml else "entity"
        url = data.get(url_field) or ""
        schemes = ("https://", "http://") if settings.LOCAL_MODE else ("https://",)
        if url and not url.startswith(schemes):
            self.add_error(url_field, _("Give an address that begins with https://."))
        return data

    def values(self) -> dict[str, Any]:
        """Return the arguments of the service that stores the provider."""
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
    """Name and settings of this installation."""

    name = forms.CharField(label=_("Name"), max_length=100)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=100, required=False)
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 1 MB. It appears on light and dark pages."),
    )
    without_logo = forms.BooleanField(label=_("Remove the current logo"), required=False)
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=settings.LANGUAGES, widget=forms.CheckboxSelectMultiple
    )
    usual = forms.ChoiceField(
        label=_("Default language"),
        choices=settings.LANGUAGES,
        help_text=_("Used if neither the browser nor the profile specifies another language."),
    )
    admits_strangers = forms.BooleanField(
        label=_("Anyone may create an account"),
        required=False,
        help_text=_(
            "Otherwise, only people with an invitation, or who sign in at an institution whose "
            "scopes are entered under “External sign-in”, can create one."
        ),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def languages_in_order(self) -> list[str]:
        """Return the languages, the default one first."""
        usual = self.cleaned_data["usual"]
        return [usual, *(code for code in self.cleaned_data["languages"] if code != usual)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "languages" in data and data.get("usual") not in data["languages"]:
            self.add_error("usual", _("Choose one of the languages above."))
        return data


class RoleForm(forms.Form):
    """A role to give to a member."""

    role = forms.ChoiceField(label=_("Role"), choices=MEMBERS_ROLES)


class TakeForm(forms.Form):
    """The reason for revoking a role."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)


class PlatformRoleForm(forms.Form):
    """A role that administrators give: of a region, or of the platform."""

    user = PersonField(help_text=_("Somebody new: their mail address."))
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (role, ROLE_NAMES[role]) for role in (roles.COORDINATOR, roles.AUDITOR, roles.ADMINISTRATOR)
        ],
    )
    region = forms.TypedChoiceField(
        label=_("Region"),
        required=False,
        coerce=region_by_code,
        empty_value=None,
        help_text=_("Leave it empty for an administrator."),
    )

    def __init__(self, *args: Any, actor: Actor, **rest: Any) -> None:
        super().__init__(*args, **rest)
        known_to(self, actor)
        field: Any = self.fields["region"]
        field.choices = [("", "–"), *((one.code, named(one)) for one in regions())]


class ConfirmForm(forms.Form):
    """A confirmation of an act that cannot be undone: the person types the organisation's name."""

    code = forms.CharField(
        label=_("The organisation's name, to confirm"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, organisation: Organisation, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.organisation = organisation
        self.fields["code"].help_text = _("Type: {name}").format(name=named(organisation))

    def clean_code(self) -> str:
        typed = " ".join(self.cleaned_data["code"].split()).casefold()
        names = (self.organisation.name, self.organisation.name_zh, self.organisation.code)
        if typed not in {" ".join(name.split()).casefold() for name in names if name}:
            raise forms.ValidationError(_("This is not the organisation's name."))
        return self.organisation.code


class MoveForm(ConfirmForm):
    """A move of an organisation to another region, from a given day on."""

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
    """A form that withdraws a planned move of an organisation."""
