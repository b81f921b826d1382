from bookings.funding.models.defaults import DefaultSource
from bookings.funding.models.earmarks import Earmark, PurseTransfer
from bookings.funding.models.funding import FundingSource

__all__ = ["DefaultSource", "Earmark", "FundingSource", "PurseTransfer"]
