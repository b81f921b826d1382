"""Seal the trail, and send auditors the newest seal."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.domain.roles import AUDITOR, By
from accounts.domain.seals import MOST, SealFacts, root, seal_digest
from accounts.models import RoleGrant, Seal
from accounts.notifications import Effect, enqueue
from accounts.permissions import require_somewhere

# The one lock of sealing; nobody who writes to the trail takes it.
LOCK = 7_261_001
# What this statement takes is sealed now; entries that others have not committed are not visible and wait.
_TAKE = """
WITH taken AS (
    DELETE FROM accounts_unsealedentry
    WHERE entry_id IN (SELECT entry_id FROM accounts_unsealedentry ORDER BY entry_id LIMIT %s)
    RETURNING entry_id
)
INSERT INTO accounts_sealedentry (entry_id, seal_id, position, digest)
SELECT e.id, %s, row_number() OVER (ORDER BY e.id) - 1, e.digest
FROM accounts_trailentry e JOIN taken ON taken.entry_id = e.id
"""
_DIGESTS = "SELECT digest FROM accounts_sealedentry WHERE seal_id = %s ORDER BY position"


def trail_seal(*, now: datetime) -> list[Seal]:
    """Seal all committed entries that are in no seal yet; return the new seals, none if there was nothing to
    seal. Neither this nor the writers of entries wait for one another."""
    seals = []
    while seal := _seal(now):
        seals.append(seal)
        if seal.count < MOST:
            break
    return seals


@transaction.atomic
def _seal(now: datetime) -> Seal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = Seal.objects.defer("digests").order_by("-number").first()
        number = last.number + 1 if last else 1
        cursor.execute(_TAKE, [MOST, number])
        cursor.execute(_DIGESTS, [number])
        digests = [bytes(row[0]) for row in cursor.fetchall()]
    if not digests:
        return None
    facts = SealFacts(
        number=number,
        at=now,
        count=len(digests),
        root=root(digests),
        previous=bytes(last.digest) if last else None,
    )
    return Seal.objects.create(**vars(facts), digest=seal_digest(facts), digests=b"".join(digests))


def trail_seal_now(by: By) -> list[Seal]:
    """Seal the trail as `trail_seal` does, at the request of an auditor."""
    require_somewhere(by.actor, "audit")
    return trail_seal(now=by.now)


@transaction.atomic
def seals_tell(*, now: datetime) -> int:
    """Send the newest seal to every auditor, at most once a day each; return how many. Auditors can switch
    this off in their message settings. Nobody can rewrite unnoticed what lies in many mailboxes."""
    newest = Seal.objects.defer("digests").order_by("-number").first()
    if newest is None:
        return 0
    readers = list(
        RoleGrant.objects.filter(user__is_active=True, role=AUDITOR, revoked_at=None)
        .order_by("user_id")
        .values_list("user_id", flat=True)
        .distinct()
    )
    day = now.date().isoformat()
    enqueue([_letter(reader, newest, day) for reader in readers], now=now)
    return len(readers)


def _letter(reader: UUID, seal: Seal, day: str) -> Effect:
    return Effect(
        kind="audit.seal",
        key=f"audit.seal:{reader}:{day}",
        payload={"user": str(reader), "seal": seal.number, "digest": bytes(seal.digest).hex()},
    )
