"""Who books what in the ledger test: four researchers of three payers, one of them with vouchers,
and instruments that never close. `manage.py shell` runs `build`."""

import json
from datetime import date, timedelta

from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import membership_start, role_grant
from accounts.services.tokens import token_issue
from instruments.rates.domain.ratecards import PRICE_GROUPS
from tests.concurrency.races import ALWAYS
from tests.factories.agreements import grant, programme
from tests.factories.cast import NOW, build_cast

RESEARCHERS = ("wang", "sun", "hu", "alice")
INSTRUMENTS = 6
HORIZON_DAYS = 700


def build() -> None:
    """Prints, as JSON, tokens by name of the researcher, and the instruments' ids."""
    cast, now = build_cast(), timezone.now()
    membership_start(By(PLATFORM, NOW), user=cast.alice, organisation=cast.ustc)
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="researcher", organisation=cast.ustc)
    grant(cast, programme(cast), "10000000", valid_until=date(now.year + 3, 1, 1))
    policy = {"horizon_days": dict.fromkeys(PRICE_GROUPS, HORIZON_DAYS)}
    instruments = [
        cast.instrument(name=f"Instrument {number}", hours=ALWAYS, policy=policy)
        for number in range(INSTRUMENTS)
    ]
    tokens = {
        name: token_issue(user=cast.people[name], label="ledger", lifetime=timedelta(days=30), now=now)[1]
        for name in RESEARCHERS
    }
    print(json.dumps({"tokens": tokens, "instruments": [str(row.pk) for row in instruments]}))
