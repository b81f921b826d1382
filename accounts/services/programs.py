"""End what programs may do for people."""

from uuid import UUID

from allauth.idp.oidc.models import Client, Token
from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.models import User


@transaction.atomic
def program_remove(by: By, *, program_id: UUID) -> None:
    """Take back what the actor has allowed a program; its tokens stop working at once. Raise `NotFound` if it
    may not act for them."""
    user = User.objects.get(pk=by.actor.person)
    by.require_version(1)  # it does not change
    if not programs_end(by, user, program_id=program_id):
        raise NotFound


def programs_end(by: By, user: User, *, program_id: UUID | None = None, reason: str = "") -> int:
    """End what all programs, or one, may do for a person, in the caller's transaction; return how many
    could."""
    rows = Token.objects.filter(user=user)
    if program_id is not None:
        rows = rows.filter(client=str(program_id))
    rows = rows.exclude(type=Token.Type.ACCESS_TOKEN)  # each belongs to one of the others
    held = rows.select_for_update(of=("self",)).order_by("pk").values_list("client_id", flat=True)
    clients = Client.objects.filter(pk__in=set(held)).select_related(
        "owner__service_account__organisation__region"
    )
    for client in clients.order_by("pk"):
        Token.objects.filter(user=user, client=client).delete()
        program_ended(by, user, client, reason)
    return len(clients)


def program_ended(by: By, user: User, client: Client, reason: str = "", *, reused: bool = False) -> None:
    """Record in the trail that a program may no longer act for a person; `reused`: because a code or a
    refresh token was shown again."""
    account = client.owner.service_account
    before, after = {"client": client.pk, "account": account.pk}, {"reused": True} if reused else {}
    places = account.places()
    trail.record(by, "user.program-end", user, before=before, after=after, reason=reason, places=places)
