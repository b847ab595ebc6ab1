"""Lines of a configuration, and what its expressions are made of: the HCL that a plan or state was made from.

Only places and references leave this module, never the text of a value. A file that cannot be parsed has no
lines, and nothing else of it is believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloudaudit.model import Written
from cloudaudit.yamlsource import excerpt

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_BYTES: Final = 8 << 20
"""Of one file. Nobody writes more by hand."""
MAX_FILES: Final = 2000
"""In one folder."""
SUFFIXES: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")
_OVERRIDES: Final = ("override", "_override")


class Kind(Enum):
    """An expression that is no reference."""

    FIXED = "a literal"
    OTHER = "something made of others"


FIXED: Final = Kind.FIXED
OTHER: Final = Kind.OTHER
Shape: TypeAlias = "str | Kind | tuple[Shape, ...]"
"""What an expression is: a reference and nothing but it, as text; a list of expressions; or neither."""


class Body:
    """The inside of one block, or one object of the JSON syntax, where both are the same."""

    __slots__ = ("_attributes", "_blocks", "_read", "dynamic", "line", "node", "path", "sound")

    def __init__(self, node: Node | None, line: int, path: str | None, sound: bool) -> None:
        self.node = node
        self.line = line
        self.path = path
        """As a repository names the file; None: it is none of the repository."""
        self.sound = sound
        """Whether the file could be parsed as a whole, so that what an expression is can be believed."""
        self.dynamic: set[str] = set()
        """Names of nested blocks that are made by `dynamic` blocks."""
        self._attributes: dict[str, tuple[int, Node]] = {}
        self._blocks: dict[str, list[Body]] = {}
        self._read = False

    def lines(self) -> dict[str, int]:
        """The line of each attribute, and of the first nested block of each name."""
        self._load()
        blocks = {name: found[0].line for name, found in self._blocks.items()}
        return blocks | {name: line for name, (line, _) in self._attributes.items()}

    def has(self, name: str) -> bool:
        self._load()
        return name in self._attributes or name in self._blocks or name in self.dynamic

    def shape(self, name: str) -> Shape | None:
        """What an attribute's expression is; None: it is not known."""
        self._load()
        if not self.sound or name not in self._attributes:
            return None
        return shape(self._attributes[name][1])

    def literal(self, name: str) -> str:
        """The text of an attribute that is a literal text, as it is written; empty where it is none."""
        self._load()
        if name not in self._attributes or shape(self._attributes[name][1]) is not FIXED:
            return ""
        return _text(self._attributes[name][1]).strip('"')

    def blocks(self, name: str) -> Sequence[Body]:
        """Nested blocks of one name, as they are written: `dynamic` ones are made into others."""
        self._load()
        if name in self._attributes:
            return [
                Body(node, _line(node), self.path, self.sound) for node in _objects(self._attributes[name][1])
            ]
        return self._blocks.get(name, ())

    def override(self, other: Body) -> None:
        """Take over what an override file says. Nested blocks of a name replace all of that name."""
        self._load()
        other._load()
        self._attributes |= other._attributes
        self._blocks |= other._blocks
        self.dynamic |= other.dynamic
        self.sound = self.sound and other.sound

    def _load(self) -> None:
        if self._read or self.node is None:
            return
        self._read = True
        if self.node.type == "object":
            for key, value in _members(self.node):
                if key == "dynamic":
                    self.dynamic.update(name for inner in _objects(value) for name, _ in _members(inner))
                else:
                    self._attributes[key] = (_line(value), value)
            return
        for child in self.node.named_children:
            if child.type == "attribute":
                name, value = child.named_children[0], child.named_children[-1]
                self._attributes[_text(name)] = (_line(child), value)
            elif child.type == "block":
                labels, inner = _block(child)
                if labels[0] == "dynamic" and len(labels) == 2:
                    self.dynamic.add(labels[1])
                    self._blocks.setdefault(labels[1], []).append(Body(None, _line(child), self.path, False))
                else:
                    body = Body(inner, _line(child), self.path, self.sound)
                    self._blocks.setdefault(labels[0], []).append(body)


