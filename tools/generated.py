"""Write the pages of `docs/` that are made from the code, or with `--check` see that they are fresh.

A page is a function that returns its text, named in `PAGES` beside the file it goes to.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import api_pages
import diagnostics_page
import requirements
import yaml

from channels.huiju import profile_page
from channels.huiju.profile import load_profile
from engine.operators import operators
from engine.vocabulary import KIND_TITLES

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "<!-- 由 make reference 从代码生成，不要手改 -->\n"
UNITS = {"fen": "分", "g": "克", "piece": "件", "characters": "字"}
FORMATS = {"date": "日期", "date-time": "时间"}
TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "小数",
    "boolean": "是否",
    "array": "列表",
    "object": "记录",
}


def operators_page() -> str:
    """Describe every test of the rule language, from the operators themselves."""
    lines = [
        "# 测试",
        "",
        "写在字段后面的测试，例如 `row.brand_id: {in_table: brands}`；只写一个值等于 `equals`。",
        "字段缺失时，除 `present` 外结果都是**无法判断**。任何测试前加 `not:` 取反。",
        "",
        "| 写法 | 名称 | 用在 | 意思 |",
        "|---|---|---|---|",
    ]
    for operator in operators().values():
        kinds = (KIND_TITLES[kind] for kind in KIND_TITLES if kind in operator.subjects)
        used_on = "任何值" if operator.subjects >= KIND_TITLES.keys() else "、".join(kinds)
        lines.append(f"| `{cell(operator.example)}` | {operator.title} | {used_on} | {operator.summary} |")
    return "\n".join(lines) + "\n"


def facts_page() -> str:
    """List every field of every fact and every column of every table, from `rules/facts/`."""
    lines = ["# 字段", "", "规则里能用的字段，都在 `rules/facts/` 中声明。", ""]
    tables: dict[str, Any] = {}
    for file in sorted((ROOT / "rules" / "facts").glob("*.yaml")):
        schema = yaml.safe_load(file.read_text(encoding="utf-8"))
        if file.stem == "tables":
            tables = schema["$defs"]
            continue
        lines += section(f"{file.stem} · {schema['title']}", schema, schema.get("$defs", {}))
        for word, key in (("动作", "x-actions"), ("事件", "x-events")):
            if named := schema.get(key):
                told = "、".join(f"`{name}` {about['title']}" for name, about in named.items())
                lines += [f"{word}：{told}", ""]
    lines += ["## 表", "", "随数据一起交来的参考数据，用 `in_table` 查。", ""]
    for name, table in tables.items():
        lines += section(f"{name} · {table['title']}（主键 `{table['x-key']}`）", table, {}, level=3)
    return "\n".join(lines).rstrip("\n") + "\n"


def section(
    title: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], level: int = 2
) -> list[str]:
    """Draw one record as a heading and a table of its fields.

    Args:
        title: Text of the heading.
        schema: JSON Schema of the record.
        definitions: What its local references point to, by name.
        level: Level of the heading, 2 or 3.

    Returns:
        Lines of Markdown, the last one empty.
    """
    rows = [
        f"| `{path}` | {cell(field.get('title', ''))} | {kind(field)} | {cell(values(field))} |"
        for path, field in fields(schema, definitions)
    ]
    return [f"{'#' * level} {title}", "", "| 字段 | 名称 | 类型 | 取值 |", "|---|---|---|---|", *rows, ""]


def fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the path and the schema of each field, outer fields before the fields within them."""
    for name, written in schema.get("properties", {}).items():
        field = resolve(written, definitions)
        yield prefix + name, field
        inner = resolve(field.get("items", field), definitions)
        yield from fields(inner, definitions, f"{prefix}{name}.")


def resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a local reference; one to another file is left as it is, and shown as a link."""
    target = schema.get("$ref", "")
    return definitions[target.rsplit("/", 1)[1]] if target.startswith("#") else schema


def kind(field: Mapping[str, Any]) -> str:
    """Name the type of a field, with its unit."""
    if "$ref" in field:
        fact = field["$ref"].removesuffix(".yaml")
        return f"见 {fact}"
    name = FORMATS.get(field.get("format", ""), TYPES[field["type"]])
    if field["type"] == "array" and field["items"].get("type", "object") != "object":
        name = f"{TYPES[field['items']['type']]}列表"
    unit = field.get("x-unit")
    return f"{name}（{UNITS.get(unit, unit)}）" if unit else name


def values(field: Mapping[str, Any]) -> str:
    """Tell which values a field may have: its enum with titles, or its bounds."""
    holder = field.get("items", field)
    if "enum" in holder:
        titles = holder.get("x-enum-titles", {})
        return " · ".join(f"`{value}` {titles.get(value, '')}".rstrip() for value in holder["enum"])
    low, high = holder.get("minimum"), holder.get("maximum")
    if low is not None and high is not None:
        return f"{low}～{high}"
    return f"≥ {low}" if low is not None else f"≤ {high}" if high is not None else ""


def cell(text: str) -> str:
    """Keep a text from ending its table cell."""
    return text.replace("|", "\\|")


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/diagnostics.md": lambda: NOTICE + diagnostics_page.page(ROOT),
    "docs/reference/facts.md": lambda: NOTICE + facts_page(),
    "docs/reference/http.md": lambda: NOTICE + api_pages.routes_page(),
    "docs/reference/huiju-profile.md": lambda: profile_page.render(load_profile()),
    "docs/reference/openapi.json": lambda: api_pages.openapi_page(ROOT),
    "docs/reference/problems.md": lambda: NOTICE + api_pages.problems_page(),
    "docs/reference/tests.md": lambda: NOTICE + operators_page(),
    "docs/requirements.md": lambda: NOTICE + requirements.page(ROOT),
}
RULES = "docs/reference/rules"


def rule_pages() -> dict[str, str]:
    """Have the command write its page for each rule, and collect them by path from the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("shelfgate")), "rules", "doc", "--output", folder]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return read(Path(folder), RULES)


def read(folder: Path, shown: str) -> dict[str, str]:
    """Read every page under a folder, by the path that it is shown under."""
    files = sorted(folder.rglob("*.md"))
    return {
        f"{shown}/{file.relative_to(folder).as_posix()}": file.read_text(encoding="utf-8") for file in files
    }


def main() -> None:
    """Write the pages; with `--check` write nothing, show what would change, and fail if anything would."""
    made = {name: page() for name, page in PAGES.items()} | rule_pages()
    there = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES if (ROOT / name).exists()}
    there |= read(ROOT / RULES, RULES)
    stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    if "--check" in sys.argv[1:]:
        for name in stale:
            old, new = (
                there.get(name, "").splitlines(keepends=True),
                made.get(name, "").splitlines(keepends=True),
            )
            sys.stdout.writelines(list(difflib.unified_diff(old, new, name, f"{name}, made now"))[:40])
        sys.exit("Generated pages are stale; run: make reference" if stale else 0)
    for name in stale:
        path = ROOT / name
        if name not in made:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[name], encoding="utf-8")


if __name__ == "__main__":
    main()
