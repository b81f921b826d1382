"""Service accounts: making, changing and ending them, their tokens, and the yearly question whether they are
needed.

Persons alone do so: a service account makes no other, and no token.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from allauth.idp.oidc.models import Client
from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import ApiToken, Organisation, ServiceAccount, User
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import require, require_person
from accounts.selectors.installation import installation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.services.tokens import ALL_SCOPES, SCOPES, token_put
from accounts.services.users import name_kept
from bookings.programs.domain import accounts as rules
from bookings.programs.domain import consent
from bookings.programs.selectors import accounts
from bookings.programs.selectors.accounts import MANAGE

ADDRESS = "service-{id}@service.invalid"  # the mail of nobody: .invalid leads nowhere


@transaction.atomic
def account_make(
    by: By, *, organisation_id: UUID, name: str, purpose: str, roles: Collection[str], scopes: Collection[str]
) -> ServiceAccount:
    """Make a service account of an organisation, and tell its managers. Raise `NotPermitted` (`own-role`) for
    a role that the actor may not give it, `WrongState` beyond the most of an organisation, `Invalid`."""
    organisation = visible(
        Organisation.objects.select_for_update(of=("self",), no_key=True).select_related("region"),
        pk=organisation_id,
    )
    require(by.actor, MANAGE, place_of(organisation))
    require_person(by.actor)
    name, purpose = name_kept(name), purpose.strip()
    rules.checked(name=name, purpose=purpose, roles=roles, scopes=scopes, known=ALL_SCOPES)
    _require_roles(by, organisation, roles)
    if accounts.present(organisation).count() >= rules.MOST_ACCOUNTS:
        raise WrongState("too-many-service-accounts", most=rules.MOST_ACCOUNTS)
    key = new_id()
    user = User(
        pk=key,
        email=ADDRESS.format(id=key),
        name=name,
        language=installation().language,
        time_zone=organisation.region.time_zone,
        is_active=False,
        is_service=True,
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    row = ServiceAccount.objects.create(
        user=user,
        organisation=organisation,
        purpose=purpose,
        roles=sorted(set(roles)),
        scopes=[scope for scope in ALL_SCOPES if scope in scopes],
        created_by_id=by.actor.user_id,
        created_at=by.now,
        looked_at=by.now,
    )
    trail.record(by, "serviceaccount.make", row, after=_recorded(row))
    _tell(by, row, "made")
    return row


@transaction.atomic
def account_change(
    by: By, *, account_id: UUID, name: str, purpose: str, roles: Collection[str], scopes: Collection[str]
) -> ServiceAccount:
    """Change a service account. It takes effect at once, for every token: one with a scope that the account
    no longer has does without. Raise what `account_make` raises, and `WrongVersion`."""
    row = _locked(by, account_id)
    by.require_version(row.version)
    name, purpose = name_kept(name), purpose.strip()
    rules.checked(name=name, purpose=purpose, roles=roles, scopes=scopes, known=ALL_SCOPES)
    _require_roles(by, row.organisation, set(roles) - set(row.roles))
    before, widened = _recorded(row), not (set(roles) <= set(row.roles) and set(scopes) <= set(row.scopes))
    User.objects.filter(pk=row.user_id).update(name=name)
    row.user.name, row.purpose = name, purpose
    row.roles, row.scopes = sorted(set(roles)), [scope for scope in ALL_SCOPES if scope in scopes]
    _save(row, "purpose", "roles", "scopes")
    trail.record(by, "serviceaccount.update", row, before=before, after=_recorded(row))
    if widened:
        _tell(by, row, "changed")
    return row


@transaction.atomic
def account_confirm(by: By, *, account_id: UUID) -> ServiceAccount:
    """Say that a service account is still needed, for a year; one that was stopped goes on."""
    row = _locked(by, account_id)
    by.require_version(row.version)
    _require_roles(by, row.organisation, row.roles if row.stopped_at else ())
    row.looked_at, row.asked_at, row.stopped_at = by.now, None, None
    _save(row, "looked_at", "asked_at", "stopped_at")
    trail.record(by, "serviceaccount.confirm", row, after={"looked_at": by.now})
    return row


@transaction.atomic
def account_end(by: By, *, account_id: UUID) -> ServiceAccount:
    """End a service account for good, with all its tokens."""
    row = _locked(by, account_id)
    by.require_version(row.version)
    _end(by, row)
    return row


def accounts_end(by: By, *, organisation: Organisation) -> None:
    """End the service accounts of an organisation that is closed or merged, in the caller's transaction: who
    runs the other one makes its own."""
    rows = accounts.present(organisation).select_for_update(of=("self",), no_key=True)
    for row in rows.select_related("user", "organisation__region").order_by("pk"):
        _end(by, row)


def _end(by: By, row: ServiceAccount) -> None:
    row.ended_at = by.now
    _save(row, "ended_at")
    ApiToken.objects.filter(user=row.user_id, revoked_at=None).update(revoked_at=by.now)
    Client.objects.filter(owner=row.user_id).delete()
    trail.record(by, "serviceaccount.end", row, after={"ended_at": by.now})


# Tokens


@transaction.atomic
def token_make(by: By, *, account_id: UUID, label: str, scopes: Sequence[str]) -> tuple[ApiToken, str]:
    """Make a token of a service account, which works until it is revoked; return it with the token itself,
    which cannot be obtained again. Raise `NotPermitted` (`own-role`) for an account with a role that the
    actor may not give, as they see the token; `WrongState` beyond the most; `Invalid`."""
    row = _locked(by, account_id)
    label, chosen = _asked(by, row, label, scopes)
    if accounts.tokens_of(row).count() >= rules.MOST_TOKENS:
        raise WrongState("too-many-tokens", most=rules.MOST_TOKENS)
    return _put(by, row, label, chosen)


@transaction.atomic
def token_rotate(by: By, *, token_id: UUID) -> tuple[ApiToken, str]:
    """Make a token in place of another, with its label and scopes; the old one works for another week, or
    until it is revoked."""
    row, old = _token_locked(by, token_id)
    _require_roles(by, row.organisation, row.roles)
    if old.expires_at is not None and old.expires_at <= by.now:
        raise NotFound
    if accounts.tokens_of(row).count() >= rules.MOST_TOKENS:
        raise WrongState("too-many-tokens", most=rules.MOST_TOKENS)
    scopes = [scope for scope in old.scopes if scope in row.scopes]
    if not scopes:
        raise WrongState("token-without-scopes")
    old.expires_at = rules.old_until(old.expires_at, by.now)
    old.save(update_fields=["expires_at"])
    return _put(by, row, old.label, scopes)


@transaction.atomic
def token_end(by: By, *, token_id: UUID) -> ServiceAccount:
    """Revoke a token of a service account, which is returned; it stops working at once."""
    row, token = _token_locked(by, token_id)
    by.require_version(token.version)
    token.revoked_at = by.now
    token.save(update_fields=["revoked_at"])
    trail.record(by, "token.revoke", token, places=row.places())
    return row


def _token_locked(by: By, token_id: UUID) -> tuple[ServiceAccount, ApiToken]:
    """Return a token that is not revoked, with its account; both are locked."""
    account, _token = accounts.token_by_id(by.actor, token_id)
    row = _locked(by, account.pk)
    return row, visible(accounts.tokens_of(row).select_for_update(of=("self",)), pk=token_id)


def _asked(by: By, row: ServiceAccount, label: str, scopes: Sequence[str]) -> tuple[str, list[str]]:
    """Return label and scopes of what is made for an account, checked."""
    _require_roles(by, row.organisation, row.roles)
    label, chosen = label.strip(), sorted(set(scopes))
    if not label or len(label) > 60:
        raise invalid("label", "required" if not label else "too-long", most=60)
    if not chosen or not set(chosen) <= set(row.scopes):
        raise invalid("scopes", "unknown-value" if chosen else "required")
    return label, chosen


def _put(by: By, row: ServiceAccount, label: str, scopes: list[str]) -> tuple[ApiToken, str]:
    made = token_put(
        by,
        user=row.user,
        label=label,
        scopes=scopes,
        with_second_factor=True,
        expires_at=None,
        places=row.places(),
    )
    about = {"account": str(row.pk), "by": _who(by)}
    enqueue([Effect("program.token", f"program.token.{made[0].pk}", about)], now=by.now)
    return made


# Clients of OAuth 2.1, which fetch tokens of an hour


@transaction.atomic
def client_make(
    by: By,
    *,
    account_id: UUID,
    label: str,
    scopes: Sequence[str],
    for_people: bool = False,
    redirect_uris: Sequence[str] = (),
    is_public: bool = False,
) -> tuple[Client, str]:
    """Make an OAuth client of a service account; return it with its secret, which is shown once. It may do
    nothing but fetch tokens for the account (`client_credentials`); or, `for_people`, nothing but ask people
    whether it may act for them, and be answered at these addresses. One that `is_public` runs where it can
    keep no secret, and has none. Raise what `token_make` raises."""
    row = _locked(by, account_id)
    label, chosen = _asked(by, row, label, scopes)
    if for_people:
        consent.check_redirects(redirect_uris)
        if not set(chosen) <= set(SCOPES):  # a directory acts for its organisation
            raise invalid("scopes", "scope-not-of-people")
    elif redirect_uris or is_public:
        raise invalid("redirect_uris" if redirect_uris else "is_public", "only-for-people")
    if accounts.clients_of(row).count() >= rules.MOST_CLIENTS:
        raise WrongState("too-many-clients", most=rules.MOST_CLIENTS)
    secret = "" if is_public else secrets.token_urlsafe(32)
    kinds = Client.GrantType
    grants = [kinds.AUTHORIZATION_CODE, kinds.REFRESH_TOKEN] if for_people else [kinds.CLIENT_CREDENTIALS]
    client = Client(
        id=str(new_id()),
        name=label,
        owner=row.user,
        type=Client.Type.PUBLIC if is_public else Client.Type.CONFIDENTIAL,
        secret="",  # which nothing matches
        response_types="code" if for_people else "",
        created_at=by.now,
    )
    client.set_grant_types([str(kind) for kind in grants])
    client.set_redirect_uris(list(dict.fromkeys(redirect_uris)))
    if secret:
        client.set_secret(secret)
    client.set_scopes(chosen)
    client.set_default_scopes(chosen)
    client.save(force_insert=True)
    after = {"client": client.pk, "scopes": chosen}
    if for_people:
        after |= {"redirects": client.get_redirect_uris()}
    trail.record(by, "serviceaccount.client-make", row, after=after)
    payload = {"account": str(row.pk), "by": _who(by)}
    enqueue([Effect("program.client", f"program.client.{client.pk}", payload)], now=by.now)
    return client, secret


@transaction.atomic
def client_end(by: By, *, client_id: UUID) -> ServiceAccount:
    """Delete an OAuth client with the tokens it has fetched, which stop working at once; return its
    account."""
    account, _client = accounts.client_by_id(by.actor, client_id)
    row = _locked(by, account.pk)
    client = visible(accounts.clients_of(row), pk=str(client_id))
    by.require_version(1)  # it does not change
    trail.record(by, "serviceaccount.client-end", row, before={"client": client.pk})
    client.delete()
    return row


# The yearly question


def accounts_look(*, now: datetime) -> int:
    """Ask the managers about each account that nobody has said to be needed for a year, and stop each about
    which nobody has answered for two months. Return how many were asked about or stopped."""
    with transaction.atomic():
        rows = ServiceAccount.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        due = rows.filter(accounts.unanswered()).select_related("user", "organisation__region")
        by, done = By(PLATFORM, now), 0
        for row in due.filter(asked_at=None, looked_at__lte=now - rules.LOOK_EVERY).order_by("pk"):
            row.asked_at = now
            _save(row, "asked_at")
            trail.record(by, "serviceaccount.ask", row, after={"until": rules.stops_at(now)})
            _tell(by, row, "look")
            done += 1
        for row in due.filter(asked_at__lte=now - rules.PATIENCE).order_by("pk"):
            row.stopped_at = now
            _save(row, "stopped_at")
            trail.record(by, "serviceaccount.stop", row, after={"stopped_at": now})
            _tell(by, row, "stopped")
            done += 1
        return done


def _locked(by: By, account_id: UUID) -> ServiceAccount:
    """Return a service account that has not ended, locked, for a person who manages its organisation."""
    rows = accounts.accounts_for(by.actor).select_for_update(of=("self",), no_key=True)
    row = visible(rows, pk=account_id)
    require_person(by.actor)
    if row.ended_at is not None:
        raise WrongState(state="ended", wanted="changed")
    require(by.actor, MANAGE, place_of(row.organisation))
    return row


def _require_roles(by: By, organisation: Organisation, roles: Collection[str]) -> None:
    """Raise `NotPermitted` (`own-role`) unless the actor may give a service account these roles."""
    if not by.actor.is_platform and not set(roles) <= accounts.roles_to_give(by.actor, organisation):
        raise NotPermitted("own-role")


def _save(row: ServiceAccount, *fields: str) -> None:
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def _recorded(row: ServiceAccount) -> dict[str, object]:
    return {
        "user": row.user_id,
        "organisation": row.organisation_id,
        "roles": row.roles,
        "scopes": row.scopes,
    }


def _tell(by: By, row: ServiceAccount, what: str) -> None:
    about = {"account": str(row.pk), "by": _who(by)}
    enqueue([Effect(f"program.{what}", f"program.{what}.{row.pk}.{row.version}", about)], now=by.now)


def _who(by: By) -> str | None:
    return str(by.actor.user_id) if by.actor.user_id else None
