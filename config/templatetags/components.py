"""Template tags for components: `{% component %}` renders a partial of templates/components with parts that
the page fills in, `{% icon %}` draws an icon. The page `components` shows them all."""

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.acts import offered
from accounts.views.pages import address_of, by_of
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
    """Content that a page fills into a named part of a component; where it is written it renders nothing."""

    child_nodelists = ("nodelist",)

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        return ""

    def filled(self, context: Context) -> SafeString:
        return mark_safe(self.nodelist.render(context).strip())  # noqa: S308 (rendered already)


class ColumnsNode(FillNode):
    """The column heads of a table, each with the kind of its column."""

    def __init__(self, heads: list[tuple[str, str, FilterExpression]]) -> None:
        super().__init__("head", NodeList())
        self.heads = heads

    def filled(self, context: Context) -> SafeString:
        listing = context.get("listing")
        named = {column.name: column for column in listing.columns} if listing else {}
        heads = []
        for kind, name, head in self.heads:
            if column := named.get(name):
                heads.append(format_html(COLUMNS[kind or column.kind], _head(context, column)))
            elif not name.isidentifier() or head.resolve(context):  # a column that the list lacks has no head
                heads.append(format_html(COLUMNS[kind], head.resolve(context)))
        return mark_safe("".join(heads))  # noqa: S308 (each is)


def _head(context: Context, column: Any) -> Any:
    """Return the head of a list's column. If the list can be sorted by it, the head is a link that sorts, or
    reverses the present order."""
    if not column.sort:
        return column.label
    now, name = context.get("sort", ""), column.name
    params = context["request"].GET.copy()
    params.pop("page", None)
    params["sort"] = f"-{name}" if now == name else name
    mark = " ▲" if now == name else " ▼" if now == f"-{name}" else ""
    return format_html('<a class="sort" href="?{}">{}{}</a>', params.urlencode(), column.label, mark)


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
        values: dict[str, Any] = {name: value.resolve(context) for name, value in self.values.items()}
        for fill in self.fills:
            values[fill.name] = values.get(fill.name, SafeString()) + fill.filled(context)
        values["body"] = mark_safe(self.nodelist.render(context).strip())  # noqa: S308
        engine = context.template.engine  # type: ignore[union-attr]
        partial = engine.get_template(f"components/{self.name.resolve(context)}.html")
        values |= {name: context.get(name) for name in ("csrf_token", "request")}
        return str(partial.render(context.new(values))).strip()


@register.tag
def component(parser: Parser, token: Token) -> ComponentNode:
    """Parse `{% component "card" title=title %}...{% fill actions %}...{% endfill %}{% endcomponent %}`: the
    partial gets each part under its name, and the rest as `body`. White space before and after it is removed,
    so `{% component "waiting" n=2 %}{% endcomponent %}` may follow a word."""
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
    """Parse a named part of the surrounding component; parts with the same name are joined."""
    _, name = token.split_contents()
    nodelist = parser.parse(("endfill",))
    parser.delete_first_token()
    return FillNode(name, nodelist)


@register.tag
def columns(parser: Parser, token: Token) -> ColumnsNode:
    """Parse the column heads of a table: `{% columns _("Charge") end=_("Total") %}`, or for a list
    (bookings/record/selectors/lists.py) the names of its columns: `{% columns charge state total %}`."""
    heads = []
    for bit in token.split_contents()[1:]:
        kind, _, head = bit.rpartition("=") if bit.partition("=")[0] in COLUMNS else ("", "", bit)
        heads.append((kind, head, parser.compile_filter(head)))
    return ColumnsNode(heads)


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """Return an icon of config/pages/icons.py, `size` pixels square, hidden from screen readers."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true"><path d="{1}"/></svg>',
        size,
        SHAPES[name],
    )


@register.simple_tag
def drawing(name: str) -> SafeString:
    """Return a drawing (config/pages/drawings.py) in place of a missing photo, hidden from screen readers."""
    return format_html(
        '<svg class="drawing" viewBox="0 0 96 72" fill="none" stroke="currentColor"'
        ' stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        '<path d="{}"/></svg>',
        DRAWN[name],
    )


@register.simple_tag(takes_context=True)
def offers(context: Any, name: str, row: Any) -> bool:
    """Say whether the rule of an act offers it for a row, for a page that draws its form itself."""
    return offered(by_of(context["request"]), name.partition(":")[2], row) is not None


@register.inclusion_tag("components/press.html", takes_context=True)
def press(context: Any, name: str, row: Any, classes: str = "btn", of: str = "") -> dict[str, Any]:
    """Return the button of an act for a row, in a form of its own that says which version was read; nothing
    if the rule does not offer the act. `of` tells screen readers which row the button belongs to."""
    on = offered(by_of(context["request"]), name.partition(":")[2], row)
    return {
        "on": on and vars(on),
        "address": address_of(name, row.pk),
        "version": getattr(row, "version", ""),
        "classes": classes,
        "of": of,
    }
