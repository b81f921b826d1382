"""Service accounts of organisations. Their tokens are made on their page, where a person confirms who they
are: a token makes no other."""

from typing import Any
from uuid import UUID

from allauth.idp.oidc.models import Client
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import (
    OnPage,
    Resource,
    acts,
    changes,
    creates,
    lists,
    named,
    parts,
    reads,
    removes,
)
from accounts.api.shapes import Choice, Instant, ListOf, Nothing, Shape, Text
from accounts.domain.roles import SERVICE_ROLES, By
from accounts.models import ApiToken, ServiceAccount
from accounts.selectors.organisations import organisation_by_code
from accounts.services.tokens import ALL_SCOPES
from bookings.programs.selectors import accounts
from bookings.programs.services import accounts as service

ROLE_CHOICES = [(role, role) for role in sorted(SERVICE_ROLES)]
SCOPE_CHOICES = [(scope, scope) for scope in ALL_SCOPES]


class ServiceAccountShape(serializers.Serializer[Any]):
    """The account that programs of an organisation act as. `state`: `asked` when a year has passed and the
    managers are asked whether it is needed, `stopped` when nobody has answered for sixty days."""

    id = serializers.UUIDField()
    user = PersonShape(help_text="As which it stands in the trail.")
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField(source="user.name")
    purpose = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(["active", "asked", "stopped", "ended"])
    created_by = PersonShape(allow_null=True)
    created_at = Instant()
    looked_at = Instant(help_text="When somebody last said that it is needed.")
    ended_at = Instant(allow_null=True)


class ServiceAccountTokenShape(serializers.Serializer[Any]):
    """A token of a service account without its secret. `expires_at` is null unless another token takes its
    place."""

    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, as DRF means it
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = Instant()
    expires_at = Instant(allow_null=True)
    last_used_at = Instant(allow_null=True)


class ServiceAccountClientShape(serializers.Serializer[Any]):
    """An OAuth 2.1 client without its secret. `id` is its `client_id`; `fetched_at` is when it fetched the
    last of the tokens that are still kept."""

    id = serializers.UUIDField()
    label = serializers.CharField(source="name")  # type: ignore[assignment]  # a field, as DRF means it
    scopes = serializers.ListField(child=serializers.CharField(), source="get_scopes")
    redirect_uris = serializers.ListField(
        child=serializers.CharField(),
        source="get_redirect_uris",
        help_text="Where people who allow it to act for them are sent; none: it acts as the account.",
    )
    created_at = Instant()
    fetched_at = Instant(allow_null=True, default=None)


class ServiceAccountQuery(Pages):
    organisation = Text(30, default="", help_text="Code of the organisation.")


class ServiceAccountChange(Shape):
    name = Text(150)
    purpose = Text(200)
    roles = ListOf(child=Choice(ROLE_CHOICES), default=list)
    scopes = ListOf(child=Choice(SCOPE_CHOICES), min_length=1)


class ServiceAccountBody(ServiceAccountChange):
    organisation = Text(30, help_text="Code of the organisation.")


def _is_open(by: By, row: ServiceAccount) -> bool:
    return row.ended_at is None


def _page_of(row: ServiceAccount) -> str:
    return reverse("bookings:service-account", args=[row.pk])


def _awaits(by: By, row: ServiceAccount) -> bool:
    return row.state in {"asked", "stopped"}


