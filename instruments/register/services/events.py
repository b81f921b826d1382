"""Tell other programs about changes to records."""

from accounts.notifications import Effect
from instruments.register.models import Instrument


def record_event(instrument: Instrument, publication: str) -> Effect:
    """Return the effect that tells other programs that a record was published or changed."""
    name = "published" if publication == "published" else "changed"
    return Effect(
        kind=f"instrument.{name}",
        key=f"instrument.{name}:{instrument.pk}:{instrument.version}",
        payload={"instrument": str(instrument.pk)},
    )
