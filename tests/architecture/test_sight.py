"""Who may see a row is for the service to say: a door that writes does not look first.

A look is a call that ends in `NotFound` for who may not see a row: of `visible`, of a selector on
it, or of a function of the door's own module that calls one. It is a *first* look where a door that
writes makes it in its own body only to have made it, or for the row's id or its page: the service
looks again. A row that a form or the service's values are made of is no first look, nor is what a
body names (`named`, `..._named`). Run as a script, this lists them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

APPS = ("accounts", "instruments", "bookings")
LOOK = ("accounts.selectors.rows", "visible")
WRITING = {"writes", "edits", "creates", "changes", "removes", "acts"}
METHODS = {"post", "put", "patch", "delete"}

# It only goes down.
FIRST_LOOKS = 2

type Name = tuple[str, str]  # a module and what it calls something


class Code:
    """The functions of all modules, methods as `Class.method`, and what each module imports."""

    def __init__(self, root: Path = Path()) -> None:
        self.functions: dict[Name, ast.FunctionDef] = {}
        self.imports: dict[str, dict[str, Name]] = {}
        for path in (path for app in APPS for path in (root / app).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            tree = ast.parse(path.read_text())
            self.imports[module] = {
                alias.asname or alias.name: (node.module or "", alias.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    self.functions[module, node.name] = node
                for method in node.body if isinstance(node, ast.ClassDef) else ():
                    if isinstance(method, ast.FunctionDef):
                        self.functions[module, f"{node.name}.{method.name}"] = method
        self.looks = {LOOK}
        while found := {name for name in self.functions if name not in self.looks and self._looks(name)}:
            self.looks |= found

    def _looks(self, name: Name) -> bool:
        """Whether a selector looks, or a function of a door's module does so as one."""
        rooms = name[0].split(".")
        if "selectors" not in rooms:
            return False
        return any(self.called(name, call) in self.looks for call in _calls(self.functions[name]))

    def called(self, caller: Name, call: ast.Call) -> Name | None:
        """What a call is of, as far as its module says it."""
        module, cls = caller[0], caller[1].partition(".")[0]
        match call.func:
            case ast.Name(id=word):
                return self._imported(module, word)
            case ast.Attribute(value=ast.Name(id="self"), attr=word):
                return module, f"{cls}.{word}"
            case ast.Attribute(value=ast.Name(id=owner), attr=word):
                package, name = self._imported(module, owner)
                return f"{package}.{name}", word
        return None

    def _imported(self, module: str, word: str) -> Name:
        found = self.imports[module].get(word, (module, word))
        again = self.imports.get(found[0], {}).get(found[1])
        return again if again and found not in self.functions else found

    def is_look(self, caller: Name, call: ast.Call, seen: frozenset[Name] = frozenset()) -> bool:
        """Whether a call gives a row that may be seen."""
        name = self.called(caller, call)
        names_body = any(
            "data" in ast.unparse(each) for each in (*call.args, *(k.value for k in call.keywords if k.arg))
        )
        if name is None or name in seen or name[1].endswith("_named") or names_body:
            return False
        if name in self.looks or name[1].endswith(".visible"):
            return True
        return any(
            self.is_look(name, each, seen | {name}) and not _is_for_nothing(helper, each)
            for helper in self._helper(caller, name)
            for each in _own_calls(helper)
        )

    def looks_first(self, name: Name, seen: frozenset[Name] = frozenset()) -> bool:
        """Whether a function looks for nothing, or by a function beside it."""
        function = self.functions[name]
        for call in _own_calls(function):
            if self.is_look(name, call) and _is_for_nothing(function, call):
                return True
            beside = self.called(name, call)
            is_beside = beside and beside not in seen and any(self._helper(name, beside))
            if beside and is_beside and self.looks_first(beside, seen | {beside}):
                return True
        return False

    def _helper(self, caller: Name, name: Name) -> Iterator[ast.FunctionDef]:
        """A function beside its caller that makes no page and no answer."""
        is_answer = name[1].rpartition(".")[2] in {"one", "shown", "prepared", "location", "answer"}
        if name[0] == caller[0] and name in self.functions and "page" not in name[1] and not is_answer:
            yield self.functions[name]

    def _serves(self, module: str) -> bool:
        return any("services" in of.split(".") for of, _ in self.imports[module].values())

    def first_looks(self) -> list[Name]:
        return sorted(
            name
            for name, function in self.functions.items()
            if _writes(name, function) and self._serves(name[0]) and self.looks_first(name)
        )


def _calls(function: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def _own_calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The calls of a function's own body: not those of functions in it, nor of what a body names."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "named":
                continue
            yield node
        waiting += ast.iter_child_nodes(node)


def _writes(name: Name, function: ast.FunctionDef) -> bool:
    rooms = set(name[0].split(".")) & {"views", "api"}
    marks = {getattr(getattr(mark, "func", mark), "id", "") for mark in function.decorator_list}
    is_method = "operation" in marks and name[1].rpartition(".")[2] in METHODS
    return bool(rooms) and (bool(marks & WRITING) or is_method)


def _is_for_nothing(function: ast.FunctionDef, look: ast.Call) -> bool:
    """Whether what a look gives is thrown away, or only its id, or its page, is made of it."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and look in ast.walk(node.value):
            if node.value is not look:  # a value of the row, as `find(...).organisation`
                return False
            names |= {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
        if isinstance(node, ast.Expr) and look in ast.walk(node.value):
            return node.value is look or "require" in ast.unparse(node.value)
    if not names:
        return False
    ids, pages = set(), set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and (node.attr in {"pk", "id"} or node.attr.endswith("_id")):
            ids.add(node.value)
        if isinstance(node, ast.Call):
            words = ast.unparse(node.func) + " ".join(map(ast.unparse, node.args[:1]))
            if any(word in words for word in ("page", "shown", "render", "reverse", "redirect", "address")):
                pages |= {each for each in ast.walk(node) if isinstance(each, ast.Name)}
    used = {
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
    }
    return used <= ids | pages


def test_doors_do_not_look_first() -> None:
    found = Code().first_looks()
    assert len(found) == FIRST_LOOKS, "\n".join(map(" ".join, found))


if __name__ == "__main__":
    for module, function in Code().first_looks():
        print(module, function)
