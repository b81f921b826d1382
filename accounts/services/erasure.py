"""Forget a person, in two steps.

First the account is closed: nobody can sign in with it, and nothing is ahead for it. Then a job removes the
name and the addresses from every text, and repeats this until it succeeds. What remains says what happened,
never who did it: rows keep the person's id, shown as a pseudonym, and the trail keeps its entries.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import F, Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from accounts import trail
from accounts.domain import erasure as rules
from accounts.domain.errors import WrongState
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import (
    AccessRequest,
    AddressChange,
    ApiToken,
    FactorReset,
    IdempotencyKey,
    Invitation,
    JoinRequest,
    Membership,
    Message,
    MessageSettings,
    OrganisationRequest,
    RoleGrant,
    SavedView,
    TrailText,
    User,
    Viewing,
)
from accounts.notifications import Effect, enqueue
from accounts.permissions import require_person
from accounts.selectors.erasure import (
    Column,
    addresses_of,
    is_namesake_free,
    own_addresses_of,
    text_columns,
    texts_about,
)
from accounts.services.invitations import invitations_void
from accounts.services.joining import join_withdraw
from accounts.services.memberships import access_requests_end, lock_user, membership_end, role_revoke
from accounts.services.organisation_requests import organisation_request_withdraw

# Letters about the departure are sent first, while they can still name the person.
PATIENCE = timedelta(minutes=1)


@transaction.atomic
def account_close(*, actor: Actor, by: Actor | None, reason: str, now: datetime) -> User:
    """Close a person's account, to have them forgotten soon: memberships and roles end; tokens, sessions,
    second factors and other ways to sign in are deleted. `by` is the person, or None for whoever runs the
    platform. Raise `WrongState` for the last manager of an organisation (`last-manager`), the last
    administrator (`last-administrator`), and an account that is closed already."""
    own = By(actor, now)
    lock_user(actor.person)
    user = User.objects.get(pk=actor.person)
    require_person(actor)
    if user.erasure_asked_at is not None:
        raise WrongState(state="closed", wanted="closed")
    for membership in Membership.objects.filter(user=user, ended_at=None).order_by("pk"):
        membership_end(own, membership_id=membership.pk, reason="")
    for grant in RoleGrant.objects.filter(user=user, revoked_at=None).order_by("pk"):
        role_revoke(own, grant_id=grant.pk, reason="")
    for request in JoinRequest.objects.filter(user=user, state="requested").order_by("pk"):
        join_withdraw(own, request_id=request.pk)
    for missing in OrganisationRequest.objects.filter(user=user, state="requested").order_by("pk"):
        organisation_request_withdraw(own, request_id=missing.pk)
    access_requests_end(own, people=[user.pk])
    invitations_void(own, addresses=addresses_of(user))
    removed = _doors_remove(user)
    user.set_unusable_password()
    user.is_active = user.is_staff = user.is_superuser = False
    user.erasure_asked_at = now
    user.save(update_fields=["password", "is_active", "is_staff", "is_superuser", "erasure_asked_at"])
    trail.record(By(by or PLATFORM, now), "user.close", user, after=removed, reason=reason)
    about = {"user": str(user.pk)}
    enqueue(
        [
            Effect("people.closed", f"people.closed.{user.pk}", about),
            Effect("person.forget", f"person.forget.{user.pk}", about, due_at=now + PATIENCE),
        ],
        now=now,
    )
    return user


def _doors_remove(user: User) -> dict[str, int]:
    """Delete everything that opens the account; return how many rows of each kind."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    IdempotencyKey.objects.filter(user=user).delete()
    SavedView.objects.filter(user=user).delete()
    return {
        "sessions": len(sessions),
        "tokens": ApiToken.objects.filter(user=user).delete()[0],
        "programs": Token.objects.filter(user=user).delete()[0],
        "factors": Authenticator.objects.filter(user=user).delete()[0],
        "social_accounts": SocialAccount.objects.filter(user=user).delete()[0],
    }


