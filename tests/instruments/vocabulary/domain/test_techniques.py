"""Techniques and those they are kinds of."""

from instruments.vocabulary.adapters.vocabularies import shipped
from instruments.vocabulary.domain.techniques import Term, above, check_hierarchy, is_division, with_broader


def test_broader_terms_follow_from_names() -> None:
    names = "diffraction", "x-ray diffraction", "powder diffraction", "x-ray powder diffraction"
    terms_ = with_broader([Term(str(n), name) for n, name in enumerate(names)])
    assert [term.parents for term in terms_] == [(), ("0",), ("0",), ("1", "2")]
    parents = {term.code: term.parents for term in terms_}
    assert above("3", parents) == {"0", "1", "2"}
    check_hierarchy(parents, parents)


def test_a_tree_in_chinese_has_no_english_branches() -> None:
    terms = {term.code: term for term in shipped()}
    parents = {code: term.parents for code, term in terms.items()}
    upper = {code for term in terms.values() if term.name_zh for code in above(term.code, parents)}
    shown = {code for code in upper if not is_division(code, terms[code].name)}
    assert [terms[code].name for code in shown if not terms[code].name_zh] == []
