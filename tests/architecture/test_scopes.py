"""At every address a manager of a facility is answered as its manager where it is about the facility, and
otherwise as a colleague who manages nothing. The addresses are those of the permission table."""

import re

import pytest

from accounts.domain.roles import By
from accounts.models import RoleGrant
from instruments.managing.services.registry import facility_create
from tests.architecture import permission_table, test_permissions
from tests.architecture.test_permissions import address, answered, filled, rows
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
clock = test_permissions._clock
sessions, world = test_permissions.sessions, test_permissions.world  # fixtures

MANAGER, COLLEAGUE = (permission_table.PEOPLE.index(name) for name in ("zhao", "sun"))

# What concerns an organisation as a whole: a role for a facility gives nothing there.
OF_THE_WHOLE = re.compile(
    # One charge of a booking in scope is read; lists, sums and what is done with it are not theirs.
    r"(?!(bookings:money-charges-(one|replay)|api-charge|api-charge-replay)$)"
    r"((bookings:|api-)service-account|accounts:people|bookings:people-import"
    r"|(instruments|bookings):(block|import|remembered-value|harvest|export|facility-new|kiosk"
    r"|result-storage|money-(?!sessions)|hours-|open-enquiry-(put|take)|plan|webhook|finding|action|duplicates)"
    r"|api-(block|import|remembered-value|harvest|export|kiosk|charge|correction|statement|payment|statistics"
    r"|open-enquiry-(put|take)|planned|webhook|events|audit|duplicate))"
)
# Pages which a manager of some instruments sees, with rows of these alone (tests/flows/test_scopes.py).
LISTS = {
    "instruments:courses", "instruments:course-new", "instruments:questions", "instruments:manage",
    "instruments:drafts", "instruments:facilities", "bookings:sample-queue", "bookings:requests",
    "bookings:decide-many", "bookings:board", "bookings:board-events", "bookings:open-enquiries",
    "bookings:bids", "bookings:labels", "bookings:alarms", "bookings:alarm-thresholds", "bookings:hosted",
}  # fmt: skip
# What the colleague does in their own name, who also books.
OWN = {"bookings:book", "bookings:import", "api-reservations-import"}

TABLES = ((False, permission_table.PAGES), (True, permission_table.API))
DIFFERENT = [
    pytest.param(is_api, method, name, cells[MANAGER], cells[COLLEAGUE], id=f"{method} {name}")
    for is_api, table in TABLES
    for method, name, cells in rows(table)
    if cells[MANAGER] != cells[COLLEAGUE]
]


@pytest.fixture(scope="module")
def yard(world):
    """Another facility of the host, in which nothing is."""
    cast, _ = world
    return facility_create(
        By(cast.actor("zhao"), NOW),
        organisation=cast.ustc,
        name="Yard",
        name_zh="",
        time_zone="Asia/Shanghai",
        address="",
    )


def answer_of(world, sessions, facility, is_api, method, name):
    """How the address answers the colleague as a manager of the facility."""
    cast, things = world
    body = None
    if is_api and method not in {"GET", "DELETE"}:
        body = permission_table.API_BODIES.get((method, name), {})
    elif method == "POST":
        body = permission_table.PAGE_BODIES.get(name, {})
    grant = RoleGrant.objects.create(
        user=cast.people["sun"],
        role="manager",
        organisation=cast.ustc,
        facility_id=facility.pk,
        granted_at=NOW,
    )
    sent = None if body is None else filled(body, things)
    answer = answered(sessions["sun"], method, address(name, things, method), sent, is_api)
    grant.delete()
    return str(answer.status_code)


@pytest.mark.parametrize(("is_api", "method", "name", "manager", "colleague"), DIFFERENT)
def test_a_manager_of_a_facility(world, sessions, yard, is_api, method, name, manager, colleague):
    request = is_api, method, name
    found = answer_of(world, sessions, world[0].facility, *request)
    if OF_THE_WHOLE.match(name) or (method, name) == ("POST", "api-facilities"):
        assert found in {colleague, "403"}
    elif name in OWN:
        assert found == colleague
    elif manager == "403":  # they see it, and it is somebody's own
        assert found in {manager, colleague}
    else:
        assert found == manager
    elsewhere = answer_of(world, sessions, yard, *request)
    assert elsewhere in ({"200", "400"} if name in LISTS else {colleague, "403", "404"})
