"""Sentences of the refusals of *browsing*, and the words for ratings."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "too-many-compared": _("At most {most} instruments are compared at once: remove one first."),
    "too-many-lists": _("You already have {most} lists: delete one of them first."),
    "too-many-entries": _("A list keeps at most {most} instruments: remove one of them first."),
    "favourites-named": _("Your favourites keep their name: create another list instead."),
    "too-many-searches": _("You already have {most} saved searches: delete one of them first."),
    "too-broad": _("This search finds more than {most} instruments: add filters first."),
    "nothing-asked": _("This search has no conditions: every instrument would count as new."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "search.save": _("Search saved"),
    "search.pause": _("Saved search paused or resumed"),
    "search.delete": _("Saved search deleted"),
}

# How a session went, by its rating.
RATINGS = {5: _("very well"), 4: _("well"), 3: _("all right"), 2: _("with trouble"), 1: _("badly")}
