"""When a person's certificates allow them to operate an instrument alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from instruments.domain.opening import day_span, local_date

type Span = tuple[datetime, datetime]

# The end of a certificate that has none.
OPEN_END = datetime(9000, 1, 1, tzinfo=UTC)
# What may be entered as a day of one.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)
# A policy asks for a certificate of the very instrument by this word, else by a technique's code.
THIS_INSTRUMENT = "instrument"


@dataclass(frozen=True)
class Certificate:
    """Valid on the local days from `valid_from` to `valid_until` (None: without end), both
    inclusive, until it was revoked."""

    valid_from: date
    valid_until: date | None = None
    revoked_at: datetime | None = None

    def state(self, zone: ZoneInfo, now: datetime) -> str:
        """`coming`, `valid`, `expired` or `revoked`; what is revoked stays so."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        today = local_date(zone, now)
        if today < self.valid_from:
            return "coming"
        return "expired" if self.valid_until is not None and self.valid_until < today else "valid"


def within(certificate: Certificate, first: date, until: date | None) -> Certificate | None:
    """The certificate as far as it lies on the days [`first`, `until`); None: on none of them."""
    last = certificate.valid_until
    if until is not None:
        before = until - timedelta(days=1)
        last = before if last is None else min(last, before)
    start = max(certificate.valid_from, first)
    if last is not None and last < start:
        return None
    return replace(certificate, valid_from=start, valid_until=last)


def counts_for(needed: str, *, is_of_instrument: bool, technique: str | None) -> bool:
    """Whether a certificate is of the thing that a policy needs: one for the instrument itself
    does for every need, one for a technique where that technique is asked for."""
    if not needed:
        return False
    return is_of_instrument or (technique is not None and technique == needed)


def valid_spans(certificates: Iterable[Certificate], zone: ZoneInfo) -> list[Span]:
    """The half-open spans in which at least one is valid, in order; spans that touch are one."""
    spans: list[Span] = []
    for start, end in sorted(_span(certificate, zone) for certificate in certificates):
        if end <= start:  # revoked before it began
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _span(certificate: Certificate, zone: ZoneInfo) -> Span:
    start = day_span(zone, certificate.valid_from)[0]
    until = certificate.valid_until
    end = OPEN_END if until is None or until > LAST_DAY else day_span(zone, until)[1]
    revoked = certificate.revoked_at
    return start, end if revoked is None else min(end, revoked)
