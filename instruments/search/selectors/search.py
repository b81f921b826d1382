"""Search the register."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add, and_, or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Lookup,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from accounts.prepared import Prepared, Slot
from instruments.capabilities.selectors.capabilities import failing, meeting
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from instruments.search.domain.relevance import ABOVE, CALLED, OWN, Answer, answers, ways
from instruments.search.domain.search import (
    FACETS,
    FOR_ONE,
    GROUPS,
    Criteria,
    Term,
    exactly,
    key,
    names_of_maker,
    terms,
    wished_for,
)
from instruments.search.models import SearchEntry
from instruments.vocabulary.domain.needs import NeedTerm, Understood
from instruments.vocabulary.domain.words import nearest, respelt
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters, load_vocabulary

# The weights of a matched term, by where it was found. A whole word outweighs one that only begins the
# same way, wherever it is: "TEM" means a technique, not "Temperature" in a name. A whole name or
# model outweighs all.
NAMED, DESCRIBED, BROADER, NAME_BEGUN, BEGUN, ELSEWHERE, WHOLE = 80, 60, 50, 30, 20, 10, 10_000
# If some words suffice: the weight of each that matches.
ONE_MORE = 100
# One thousandth of an answer's worth outweighs all words; a requirement that is met outweighs sixty of them.
STEP_OF_WORTH, MEETS, MOST_SAID = 100, 6_000, 40
MOST_VALUES = 50  # of a facet that may have thousands
MOST_PARAMETERS = 6
MOST_NAMED = 200  # places and makers among which a word is sought
FEW, KEPT_SECONDS = 5_000, 60

_LEXEME_WEIGHT = re.compile(r"(?<=':)[ABCD]+|(?<=':\*)[ABCD]+")
_LEXEME = re.compile(r"('[^']*')(:\*)?")


@SearchVectorField.register_lookup
class MatchesQuery(Lookup):
    """A lookup `words__asked=QUERY`: the tsvector matches the tsquery."""

    lookup_name = "asked"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} @@ %s::tsquery", (*params, self.rhs)


def entries(criteria: Criteria, *, without: str = "") -> QuerySet[SearchEntry]:
    """Return the entries of published instruments that match, unordered. A region includes those below it, a
    technique the narrower ones. `without`: a facet whose chosen value is ignored."""
    rows = SearchEntry.objects.filter(is_published=True)
    if keys := [key for name, key in criteria.keys.items() if name != without]:
        rows = rows.filter(keys__contains=keys)
    if criteria.facility:
        rows = rows.filter(instrument__facility_id=criteria.facility)
    for requirement in criteria.specs:
        rows = rows.filter(pk__in=meeting(requirement))
    if criteria.words == "nothing":
        return rows.none()
    for beside in criteria.beside:
        rows = rows.filter(words__asked=_LEXEME_WEIGHT.sub("", beside.query), strong__asked=beside.query)
    if criteria.words in ("stated", "met"):
        rows = rows.filter(reduce(or_, (Q(pk__in=meeting(wish)) for wish in criteria.wishes)))
    if criteria.is_general:
        rows = rows.filter(_is_fitting(criteria.text))
    if wanted := answers_of(criteria):
        return _not_failing(rows.filter(keys__overlap=keys_of(wanted)), criteria)
    if criteria.term:
        return rows.none()
    if criteria.text:
        words = terms(criteria.text, is_some=criteria.words == "some")
        return rows.filter(_fits(words, criteria.words)) if words else rows.none()
    return rows


def _fits(words: Sequence[Term], how: str) -> Q:
    """Return the condition that an entry has these words, compared in the way that `how` names (`WORDS`).
    Names are looked up among all words, of which there is an index."""
    whole, begun = [term.whole for term in words], [term.begun for term in words]
    match how:
        case "names":
            query = _all(whole)
        case "begun":
            query = _all([*whole[:-1], begun[-1]])
        case "some":
            query = _two(whole)
        case _:
            return Q(words__asked=_all(whole if how == "text" else begun))
    return Q(words__asked=query) & Q(strong__asked=query)


def _is_fitting(text: str) -> Q:
    """Return the condition that an entry's instrument is for anything, or for what a text says."""
    keys, pairs = wished_for(text)
    fits = ~Q(keys__contains=[FOR_ONE])
    if keys:
        fits |= Q(keys__overlap=keys)
    return fits | Q(strong__asked=_any(pairs)) if pairs else fits


