"""Service accounts: who may see them, and their tokens."""

from uuid import UUID

from allauth.idp.oidc.models import Client
from django.db.models import Max, Q, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor, Place
from accounts.models import ApiToken, Organisation, ServiceAccount
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.programs.domain import accounts as rules

MANAGE = "manage-members"


def organisation_with_accounts(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose service accounts the actor may manage; `NotFound` if there is none,
    `NotPermitted` otherwise."""
    organisation = visible(Organisation.objects.select_related("region"), pk=organisation_id)
    if not actor.may(MANAGE, place_of(organisation)):
        require(actor, MANAGE, place_of(organisation))
    return organisation


def accounts_for(actor: Actor) -> QuerySet[ServiceAccount]:
    """Return the service accounts that the actor may manage, those of a service account itself: its own."""
    rows = ServiceAccount.objects.select_related("user", "organisation__region", "created_by")
    rows = rows.order_by("ended_at", "user__name", "id")
    if actor.is_service:
        return rows.filter(user=actor.person)
    if actor.may(MANAGE, Place(None)):
        return rows
    return rows.filter(organisation__in=actor.organisations_where(MANAGE))


def account_by_id(actor: Actor, account_id: UUID) -> ServiceAccount:
    """Return a service account; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(accounts_for(actor), pk=account_id)


def accounts_of(organisation: Organisation) -> QuerySet[ServiceAccount]:
    """Return the service accounts of an organisation, those that have ended last."""
    rows = ServiceAccount.objects.filter(organisation=organisation).select_related("user", "created_by")
    return rows.order_by("-ended_at", "user__name", "id")


def tokens_of(account: ServiceAccount) -> QuerySet[ApiToken]:
    """Return the tokens of a service account that are not revoked, the newest first."""
    return ApiToken.objects.filter(user=account.user_id, revoked_at=None).order_by("-created_at", "-id")


def token_by_id(actor: Actor, token_id: UUID) -> tuple[ServiceAccount, ApiToken]:
    """Return a token that is not revoked, and the service account that has it, if the actor may manage that;
    `NotFound` otherwise."""
    token = (
        ApiToken.objects.filter(pk=token_id, revoked_at=None).select_related("user__service_account").first()
    )
    if token is None:
        raise NotFound
    return visible(accounts_for(actor), user=token.user_id), token


def clients_of(account: ServiceAccount) -> QuerySet[Client]:
    """Return the OAuth clients of a service account, the newest first, each with when it fetched the last
    token that has not been deleted since (`fetched_at`)."""
    rows = Client.objects.filter(owner=account.user_id).annotate(fetched_at=Max("token__created_at"))
    found: QuerySet[Client] = rows.order_by("-created_at", "id")
    return found


def client_by_id(actor: Actor, client_id: UUID) -> tuple[ServiceAccount, Client]:
    """Return an OAuth client and the service account that has it, if the actor may manage that; `NotFound`
    otherwise."""
    client = visible(Client.objects.filter(owner__is_service=True), pk=str(client_id))
    return visible(accounts_for(actor), user=client.owner_id), client


def roles_to_give(actor: Actor, organisation: Organisation) -> frozenset[str]:
    """Return the roles that a service account of the organisation may get from the actor."""
    held = {
        grant.role
        for grant in actor.grants
        if not grant.is_scoped and grant.organisation_id in (None, organisation.pk) and not grant.region_id
    }
    return rules.roles_to_give(held)


def present(organisation: Organisation) -> QuerySet[ServiceAccount]:
    return ServiceAccount.objects.filter(organisation=organisation, ended_at=None)


def unanswered() -> Q:
    """Return the condition for accounts that go on, or wait for an answer."""
    return Q(ended_at=None, stopped_at=None)
