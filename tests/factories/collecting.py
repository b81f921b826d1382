"""Results that can be collected, a link to them, and a request to keep others longer."""

from datetime import timedelta

from accounts.domain.roles import By
from bookings.results.selectors.collecting import collect_token
from bookings.results.services.collecting import link_make
from bookings.results.services.retention import keep_ask
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.results import announced, released


def collecting_things(cast: Cast) -> dict[str, str]:
    """The ids of these by the words of the permission table."""
    hand_off = released(cast, announced(cast, reserve(cast, "2026-03-12 14:00", "2026-03-12 15:00")))
    other = released(cast, announced(cast, reserve(cast, "2026-03-12 15:00", "2026-03-12 16:00")))
    link = link_make(
        By(cast.actor("zhao"), NOW), hand_off_id=hand_off.pk, label="Li", expires_at=NOW + timedelta(days=14)
    )
    request = keep_ask(By(cast.actor("wang"), NOW), hand_off_id=other.pk, days=30)
    return {
        "released-result": str(hand_off.pk),
        "released-file": str(hand_off.files.get(path="spectrum.csv").pk),
        "manifest": hand_off.manifest_digest,
        "collect-token": collect_token(link.pk),
        "result-link": str(link.pk),
        "keep-request": str(request.pk),
    }
