"""Announcements: texts that the platform's administrators show on all pages for a time."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid

EVERYONE, SIGNED_IN, REGION, ROLE = "everyone", "signed-in", "region", "role"
INFORMATION, WARNING = "information", "warning"
CURRENT, AHEAD, PAST, WITHDRAWN = "current", "ahead", "past", "withdrawn"
LONGEST = timedelta(days=366)
MOST_TEXT = 500
# Full-width punctuation, quotes and brackets end an address; so does a mark at the end of a sentence.
_ADDRESS = re.compile(
    r"https://[^\s<>\"'()（）《》「」“”，。；：！？、]*[^\s<>\"'()（）《》「」“”，。；：！？、.,;:!?]"
)
_OTHER_SCHEME = re.compile(r"\b(?!https://)[a-z][a-z0-9+.-]*://|\b(?:javascript|data|mailto):", re.IGNORECASE)
# What stands before an @ looks like the host, and is not.
_DISGUISED = re.compile(r"https://[^\s/?#]*@", re.IGNORECASE)
# Control characters, those that turn the direction of writing, and surrogates, which cannot be stored.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Announcement:
    """An announcement as pages show it: its texts, its time, and whom it is for. `region_id` is set for the
    people of a region, `role` for those who hold a role."""

    id: UUID
    version: int
    kind: str
    text: str
    text_zh: str
    starts_at: datetime
    ends_at: datetime
    audience: str = EVERYONE
    region_id: UUID | None = None
    role: str = ""

    def is_for(self, *, is_signed_in: bool, roles: Collection[str], regions: Collection[UUID]) -> bool:
        """Return whether it is for a reader with these roles, whose organisations and grants lie in these
        regions (with all regions above them)."""
        match self.audience:
            case "everyone":
                return True
            case "signed-in":
                return is_signed_in
            case "region":
                return is_signed_in and self.region_id in regions
            case _:
                return is_signed_in and self.role in roles


def state_of(*, starts_at: datetime, ends_at: datetime, is_withdrawn: bool, now: datetime) -> str:
    """Return the state of an announcement, or of maintenance, at a moment."""
    if is_withdrawn:
        return WITHDRAWN
    if now < starts_at:
        return AHEAD
    return CURRENT if now < ends_at else PAST


def check_span(*, starts_at: datetime, ends_at: datetime, now: datetime, longest: timedelta) -> None:
    """Raise `Invalid` unless something may be shown or last from one moment to the other."""
    if ends_at <= starts_at:
        raise Invalid([FieldProblem("ends_at", "ends-before-it-starts")])
    if ends_at <= now:
        raise Invalid([FieldProblem("ends_at", "in-the-past")])
    if ends_at - starts_at > longest:
        raise Invalid(
            [FieldProblem("ends_at", "lasts-too-long", {"hours": int(longest.total_seconds() / 3600)})]
        )


def check_announcement(
    *, text: str, text_zh: str, audience: str, has_region: bool, role: str, roles: Collection[str]
) -> None:
    """Raise `Invalid` with everything that is wrong with an announcement except its time. Both languages are
    required, because each reader sees one; addresses in them begin with https://."""
    problems = []
    for name, value in (("text", text), ("text_zh", text_zh)):
        if not value.strip():
            problems.append(FieldProblem(name, "required"))
        elif len(value) > MOST_TEXT:
            problems.append(FieldProblem(name, "too-long", {"most": MOST_TEXT}))
        elif _OTHER_SCHEME.search(value):
            problems.append(FieldProblem(name, "https-only"))
        elif _DISGUISED.search(value):
            problems.append(FieldProblem(name, "link-with-at"))
        elif _UNFIT.search(value.replace("\r\n", "\n")):
            problems.append(FieldProblem(name, "unfit-characters"))
    if audience not in (EVERYONE, SIGNED_IN, REGION, ROLE):
        problems.append(FieldProblem("audience", "unknown-value"))
    if has_region != (audience == REGION):
        problems.append(FieldProblem("region", "not-for-this-audience" if has_region else "required"))
    if audience == ROLE and role not in roles:
        problems.append(FieldProblem("role", "unknown-value" if role else "required"))
    if audience != ROLE and role:
        problems.append(FieldProblem("role", "not-for-this-audience"))
    if problems:
        raise Invalid(problems)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text, each with whether it is an address to link to."""
    behind = 0
    for found in _ADDRESS.finditer(text):
        if found.start() > behind:
            yield text[behind : found.start()], False
        yield found.group(), True
        behind = found.end()
    if behind < len(text):
        yield text[behind:], False
