"""Searching the register."""

import hashlib
import re
from collections.abc import Sequence
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
from django.db.models.functions import Greatest

from instruments.domain.search import (
    FACETS,
    GROUPS,
    Criteria,
    Term,
    exactly,
    key,
    nearest,
    respelt,
    terms,
)
from instruments.models import Instrument, SearchEntry, Technique
from instruments.selectors.capabilities import failing, meeting
from instruments.selectors.needs import load_parameters, load_vocabulary
from instruments.selectors.registry import WITH

# What finding a term is worth, by where it was found. A whole word outweighs one that only begins
# so, wherever that stands: "TEM" means a technique, not "Temperature" in a name. A whole name or
# model outweighs all.
NAMED, DESCRIBED, BROADER, NAME_BEGUN, BEGUN, ELSEWHERE, WHOLE = 80, 60, 50, 30, 20, 10, 10_000
# Where some words suffice: each that was found, and a technique that answers what they may mean.
ONE_MORE, ANSWERS = 100, 3_000
MOST_VALUES = 50  # of a facet that may have thousands
MOST_PARAMETERS = 6
FEW, KEPT_SECONDS = 5_000, 60

_LEXEME = re.compile(r"('[^']*')(:\*)?")


@SearchVectorField.register_lookup
class Asked(Lookup):
    """`words__asked=QUERY`: whether a tsvector has what a tsquery asks for."""

    lookup_name = "asked"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} @@ %s::tsquery", (*params, self.rhs)


def entries(criteria: Criteria, *, without: str = "") -> QuerySet[SearchEntry]:
    """Return entries of published instruments that fit, in no order; `place` says how near they are
    to what was typed, the nearest least. A region includes those below it, a technique the narrower
    ones. `without`: a facet whose own choice does not count."""
    rows = SearchEntry.objects.filter(is_published=True)
    if keys := [key for name, key in criteria.keys.items() if name != without]:
        rows = rows.filter(keys__contains=keys)
    if criteria.facility:
        rows = rows.filter(instrument__facility_id=criteria.facility)
    for requirement in criteria.specs:
        rows = rows.filter(pk__in=meeting(requirement))
    if criteria.term and criteria.words != "some":
        return rows.filter(keys__overlap=_answering(criteria.term))
    if criteria.text:
        is_some = criteria.words == "some"
        words = terms(criteria.text, is_some=is_some)
        if not (words or criteria.term):
            return rows.none()
        fits = Q()
        if words:
            begun = [term.begun for term in words]
            query = (_any(begun) if not criteria.term else _two(begun)) if is_some else _all(begun)
            fits = Q(words__asked=query)
        if criteria.term:
            fits |= Q(keys__overlap=_answering(criteria.term))
        rows = rows.filter(fits)
    return rows


def _answering(term: str) -> list[str]:
    """Return the keys of the techniques that answer a term, the best first."""
    return [key("technique", code) for code in load_vocabulary().techniques_of(term)]


def rank(criteria: Criteria, prefix: str = "") -> Any:
    """How near an entry is to what was typed: what each term found is worth, and a little for
    names that say nothing else; before that, where a term is chosen, the place of the technique
    that answers it. As an expression whose least value is the nearest."""
    text, is_some = criteria.text, criteria.words == "some"
    worth: list[Any] = [Greatest(Value(0), Value(6) - F(f"{prefix}length"))]
    if criteria.term:
        answers = (
            When(**{f"{prefix}keys__contains": [technique]}, then=Value(ANSWERS - 10 * place))
            for place, technique in enumerate(_answering(criteria.term))
        )
        worth.append(Case(*answers, default=Value(0), output_field=IntegerField()))
    if text and (is_some or not criteria.term):
        words = terms(text, is_some=is_some)
        by_term: Any = reduce(add, (_worth(term, prefix, is_some) for term in words), Value(0))
        if len(words) > 2 and not is_some:
            # A name typed in full: one look instead of one for each of its words.
            named = " & ".join(_of(term.whole, "A") for term in words)
            all_named = When(**{f"{prefix}strong__asked": named}, then=Value(NAMED * len(words)))
            by_term = Case(all_named, default=by_term, output_field=IntegerField())
        whole = When(**{f"{prefix}whole__contains": [exactly(text)]}, then=Value(WHOLE))
        worth += [Case(whole, default=0), by_term]
    return Value(0) - reduce(add, worth)