class ServiceAccounts(Resource):
    at, key, name, many, tag = (
        "service-accounts/",
        "service_id",
        "service_account",
        "service_accounts",
        "people",
    )
    shape, order, needs_person = ServiceAccountShape, ("created_at", "id"), True

    def visible(self, pk: UUID) -> ServiceAccount:
        return accounts.account_by_id(self.actor, pk)

    @lists(_("Service accounts"), ServiceAccountQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[ServiceAccount]:
        """List the service accounts of organisations whose members you manage, also those that have
        ended."""
        rows = accounts.accounts_for(self.actor)
        return rows.filter(organisation__code=query["organisation"]) if query["organisation"] else rows

    @creates(
        _("Make a service account"),
        ServiceAccountBody,
        named="_make",
        refuses=[404, 409],
        sends={
            "organisation": "hefei-materials",
            "name": "LIMS",
            "purpose": "Reports samples and results",
            "roles": ["operator"],
            "scopes": ["read", "upload"],
        },
    )
    def make(self, data: dict[str, Any]) -> ServiceAccount:
        """Make a service account. It may get roles that you hold for the whole organisation (a manager may
        give `operator`, too), and does not more than a person would with these; it books only for members,
        and decides nothing for which two persons answer."""
        organisation = named("organisation", organisation_by_code, data.pop("organisation"))
        return service.account_make(self.by, organisation_id=organisation.pk, **data)

    @reads(_("A service account"))
    def detail(self, pk: UUID) -> None:
        """Return a service account. Its own tokens may read it."""

    @changes(_("Change a service account"), ServiceAccountChange, "put", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> ServiceAccount:
        """Change a service account, with effect on all its tokens at once."""
        return service.account_change(self.by, account_id=pk, **data)

    @OnPage("bookings:service-account", _("Still needed"), _("Confirmed for another year."), offered=_awaits)
    @acts(_("Confirm a service account"), Nothing)
    def confirm(self, pk: UUID, data: dict[str, Any]) -> ServiceAccount:
        """Say that the account is still needed, for a year. One that was stopped goes on."""
        return service.account_confirm(self.by, account_id=pk)

    @OnPage(
        "bookings:service-account",
        _("End this account"),
        _("Ended: its tokens no longer work."),
        _("End this service account for good? Programs that use it stop working at once."),
        offered=_is_open,
    )
    @acts(_("End a service account"), Nothing)
    def end(self, pk: UUID, data: dict[str, Any]) -> ServiceAccount:
        """End the account for good, with all its tokens."""
        return service.account_end(self.by, account_id=pk)

    @parts(_("Tokens of a service account"), ServiceAccountTokenShape)
    def tokens(self, pk: UUID, query: dict[str, Any]) -> QuerySet[ApiToken]:
        """Return the tokens of the account that are not revoked, the newest first."""
        return accounts.tokens_of(self.visible(pk))

    @parts(_("OAuth clients of a service account"), ServiceAccountClientShape)
    def clients(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Client]:
        """Return the OAuth clients of the account, the newest first."""
        return accounts.clients_of(self.visible(pk))


class ServiceAccountClients(Resource):
    """OAuth clients of service accounts, by their own ids."""

    at, key, name, many, tag = (
        "service-account-clients/",
        "service_client_id",
        "service_account_client",
        "service_account_clients",
        "people",
    )
    shape, needs_person = ServiceAccountClientShape, True

    def visible(self, pk: UUID) -> Client:
        return accounts.client_by_id(self.actor, pk)[1]

    @OnPage(
        "bookings:service-account",
        _("Delete"),
        _("The client is deleted and can no longer be used."),
        _("Delete this client? Programs that use it stop working at once."),
        of="owner.service_account.pk",
        to=_page_of,
        below="delete",
    )
    @removes(_("Delete an OAuth client of a service account"))
    def remove(self, pk: UUID) -> ServiceAccount:
        """Delete an OAuth client with the tokens it has fetched, which stop working at once."""
        return service.client_end(self.by, client_id=pk)


class ServiceAccountTokens(Resource):
    """Tokens of service accounts, by their own ids."""

    at, key, name, many, tag = (
        "service-account-tokens/",
        "service_token_id",
        "service_account_token",
        "service_account_tokens",
        "people",
    )
    shape, needs_person = ServiceAccountTokenShape, True

    def visible(self, pk: UUID) -> ApiToken:
        return accounts.token_by_id(self.actor, pk)[1]

    @OnPage(
        "bookings:service-account",
        _("Revoke"),
        _("The token is revoked and can no longer be used."),
        _("Revoke this token? Programs that use it stop working at once."),
        of="user.service_account.pk",
        to=_page_of,
    )
    @removes(_("Revoke a token of a service account"), named="_revoke")
    def revoke(self, pk: UUID) -> ServiceAccount:
        """Revoke a token of a service account, which stops working at once."""
        return service.token_end(self.by, token_id=pk)
