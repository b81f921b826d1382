"""How relevant an instrument is, by its techniques."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from instruments.search.domain import relevance
from instruments.search.domain.relevance import Answer, answers, best_answer, neighbours, tiers
from instruments.vocabulary.domain.needs import NeedTerm, Understood

PARENTS: Mapping[str, tuple[str, ...]] = {
    "cryo": ("tem",),
    "tem": ("em",),
    "sem": ("em",),
    "nmr": (),
    "liquid": ("nmr",),
}
FAMILIES = {"em": 40, "tem": 1, "nmr": 1}


def term(code: str, *techniques: str, is_named: bool = False) -> NeedTerm:
    return NeedTerm(code, code, code, techniques, is_named=is_named)


def worth(wanted: tuple[Answer, ...], **techniques: set[str]) -> int:
    found = best_answer(techniques, wanted)
    return found[0] if found else 0


def test_direct_comes_before_narrower_and_a_name_alone_last() -> None:
    wanted = answers(Understood(((term("tem", "tem", is_named=True), 1.0),)), PARENTS)
    both, own = worth(wanted, own={"tem"}, called={"tem"}), worth(wanted, own={"tem"})
    narrower, called = worth(wanted, above={"tem"}), worth(wanted, called={"tem"})
    assert both > own > narrower > called > 0
    assert worth(wanted, own={"sem"}, above={"em"}) == 0


def test_the_best_technique_of_the_likeliest_term_is_worth_most() -> None:
    size, shape = term("size", "sem", "tem"), term("shape", "cryo", "nmr")
    first, *_ = answers(Understood(((size, 1.0), (shape, 0.9))), PARENTS)
    assert (first.technique, first.term, first.worth) == ("sem", "size", 1000)
    # What answers several terms is worth more.
    agreed = answers(Understood(((size, 1.0), (term("shape", "tem"), 0.9))), PARENTS)
    assert [one.technique for one in agreed] == ["tem", "sem"]


def test_what_is_worth_far_less_is_no_answer_and_near() -> None:
    """A term that was hardly meant says nothing of what is near."""
    meant = Understood(((term("size", "sem", "tem", "afm", "cryo"), 1.0), (term("shape", "nmr"), 0.6)))
    wanted = answers(meant, PARENTS)
    assert [one.technique for one in wanted] == ["sem", "tem", "afm"]
    assert neighbours(wanted, meant, PARENTS, FAMILIES, {"sem": ["liquid"]}) == ("cryo",)


def test_a_figure_leaves_the_techniques_of_which_it_is_asked_if_there_are_any() -> None:
    meant = Understood(((term("shape", "sem", "liquid"), 1.0),))
    only = answers(meant, PARENTS, [{"nmr"}])
    assert [one.technique for one in only if not one.is_broader] == ["liquid"]
    assert answers(meant, PARENTS, [{"xyz"}]) == answers(meant, PARENTS)


def test_neighbours_answer_the_same_or_are_below_the_same() -> None:
    meant = Understood(((term("sem", "sem", is_named=True), 1.0),), is_named=True)
    wanted = answers(meant, PARENTS)
    assert neighbours(wanted, meant, PARENTS, FAMILIES, {"sem": ["afm"]}) == ("afm",)  # a family too large
    assert neighbours(wanted, meant, PARENTS, {"em": 5}, {}) == ("em",)


def test_what_is_worth_clearly_less_stands_apart() -> None:
    worths = [1000, 950, 880, 700]
    best, close, _, _ = wanted = tuple(Answer(f"t{worth}", "term", worth) for worth in worths)
    assert tiers(wanted)[0] == wanted[:3]
    assert tiers((best, Answer("far", "term", 880), close)) == [
        (best,),
        (best, Answer("far", "term", 880), close),
    ]


def test_a_mode_that_is_named_is_answered_by_its_machine() -> None:
    parents = {"local-pfm": ("PaNET01318",), "local-liquid": ("PaNET01318",)}
    for code, is_answered in (("local-pfm", True), ("local-liquid", False)):
        named = Understood(((term(code, code, is_named=True), 1.0),), is_named=True)
        broader = [one.technique for one in answers(named, parents) if one.is_broader]
        assert broader == (["PaNET01318"] if is_answered else [])


codes = st.sampled_from(["tem", "sem", "cryo", "nmr", "liquid", "em", "afm"])
understood = st.lists(
    st.tuples(
        st.builds(
            lambda code, techniques: term(code, *techniques),
            codes,
            st.lists(codes, min_size=1, max_size=4, unique=True),
        ),
        st.floats(0.6, 1),
    ),
    max_size=4,
).map(lambda terms: Understood(tuple(terms)))


@given(understood)
def test_answers_are_few_once_each_and_in_order(meant: Understood) -> None:
    wanted = answers(meant, PARENTS)
    worths = [one.worth for one in wanted]
    assert worths == sorted(worths, reverse=True) and len(wanted) <= relevance.MOST_ANSWERS
    assert all(0 < each <= 1000 for each in worths)
    assert len({one.technique for one in wanted}) == len(wanted)
    # From the best alone to all of them.
    groups = tiers(wanted)
    assert all(wanted[: len(each)] == each for each in groups) and groups[-1] == wanted
    # Neighbours are none of them.
    near = neighbours(wanted, meant, PARENTS, FAMILIES, {})
    assert not {one.technique for one in wanted if not one.is_broader} & {*near}


@given(understood, st.lists(codes, min_size=1, max_size=4, unique=True))
def test_a_technique_that_is_named_is_an_answer_whatever_is_meant_besides(
    meant: Understood, named: list[str]
) -> None:
    sure = [(term(code, code, is_named=True), 1.0) for code in named]
    wanted = answers(Understood((*sure, *meant.terms), True), PARENTS)
    assert {*named} <= {one.technique for one in wanted if not one.is_broader}