def _worth(term: Term, prefix: str, is_some: bool) -> Case:
    """What finding a term is worth; where some words suffice, above all that it was found."""
    ways = {
        _of(term.whole, "A"): NAMED,
        _of(term.whole, "AB"): DESCRIBED,
        term.whole: BROADER,
    }
    if term.whole != term.begun:
        ways |= {_of(term.begun, "A"): NAME_BEGUN, term.begun: BEGUN}
    more = ONE_MORE if is_some else 0
    cases = [
        When(**{f"{prefix}strong__asked": query}, then=Value(worth + more))
        for query, worth in ways.items()
    ]
    if is_some:
        cases.append(When(**{f"{prefix}words__asked": term.begun}, then=Value(ELSEWHERE + more)))
    return Case(
        *cases,
        default=Value(0 if is_some else ELSEWHERE),
        output_field=IntegerField(),
    )


def _of(query: str, weights: str) -> str:
    """Return a tsquery of what has one of some weights: A is names and models alone."""
    return _LEXEME.sub(lambda m: f"{m[1]}:{'*' if m[2] else ''}{weights}", query)


def _all(words: Sequence[str]) -> str:
    return " & ".join(words)


def _any(words: Sequence[str]) -> str:
    return " | ".join(words)


def _two(words: Sequence[str]) -> str:
    """Return a tsquery of what has two of some words; of two words either does. Where a term
    answers, one word of a long sentence says nothing."""
    if len(words) < 3:
        return _any(words)
    return _any([f"({one} & ({_any(words[n:])}))" for n, one in enumerate(words[:-1], 1)])


def ordered(
    criteria: Criteria, rows: QuerySet[SearchEntry]
) -> tuple[QuerySet[SearchEntry], tuple[str, ...]]:
    """Return entries with what they are ordered by: by nearness where words were typed, then by
    name."""
    if criteria.is_ranked:
        rows = rows.annotate(place=rank(criteria))
        return rows, ("place", "name", "pk")
    return rows, ("name", "pk")


def search(criteria: Criteria) -> QuerySet[Instrument]:
    """Return published instruments that fit, the nearest to what was typed first, then by name;
    with what their calendars need."""
    return records(criteria, entries(criteria).values("pk"))


def page(
    criteria: Criteria,
    rows: QuerySet[SearchEntry],
    first: int,
    size: int,
    counted: "Facets | None" = None,
) -> list[Instrument]:
    """Return so many of the entries' instruments from a number on. One statement, which looks up
    the records of these alone; `counted`: what `facets` said of the same search, which may know
    them."""
    if counted and len(counted.nearest) >= min(first + size, counted.total):
        return list(records(criteria, counted.nearest[first : first + size]))
    rows, order = ordered(criteria, rows)
    return list(records(criteria, rows.order_by(*order).values("pk")[first : first + size]))


def records(criteria: Criteria, ids: Any) -> QuerySet[Instrument]:
    """Return the instruments of found entries, in the order of `ordered`."""
    published = Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED)
    rows = published.filter(pk__in=ids).select_related(*WITH)
    if criteria.is_ranked:
        return rows.annotate(place=rank(criteria, "entry__")).order_by("place", "name", "pk")
    return rows.order_by("name", "pk")


def is_filed() -> bool:
    """Whether every entry was written by a service, and not by a migration, which cannot know
    all the words. One statement."""
    lexemes = Func("strong", function="length", output_field=IntegerField())
    return not SearchEntry.objects.alias(lexemes=lexemes).filter(lexemes=0).exists()


# Mistyped words


def corrected(text: str) -> str | None:
    """Return what was most likely meant by words that nothing begins with; None if all are known or
    nothing is near. One statement."""
    near = load_near_words(text)
    meant = {word: best for word in near if (best := nearest(word, near[word]))}
    return respelt(text, meant) if meant else None


