"""Turn the conditions of a rule file into the typed tree of the plan, and say what is wrong with them on the way."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace

from engine.constants import exact, example, remedy, said
from engine.diagnostics import Diagnostics
from engine.operators import Subject, operators
from engine.plan import Condition, Const, Operand, Ref, all_of, any_of, negate
from engine.read import Mapping, Node, Scalar, Sequence, inside, type_names
from engine.suggest import did_you_mean
from engine.vocabulary import SCALARS, FieldType, Resolved, Table, Vocabulary, resolve


@dataclass(frozen=True, slots=True)
class Builder:
    """Build conditions against a fact's type.

    Attributes:
        vocabulary: The facts and tables there are.
        diagnostics: Takes what is wrong.
        scopes: The types that paths may begin at: the fact, then the elements of the enclosing quantifiers, outermost first.
        here: Which of the scopes plain paths begin at.
        definitions: The conditions named under `definitions:`.
        opened: Names of the definitions being built, to notice a circle.
    """

    vocabulary: Vocabulary
    diagnostics: Diagnostics
    scopes: tuple[FieldType, ...]
    here: int = 0
    definitions: MappingType[str, Node] = field(default_factory=dict)
    opened: tuple[str, ...] = ()

    def report(
        self,
        code: str,
        message: str,
        node: Node,
        *,
        hint: str = "",
        offset: int | None = None,
        length: int = 1,
    ) -> None:
        """Report a mistake at a node, or at some characters of a one-line scalar."""
        span = node.span if offset is None or not isinstance(node, Scalar) else inside(node, offset, length)
        self.diagnostics.report(code, message, span, hint=hint)

    def within(self, element: FieldType) -> Builder:
        """Give a builder whose plain paths begin at an element."""
        return replace(self, scopes=(*self.scopes, element), here=len(self.scopes))

    def condition(self, node: Node) -> Condition | None:
        """Build a condition; None where it has a mistake."""
        if not isinstance(node, Mapping):
            self.report(
                "SG0401",
                f"条件应写成 字段: 测试，这里是{type_names[type(node)]}",
                node,
                hint="例如 product.is_virtual: false",
            )
            return None
        if not node.entries:
            self.report("SG0401", "条件是空的", node, hint="例如 product.is_virtual: false")
            return None
        built = [self.entry(key, value) for key, value in node.entries]
        return (
            None
            if any(item is None for item in built)
            else all_of([item for item in built if item is not None])
        )

    def entry(self, key: Scalar, value: Node) -> Condition | None:
        """Build one `key: value` of a condition."""
        match key.text:
            case "all" | "any" | "none":
                return self.connective(key, value)
            case "not":
                inner = self.condition(value)
                return None if inner is None else negate(inner)
            case "use":
                return self.use(value)
        subject = self.subject(key)
        return None if subject is None else self.tests(value, subject)

    def connective(self, key: Scalar, value: Node) -> Condition | None:
        """Build `all`, `any` or `none` over a list of conditions."""
        if not isinstance(value, Sequence) or not value.items:
            self.report(
                "SG0402",
                f"{key.text} 需要一个非空的条件列表",
                value,
                hint=f"例如 {key.text}: [{{a: 1}}, {{b: 2}}]",
            )
            return None
        items = [self.condition(item) for item in value.items]
        if any(item is None for item in items):
            return None
        known = [item for item in items if item is not None]
        if key.text == "all":
            return all_of(known)
        return any_of(known) if key.text == "any" else negate(any_of(known))

    def use(self, value: Node) -> Condition | None:
        """Build the condition that a name under `definitions:` stands for."""
        name = value.text if isinstance(value, Scalar) else ""
        found = self.definitions.get(name)
        if found is None:
            self.report(
                "SG0403", f"没有名为 {name!r} 的定义", value, hint=did_you_mean(name, self.definitions)
            )
            return None
        if name in self.opened:
            self.report("SG0404", f"定义 {' → '.join((*self.opened, name))} 成环", value)
            return None
        return replace(self, here=0, opened=(*self.opened, name)).condition(found)

    def subject(self, key: Scalar) -> Subject | None:
        """Find the value that a path names, beginning at the scope at hand."""
        found = self.path(key, self.here)
        return None if found is None else Subject(*found)

    def path(self, node: Scalar, scope: int) -> tuple[Ref, FieldType] | None:
        """Resolve a path; report it where it leads nowhere."""
        steps = tuple(node.text.split("."))
        resolved = resolve(self.scopes[scope], steps)
        if resolved.type is not None:
            return reference(scope, resolved), resolved.type
        self.bad_path(node, steps, resolved, scope)
        return None

    def bad_path(self, node: Scalar, steps: tuple[str, ...], resolved: Resolved, scope: int) -> None:
        """Report a path that leads nowhere, at the name that does not exist."""
        if resolved.unknown is None:
            self.report("SG0406", f"路径 {node.text} 穿过了两层列表", node, hint="用 some / every 逐层写条件")
            return
        position, type_ = resolved.unknown
        offset = sum(len(step) + 1 for step in steps[:position])
        name = steps[position]
        where = f"{'.'.join(steps[:position])} " if position else "该元素" if scope else "数据里"
        if type_.kind != "record":
            message = f"{where}是{type_.describe()}，没有下级字段 {name!r}"
            hint = "列表元素用 some / every 写条件" if type_.kind == "list" else ""
        else:
            operator = operators().get(name)
            if operator is not None and type_.field(name) is None and scope == 0:
                message, hint = f"{name!r} 是测试，不是字段", f"写成 字段: {{{operator.example}}}"
            else:
                message, hint = (
                    f"{where}没有字段 {name!r}",
                    did_you_mean(name, type_.names(), listed="可用字段"),
                )
        self.report("SG0405", message, node, hint=hint, offset=offset, length=len(name))

    def tests(self, node: Node, subject: Subject) -> Condition | None:
        """Build the test or tests applied to a subject."""
        if isinstance(node, Sequence):
            self.report("SG0407", "测试不能是列表", node, hint="几个值之一写成 in: [ … ]")
            return None
        if isinstance(node, Scalar):
            return self.bare(node, subject)
        if not node.entries:
            self.report("SG0407", "测试是空的", node, hint="例如 {present: true}")
            return None
        built = [self.test(key, value, subject) for key, value in node.entries]
        return (
            None
            if any(item is None for item in built)
            else all_of([item for item in built if item is not None])
        )

    def bare(self, node: Scalar, subject: Subject) -> Condition | None:
        """Build the test that a bare scalar stands for: equals."""
        if node.value is None:
            self.report("SG0407", "没有写要求的值", node, hint="要求没有值写成 {present: false}")
            return None
        equals = operators()["equals"]
        if subject.type.kind not in equals.subjects:
            usable = self.usable(subject)
            self.report(
                "SG0408",
                f"{subject.ref.path} 是{subject.type.describe()}，不能等于一个值",
                node,
                hint=f"可用的测试：{usable}",
            )
            return None
        return equals.argument.lower(self, equals, subject, node)

    def test(self, key: Scalar, value: Node, subject: Subject) -> Condition | None:
        """Build one operator's test."""
        if key.text == "not":
            inner = self.tests(value, subject)
            return None if inner is None else negate(inner)
        operator = operators().get(key.text)
        name = subject.ref.path or "元素"
        if operator is None:
            self.report("SG0409", f"没有名为 {key.text!r} 的测试", key, hint=self.misspelt(key.text, subject))
            return None
        if subject.type.kind not in operator.subjects:
            hint = f"可用的测试：{self.usable(subject)}"
            self.report("SG0408", f"{key.text} 不适用于{subject.type.describe()}（{name}）", key, hint=hint)
            return None
        return operator.argument.lower(self, operator, subject, value)

    def misspelt(self, word: str, subject: Subject) -> str:
        """Write the hint for a word that is no test."""
        if word in {"field", "item"}:
            return f"与另一个字段比较写成 {{equals: {{{word}: …}}}}"
        if subject.type.kind == "record" and subject.type.field(word) is not None:
            return f"下级字段写成 {subject.ref.path}.{word}: …"
        return did_you_mean(
            word, [id_ for id_, op in operators().items() if subject.type.kind in op.subjects]
        )

    def usable(self, subject: Subject) -> str:
        """List the tests that fit a subject."""
        return "、".join(
            id_ for id_, operator in operators().items() if subject.type.kind in operator.subjects
        )

    def element(self, node: Node, subject: Subject) -> Condition | None:
        """Build the body of a quantifier: a condition on a record, or tests on a plain value."""
        element = subject.type.element
        assert element is not None
        inner = self.within(element)
        if element.kind == "record":
            return inner.condition(node)
        ref = Ref(
            inner.here,
            (),
            None,
            "",
            element.kind,
            element.title or subject.type.title,
            element.unit,
            element.choices,
        )
        return inner.tests(node, Subject(ref, element))

    def operand(self, node: Node, type_: FieldType) -> Operand | None:
        """Build an operand: a constant, or `{field: path}` from the root, or `{item: path}` from the element."""
        if not isinstance(node, Mapping):
            return self.constant(node, type_)
        key, value = node.entries[0] if len(node.entries) == 1 else (None, None)
        if key is None or key.text not in {"field", "item"} or not isinstance(value, Scalar):
            self.report(
                "SG0410", "这里需要一个值，或 {field: 路径}", node, hint="例如 {field: product.title}"
            )
            return None
        if key.text == "item" and not self.here:
            self.report(
                "SG0410", "item 只能用在 some / every / none 的条件里", key, hint="写成 {field: 路径}"
            )
            return None
        found = self.path(value, self.here if key.text == "item" else 0)
        if found is None:
            return None
        ref, there = found
        if not same_type(there, type_):
            what = f"{ref.path} 是{there.describe()}，这里需要{type_.describe()}"
            self.report("SG0408", f"类型不同：{what}", value)
            return None
        return ref

    def constant(self, node: Node, type_: FieldType) -> Const | None:
        """Build a constant of exactly a type; nothing is converted."""
        if not isinstance(node, Scalar) or type_.kind not in SCALARS:
            found = type_names[type(node)]
            self.report(
                "SG0410", f"这里需要{type_.describe()}，写的是{found}", node, hint=f"例如 {example(type_)}"
            )
            return None
        value = exact(node, type_)
        if value is None:
            shown = "空" if node.value is None else f"{said(node.value)} {node.text!r}"
            self.report(
                "SG0410", f"这里需要{type_.describe()}，写的是{shown}", node, hint=remedy(node, type_)
            )
            return None
        if type_.choices and value not in dict(type_.choices):
            titles = "、".join(f"{name}（{title}）" for name, title in type_.choices[:12])
            names = [name for name, _ in type_.choices]
            by_title = next((name for name, title in type_.choices if title == value), "")
            hint = f"是不是 {by_title}？" if by_title else did_you_mean(str(value), names)
            self.report("SG0421", f"没有取值 {value!r}；可取 {titles}", node, hint=hint)
            return None
        return Const(value)

    def table(self, node: Node, keys: tuple[str, ...], hint: str) -> tuple[Table, Mapping | None] | None:
        """Find the table that a name, or a mapping with `name`, speaks of."""
        options = node if isinstance(node, Mapping) else None
        for key, _ in options.entries if options else ():
            if key.text not in keys:
                self.report("SG0422", f"不认识 {key.text!r}", key, hint=did_you_mean(key.text, keys))
                return None
        name_node = options.get("name") if options else node
        name = name_node.text if isinstance(name_node, Scalar) else ""
        table = self.vocabulary.tables.get(name)
        if table is None:
            tables = self.vocabulary.tables
            self.report(
                "SG0420",
                f"没有名为 {name!r} 的表",
                name_node or node,
                hint=did_you_mean(name, tables) or hint,
            )
            return None
        return table, options


def reference(scope: int, resolved: Resolved) -> Ref:
    """Make a reference out of a resolved path."""
    type_ = resolved.type
    assert type_ is not None
    shown = type_.element if type_.element is not None else type_
    return Ref(
        scope, resolved.steps, resolved.through, "", type_.kind, type_.title, type_.unit, shown.choices
    )


def same_type(one: FieldType, other: FieldType) -> bool:
    """Whether values of two types may be compared: the same kind, and the same kind of elements."""
    if one.kind != other.kind:
        return False
    return one.kind != "list" or (
        one.element is not None and other.element is not None and same_type(one.element, other.element)
    )
