"""Forms of service accounts and their tokens, which check shape only."""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from accounts.domain.roles import SERVICE_ROLES
from accounts.forms import ROLE_NAMES
from accounts.models import ServiceAccount
from bookings.record.messages import sentence

SCOPES = (
    ("read", _("read: see what its roles show")),
    ("book", _("book: reserve, move and cancel for members")),
    ("manage", _("manage: instruments, records, closures, members")),
    ("upload", _("upload: files of results")),
    ("provision", _("provision: an organisation's members, for its directory (SCIM)")),
)


class _Refusing(forms.Form):
    def refuse(self, problems: Sequence[FieldProblem]) -> None:
        for problem in problems:
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, sentence(problem.code, problem.numbers))


class AccountForm(_Refusing):
    """A service account. Only roles that the reader may give it can be chosen, besides those it has."""

    name = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("Such as the program: it stands in the history.")
    )
    purpose = forms.CharField(label=_("What is it for?"), max_length=200)
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a role it sees what a member sees. A directory (provision) needs manager."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"), choices=SCOPES, initial=["read"], widget=forms.CheckboxSelectMultiple
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, roles: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["roles"]
        field.choices = [(role, ROLE_NAMES[role]) for role in sorted(SERVICE_ROLES) if role in roles]


class TokenForm(_Refusing):
    """A new token of a service account, which can do no more than the account."""

    label = forms.CharField(
        label=_("What is it for?"),
        max_length=60,
        help_text=_("Such as the program or the machine that will use it."),
    )
    scopes = forms.MultipleChoiceField(label=_("Permissions"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, account: ServiceAccount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["scopes"]
        field.choices = [(scope, words) for scope, words in SCOPES if scope in account.scopes]


class ClientForm(TokenForm):
    """A new OAuth client of a service account, which acts as the account or for people who allow it."""

    acts_for = forms.ChoiceField(
        label=_("How does it act?"),
        required=False,
        choices=[("account", _("Acts as this account")), ("people", _("Acts for people who allow it"))],
        initial="account",
    )
    redirect_uris = forms.CharField(
        label=_("Addresses it is answered at"),
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For programs that act for people, one a line: https://…, http://127.0.0.1/… for a program on "
            "the person's own computer, or a scheme of its own such as org.example.app:/…"
        ),
    )
    is_public = forms.BooleanField(
        label=_("It runs where it can keep no secret"),
        required=False,
        help_text=_("Such as on people's phones and computers. It then gets no secret."),
    )

    def clean(self) -> dict[str, Any]:
        """Turn the fields into what the service takes."""
        data: dict[str, Any] = super().clean() or {}
        lines = [line.strip() for line in data.pop("redirect_uris", "").splitlines()]
        data["redirect_uris"] = [line for line in lines if line]
        data["for_people"] = data.pop("acts_for", "") == "people"
        return data


def initial_of(account: ServiceAccount) -> dict[str, Any]:
    """Return the initial values of the form that changes an account."""
    values = {name: getattr(account, name) for name in ("purpose", "roles", "scopes", "version")}
    return values | {"name": account.user.name}
