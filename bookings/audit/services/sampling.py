"""Draw samples: a population is frozen and hashed, and the seed of the draw is stored."""

import hashlib
import secrets
import zlib
from dataclasses import asdict, replace

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from bookings.audit.domain.sampling import Sampling, draw, population_csv, population_items
from bookings.audit.models import AuditSample
from bookings.audit.selectors.audit import AUDIT
from bookings.audit.selectors.sampling import load_population

MOST = 5000


@transaction.atomic
def sample_draw(by: By, *, sampling: Sampling) -> AuditSample:
    """Freeze the population of the auditor's regions, and draw a sample from it."""
    require_somewhere(by.actor, AUDIT)
    if sampling.until <= sampling.since:
        raise invalid("until", "not-after-start")
    if not 1 <= sampling.size <= MOST:
        raise invalid("size", "out-of-range", least=1, most=MOST)
    if sampling.method == "monetary" and sampling.subject != "charges":
        raise invalid("method", "monetary-of-charges")
    if sampling.method == "monetary" and not sampling.currency:
        raise invalid("currency", "required")
    regions = sorted(by.actor.regions_where(AUDIT))
    content = population_csv(load_population(sampling, regions))
    items = population_items(content)
    if not items:
        raise WrongState("empty-population")
    seed = sampling.seed.strip() or secrets.token_hex(16)
    row = AuditSample.objects.create(
        **asdict(replace(sampling, seed=seed)),
        region_ids=regions,
        population=zlib.compress(content),
        digest=hashlib.sha256(content).digest(),
        count=len(items),
        drawn=draw(items, method=sampling.method, seed=seed, size=sampling.size),
        made_by_id=by.actor.person,
        made_at=by.now,
    )
    trail.record(
        by,
        "sample.draw",
        row,
        after={
            "population": bytes(row.digest).hex(),
            "count": row.count,
            "method": row.method,
            "seed": row.seed,
            "size": row.size,
            "drawn": hashlib.sha256("\n".join(row.drawn).encode()).hexdigest(),
        },
        places=((), regions),
    )
    return row
