"""The accounts of people, for administrators."""

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.api.pagination import Pages
from accounts.api.programs import ProgramShape
from accounts.api.resource import OnPage, Resource, acts, lists, reads
from accounts.api.shapes import Instant, Shape, Text
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Place
from accounts.models import ApiToken, User
from accounts.permissions import require
from accounts.selectors.administration import STATES, Account, accounts_for, accounts_in, load_account, marked
from bookings.operations.services import address_changes
from bookings.operations.services import people as administration

TAG = "operations"
PAGE = "bookings:operations-person"
ASKED = {"reason": "Asked by telephone, called back."}
PERSON = {
    "id": "0197a1de-0000-7000-8000-000000000002",
    "name": "Wang Li",
    "email": "wang.li@example.org",
    "state": "active",
    "locked": False,
    "reset_asked": False,
    "last_sign_in": "2026-03-06T02:00:00Z",
}


class AccountShape(serializers.Serializer[Any]):
    """A person's account. `state`: `active`, `suspended` or `closed`; `locked`: wrong passwords block sign-in
    for a while; `reset_asked`: an administrator asks to reset the second factor."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    state = serializers.CharField()
    locked = serializers.BooleanField()
    reset_asked = serializers.BooleanField()
    last_sign_in = Instant(allow_null=True, source="last_login")


class AccountFactorShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    created_at = Instant()
    last_used_at = Instant(allow_null=True)


class AccountSessionShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="pk")
    device = serializers.CharField(source="user_agent")
    address = serializers.CharField(source="ip")
    created_at = Instant()


class AccountTokenShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, as DRF means it
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = Instant()
    expires_at = Instant()
    last_used_at = Instant(allow_null=True)


class AccountPlaceShape(serializers.Serializer[Any]):
    organisation = serializers.CharField(source="organisation.code", allow_null=True)
    region = serializers.CharField(source="region.code", allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())


class AccountMessageShape(serializers.Serializer[Any]):
    """A message to the person. `mail`: `sent`, `waiting`, `failed` or `off`."""

    id = serializers.UUIDField(source="message.id")
    kind = serializers.CharField(source="message.kind")
    subject = serializers.CharField(source="message.subject")
    created_at = Instant(source="message.created_at")
    mail = serializers.CharField(source="state")
    error = serializers.CharField()


class AccountActShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    action = serializers.CharField()
    at = Instant()


class AccountResetShape(serializers.Serializer[Any]):
    asked_by = serializers.UUIDField(source="asked_by_id")
    created_at = Instant()
    expires_at = Instant()


class AccountAddressShape(serializers.Serializer[Any]):
    email = serializers.CharField(source="new")
    asked_by = serializers.UUIDField(source="asked_by_id", allow_null=True)
    created_at = Instant()
    expires_at = Instant()


class AccountDetailShape(serializers.Serializer[Any]):
    """Everything about an account. `blocked_at`: when wrong passwords blocked sign-in, if they still do;
    `reset`, `address_change`: the open request to reset the second factor, or to change the address. Messages
    and the trail: the latest 20."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    state = serializers.CharField()
    last_sign_in = Instant(allow_null=True, source="user.last_login")
    blocked_at = Instant(allow_null=True)
    factors = AccountFactorShape(many=True)
    reset = AccountResetShape(allow_null=True)
    address_change = AccountAddressShape(allow_null=True)
    sessions = AccountSessionShape(many=True)
    tokens = AccountTokenShape(many=True)
    programs = ProgramShape(many=True, help_text="Programs that act for the person, who has allowed it.")
    places = AccountPlaceShape(many=True)
    messages = AccountMessageShape(many=True, source="told")
    trail = AccountActShape(many=True, source="done")


class AccountQuery(Pages):
    q = Text(100, default="", help_text="Parts of the name, the e-mail address or an organisation.")
    state = serializers.ChoiceField(
        list(STATES),
        default="",
        help_text="Only accounts that are `suspended` or `locked`, or with a `reset` that somebody asks for.",
    )


class AccountBody(Shape):
    reason = Text(500, help_text="Why: the person is told, and the trail has it.")


class AccountSessionsBody(AccountBody):
    session = Text(20, default="", help_text="Id of the session; all if it is left out.")


class AccountTokensBody(AccountBody):
    token = serializers.UUIDField(required=False, help_text="Id of the token; all if it is left out.")


class AccountCodeBody(AccountBody):
    code = Text(20, help_text="A recovery code, given by the person.")


class AccountAddressBody(AccountBody):
    email = Text(254, help_text="The new address. A link is sent to it; it changes when that is opened.")


class AccountMailBody(AccountBody):
    message = serializers.UUIDField(help_text="Id of the message.")


def _on(done: Any) -> OnPage:
    return OnPage(PAGE, done=done)


