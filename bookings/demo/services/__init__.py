"""The demonstration world: always the same, except that it is dated relative to the present.

places (regions, organisations, people) -> offers (instruments with hours, rules, rates) -> outages (closures)
-> coming (bookings that must exist) -> past and coming (bookings that chance generates) -> hours. Everything
passes through the services, as of the day on which it would have happened, except past use: that is generated
in bulk, with the states and the trail that the services would have left.
"""

from bookings.demo.services.seed import ACCOUNTS, PASSWORD, Built, NotEmpty, NotLocal, demo_seed

__all__ = ["ACCOUNTS", "PASSWORD", "Built", "NotEmpty", "NotLocal", "demo_seed"]