def _is_for(text: str, prefix: str = "") -> Q:
    """Return the condition that an entry's instrument is for what a text says, as its name says."""
    keys, pairs = wished_for(text)
    said = Q(**{f"{prefix}keys__overlap": keys})
    if pairs:
        said |= Q(**{f"{prefix}strong__asked": _any(pairs)})
    return Q(**{f"{prefix}keys__contains": [FOR_ONE]}) & said


def _not_failing(rows: QuerySet[SearchEntry], criteria: Criteria) -> QuerySet[SearchEntry]:
    for wish in criteria.wishes:
        rows = rows.exclude(pk__in=failing(wish))
    return rows


def answers_of(criteria: Criteria) -> tuple[Answer, ...]:
    """Return the techniques that answer what is wanted: those of the criteria, or of a chosen term."""
    if criteria.answers or not criteria.term:
        return criteria.answers
    known = load_vocabulary()
    term = known.term(criteria.term)
    codes = known.techniques_of(criteria.term)
    chosen = term or NeedTerm(criteria.term, criteria.term, criteria.term, codes)
    return answers(Understood(((chosen, 1.0),)), known.parents)


def keys_of(wanted: Iterable[Answer]) -> list[str]:
    """Return the keys under which an instrument is filed if it gives one of these answers."""
    return sorted({key(kind, way[1].technique) for way in ways(wanted) for kind in way[0]})


def near_keys(codes: Iterable[str]) -> list[list[str]]:
    """Return the keys of each neighbouring technique, narrower ones included."""
    return [[key(kind, code) for kind in (OWN, ABOVE, CALLED)] for code in codes]


def nearby(criteria: Criteria, codes: Sequence[str], most: int) -> list[Instrument]:
    """Return instruments that nearly meet a search, the nearest first: those with a wanted technique that
    state that they miss a requirement, then those with a neighbouring technique (`codes`). They meet all
    other criteria. Each has `filed`, its keys. One statement; none if there is nothing to be near to."""
    wanted = answers_of(criteria)
    others = near_keys(codes)
    if not (wanted or others):
        return []
    bare = replace(
        criteria, text="", term="", answers=(), wishes=(), words="", sort="", beside=(), is_general=False
    )
    fails = reduce(or_, (Q(pk__in=failing(wish)) for wish in criteria.wishes), Q(pk__in=[]))
    if criteria.words == "met" and criteria.wishes:  # those that do not say
        fails |= ~reduce(or_, (Q(pk__in=meeting(wish)) for wish in criteria.wishes))
    if criteria.is_general:
        fails |= ~_is_fitting(criteria.text)
    for beside in criteria.beside:  # those elsewhere, or of another make
        fails |= ~Q(strong__asked=beside.query)
    answering = Q(keys__overlap=keys_of(wanted)) if wanted else Q(pk__in=[])
    near = Q(keys__overlap=[each for keys in others for each in keys]) if others else Q(pk__in=[])
    rows = entries(bare).filter((answering & fails) | (near & ~answering))
    places = [When(keys__overlap=keys, then=Value(n)) for n, keys in enumerate(others, 1)]
    rows = rows.annotate(
        place=Case(When(answering, then=Value(0)), *places, default=Value(99), output_field=IntegerField())
    )
    try:
        found = list(rows.order_by("place", "name", "pk").values_list("pk", flat=True)[:most])
    except EmptyResultSet:
        return []
    if not found:
        return []
    published = Instrument.objects.filter(pk__in=found).select_related(*WITH)
    by_id = {row.pk: row for row in published.annotate(filed=F("entry__keys"))}
    return [by_id[pk] for pk in found if pk in by_id]


