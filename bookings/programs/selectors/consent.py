"""Programs that ask people whether they may act for them: which may, and for what."""

from dataclasses import dataclass
from uuid import UUID

from allauth.idp.oidc.models import Client

from accounts.domain.errors import invalid
from accounts.models import ServiceAccount
from accounts.services.tokens import SCOPES
from bookings.programs.domain import consent as rules


@dataclass(frozen=True)
class Asked:
    """A program asks a person for this: it is answered there, would act with these scopes, and proves itself
    by this challenge."""

    client: Client
    account: ServiceAccount
    redirect: str
    scopes: list[str]
    challenge: str


def client_by_name(client_id: str) -> Client | None:
    """Return the OAuth client of a service account by its id, whatever it may do."""
    try:
        pk = str(UUID(client_id))
    except ValueError:
        return None
    rows = Client.objects.select_related("owner__service_account__organisation__region")
    found: Client | None = rows.filter(pk=pk, owner__is_service=True).first()
    return found


def acts_for_people(client: Client) -> bool:
    return Client.GrantType.AUTHORIZATION_CODE in client.get_grant_types()


def goes_on(client: Client) -> bool:
    """Return whether the service account of a client goes on."""
    account = client.owner.service_account
    return account.is_open and account.organisation.closed_at is None


def client_for_people(client_id: str, redirect: str) -> Client:
    """Return a client that may ask people, and be answered at this address; raise `Invalid` otherwise: then
    nobody is sent anywhere."""
    client = client_by_name(client_id)
    if client is None or not acts_for_people(client) or not goes_on(client):
        raise invalid("client_id", "unknown-program")
    if not rules.is_registered(redirect, client.get_redirect_uris()):
        raise invalid("redirect_uri", "unknown-redirect")
    return client


def scopes_for_people(client: Client, asked: str) -> list[str]:
    """Return which of the scopes asked for a client may have from a person now."""
    return rules.scopes_left(asked, SCOPES, client.get_scopes(), client.owner.service_account.scopes)