def load_near_words(text: str) -> dict[str, list[tuple[str, int]]]:
    """Return, for each word that nothing begins with, the most similar words of the register with
    how often they occur. One statement."""
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


def understood(criteria: Criteria) -> Criteria:
    """Return the criteria with mistyped words put right, where as it was typed nothing is found.
    One statement; two where nothing is."""
    if not criteria.text or entries(Criteria(text=criteria.text)).exists():
        return criteria
    meant = corrected(criteria.text)
    return replace(criteria, text=meant) if meant else criteria


# Facets


@dataclass(frozen=True)
class Choice:
    """A value the catalogue can be narrowed to, and how many instruments that would leave."""

    code: str
    name: str
    name_zh: str
    count: int
    above: tuple[str, ...] = ()  # the codes next above it, of regions and techniques


@dataclass(frozen=True)
class Facets:
    """How many instruments fit, and by facet the values among them, the most frequent first.
    nearest: those that come first, where they were asked for and are known."""

    total: int
    choices: dict[str, list[Choice]]
    nearest: tuple[UUID, ...] = ()


def facets(criteria: Criteria | None = None, *, nearest: int = 0) -> Facets:
    """Return the facets of a search. The counts of each facet are those of the search with its
    other criteria, but for free time and price; at most `MOST_VALUES` hosts and makers. One
    statement. What looks at more than `FEW` instruments may be a minute old.

    `nearest`: where words were typed, the same statement can say which so many are nearest, which
    spares `page` from finding all of them once more."""
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
    """The parameters that most instruments of a search state, with how many do; `unstated`: how
    many would fit if what is not stated of them met its requirements."""

    parameters: tuple[Choice, ...] = ()
    unstated: int = 0


def load_specifications(criteria: Criteria) -> Specifications:
    """Return what can be required of the instruments of a search. One statement. What looks at more
    than `FEW` instruments may be a minute old."""
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
    """Return a short name for what facets depend on."""
    words = (criteria.text.split(), criteria.term, criteria.words, criteria.facility)
    text = repr((*words, sorted(criteria.keys.values()), criteria.specs))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _chosen(criteria: Criteria) -> list[str]:
    return [name for name in criteria.keys if name in FACETS]


type Part = tuple[str, Sequence[Any]]  # SQL and its values


def _parts(criteria: Criteria, chosen: Sequence[str], nearest: int) -> tuple[Part, list[Part]]:
    """Return the entries that are counted, as their groups: with every choice, and without each in
    turn. What is wanted of the same entries twice is looked for once, by a common table
    expression."""
    columns = [f"{name}_id" for name in GROUPS]
    if not ((criteria.text or criteria.term) and (chosen or nearest)):
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
    sql, params = once.values(
        *columns, *(f"has_{name}" for name in chosen), *order
    ).query.sql_with_params()
    parts: list[Part] = []
    for name in ("", *chosen):
        others = ["true", *(f"has_{other}" for other in chosen if other != name)]
        parts.append((f"SELECT * FROM matched WHERE {' AND '.join(others)}", ()))  # noqa: S608
    return (f"matched AS MATERIALIZED ({sql}),", params), parts


def _named(
    shared: Part, parts: Sequence[Part], chosen: Sequence[str], nearest: int
) -> tuple[Facets, int]:
    """Count each facet without its own choice, and look up what its values are called; return at
    how many entries it looked at least."""
    columns = [f"{name}_id" for name in GROUPS]
    by_group = ", ".join(f"({column})" for column in (*columns, ""))
    counted = [
        f"""
        SELECT coalesce({", ".join(columns)}) AS id, count(*) AS number, NULL AS facet
        FROM ({parts[0][0]}) s GROUP BY GROUPING SETS ({by_group})
        """,  # noqa: S608
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
            else:  # a code of regions may be one of two schemes
                choice = Choice(code, name, name_zh, number, tuple(above or ()))
                choices_of[facet].setdefault(code, choice)
    named = {name: list(choices.values()) for name, choices in choices_of.items()}
    return Facets(total, named, tuple(first)), max(total, looked_at)


def branch(code: str) -> list[UUID]:
    """Return a technique and all that is narrower. One statement."""
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