class People(Resource):
    """Acts need a session with a recent confirmation of who the administrator is: no token does them."""

    at, key, tag = "operations/people/", "user_id", TAG
    name, many = "operations_person", "operations_people"
    shape, order = AccountShape, ("name", "id")
    needs_person, page_name = True, "operations-person"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            require(self.actor, "administer", Place(None))
            if isinstance(request.auth, ApiToken):
                raise NotPermitted("session-needed")
            if get_adapter().is_reauthentication_required(app="account"):
                raise NotPermitted("not-recent")

    def visible(self, pk: UUID) -> Account:
        return load_account(self.actor, pk, self.now)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return marked(rows, self.now)

    @lists(_("People’s accounts"), AccountQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[User]:
        """List the accounts of people by name. Only administrators may read this."""
        return accounts_in(accounts_for(self.actor, query["q"]), query["state"], self.now)

    @reads(_("A person’s account"), gives=AccountDetailShape)
    def detail(self, pk: UUID) -> Account:
        """Return everything about a person's account. Only administrators may read this."""
        return self.visible(pk)

    @_on(_("Sign-in is unlocked."))
    @acts(_("Unlock sign-in"), AccountBody, versioned=False, gives=AccountDetailShape, sends=ASKED)
    def unlock(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Forget the wrong passwords and codes counted for the account, so that it opens at once."""
        administration.sign_in_unlock(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("The sessions are ended."))
    @acts(_("End sessions"), AccountSessionsBody, versioned=False, gives=AccountDetailShape, sends=ASKED)
    def end_sessions(self, pk: UUID, data: dict[str, Any]) -> Account:
        """End one session of the person, or all."""
        administration.sessions_end(self.by, user_id=pk, reason=data["reason"], session_id=data["session"])
        return self.visible(pk)

    @_on(_("The tokens are revoked."))
    @acts(_("Revoke tokens"), AccountTokensBody, versioned=False, gives=AccountDetailShape, sends=ASKED)
    def revoke_tokens(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Revoke one API token of the person, or all."""
        administration.tokens_revoke(self.by, user_id=pk, reason=data["reason"], token_id=data.get("token"))
        return self.visible(pk)

    @_on(_("The account is suspended."))
    @acts(_("Suspend the account"), AccountBody, versioned=False, gives=AccountDetailShape, sends=ASKED)
    def suspend(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Refuse sign-in and tokens of the person until they are brought back. Their bookings stay. The last
        administrator cannot be suspended."""
        administration.person_suspend(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("The account works again."))
    @acts(_("Bring the account back"), AccountBody, versioned=False, gives=AccountDetailShape, sends=ASKED)
    def restore(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Bring back a person who was suspended."""
        administration.person_restore(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("Another administrator has to confirm it within a day."))
    @acts(
        _("Ask to reset the second factor"),
        AccountBody,
        versioned=False,
        gives=AccountDetailShape,
        sends=ASKED,
    )
    def reset_factor(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Ask to reset the second factor of the person. Another administrator confirms it within a day."""
        administration.factor_reset_ask(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("The second factor is reset."))
    @acts(_("Confirm the reset"), versioned=False, gives=AccountDetailShape)
    def confirm_reset(self, pk: UUID) -> Account:
        """Reset the second factor as another administrator has asked. Nobody confirms what they asked for
        themselves, or what concerns themselves."""
        administration.factor_reset_confirm(self.by, user_id=pk)
        return self.visible(pk)

    @_on(_("The request is withdrawn."))
    @acts(_("Withdraw the request"), versioned=False, gives=AccountDetailShape)
    def withdraw_reset(self, pk: UUID) -> Account:
        """Withdraw or decline the request to reset the second factor."""
        administration.factor_reset_withdraw(self.by, user_id=pk)
        return self.visible(pk)

    @_on(_("The second factor is reset."))
    @acts(
        _("Reset with a recovery code"),
        AccountCodeBody,
        versioned=False,
        gives=AccountDetailShape,
        sends={**ASKED, "code": "31415926"},
    )
    def reset_by_code(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Reset the second factor with a recovery code that the person has given."""
        administration.factor_reset_by_code(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("A link was sent to the new address; the old address is told."))
    @acts(
        _("Change the address"),
        AccountAddressBody,
        versioned=False,
        gives=AccountDetailShape,
        sends={**ASKED, "email": "wang.li@new.example.org"},
    )
    def change_address(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Send a link to a new address of the person. It takes effect when that is opened within a day; the
        old address can stop it, or undo it for a week. Not for administrators and auditors."""
        address_changes.address_change_ask(self.by, user_id=pk, **data)
        return self.visible(pk)

    @_on(_("The request is withdrawn."))
    @acts(_("Withdraw the request"), versioned=False, gives=AccountDetailShape)
    def withdraw_address(self, pk: UUID) -> Account:
        """Withdraw the request to change the person's address."""
        address_changes.address_change_withdraw(self.by, user_id=pk)
        return self.visible(pk)

    @_on(_("The mail is sent again."))
    @acts(
        _("Send a mail again"),
        AccountMailBody,
        versioned=False,
        gives=AccountDetailShape,
        sends={**ASKED, "message": PERSON["id"]},
    )
    def send_again(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Send a message to the person by mail once more."""
        administration.message_resend(self.by, user_id=pk, message_id=data["message"], reason=data["reason"])
        return self.visible(pk)

    @_on(_("The link is sent."))
    @acts(
        _("Send a link to set a password"),
        AccountBody,
        versioned=False,
        gives=AccountDetailShape,
        sends=ASKED,
    )
    def send_password_link(self, pk: UUID, data: dict[str, Any]) -> Account:
        """Send the person a link by mail to set a new password."""
        administration.password_link_send(self.by, user_id=pk, **data)
        return self.visible(pk)
