"""Pieces of pages: `{% component %}` renders a partial of templates/components with parts filled
in by the page, `{% icon %}` draws a small picture. The page `components` shows them all."""

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from config.pages.drawings import SHAPES as DRAWN
from config.pages.icons import SHAPES

register = template.Library()
# The head of a column: of words, of numbers (to the right, or of equal width), of what needs none.
COLUMNS = {
    "": '<th scope="col">{}</th>',
    "end": '<th scope="col" class="text-end">{}</th>',
    "num": '<th scope="col" class="num">{}</th>',
    "hidden": '<th scope="col"><span class="visually-hidden">{}</span></th>',
}


class FillNode(Node):
    """What a page fills into a named part; it draws nothing where it stands."""

    child_nodelists = ("nodelist",)

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        return ""

    def filled(self, context: Context) -> SafeString:
        return mark_safe(self.nodelist.render(context).strip())  # noqa: S308 (rendered already)


class ColumnsNode(FillNode):
    """The heads of a table's columns, each with the kind of its column."""

    def __init__(self, heads: list[tuple[str, FilterExpression]]) -> None:
        super().__init__("head", NodeList())
        self.heads = heads

    def filled(self, context: Context) -> SafeString:
        sorts = context.get("sorts") or {}
        heads = [
            format_html(COLUMNS[kind], _head(context, head.resolve(context), sorts.get(place)))
            for place, (kind, head) in enumerate(self.heads)
        ]
        return mark_safe("".join(heads))  # noqa: S308 (each is)


def _head(context: Context, head: Any, name: str | None) -> Any:
    """Return the head of a column; where the list can be sorted by it, a link that does so, and
    back to front from where it is sorted so."""
    if not name:
        return head
    now = context.get("sort", "")
    params = context["request"].GET.copy()
    params.pop("page", None)
    params["sort"] = f"-{name}" if now == name else name
    mark = " ▲" if now == name else " ▼" if now == f"-{name}" else ""
    return format_html('<a class="sort" href="?{}">{}{}</a>', params.urlencode(), head, mark)


class ComponentNode(Node):
    child_nodelists = ("nodelist",)

    def __init__(
        self, name: FilterExpression, values: dict[str, FilterExpression], nodelist: NodeList
    ) -> None:
        self.name = name
        self.values = values
        self.fills = [node for node in nodelist if isinstance(node, FillNode)]
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        values: dict[str, Any] = {
            name: value.resolve(context) for name, value in self.values.items()
        }
        for fill in self.fills:
            values[fill.name] = values.get(fill.name, SafeString()) + fill.filled(context)
        values["body"] = mark_safe(self.nodelist.render(context).strip())  # noqa: S308
        engine = context.template.engine  # type: ignore[union-attr]
        partial = engine.get_template(f"components/{self.name.resolve(context)}.html")
        values |= {name: context.get(name) for name in ("csrf_token", "request")}
        return str(partial.render(context.new(values))).strip()


@register.tag
def component(parser: Parser, token: Token) -> ComponentNode:
    """`{% component "card" title=title %}...{% fill actions %}...{% endfill %}{% endcomponent %}`:
    the partial finds each part under its name, and the rest as `body`. No white space comes before
    or behind it: `{% component "waiting" n=2 %}{% endcomponent %}` may follow a word."""
    bits = token.split_contents()[1:]
    if not bits:
        raise template.TemplateSyntaxError("component: which one?")
    rest = bits[1:]
    values = token_kwargs(rest, parser)
    if rest:
        raise template.TemplateSyntaxError(f"component: {rest[0]} is no name=value")
    nodelist = parser.parse(("endcomponent",))
    parser.delete_first_token()
    return ComponentNode(parser.compile_filter(bits[0]), values, nodelist)


@register.tag
def fill(parser: Parser, token: Token) -> FillNode:
    """Return a named part of the component around it; parts of one name are joined."""
    _, name = token.split_contents()
    nodelist = parser.parse(("endfill",))
    parser.delete_first_token()
    return FillNode(name, nodelist)


@register.tag
def columns(parser: Parser, token: Token) -> ColumnsNode:
    """Return the heads of a table's columns: `{% columns _("Charge") end=_("Total") %}`."""
    heads = []
    for bit in token.split_contents()[1:]:
        kind, _, head = bit.rpartition("=") if bit.partition("=")[0] in COLUMNS else ("", "", bit)
        heads.append((kind, parser.compile_filter(head)))
    return ColumnsNode(heads)


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """Return an icon of config/pages/icons.py, `size` pixels square; it says nothing to a screen
    reader."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true"><path d="{1}"/></svg>',
        size,
        SHAPES[name],
    )


@register.simple_tag
def drawing(name: str) -> SafeString:
    """Return a drawing (config/pages/drawings.py) that stands where a photo would; a screen reader
    does not say it."""
    return format_html(
        '<svg class="drawing" viewBox="0 0 96 72" fill="none" stroke="currentColor"'
        ' stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        '<path d="{}"/></svg>',
        DRAWN[name],
    )
