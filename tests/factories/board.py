"""Enquiries and bids of the cast: Hu Bo of Hefei Optics, an enterprise, asks; USTC bids."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from accounts.domain.roles import By
from bookings.board.models import Bid, Enquiry
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import EnquiryValues, enquiry_make
from tests.factories.cast import NOW, Cast, at
from tests.factories.needs import need_of

TEXT = "grain size of the secret alloy of Hefei Optics"
FIRST = at("2026-03-09 09:00")


def enquiry_of(cast: Cast, who: str = "hu", *, now: datetime = NOW, **changed: Any) -> Enquiry:
    """An enquiry for two hours of grain size."""
    need = need_of(cast, who, text=TEXT, sample="powder", budget=4321)
    return enquiry_make(By(cast.actor(who), now), need_id=need.pk, values=EnquiryValues(**changed))


def bid_of(cast: Cast, enquiry: Enquiry, **changed: Any) -> Bid:
    """A bid of USTC with its microscope, for two times, unless said otherwise."""
    now = changed.pop("now", NOW)
    instrument = changed.pop("instrument", cast.microscope)
    usual: dict[str, Any] = {
        "starts": [FIRST, FIRST + timedelta(days=1)],
        "service_mode": "assisted",
        "conditions": ["after-test"],
        "text": "We gladly measure it.",
    }
    return bid_make(
        By(cast.actor("zhao"), now),
        enquiry_id=enquiry.pk,
        instrument_id=instrument.pk,
        values=BidValues(**usual | changed),
    )


@contextmanager
def unchanged(*models: Any) -> Iterator[None]:
    """The rows of the models are the same afterwards."""
    before = [list(model.objects.order_by("pk").values()) for model in models]
    yield
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def board_things(cast: Cast) -> dict[str, str]:
    """An enquiry of Wang Li with a bid of USTC: their ids, and that of a slot."""
    need = need_of(cast, "wang")
    enquiry = enquiry_make(By(cast.actor("wang"), NOW), need_id=need.pk, values=EnquiryValues())
    bid = bid_of(cast, enquiry, starts=[at("2026-03-24 09:00")])
    slot = bid.slots.get()
    return {"enquiry": str(enquiry.pk), "bid": str(bid.pk), "slot": str(slot.pk)}
