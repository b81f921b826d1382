"""Template tags for pages about people: forms in the platform's design, roles and demonstration accounts."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django import forms, template
from django.conf import settings
from django.core.exceptions import MultipleObjectsReturned
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.areas import areas
from accounts.domain.errors import Refused
from accounts.domain.roles import COORDINATOR, SECOND_ROLE, Place
from accounts.letters.words import named
from accounts.models import JoinRequest, Organisation, Region, RoleGrant
from accounts.permissions import actor_of
from accounts.selectors.joining import requests_of
from accounts.selectors.memberships import place_of
from accounts.selectors.users import DemoAccount, demo_accounts

register = template.Library()


@register.inclusion_tag("components/second.html", takes_context=True)
def no_second(
    context: dict[str, Any], refused: Refused | None, place: Organisation | Region | None = None
) -> dict[str, Any]:
    """Show what to do when an act needs a second person who does not exist: a link to the page of roles for
    those who may give them, a button to ask these people for everybody else."""
    request = context["request"]
    actor = actor_of(request.user)
    link, asks = "", False
    organisation = place if isinstance(place, Organisation) else None
    if organisation is not None and actor.may("manage-members", place_of(organisation)):
        link = reverse("accounts:members", args=[organisation.pk])
    elif actor.may("administer", Place(None)):
        link = reverse("accounts:roles")
    elif refused is not None and place is not None and refused.code in SECOND_ROLE:
        held = {grant.organisation_id for grant in actor.grants} | actor.organisations
        asks = organisation.pk in held if organisation else actor.has(COORDINATOR)
    if refused is not None and place is not None and "place" in refused.numbers:
        refused = type(refused)(refused.code, **{**refused.numbers, "place": named(place)})
    return {
        "refused": refused,
        "link": link,
        "asks": asks,
        "organisation": organisation,
        "region": None if organisation else place,
        "csrf_token": context.get("csrf_token"),
        "next": request.get_full_path(),
    }


@register.filter
def page_name(path: str) -> str:
    """Return the label of the navigation's entry for a page; the address of any other."""
    entries = (entry for area in areas() for entry in area.menu)
    return str(next((entry.label for entry in entries if reverse(entry.view) == path), path))


# The names of allauth's fields, as the rest of the platform would say them: those of one form
# before those of all.
LABELS = {
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "AddEmailForm.email": _("New e-mail address"),
    "password": _("Password"),
    "password1": _("New password"),
    "SignupForm.password1": _("Password"),
    "password2": _("The same password again"),
    "oldpassword": _("Current password"),
    "remember": _("Stay signed in on this device"),
    "code": pgettext_lazy("sign-in", "Code"),
    "AddWebAuthnForm.name": _("Name"),
    "EditWebAuthnForm.name": _("Name"),
}
PASSWORD_HINT = _(
    "At least 8 characters, not only digits, not a common password, and not similar to your name or address."
)
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("MicroMessenger/", "WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
ROLES: dict[Any, Any] = dict(RoleGrant._meta.get_field("role").choices or [])
DEEDS = {
    "researcher": _("finds instruments and books them"),
    "manager": _("publishes instruments, decides on requests"),
    "operator": _("runs the instruments of a facility, sees no prices"),
    "finance": _("reads what bookings of the organisation cost"),
    "coordinator": _("coordinates sharing in a region"),
    "auditor": _("reads hours and the trail, changes nothing"),
    "administrator": _("runs the platform, reads all demonstration mail"),
}

# What a role is for, in messages to whom it is given or taken from.
ALLOWS = {
    "researcher": _("finding instruments and booking them"),
    "manager": _("publishing instruments, deciding on requests, looking after members"),
    "operator": _("check-in, samples, faults and results, without prices"),
    "finance": _("funding sources, charges, statements and payments"),
    "coordinator": _("agreements, vouchers and settlement of a region"),
    "auditor": _("reading hours, charges and the trail"),
    "administrator": _("organisations, roles and settings of the platform"),
}
# What is different in a role that is limited to a part of an organisation.
ALLOWS_LIMITED = {"manager": _("publishing the instruments it is limited to, and deciding on their requests")}


@register.filter
def styled(form: forms.BaseForm) -> forms.BaseForm:
    """Return a form with the platform's CSS classes on its fields, and with our labels instead of
    allauth's."""
    kind_of_form = type(form).__name__
    is_ours = type(form).__module__ == "accounts.forms"
    for name, field in form.fields.items():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
            kind = "form-check-input"
        else:
            kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
        invalid = " is-invalid" if name in form.errors else ""
        widget.attrs["class"] = kind + invalid
        widget.attrs.pop("placeholder", None)
        if not is_ours:
            # On the bound field: it took the label over when the form was checked.
            label = LABELS.get(f"{kind_of_form}.{name}") or LABELS.get(name) or field.label
            form[name].label = label or name
            if name == "password1":  # four rules in one breath
                form[name].help_text = PASSWORD_HINT
    return form


@register.filter
def device(user_agent: str) -> str:
    """Return the browser and the system that a user agent names: `Firefox · Windows`."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (browser, system) if part) or user_agent[:60]


@register.filter
def way_name(account: SocialAccount) -> str:
    """Return the name of the provider that a person signs in with; for one that no longer exists, its id."""
    try:
        return str(account.get_provider())
    except (SocialApp.DoesNotExist, MultipleObjectsReturned):
        return str(account.provider)


@register.filter
def role_name(role: str) -> str:
    """Return a role in the reader's language."""
    return str(ROLES.get(role, role))


@register.filter
def deed(role: str) -> str:
    """Return a short phrase that says what a person with the role does in the demonstration."""
    return str(DEEDS[role])


@register.filter
def allows(role: str, limits: object = None) -> str:
    """Return a short phrase that says what a role, perhaps with `limits`, is for."""
    return str((limits and ALLOWS_LIMITED.get(role)) or ALLOWS[role])


@register.simple_tag
def demo_people() -> list[DemoAccount]:
    """Return the demonstration accounts that anyone may try; none outside local mode."""
    return demo_accounts() if settings.LOCAL_MODE else []


@register.simple_tag(takes_context=True)
def asked_to_join(context: Any) -> Organisation | None:
    """Return the organisation that has yet to answer the reader's request to join. It takes one statement."""
    request = requests_of(context["actor"]).filter(state=JoinRequest.State.REQUESTED).first()
    return request.organisation if request else None


@register.simple_tag
def own_pages() -> list[dict[str, Any]]:
    """Return the pages of a person's own settings: address, label, and the names of the views below each."""
    return [
        {"url": reverse(view), "label": label, "views": views}
        for view, label, views in (
            (
                "accounts:profile",
                gettext("Profile and tokens"),
                ("profile", "token-make", "token-made", "access"),
            ),
            (
                "accounts:organisations",
                gettext("Organisations"),
                ("organisations", "join", "join-withdraw", "invitation-accept"),
            ),
            ("accounts:message-settings", gettext("Messages"), ("message-settings",)),
            ("account_email", gettext("E-mail address"), ("account_email",)),
            (
                "account_change_password",
                gettext("Password"),
                ("account_change_password", "account_set_password"),
            ),
            ("mfa_index", gettext("Second factor"), _SECOND_FACTOR),
            ("socialaccount_connections", gettext("Ways to sign in"), ("socialaccount_connections",)),
            ("usersessions_list", gettext("Signed-in devices"), ("usersessions_list",)),
            ("bookings:person-data", gettext("Your data"), ("person-data", "person-close")),
        )
    ]


_SECOND_FACTOR = (
    "mfa_index",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
)