@transaction.atomic
def person_forget(*, user_id: UUID, now: datetime) -> bool:
    """Remove the name and the addresses of a person whose account is closed from everything but the trail's
    entries, which do not contain them. Return False if that was done before."""
    lock_user(user_id)
    user = User.objects.get(pk=user_id)
    if user.erasure_asked_at is None or user.erased_at is not None:
        return False
    left = rules.pseudonym(user.pk)
    texts = _texts_delete(texts_about(user))
    JoinRequest.objects.filter(user=user).update(text="", by_mail="", reason="")
    AccessRequest.objects.filter(user=user).update(path="", reason="")
    OrganisationRequest.objects.filter(user=user).update(text="", reason="")
    AddressChange.objects.filter(user=user).delete()
    FactorReset.objects.filter(user=user).delete()
    Viewing.objects.filter(user=user).delete()
    Message.objects.filter(user=user).delete()
    MessageSettings.objects.filter(user=user).delete()
    addresses = own_addresses_of(user)
    # What they only claimed is replaced where it was invited, and in nobody's texts.
    claimed = set(addresses_of(user)) - set(addresses)
    Invitation.objects.filter(email__in=claimed).update(email=left.email)
    mentions = sum(_replace(a, left.email, user, everywhere=True) for a in addresses)
    if user.name.strip():
        everywhere = is_namesake_free(user)
        mentions += _replace(user.name.strip(), left.name, user, everywhere=everywhere)
        if everywhere:
            texts += _texts_delete(_texts_naming([user.name.strip()]))
    texts += _texts_delete(_texts_naming(addresses))
    EmailAddress.objects.filter(user=user).delete()
    user.email, user.name = left.email, left.name
    user.language, user.time_zone, user.last_login = "en", "UTC", None
    user.erased_at = now
    user.save(update_fields=["email", "name", "language", "time_zone", "last_login", "erased_at"])
    trail.record(
        By(PLATFORM, now),
        "user.erase",
        user,
        after={"mentions": mentions, "reasons": len(texts), "texts": sorted(texts)},
    )
    return True


def _texts_delete(texts: QuerySet[TrailText]) -> list[UUID]:
    """Delete these side texts of the trail, and return the ids of the entries they belonged to."""
    erased = list(texts.values_list("pk", flat=True))
    TrailText.objects.filter(pk__in=erased).delete()
    return erased


def _texts_naming(words: Sequence[str]) -> QuerySet[TrailText]:
    texts = TrailText.objects.annotate(said=Cast("content", TextField()))
    named = Q()
    for word in words:
        named |= Q(said__iregex=rules.mention(word))
    return TrailText.objects.filter(pk__in=texts.filter(named).values("pk"))


def _replace(words: str, instead: str, user: User, *, everywhere: bool) -> int:
    """Replace a name or an address in every text column, or only in the person's own rows unless
    `everywhere`, because others have the same name; not in JSON if it may be a part of that. Return how many
    texts were changed."""
    pattern = rules.mention(words)
    columns = [one for one in text_columns() if not one.is_json or rules.is_no_syntax(words)]
    return sum(_replace_in(column, pattern, instead, user, everywhere) for column in columns)


def _replace_in(column: Column, pattern: str, instead: str, user: User, everywhere: bool) -> int:
    rows = column.model._default_manager.all()
    if not everywhere:
        if not column.people:
            return 0
        theirs = Q()
        for name in column.people:
            theirs |= Q(**{name: user.pk})
        rows = rows.filter(theirs)
    text: Cast | Func[Any] = Cast(F(column.name), TextField())
    if column.may_be_empty and not column.is_json:
        # A person who is gone is no longer a contact.
        whole = Value(rf"^\s*{pattern}\s*$")
        text = Func(text, whole, Value(""), Value("i"), function="regexp_replace")
    written = Func(text, Value(pattern), Value(instead), Value("gi"), function="regexp_replace")
    value = Cast(written, JSONField()) if column.is_json else written
    mentions = rows.annotate(said=Cast(F(column.name), TextField())).filter(said__iregex=pattern)
    changed: int = mentions.update(**{column.name: value})
    return changed
