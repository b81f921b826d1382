"""Rules for inviting the people listed in a file: what a row says, and its outcome."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accounts.domain.errors import FieldProblem, Refused, invalid
from accounts.domain.joining import parse_roles
from accounts.domain.roles import FINANCE, MANAGER, RESEARCHER

# The field of a column by its name in small letters. Names are read by nobody: an invitation greets
# nobody by a name that they did not give.
PEOPLE_COLUMNS: Mapping[str, str] = {
    name: field
    for field, names in {
        "email": ("email", "e-mail", "mail", "e-mail address", "邮箱", "电子邮箱", "邮件地址"),
        "roles": ("roles", "role", "角色"),
        "organisation": ("organisation", "organization", "organisation code", "单位", "单位代码"),
    }.items()
    for name in names
}
_ROLES = {
    "researcher": RESEARCHER,
    "科研人员": RESEARCHER,
    "manager": MANAGER,
    "仪器管理员": MANAGER,
    "finance": FINANCE,
    "财务人员": FINANCE,
    "研究人员": RESEARCHER,
    "管理员": MANAGER,
    "财务": FINANCE,
}


class Verdict(StrEnum):
    """Codes for the outcome of one row of a file of people."""

    INVITE = "invite"
    INVITED = "invited"  # already, and it is open
    MEMBER = "member"
    REFUSED = "refused"


@dataclass(frozen=True)
class PersonRow:
    """A row of the file; `problem` if the row could not be read."""

    line: int
    email: str
    roles: str = ""
    organisation: str = ""
    problem: FieldProblem | None = None


@dataclass(frozen=True)
class PersonOutcome:
    """The outcome of one row. `roles`: the roles it asks for; `lacking`: those that the member does not hold
    or the open invitation does not include. A file never adds roles to either."""

    line: int
    email: str
    organisation: str
    roles: tuple[str, ...]
    verdict: Verdict
    lacking: tuple[str, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class PeopleReport:
    """The outcome of each row of the file, in its order. `limit`: the refusal if the file asks for more
    invitations than may be sent today."""

    outcomes: Sequence[PersonOutcome]
    limit: Refused | None = None

    def count(self, verdict: Verdict) -> int:
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    @property
    def is_refused(self) -> bool:
        return self.limit is not None or self.count(Verdict.REFUSED) > 0


class PeopleRefused(Refused):
    """Rows of the file are refused, or there are too many: nobody was invited."""

    code = "people-refused"

    def __init__(self, report: PeopleReport) -> None:
        self.report = report
        super().__init__(refused=report.count(Verdict.REFUSED), rows=len(report.outcomes))


def roles_in(text: str) -> list[str]:
    """Return the roles in a cell, `researcher; manager`; an empty cell means researcher. Raise `Invalid` for
    a role that cannot be given on joining."""
    words = [word for word in re.split(r"[;；,，、/|\s]+", text.strip().casefold()) if word]
    if unknown := [word for word in words if word not in _ROLES]:
        raise invalid("roles", "unknown-role", role=unknown[0])
    return parse_roles([_ROLES[word] for word in words] or [RESEARCHER])
