"""What follows when somebody signs in elsewhere: whose member they are, what the trail keeps."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.federation import parse_affiliations, parse_scopes, scopes_of_members
from accounts.domain.roles import RESEARCHER, Actor, Place
from accounts.models import Membership, Organisation, User
from accounts.permissions import actor_of, require
from accounts.services.memberships import membership_start, role_grant


@transaction.atomic
def federation_join(*, user: User, scopes: Collection[str], now: datetime) -> list[Organisation]:
    """Make the person a member, and a researcher, of the organisations that hold one of these
    scopes and admit by them; those joined now.

    Who was a member before is left alone: an ended membership was ended by somebody.
    """
    if not scopes:
        return []
    joined = []
    admitting = (
        Organisation.objects.filter(scopes__overlap=list(scopes), admits_by_scope=True)
        .exclude(memberships__user=user)
        .select_related("region")
        .order_by("code")
    )
    if not admitting:
        return []
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for organisation in admitting:
        if Membership.objects.filter(user=user, organisation=organisation).exists():
            continue  # another sign-in was quicker
        membership_start(actor=None, user=user, organisation=organisation, now=now)
        role_grant(actor=None, user=user, role=RESEARCHER, organisation=organisation, now=now)
        joined.append(organisation)
    return joined


@transaction.atomic
def scopes_set(
    *,
    actor: Actor,
    organisation: Organisation,
    scopes: Iterable[str],
    admits_by_scope: bool,
    now: datetime,
) -> Organisation:
    """Say which scopes of identity providers are the organisation's, and whether to be a member
    there is enough. A scope belongs to one organisation (`scope-taken`)."""
    require(actor, "administer", Place(None))
    wanted = parse_scopes(scopes)
    # One at a time: two organisations must not come to the same scope side by side.
    others = Organisation.objects.select_for_update(no_key=True).exclude(pk=organisation.pk)
    for other in others.order_by("pk").only("code", "scopes"):
        if taken := sorted(set(wanted) & set(other.scopes)):
            raise invalid("scopes", "scope-taken", scope=taken[0], organisation=other.code)
    before = {"scopes": organisation.scopes, "admits_by_scope": organisation.admits_by_scope}
    organisation.scopes, organisation.admits_by_scope = wanted, admits_by_scope
    organisation.save(update_fields=["scopes", "admits_by_scope"])
    trail.record(
        actor=actor,
        action="organisation.scopes",
        target=organisation,
        now=now,
        before=before,
        after={"scopes": wanted, "admits_by_scope": admits_by_scope},
        organisation_ids=[organisation.pk],
        region_ids=organisation.region.lineage,
    )
    return organisation


@transaction.atomic
def provider_set(*, actor: Actor, app: SocialApp, now: datetime) -> SocialApp:
    """Store a place where people may sign in; the trail keeps no secrets of it."""
    require(actor, "administer", Place(None))
    is_new = app.pk is None
    app.save()
    _record_provider(actor, "create" if is_new else "update", app, now)
    return app


@transaction.atomic
def provider_remove(*, actor: Actor, app: SocialApp, now: datetime) -> None:
    """Nobody signs in there any more; who did keeps the account, with another way in."""
    require(actor, "administer", Place(None))
    _record_provider(actor, "delete", app, now)
    app.delete()


def _record_provider(actor: Actor, verb: str, app: SocialApp, now: datetime) -> None:
    after: dict[str, Any] = {
        "provider": app.provider,
        "id": app.provider_id,
        "scopes": app.settings.get("scopes", []),
    }
    # The row has a number for a key; the trail tells things by UUIDs. It is the person's act.
    trail.record(
        actor=actor,
        action=f"provider.{verb}",
        target=User.objects.get(pk=actor.person),
        now=now,
        after=after,
    )


def signed_in_elsewhere(*, user: User, affiliations: Iterable[str], now: datetime) -> None:
    """Somebody has come in by a provider that may assert these affiliations."""
    scopes = scopes_of_members(parse_affiliations(affiliations))
    if federation_join(user=user, scopes=scopes, now=now) and hasattr(user, "_actor"):
        del user._actor


def way_changed(*, user: User, action: str, provider: str, now: datetime) -> None:
    """Record that a way to sign in was added to an account or removed."""
    with transaction.atomic():
        trail.record(
            actor=actor_of(user), action=action, target=user, now=now, after={"provider": provider}
        )