def rank(criteria: Criteria, prefix: str = "") -> Any:
    """Return an expression that is smallest for the best match. If the meaning of the text is known or a term
    is chosen, it adds up what the best answer is worth, the requirements that are met, and a little for words
    that match. Otherwise each matched word adds its weight, a short name a little, and a name or model typed
    in full more than all."""
    text = criteria.text
    if wanted := answers_of(criteria):
        worth: list[Any] = [relevance_rank(wanted, prefix)]
        worth += [
            Case(When(**{f"{prefix}pk__in": meeting(wish)}, then=Value(MEETS)), default=Value(0))
            for wish in criteria.wishes
        ]
        if text and (words := terms(text, is_some=True)):
            worth.append(_ties([term.whole for term in words], prefix))
        if criteria.is_general:
            worth.append(Case(When(_is_for(text, prefix), then=Value(MEETS)), default=Value(0)))
        if said := _said(wanted, prefix):
            worth.append(said)
        return Value(0) - reduce(add, worth)
    worth = [Greatest(Value(0), Value(6) - F(f"{prefix}length"))]
    if text:
        is_some = criteria.words == "some"
        words = terms(text, is_some=is_some)
        by_term: Any = reduce(add, (_worth(term, prefix, is_some) for term in words), Value(0))
        if len(words) > 2 and not is_some:
            # A name typed in full is matched once instead of once for each of its words.
            named = " & ".join(_of(term.whole, "A") for term in words)
            all_named = When(**{f"{prefix}strong__asked": named}, then=Value(NAMED * len(words)))
            by_term = Case(all_named, default=by_term, output_field=IntegerField())
        whole = When(**{f"{prefix}whole__contains": [exactly(text)]}, then=Value(WHOLE))
        worth += [Case(whole, default=0), by_term]
    return Value(0) - reduce(add, worth)


def relevance_rank(wanted: Sequence[Answer], prefix: str = "") -> Case:
    """Repeat `best_answer` (domain/relevance) over the keys of an entry: what its best answer is worth, times
    `STEP_OF_WORTH`."""
    cases = [
        When(
            **{f"{prefix}keys__contains": sorted(key(kind, answer.technique) for kind in kinds)},
            then=Value(worth * STEP_OF_WORTH),
        )
        for kinds, answer, worth in ways(wanted)
    ]
    return Case(*cases, default=Value(0), output_field=IntegerField())


def _ties(queries: Sequence[str], prefix: str) -> Any:
    """Return the share of the words that an entry has, scaled to less than a step of worth, so that it only
    decides between equal worths."""
    return Func(
        F(f"{prefix}words"),
        Func(Value(_any(queries)), template="%(expressions)s::tsquery"),
        template="(least(0.05, ts_rank(%(expressions)s)) * 1000)::int",
        output_field=IntegerField(),
    )


def _said(wanted: Sequence[Answer], prefix: str) -> Case | None:
    """Return a little for an instrument whose name is also that of a further technique of the best term, as a
    triple quadrupole is the better mass spectrometer for residues; less than a step of worth."""
    known = load_vocabulary()
    best = wanted[0].technique  # what is narrower is done by other instruments
    codes = [
        c for c in known.techniques_of(wanted[0].term) if c in known.terms and best not in known.above(c)
    ]
    cases = [
        When(
            **{f"{prefix}strong__asked": " & ".join(_of(term.whole, "A") for term in words)},
            then=Value(MOST_SAID - 10 * n),
        )
        for n, code in enumerate(codes[1 : MOST_SAID // 10])
        if (words := terms(known.terms[code].name))
    ]
    return Case(*cases, default=Value(0), output_field=IntegerField()) if cases else None


def _worth(term: Term, prefix: str, is_some: bool) -> Case:
    """Return the weight of an entry's match of a term. If some words suffice, an entry without it gets
    none."""
    ways = {_of(term.whole, "A"): NAMED, _of(term.whole, "AB"): DESCRIBED, term.whole: BROADER}
    if term.whole != term.begun:
        ways |= {_of(term.begun, "A"): NAME_BEGUN, term.begun: BEGUN}
    more = ONE_MORE if is_some else 0
    cases = [
        When(**{f"{prefix}strong__asked": query}, then=Value(worth + more)) for query, worth in ways.items()
    ]
    if is_some:
        cases.append(When(**{f"{prefix}words__asked": term.begun}, then=Value(ELSEWHERE + more)))
    return Case(*cases, default=Value(0 if is_some else ELSEWHERE), output_field=IntegerField())


def _of(query: str, weights: str) -> str:
    """Return the tsquery restricted to lexemes with one of these weights: "A" is names and models alone."""
    return _LEXEME.sub(lambda m: f"{m[1]}:{'*' if m[2] else ''}{weights}", query)


def _all(words: Sequence[str]) -> str:
    return " & ".join(words)


def _any(words: Sequence[str]) -> str:
    return " | ".join(words)


def _two(words: Sequence[str]) -> str:
    """Return a tsquery that matches two of the words, or either if there are only two: one matching word of a
    long sentence means nothing."""
    if len(words) < 3:
        return _any(words)
    return _any([f"({one} & ({_any(words[n:])}))" for n, one in enumerate(words[:-1], 1)])


def ordered(criteria: Criteria, rows: QuerySet[SearchEntry]) -> tuple[QuerySet[SearchEntry], tuple[str, ...]]:
    """Return entries and the names by which to order them: the best match first if there is a search text,
    then by name."""
    if criteria.is_ranked:
        rows = rows.annotate(place=rank(criteria))
        return rows, ("place", "name", "pk")
    return rows, ("name", "pk")


def search(criteria: Criteria) -> QuerySet[Instrument]:
    """Return published instruments that match, the best match first, then by name, with the rows that their
    calendars need."""
    return records(criteria, entries(criteria).values("pk"))


def page(
    criteria: Criteria, rows: QuerySet[SearchEntry], first: int, size: int, counted: "Facets | None" = None
) -> list[Instrument]:
    """Return `size` of the entries' instruments, from position `first` on. One statement. `counted`: the
    result of `facets` for the same search, whose `nearest` spares searching again."""
    if counted and len(counted.nearest) >= min(first + size, counted.total):
        ids = list(counted.nearest[first : first + size])
        if criteria.is_ranked or answers_of(criteria):
            return list(records(criteria, ids))
        return _BY_NAME.rows(ids=ids)
    rows, order = ordered(criteria, rows)
    return list(records(criteria, rows.order_by(*order).values("pk")[first : first + size]))


def records(criteria: Criteria, ids: Any) -> QuerySet[Instrument]:
    """Return the instruments with these ids, in the order of `ordered`."""
    published = Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED)
    rows = published.filter(pk__in=ids).select_related(*WITH)
    if answers_of(criteria):
        rows = rows.annotate(filed=F("entry__keys"))
    if criteria.is_ranked:
        return rows.annotate(place=rank(criteria, "entry__")).order_by("place", "name", "pk")
    return rows.order_by("name", "pk")


_BY_NAME = Prepared(
    lambda ids: (
        Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED, pk__one_of=ids)
        .select_related(*WITH)
        .order_by("name", "pk")
    )
)


