"""Changes of people's mail addresses that administrators ask for, with proof from the new address."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import trail
from accounts.domain import administration as rules
from accounts.domain.errors import NotFound, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import AddressChange, ApiToken, RoleGrant, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of
from accounts.selectors.administration import account_by_id
from accounts.services.memberships import lock_user
from accounts.services.programs import programs_end
from accounts.services.users import address_of, sign_in_mail_send
from bookings.messaging.services.feeds import feeds_end
from bookings.operations.services.people import opened, sessions_close

State = AddressChange.State


@transaction.atomic
def address_change_ask(by: By, *, user_id: UUID, email: str, reason: str) -> AddressChange:
    """Ask to change a person's address: a link is sent to the new one, and the old one is told. Raise
    `Invalid` if it is no address, `WrongState` if somebody has asked (`address-asked`) or the account is
    suspended, and what `check_address` says."""
    user, reason = opened(by, user_id, reason)
    new = address_of(email)
    if not user.is_active:
        raise WrongState(state="suspended", wanted="active")
    _check(by, user, new, is_platform=by.actor.is_platform)
    asks = AddressChange.objects.filter(user=user, state=State.REQUESTED)
    if asks.filter(expires_at__gt=by.now).exists():
        raise WrongState("address-asked")
    asks.update(state=State.WITHDRAWN, decided_at=by.now)
    row = AddressChange.objects.create(
        user=user,
        asked_by_id=by.actor.user_id,
        old=user.email,
        new=new,
        reason=reason,
        created_at=by.now,
        expires_at=by.now + rules.PROVE_WITHIN,
    )
    _noted(by, row, "user.address-ask", "address-proof", "address-asked")
    return row


def _check(by: By, user: User, new: str, *, is_platform: bool) -> None:
    """Hold a new address against the rules. Somebody else's address that is not confirmed takes nothing."""
    others = EmailAddress.objects.filter(email__iexact=new, verified=True).exclude(user=user)
    taken = User.objects.filter(email__iexact=new).exclude(pk=user.pk)
    last = AddressChange.objects.filter(user=user, state=State.TAKEN).order_by("-decided_at").first()
    rules.check_address(
        new=new,
        old=user.email,
        is_used=others.exists() or taken.exists(),
        roles=RoleGrant.objects.filter(user=user, revoked_at=None).values_list("role", flat=True),
        is_staff=user.is_staff or user.is_superuser,
        is_platform=is_platform,
        changed_at=last.decided_at if last else None,
        now=by.now,
    )


def _noted(by: By, row: AddressChange, action: str, *kinds: str) -> None:
    """Record a step of a change in the trail, without addresses, and enqueue the messages about it."""
    entry = trail.record(by, action, row.user, after={"change": row.pk}, reason=row.reason)
    payload = {"user": str(row.user_id), "entry": str(entry.pk), "change": str(row.pk)}
    effects = [Effect(f"people.{kind}", f"people.{kind}.{row.pk}", payload) for kind in kinds]
    enqueue(effects, now=by.now)


def _decided(row: AddressChange, state: str, now: datetime) -> None:
    row.state, row.decided_at = state, now
    row.save(update_fields=["state", "decided_at"])


@transaction.atomic
def address_change_withdraw(by: By, *, user_id: UUID) -> None:
    """Withdraw the request to change a person's address: the link no longer works."""
    account_by_id(by.actor, user_id)
    lock_user(user_id)
    row = AddressChange.objects.filter(user=user_id, state=State.REQUESTED, expires_at__gt=by.now).first()
    if row is None:
        raise WrongState("no-address-asked")
    _decided(row, State.WITHDRAWN, by.now)
    trail.record(by, "user.address-withdraw", row.user, after={"change": row.pk})


def _locked(change_id: UUID) -> AddressChange:
    """Return a change with its person, both locked; raise `NotFound` if there is none."""
    user_id = AddressChange.objects.filter(pk=change_id).values_list("user_id", flat=True).first()
    if user_id is None:
        raise NotFound
    lock_user(user_id)
    return AddressChange.objects.select_related("user").get(pk=change_id)


@transaction.atomic
def address_change_take(*, change_id: UUID, now: datetime) -> AddressChange:
    """Change the address, because whoever reads the new one has opened the link. Sign-in by an institution or
    a passkey stays as it is. Raise `WrongState` if the link is over (`address-link-over`), or the address has
    gone to another account meanwhile (`address-in-use`)."""
    row = _locked(change_id)
    user = row.user
    is_open = row.state == State.REQUESTED and now < row.expires_at
    if not is_open or not user.is_active or user.erasure_asked_at or user.email != row.old:
        raise WrongState("address-link-over")
    by = By(actor_of(user), now)
    _check(by, user, row.new, is_platform=row.asked_by_id is None)
    _set(user, row.new, EmailAddress.objects.filter(user=user, email__iexact=row.old))
    _decided(row, State.TAKEN, now)
    _noted(by, row, "user.address-take", "address-changed", "address-new")
    return row


def _set(user: User, email: str, ended: QuerySet[EmailAddress]) -> None:
    """Make an address the one with which a person signs in, and remove others. Somebody may just have created
    an account with it."""
    ended.delete()
    EmailAddress.objects.filter(user=user, email__iexact=email).delete()
    EmailAddress.objects.filter(user=user, primary=True).update(primary=False)
    user.email = email
    try:
        with transaction.atomic():
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
            user.save(update_fields=["email"])
    except IntegrityError:
        raise WrongState("address-in-use") from None


@transaction.atomic
def address_change_stop(*, change_id: UUID, now: datetime) -> AddressChange:
    """Stop a change of the address, or undo it within a week, because whoever reads the old address says so;
    all administrators are told. Raise `WrongState` if it is too late (`address-link-over`)."""
    row = _locked(change_id)
    answer = rules.address_answers(
        state=row.state, expires_at=row.expires_at, decided_at=row.decided_at, now=now
    )
    if answer is None or row.user.erasure_asked_at is not None:
        raise WrongState("address-link-over")
    by = By(actor_of(row.user), now)
    if answer == "stop":
        _decided(row, State.STOPPED, now)
        _noted(by, row, "user.address-stop", "address-stopped")
        return row
    _undo(row, since=row.decided_at or now, now=now)
    _decided(row, State.UNDONE, now)
    _noted(by, row, "user.address-undo", "address-stopped", "address-undone")
    return row


def _undo(row: AddressChange, *, since: datetime, now: datetime) -> None:
    """Give the account back to whoever reads the old address: end sessions, revoke what was added since, and
    leave neither another address nor the password, which may be a stranger's by now."""
    user = row.user
    _set(user, row.old, EmailAddress.objects.filter(user=user))
    sessions_close(UserSession.objects.filter(user=user))
    SocialAccount.objects.filter(user=user, date_joined__gte=since).delete()
    Authenticator.objects.filter(user=user, created_at__gte=since).delete()
    ApiToken.objects.filter(user=user, revoked_at=None, created_at__gte=since).update(revoked_at=now)
    programs_end(By(PLATFORM, now), user)
    feeds_end(By(PLATFORM, now), user)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    if user.is_active:
        sign_in_mail_send(
            mail="password_reset_key", email=row.old, user=user, language=user.language, now=now
        )
