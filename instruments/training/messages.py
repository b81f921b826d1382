"""Sentences of the refusals and names of the acts of *training*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "instrument-or-technique": _("Choose either an instrument or a technique."),
    "not-the-host": _("Only the owner of the instrument can certify people for it."),
    "own-qualification": _("You cannot certify yourself."),
    "unknown-people": _("No account has this address: {names}"),
    "people-not-enrolled": _("Nobody was enrolled. These people cannot be: {people}"),
    "after-start": _("This must not be after the start."),
    "not-itself": _("A course cannot be its own prerequisite."),
    "not-of-the-host": _("Trainers must be members of the organisation that gives the course."),
    "fewer-than-enrolled": ngettext_lazy(
        "{taken} place is already taken.", "{taken} places are already taken.", "taken"
    ),
    "course-retired": _("This course is no longer offered."),
    "sessions-ahead": _("It still has upcoming sessions: {count}. Cancel them first."),
    "session-cancelled": _("This session was cancelled."),
    "session-begun": _("This session has already begun."),
    "session-not-begun": _("Results can be entered once the session has begun."),
    "session-full": ngettext_lazy(
        "The only place is taken, or others wait for it.",
        "All {places} places are taken, or others wait for them.",
        "places",
    ),
    "enrolment-closed": _("Enrolment has closed."),
    "already-enrolled": _("This person already has a place, or is waiting for one."),
    "gives-it": _("Trainers of a session cannot take a place in it."),
    "join-first": _("Places are for members of an organisation: join yours first."),
    "prerequisite-missing": _("The certificate of another course is needed first: {course}."),
    "not-their-payer": _(
        "Choose your own organisation, or one for whose members you may book and to which the person belongs."
    ),
    "place-not-priced": _("The rate card has no price of this course for {organisation}."),
    "not-for-course": _("Only the owner of the instrument can offer courses for it, at its own facilities."),
    "blocked": _(
        "{host} has blocked you from booking until {until}. Reason: {reason}. To object, write to {contact}."
    ),
    "blocked-another": _("{host} has blocked this person from booking until {until}. They know why."),
    "blocked-payer": _(
        "{host} has blocked bookings at the cost of {payer} until {until}. Reason: {reason}. To object, "
        "write to {contact}."
    ),
    "already-qualified": _("The person already holds this certificate."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "qualification.grant": _("Qualification given"),
    "qualification.revoke": _("Qualification revoked"),
    "course.create": _("Course offered"),
    "course.change": _("Course changed"),
    "course.retire": _("Course retired"),
    "course-session.create": _("Course session entered"),
    "course-session.change": _("Course session changed"),
    "course-session.cancel": _("Course session cancelled"),
    "enrolment.make": _("Course place requested"),
    "enrolment.withdraw": _("Course place cancelled"),
    "enrolment.move-up": _("Moved up to a place in a course"),
    "enrolment.result": _("Course result recorded"),
    "enrolment.undo": _("Course result corrected"),
}
