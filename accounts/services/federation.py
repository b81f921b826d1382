"""Admit people who sign in through identity providers to their organisations, and store these providers."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.federation import BELONGS, Affiliation, parse_affiliations, parse_scopes
from accounts.domain.roles import PLATFORM, RESEARCHER, By, DutiesConflict, Place
from accounts.models import Organisation, User
from accounts.permissions import actor_of, require
from accounts.selectors.rows import visible
from accounts.services.joining import join_ask, ways_in_set
from accounts.services.memberships import lock_user, membership_start, role_grant


@transaction.atomic
def federation_join(*, user: User, affiliations: Iterable[Affiliation], now: datetime) -> None:
    """Make a person a member and researcher of the organisations that admit people by a scope among their
    affiliations. At organisations that list the scope without admitting by it, send a request to join
    instead.

    Organisations that the person ever belonged to or asked before are skipped, since somebody has already
    decided about that.
    """
    by_scope = {item.scope: item for item in affiliations if item.kind in BELONGS}
    if not by_scope:
        return
    organisations = (
        Organisation.objects.filter(scopes__overlap=list(by_scope), closed_at=None)
        .exclude(memberships__user=user)
        .exclude(join_requests__user=user)
        .select_related("region")
        .order_by("code")
    )
    if not organisations:
        return
    lock_user(user.pk)
    for organisation in organisations.all():  # read again: another sign-in may have been quicker
        if organisation.admits_by_scope:
            _admit(user, organisation, now)
        else:
            word = next(str(by_scope[scope]) for scope in organisation.scopes if scope in by_scope)
            with suppress(WrongState), transaction.atomic():  # one request too many
                join_ask(By(actor_of(user), now), organisation=organisation, text=word)


def _admit(user: User, organisation: Organisation, now: datetime) -> None:
    membership_start(By(PLATFORM, now), user=user, organisation=organisation)
    with suppress(DutiesConflict), transaction.atomic():  # an auditor, say, becomes a member only
        role_grant(By(PLATFORM, now), user=user, role=RESEARCHER, organisation=organisation)


@transaction.atomic
def scopes_set(
    by: By, *, organisation: Organisation, scopes: Iterable[str], admits_by_scope: bool
) -> Organisation:
    """Set the scopes of identity providers that belong to an organisation, and whether they alone admit a
    person. Raise `Invalid` for a scope of another organisation (`scope-taken`), `WrongVersion` if the
    organisation has changed since the expected version."""
    require(by.actor, "administer", Place(None))
    parsed = parse_scopes(scopes)
    # One at a time: two organisations must not come to the same scope side by side.
    everybody = Organisation.objects.select_for_update(no_key=True).order_by("pk")
    for other in everybody.only("code", "scopes"):
        taken = sorted(set(parsed) & set(other.scopes))
        if taken and other.pk != organisation.pk:
            raise invalid("scopes", "scope-taken", scope=taken[0], organisation=other.code)
    values = {"scopes": parsed, "admits_by_scope": admits_by_scope}
    return ways_in_set(by, organisation, "organisation.scopes", values)


@transaction.atomic
def provider_set(
    by: By, *, kind: str, provider_id: str, name: str, client_id: str, secret: str, settings: dict[str, Any]
) -> SocialApp:
    """Store an identity provider at which people may sign in, replacing one with the same id; without a
    secret, the stored one is kept. `kind` is `saml` or `openid_connect`. Secrets do not enter the trail."""
    require(by.actor, "administer", Place(None))
    settings = settings | {"scopes": parse_scopes(settings.get("scopes", []))}
    kept = SocialApp.objects.select_for_update().filter(provider_id=provider_id).first()
    if kept is not None and kept.provider != kind:
        raise invalid("id", "provider-id-taken")
    app = kept or SocialApp(provider=kind, provider_id=provider_id)
    app.name, app.client_id, app.settings = name, client_id, settings
    app.secret = secret or app.secret
    app.save()
    _record_provider(by, "update" if kept else "create", app)
    return app


@transaction.atomic
def provider_remove(by: By, *, provider_id: str) -> None:
    """Remove a provider: nobody can sign in there any more. People who did keep their accounts and other ways
    to sign in."""
    require(by.actor, "administer", Place(None))
    app = visible(SocialApp.objects.select_for_update(), provider_id=provider_id)
    _record_provider(by, "delete", app)
    app.delete()


def _record_provider(by: By, verb: str, app: SocialApp) -> None:
    after: dict[str, Any] = {
        "provider": app.provider,
        "id": app.provider_id,
        "scopes": app.settings.get("scopes", []),
    }
    # The row has a number for a key; the trail tells things by UUIDs. It is the person's act.
    trail.record(by, f"provider.{verb}", User.objects.get(pk=by.actor.person), after=after)


def signed_in_elsewhere(*, user: User, affiliations: Iterable[str], now: datetime) -> None:
    """Admit a person who has signed in through a provider that may assert these affiliations."""
    federation_join(user=user, affiliations=parse_affiliations(affiliations), now=now)
    if hasattr(user, "_actor"):  # read again: there may be more of it now
        del user._actor


def way_changed(*, user: User, action: str, provider: str, now: datetime) -> None:
    """Record that a way to sign in was added to an account or removed."""
    with transaction.atomic():
        trail.record(By(actor_of(user), now), action, user, after={"provider": provider})
