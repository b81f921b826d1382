"""The demonstration world: the same every time, clock aside.

places (regions, organisations, people) -> offers (instruments with hours, rules, rates) ->
outages (closures) -> coming (bookings that must be there) -> past and coming (what chance
makes of demand) -> hours. Everything passes through the services, as of the day on which it
would have happened, but for past use: it is generated in bulk, in the states and with the
trail that the services would have left.
"""

from bookings.demo.services.seed import ACCOUNTS, PASSWORD, Built, NotEmpty, NotLocal, demo_seed

__all__ = ["ACCOUNTS", "PASSWORD", "Built", "NotEmpty", "NotLocal", "demo_seed"]
