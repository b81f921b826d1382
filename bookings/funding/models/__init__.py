from bookings.funding.models.earmarks import Earmark, PurseTransfer
from bookings.funding.models.funding import FundingSource

__all__ = ["Earmark", "FundingSource", "PurseTransfer"]
