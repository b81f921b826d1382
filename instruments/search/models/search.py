"""Tables that a search reads instead of the records, with one narrow row per instrument."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models import Organisation, Region
from instruments.register.models.instruments import Instrument


class SearchGroup(models.Model):
    """A set of keys that many entries share. Each entry has one group of each kind, so that facets count
    entries by four columns and split the groups into keys afterwards.

    id: a digest of the keys (services/search), so that filing needs no look-up; keys: as in `SearchEntry`.
    """

    id = models.UUIDField(primary_key=True)
    keys = ArrayField(models.TextField())

    def __str__(self) -> str:
        return " ".join(self.keys)


def _group() -> "models.ForeignKey[SearchGroup, SearchGroup]":
    return models.ForeignKey(SearchGroup, models.PROTECT, related_name="+", db_index=False)


class SearchEntry(models.Model):
    """The search data of an instrument, derived from its record, host and techniques (services/search writes
    it).

    keys: `technique:CODE` for its techniques and all broader ones, `region:CODE` for its region and those
    above, `host:`, `maker:`, `service_mode:`, `kind:`, and its techniques by kind as `own:`, `called:` and
    `above:` (search/domain/relevance); branch, home, makers, form: the facets' keys in groups (technique;
    region and host; maker; service mode and kind); words: every lexeme; strong: the lexemes of names, which
    decide about the rank: name and model (weight A), maker and techniques (B), broader techniques, host and
    site (C); whole: name and model in full; length: the number of words in the name.
    """

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="entry")
    name = models.CharField(max_length=250)
    is_published = models.BooleanField()
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    keys = ArrayField(models.TextField(), default=list)
    branch = _group()
    home = _group()
    makers = _group()
    form = _group()
    whole = ArrayField(models.TextField(), default=list)
    length = models.PositiveSmallIntegerField()
    strong = SearchVectorField()
    words = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["words"], name="entry_words"),
            GinIndex(fields=["keys"], name="entry_keys"),
            models.Index(
                fields=["name", "instrument"], name="entry_name", condition=models.Q(is_published=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SearchWord(models.Model):
    """A Latin word of the register and the number of entries with it, used to correct mistyped searches."""

    word = models.CharField(max_length=40, primary_key=True)
    number = models.PositiveIntegerField()

    class Meta:
        indexes = [GinIndex(fields=["word"], name="word_trigrams", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.word
