"""Find organisations and people by a few letters of their names, for fields in which one is chosen."""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Membership, Organisation, User
from accounts.selectors.memberships import organisations_to_read
from accounts.selectors.organisations import organisations_listed

MOST, LONGEST = 8, 300

# Functions of higher areas (`joins` in their manifests) that return rows which the actor sees, each with its
# person as `user`.
meeting: list[Callable[[Actor], QuerySet[Any]]] = []


def organisations_like(text: str) -> QuerySet[Organisation]:
    """Return the open organisations with the text in a name or the code, those called exactly so first."""
    text = text[:LONGEST].replace("\0", "").strip()
    rows = organisations_listed(text) if text else Organisation.objects.none()
    is_called = Q(name__iexact=text) | Q(name_zh__iexact=text) | Q(code__iexact=text)
    return rows.alias(is_called=is_called).order_by("-is_called", "name", "code")


def people_like(actor: Actor, text: str, member_of: str = "") -> QuerySet[User]:
    """Return the people with the text in their name or at the beginning of their address, of those whom the
    actor sees anyway: members of organisations whose members they may read, and people of bookings and
    certificates that they see. `member_of`: only present members of the organisation with this code."""
    text = text[:LONGEST].replace("\0", "").strip()
    if not text or actor.user_id is None:
        return User.objects.none()
    seen = Q()
    for rows in meeting:
        seen |= Q(Exists(rows(actor).order_by().filter(user=OuterRef("pk"))))
    try:
        readable = organisations_to_read(actor).order_by().values("pk")
        members = Membership.objects.filter(organisation__in=readable, ended_at=None)
        seen |= Q(Exists(members.filter(user=OuterRef("pk"))))
    except NotPermitted:
        pass
    named = User.objects.filter(Q(name__icontains=text) | Q(email__istartswith=text), is_active=True)
    if member_of:
        theirs = Membership.objects.filter(organisation__code=member_of.replace("\0", ""), ended_at=None)
        named = named.filter(Exists(theirs.filter(user=OuterRef("pk"))))
    is_called = Q(name__iexact=text) | Q(email__iexact=text)
    return named.filter(seen).alias(is_called=is_called).order_by("-is_called", "name", "email")