def records_of(criteria: Criteria, ids: RawSQL, price: RawSQL | None = None) -> list[Instrument]:
    """Return the instruments whose ids some SQL gives, in the order of `ordered` or, with the SQL of it, of
    their price (`place`). One statement, which is compiled once for each text of the SQL."""
    is_answer = bool(answers_of(criteria))
    if price is None and criteria.is_ranked:  # a rank has a text for each search
        return list(records(criteria, ids))
    priced = (price.sql, len(price.params)) if price else ("", 0)
    return _RECORDS.rows(
        is_answer,
        (ids.sql, len(ids.params)),
        priced,
        given=tuple(ids.params),
        costs=tuple(price.params) if price else (),
    )


def _build_records(
    is_answer: bool, ids: tuple[str, int], price: tuple[str, int], given: Any, costs: Any
) -> QuerySet[Instrument]:
    def filled(text: tuple[str, int], values: Any) -> RawSQL:
        sql, number = text
        places = [Slot(values.name, n) for n in range(number)] if isinstance(values, Slot) else values
        return RawSQL(sql, places)  # noqa: S611  # every value is bound

    rows = Instrument.objects.filter(
        publication=Instrument.Publication.PUBLISHED, pk__in=filled(ids, given)
    ).select_related(*WITH)
    if is_answer:
        rows = rows.annotate(filed=F("entry__keys"))
    if price[0]:
        return rows.annotate(place=filled(price, costs)).order_by("place", "name", "pk")
    return rows.order_by("name", "pk")


_RECORDS = Prepared(_build_records)


def is_filed() -> bool:
    """Say whether every entry was written by a service. Entries written by a migration lack words. One
    statement."""
    lexemes = Func("strong", function="length", output_field=IntegerField())
    return not SearchEntry.objects.alias(lexemes=lexemes).filter(lexemes=0).exists()


# Mistyped words


def corrected(text: str) -> str | None:
    """Return the text with its unknown words corrected; None if all are known or none has a similar word. One
    statement."""
    near = load_near_words(text)
    meant = {word: best for word in near if (best := nearest(word, near[word]))}
    return respelt(text, meant) if meant else None