class Folder:
    """All configuration files of one folder, read together as one module."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, ...], Body] = {}
        """By keyword and labels: `("resource", type, name)`, `("provider", "aws.other")` and the like."""
        self.locals: dict[str, Body] = {}
        """The block that has a local value, by its name."""
        self.unparsed: list[str] = []
        self.partial = False
        """Whether it may declare something else: of its files some are not read, or not by everybody."""

    def resources(self) -> frozenset[str]:
        """What is declared, as `type.name`."""
        return frozenset(
            f"{one[1]}.{one[2]}" for one in self.bodies if one[0] == "resource" and len(one) == 3
        )

    def distrust(self) -> None:
        """Believe nothing of it but the places of what it declares."""
        for body in (*self.bodies.values(), *self.locals.values()):
            body.sound = False

    def add(self, labels: tuple[str, ...], body: Body, overrides: bool) -> None:
        """Take a block up. Of what is declared twice the expressions are not known."""
        if labels == ("locals",):
            self.locals |= dict.fromkeys(body.lines(), body)
            return
        if labels[0] == "provider" and len(labels) == 2:
            labels = ("provider", f"{labels[1]}.{body.literal('alias')}".rstrip("."))
        earlier = self.bodies.get(labels)
        if earlier is None:
            self.bodies[labels] = body
        elif overrides:
            earlier.override(body)
        else:
            earlier.sound = False


class Sources:
    """The folder of a configuration and those of its modules, each read when it is first asked for."""

    def __init__(self, root: Path, shown: str, configuration: Mapping[str, Any]) -> None:
        self._root = root
        whole = Path(normpath(root))
        # Of a folder from outside the working folder nothing but what is in it is looked at.
        self._base = "." if whole.is_absolute() or ".." in whole.parts else whole.as_posix()
        self._shown = shown
        self._module: Mapping[str, Any] = configuration.get("root_module") or {}
        self._installed: Mapping[str, str] | None = None
        self._folders: dict[tuple[str, ...], Folder | None] = {}
        self._relative: dict[tuple[str, ...], str | None] = {(): "."}
        self._read: dict[str, Folder] = {}
        self._distrusted = False

    def folder(self, steps: tuple[str, ...]) -> Folder | None:
        """The module that is reached by calls of these names from the root; None: its files are not there."""
        if steps not in self._folders:
            relative = self._where(steps)
            self._folders[steps] = None if relative is None else self._parsed(relative)
        return self._folders[steps]

    def body(self, steps: tuple[str, ...], *labels: str) -> Body | None:
        folder = self.folder(steps)
        return folder.bodies.get(labels) if folder else None

    def written(self, steps: tuple[str, ...], *labels: str) -> Written | None:
        """The place of a block; if its file is none of the repository, of the nearest call of its module."""
        body = self.body(steps, *labels)
        if body is not None and body.path is not None:
            return Written(body.path, body.line, body.lines())
        while steps:
            steps, name = steps[:-1], steps[-1]
            call = self.body(steps, "module", name)
            if call is not None and call.path is not None:
                return Written(call.path, call.line)
        return None

    def differs(self, told: Iterable[tuple[tuple[str, ...], frozenset[str]]]) -> str:
        """What shows that a plan was made from other files. `told`: its modules, with resources by name.

        Empty: nothing does. Of files of another commit nothing is believed but places.
        """
        absent, more = dict[str, None](), dict[str, None]()
        for steps, declared in told:
            folder = self.folder(steps)
            if folder.partial if folder is not None else steps or self.unparsed:
                # It lies elsewhere, or cannot be compared.
                continue
            written = folder.resources() if folder is not None else frozenset()
            where = "".join(f"module.{name}." for name in steps)
            absent |= dict.fromkeys(where + one for one in sorted(declared - written))
            more |= dict.fromkeys(where + one for one in sorted(written - declared))
        if not absent and not more:
            return ""
        for folder in self._read.values():
            folder.distrust()
        self._distrusted = True
        parts = [f"{len(absent)} resources of the plan are not in it"] if absent else []
        parts += [f"{len(more)} of it are not in the plan"] if more else []
        return f"{' and '.join(parts)}, such as {excerpt(next(iter(absent or more)))}"

    @property
    def unparsed(self) -> list[str]:
        """Names of files that could not be parsed."""
        return sorted({name for folder in self._read.values() for name in folder.unparsed})

    def _where(self, steps: tuple[str, ...]) -> str | None:
        """The folder of a module, relative to the root; None: it is not there, or not to be looked at."""
        if steps in self._relative:
            return self._relative[steps]
        outer, found = self._where(steps[:-1]), None
        source = self._source(steps)
        if outer is not None and source.startswith(("./", "../")):
            found = normpath(f"{outer}/{source}")
        elif source:
            found = self._modules().get(".".join(steps))
        if found is not None and (Path(found).is_absolute() or _leaves(f"{self._base}/{found}")):
            found = None
        self._relative[steps] = found
        return found

    def _source(self, steps: tuple[str, ...]) -> str:
        """What a call says where its module is: of a plan as it tells, of a state as the files do."""
        module: Any = self._module
        source: Any = None
        for name in steps:
            calls = module.get("module_calls") if isinstance(module, dict) else None
            call = calls.get(name) if isinstance(calls, dict) else None
            module, source = (
                (call.get("module"), call.get("source")) if isinstance(call, dict) else (None, None)
            )
        if source is None and (body := self.body(steps[:-1], "module", steps[-1])) is not None:
            source = body.literal("source")
        return source.replace("\\", "/") if isinstance(source, str) else ""

    def _modules(self) -> Mapping[str, str]:
        """Folders of modules that Terraform fetched, by their names joined with dots."""
        if self._installed is None:
            try:
                told = json.loads((self._root / ".terraform" / "modules" / "modules.json").read_bytes())
                self._installed = {one["Key"]: str(one["Dir"]).replace("\\", "/") for one in told["Modules"]}
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                # Then the line of the call is told.
                self._installed = {}
        return self._installed

    def _parsed(self, relative: str) -> Folder | None:
        relative = normpath(relative)
        if relative not in self._read:
            # What Terraform fetched is in nobody's repository.
            fetched = relative.split("/")[0] == ".terraform"
            self._read[relative] = _folder(
                self._root / relative, None if fetched else normpath(f"{self._shown}/{relative}")
            )
            if self._distrusted:
                self._read[relative].distrust()
        found = self._read[relative]
        return found if found.bodies or found.locals else None


def _leaves(path: str) -> bool:
    """Whether a path leads out of the folder that it begins in."""
    return normpath(path).split("/")[0] == ".."


def _folder(folder: Path, shown: str | None) -> Folder:
    """Read the files of a folder. None is opened that is no plain file, or is too large."""
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    parser = Parser(Language(tree_sitter_hcl.language()))
    found = Folder()
    try:
        # NOTE: files that begin with a dot are none of Terraform's: editors and archives leave such behind.
        files = sorted(f for f in folder.iterdir() if f.name.endswith(SUFFIXES) and f.name[0] != ".")
    except OSError:
        return found
    # OpenTofu alone reads `.tofu`, in place of a `.tf` of the same name.
    found.partial = len(files) > MAX_FILES or any(f.name.endswith(SUFFIXES[1::2]) for f in files)
    files = files[:MAX_FILES]
    # Override files come last, as they do for Terraform.
    for file in sorted(files, key=_overriding):
        path = None if shown is None else normpath(f"{shown}/{file.name}")
        content = _content(file)
        if content is None:
            found.unparsed.append(path or file.name)
            found.partial = True
            continue
        root = parser.parse(content.removeprefix(b"\xef\xbb\xbf")).root_node
        if root.has_error:
            found.unparsed.append(path or file.name)
            found.partial = True
        for labels, node, line in _top(root):
            found.add(labels, Body(node, line, path, not root.has_error), _overriding(file))
    return found


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.is_file() and file.stat().st_size <= MAX_BYTES else None
    except OSError:
        return None


def _overriding(file: Path) -> bool:
    return file.name.split(".", 1)[0].endswith(_OVERRIDES)


def _top(root: Node) -> Iterator[tuple[tuple[str, ...], Node | None, int]]:
    """Blocks of a file: keyword and labels, contents, line."""
    for part in root.named_children:
        if part.type == "body":
            for block in part.named_children:
                if block.type == "block":
                    labels, body = _block(block)
                    yield tuple(labels), body, _line(block)
        elif part.type == "object":
            for keyword, value in _members(part):
                yield from _labelled((keyword,), value, _LABELS.get(keyword, 0))


_LABELS: Final = {"resource": 2, "data": 2, "module": 1, "output": 1, "variable": 1, "provider": 1}


def _labelled(labels: tuple[str, ...], value: Node, more: int) -> Iterator[tuple[tuple[str, ...], Node, int]]:
    for inner in _objects(value):
        if not more:
            yield labels, inner, _line(inner)
            continue
        for label, deeper in _members(inner):
            yield from _labelled((*labels, label), deeper, more - 1)


def _block(block: Node) -> tuple[list[str], Node | None]:
    """Keyword and labels of a block, and its contents."""
    labels: list[str] = []
    body = None
    for child in block.named_children:
        if child.type == "identifier":
            labels.append(_text(child))
        elif child.type == "string_lit":
            labels.append(_text(child)[1:-1])
        elif child.type == "body":
            body = child
    return labels or [""], body


def _members(node: Node) -> Iterator[tuple[str, Node]]:
    """Keys and values of an object."""
    for one in node.named_children:
        if one.type == "object_elem":
            key, value = one.child_by_field_name("key"), one.child_by_field_name("val")
            if key is not None and value is not None:
                yield _text(key).strip('"'), value


def _objects(node: Node) -> list[Node]:
    """The object that an expression is, or those in the list that it is."""
    if node.type == "object":
        return [node]
    if node.type in ("expression", "collection_value", "tuple"):
        return [found for child in node.named_children for found in _objects(child)]
    return []


def shape(node: Node) -> Shape:
    """What an expression is."""
    parts = [child for child in node.named_children if child.type != "comment"]
    if not parts:
        return OTHER
    first = parts[0]
    if len(parts) == 1:
        match first.type:
            case "literal_value":
                return FIXED
            case "expression":
                return shape(first) if node.text and node.text.startswith(b"(") else OTHER
            case "template_expr":
                return _template(first)
            case "collection_value":
                inner = first.named_children[0] if first.named_children else None
                if inner is None or inner.type != "tuple":
                    return OTHER
                elements = [child for child in inner.named_children if child.type == "expression"]
                # `[for x in y: z]` is no tuple of the grammar; anything else in one is not known here.
                return tuple(shape(child) for child in elements)
    if first.type == "variable_expr":
        return _reference(parts)
    return OTHER


def _template(node: Node) -> Shape:
    """`"${x}"` is the same as `x`."""
    quoted = node.named_children[0]
    inside = [c for c in quoted.named_children if not c.type.startswith("quoted_template_")]
    if quoted.type != "quoted_template":
        return OTHER
    if len(inside) == 1 and inside[0].type == "template_interpolation":
        expressions = [child for child in inside[0].named_children if child.type == "expression"]
        return shape(expressions[0]) if len(expressions) == 1 else OTHER
    return FIXED if all(child.type == "template_literal" for child in inside) else OTHER


def _reference(parts: Sequence[Node]) -> Shape:
    """The text of a reference in one spelling, if all its indexes are literal, or the instance's own."""
    text = _text(parts[0])
    for part in parts[1:]:
        if part.type == "get_attr":
            text += f".{_text(part.named_children[0])}"
        elif part.type == "index" and part.named_children:
            index = part.named_children[0]
            inner = _text(index)[1:].strip() if index.type == "legacy_index" else _text(index)[1:-1].strip()
            expression = index.named_children[0] if index.type == "new_index" else None
            own = inner in ("count.index", "each.key")
            if expression is not None and not own and shape(expression) is not FIXED:
                return OTHER
            text += f"[{inner}]"
        else:
            return OTHER
    return text


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _line(node: Node) -> int:
    return node.start_point.row + 1
