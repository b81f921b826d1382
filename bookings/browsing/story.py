"""The demonstration's saved searches, of two people."""

from accounts.domain.roles import By
from bookings.browsing.services.searches import search_save
from bookings.world import World
from instruments.search.domain.search import Criteria

SEARCHES = (
    ("researcher@demo.test", "Cryo-EM", Criteria(technique="local-cryo-em")),
    ("researcher@demo.test", "XRD", Criteria(text="xrd", service_mode="entrusted")),
    ("yao.qi@demo.test", "质谱", Criteria(text="质谱")),
)


def begin(world: World) -> str:
    """Save searches for people of the demonstration."""
    for email, name, criteria in SEARCHES:
        by = By(world.places.people[email].actor, world.now)
        search_save(by, name=name, criteria=criteria, organisation=None)
    return f"{len(SEARCHES)} saved searches"