def load_near_words(text: str) -> dict[str, list[tuple[str, int]]]:
    """Return, for each unknown word (no word of the register begins with it), the most similar words with the
    number of entries that have them. One statement."""
    words = list(dict.fromkeys(term.word for term in terms(text) if len(term.word) >= 4))
    near: dict[str, list[tuple[str, int]]] = {}
    if not words:
        return near
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.word, w.word, w.number FROM unnest(%s::text[]) a(word)
            CROSS JOIN LATERAL (
                SELECT word, number FROM instruments_searchword
                WHERE word %% a.word
                ORDER BY similarity(word, a.word) DESC, number DESC, word LIMIT 30
            ) w
            WHERE NOT EXISTS (
                SELECT FROM instruments_searchword k WHERE k.word LIKE a.word || '%%'
            )
            """,
            [words],
        )
        for word, other, number in cursor.fetchall():
            near.setdefault(word, []).append((other, number))
    return near


def first_found(searches: Sequence[Criteria]) -> int | None:
    """Return the place of the first of some searches that finds anything; None if none does. One
    statement."""
    cases: list[str] = []
    values: list[Any] = []
    for n, criteria in enumerate(searches):
        try:
            sql, params = entries(criteria).values("pk").query.sql_with_params()
        except EmptyResultSet:  # nothing that could be asked for
            continue
        # Materialized, it is planned as if all rows were wanted, by the index: a plan for the first row alone
        # reads the whole table to find that there is none.
        cases.append(f"WHEN EXISTS (WITH f AS MATERIALIZED ({sql}) SELECT FROM f) THEN {n}")
        values += params
    if not cases:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CASE {' '.join(cases)} END", values)  # every value is bound
        found: int | None = cursor.fetchone()[0]
    return found


def load_names(criteria: Criteria) -> set[str]:
    """Return the names of hosts, sites, regions and makers of instruments that match. One statement."""
    columns = [
        *("organisation__name", "organisation__name_zh", "organisation__code"),
        *(f"instrument__facility__{name}" for name in ("name", "name_zh", "address")),
        *(
            f"region__{up}{name}"
            for up in ("", "parent__", "parent__parent__")
            for name in ("name", "name_zh")
        ),
    ]
    rows = entries(criteria).order_by().values_list("instrument__manufacturers", *columns).distinct()
    names: set[str] = set()
    for makers, *others in rows[:MOST_NAMED]:
        names.update(filter(None, others))
        names.update(name for maker in makers for name in names_of_maker(str(maker.get("name", ""))))
    return names


# Facets


@dataclass(frozen=True)
class Choice:
    """A value to which the catalogue can be narrowed, and the number of instruments left then."""

    code: str
    name: str
    name_zh: str
    count: int
    above: tuple[str, ...] = ()  # the codes of the next broader regions or techniques


@dataclass(frozen=True)
class Facets:
    """The number of matching instruments and, by facet, the values among them, the most frequent first.
    nearest: the ids of the best matches, if they were requested and are known."""

    total: int
    choices: dict[str, list[Choice]]
    nearest: tuple[UUID, ...] = ()


def facets(criteria: Criteria | None = None, *, nearest: int = 0) -> Facets:
    """Return the facets of a search. Each facet is counted with the search's other criteria, except free time
    and price; at most `MOST_VALUES` hosts and makers. One statement. The counts may be a minute old if more
    than `FEW` instruments are searched.

    `nearest`: how many best matches of a search text the same statement also returns, which spares `page` a
    search of its own.
    """
    criteria = criteria or Criteria()
    nearest = nearest if criteria.is_ranked else 0
    at = f"facets:{nearest}:{hash_of(criteria)}"
    if kept := cache.get(at):
        return kept  # type: ignore[no-any-return]
    chosen = _chosen(criteria)
    try:
        shared, parts = _parts(criteria, chosen, nearest)
    except EmptyResultSet:
        return Facets(0, {name: [] for name in FACETS})
    counted, looked_at = _named(shared, parts, chosen, nearest)
    if looked_at > FEW:
        cache.set(at, counted, KEPT_SECONDS)
    return counted


@dataclass(frozen=True)
class Specifications:
    """The parameters that most instruments of a search state, with the number of those that do. `unstated`:
    how many instruments neither meet nor fail the search's requirements, as they do not state enough."""

    parameters: tuple[Choice, ...] = ()
    unstated: int = 0


