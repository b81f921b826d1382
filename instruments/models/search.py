"""What a search reads instead of the records: one narrow row for each instrument."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models import Organisation, Region
from instruments.models.instruments import Instrument


class SearchGroup(models.Model):
    """Keys that many entries have together: an entry has one group of each kind, so that facets
    count entries by four columns and spell the keys out afterwards.

    id: follows from the keys (services/search), so that filing needs no look-up; keys: as in
    `SearchEntry`.
    """

    id = models.UUIDField(primary_key=True)
    keys = ArrayField(models.TextField())

    def __str__(self) -> str:
        return " ".join(self.keys)


def _group() -> "models.ForeignKey[SearchGroup, SearchGroup]":
    return models.ForeignKey(SearchGroup, models.PROTECT, related_name="+", db_index=False)


class SearchEntry(models.Model):
    """An instrument as it is searched; follows from its record, host and techniques
    (services/search writes it).

    keys: `technique:CODE` of its techniques and all that are broader, `region:CODE` with those
    above, `host:`, `maker:`, `service_mode:`, `kind:`; branch, home, makers, form: the same in
    groups, of technique, of region and host, of maker, of service mode and kind; words: every
    lexeme;
    strong: those of name and model (weight A), maker and techniques (B) and broader techniques
    (C), which decide about the rank; whole: name and model as they are typed whole; length: the
    words of the name.
    """

    instrument = models.OneToOneField(
        Instrument, models.CASCADE, primary_key=True, related_name="entry"
    )
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
                fields=["name", "instrument"],
                name="entry_name",
                condition=models.Q(is_published=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SearchWord(models.Model):
    """A Latin word of the register and in how many entries it occurs, for those who mistype."""

    word = models.CharField(max_length=40, primary_key=True)
    number = models.PositiveIntegerField()

    class Meta:
        indexes = [
            GinIndex(fields=["word"], name="word_trigrams", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.word