def load_specifications(criteria: Criteria) -> Specifications:
    """Return the parameters that can be required of the instruments of a search. One statement. The counts
    may be a minute old if more than `FEW` instruments are searched."""
    at = f"specifications:{hash_of(criteria)}"
    if kept := cache.get(at):
        return kept  # type: ignore[no-any-return]
    meets = reduce(and_, (Q(pk__in=meeting(each)) for each in criteria.specs), Q())
    fails = reduce(or_, (Q(pk__in=failing(each)) for each in criteria.specs), Q())
    columns = {"meets": meets, "fails": fails} if criteria.specs else {}
    rows = entries(replace(criteria, specs=())).annotate(
        **{name: ExpressionWrapper(q, BooleanField()) for name, q in columns.items()}
    )
    try:
        sql, values = rows.values("pk", *columns).query.sql_with_params()
    except EmptyResultSet:
        return Specifications()
    has, lacks = ("meets", "NOT meets AND NOT fails") if columns else ("true", "false")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH matched (id{"".join(f", {name}" for name in columns)}) AS MATERIALIZED ({sql})
            SELECT p.code, count(*) FROM (
                SELECT DISTINCT c.parameter_id, m.id FROM matched m
                JOIN instruments_capability c ON c.instrument_id = m.id AND c.is_available
                WHERE {has}
            ) s JOIN instruments_parameter p ON p.id = s.parameter_id GROUP BY 1
            UNION ALL SELECT '', count(*) FROM matched WHERE {lacks}
            UNION ALL SELECT NULL, count(*) FROM matched
            """,  # noqa: S608  # every value is bound
            values,
        )
        counts = dict(cursor.fetchall())
    looked_at, unstated = counts.pop(None), counts.pop("")
    named = load_parameters()
    most = sorted((-number, code) for code, number in counts.items() if code in named)
    result = Specifications(
        tuple(
            Choice(code, named[code].name, named[code].name_zh, -number)
            for number, code in most[:MOST_PARAMETERS]
        ),
        unstated,
    )
    if looked_at > FEW:
        cache.set(at, result, KEPT_SECONDS)
    return result


def hash_of(criteria: Criteria) -> str:
    """Return a digest of all criteria on which facets depend, as a cache key."""
    words = (criteria.text.split(), criteria.term, criteria.words, criteria.answers, criteria.wishes)
    text = repr(
        (
            *words,
            criteria.beside,
            criteria.is_general,
            criteria.facility,
            sorted(criteria.keys.values()),
            criteria.specs,
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _chosen(criteria: Criteria) -> list[str]:
    return [name for name in criteria.keys if name in FACETS]


type Part = tuple[str, Sequence[Any]]  # SQL and its values


def _parts(criteria: Criteria, chosen: Sequence[str], nearest: int) -> tuple[Part, list[Part]]:
    """Return the SQL of the entries to count: with all chosen values, then without each in turn. Where the
    same entries would be searched several times, a common table expression (the first item) finds them
    once."""
    columns = [f"{name}_id" for name in GROUPS]
    if not ((criteria.text or criteria.term or criteria.answers) and (chosen or nearest)):
        queries = [entries(criteria, without=name).values(*columns) for name in ("", *chosen)]
        return ("", ()), [query.query.sql_with_params() for query in queries]
    unchosen: dict[str, Any] = dict.fromkeys(chosen, "")
    once = entries(replace(criteria, **unchosen))
    for name in chosen:
        has = Q(keys__contains=[criteria.keys[name]])
        once = once.annotate(**{f"has_{name}": ExpressionWrapper(has, BooleanField())})
    order: tuple[str, ...] = ()
    if nearest:
        order = ("place", "name", "pk")
        fits = Q(keys__contains=[criteria.keys[name] for name in chosen])
        once = once.annotate(place=Case(When(fits, then=rank(criteria))))
    sql, params = once.values(*columns, *(f"has_{name}" for name in chosen), *order).query.sql_with_params()
    parts: list[Part] = []
    for name in ("", *chosen):
        others = ["true", *(f"has_{other}" for other in chosen if other != name)]
        parts.append((f"SELECT * FROM matched WHERE {' AND '.join(others)}", ()))  # noqa: S608
    return (f"matched AS MATERIALIZED ({sql}),", params), parts


def _named(shared: Part, parts: Sequence[Part], chosen: Sequence[str], nearest: int) -> tuple[Facets, int]:
    """Count each facet without its own chosen value, and look up the names of its values. Also return the
    number of entries that were searched, at least."""
    columns = [f"{name}_id" for name in GROUPS]
    by_group = ", ".join(f"({column})" for column in (*columns, ""))
    counted = [
        f"""
        SELECT coalesce({", ".join(columns)}) AS id, count(*) AS number, NULL AS facet
        FROM ({parts[0][0]}) s GROUP BY GROUPING SETS ({by_group})
        """  # noqa: S608
    ]
    values: list[Any] = [*parts[0][1]]
    for name, (sql, params) in zip(chosen, parts[1:], strict=True):
        column = next(f"{group}_id" for group, facets in GROUPS.items() if name in facets)
        counted.append(f"SELECT {column}, count(*), %s FROM ({sql}) s GROUP BY 1")  # noqa: S608
        values += [name, *params]
    sql = f"""
        WITH {shared[0]} counted AS ({" UNION ALL ".join(counted)}),
        spelt AS (
            SELECT split_part(k.key, ':', 1) AS facet,
                substr(k.key, strpos(k.key, ':') + 1) AS code, sum(c.number) AS number
            FROM counted c JOIN instruments_searchgroup g ON g.id = c.id, unnest(g.keys) k(key)
            WHERE CASE WHEN c.facet IS NULL THEN split_part(k.key, ':', 1) <> ALL(%s)
                ELSE split_part(k.key, ':', 1) = c.facet END
            GROUP BY 1, 2
            UNION ALL SELECT '', '', number FROM counted WHERE id IS NULL
        ),
        few AS (
            SELECT *, row_number() OVER (PARTITION BY facet ORDER BY number DESC, code) AS nth
            FROM spelt
        )
        SELECT c.facet, c.code, c.number::bigint,
            coalesce(r.name, o.name, t.name, ''), coalesce(r.name_zh, o.name_zh, t.name_zh, ''),
            CASE c.facet
                WHEN 'region' THEN ARRAY(SELECT code FROM accounts_region WHERE id = r.parent_id)
                WHEN 'technique' THEN ARRAY(
                    SELECT p.code FROM instruments_technique_parents l
                    JOIN instruments_technique p ON p.id = l.to_technique_id
                    WHERE l.from_technique_id = t.id ORDER BY p.code
                )
            END
        FROM few c
        LEFT JOIN accounts_region r ON c.facet = 'region' AND r.code = c.code
        LEFT JOIN accounts_organisation o ON c.facet = 'host' AND o.code = c.code
        LEFT JOIN instruments_technique t ON c.facet = 'technique' AND t.code = c.code
        WHERE c.nth <= %s OR c.facet NOT IN ('host', 'maker')
    """  # noqa: S608  # every value is bound
    values += [list(chosen), MOST_VALUES]
    if nearest:
        sql += f"""
            UNION ALL SELECT 'nearest', pk::text, -row_number() OVER (), '', '', NULL FROM (
                {parts[0][0]} ORDER BY place, name, pk LIMIT %s
            ) n
        """  # noqa: S608
        values.append(nearest)
    if shared[0]:
        sql += " UNION ALL SELECT 'looked-at', '', count(*), '', '', NULL FROM matched"
    sql += " ORDER BY 3 DESC, 2"
    choices_of: dict[str, dict[str, Choice]] = {name: {} for name in FACETS}
    total, looked_at, first = 0, 0, []
    with connection.cursor() as cursor:
        cursor.execute(sql, [*shared[1], *values])
        for facet, code, number, name, name_zh, above in cursor.fetchall():
            if not facet:
                total = number
            elif facet == "looked-at":
                looked_at = number
            elif facet == "nearest":
                first.append(UUID(code))
            else:  # two schemes may have the same code of a region
                choice = Choice(code, name, name_zh, number, tuple(above or ()))
                choices_of[facet].setdefault(code, choice)
    named = {name: list(choices.values()) for name, choices in choices_of.items()}
    return Facets(total, named, tuple(first)), max(total, looked_at)


def branch(code: str) -> list[UUID]:
    """Return the ids of the technique with a code and of all narrower ones. One statement."""
    rows = Technique.objects.raw(
        """
        WITH RECURSIVE below(id) AS (
            SELECT id FROM instruments_technique WHERE code = %s
            UNION
            SELECT p.from_technique_id FROM instruments_technique_parents p
            JOIN below b ON p.to_technique_id = b.id
        )
        SELECT id FROM below
        """,
        [code],
    )
    return [row.id for row in rows]
