"""The page of diagnostic codes, read off the places in the code that report them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from engine import read as yaml_reading

ROOMS = ("engine", "mappings", "pipeline", "cli")
STAGES = {
    "SG01": "读 YAML",
    "SG02": "规则文件的结构",
    "SG03": "词汇表",
    "SG04": "条件、测试与消息",
    "SG05": "上架表与基础数据表格",
    "SG06": "例子",
    "SG07": "清单",
    "SG08": "商品清单",
    "SG09": "动作矩阵",
}
_CODE = re.compile(r"SG[0-9]{4}\Z")
_CHINESE = re.compile("[一-龥]")


def page(root: Path) -> str:
    """List every code with the wordings it is reported with.

    Args:
        root: The checkout.

    Returns:
        Markdown: a table for each stage; values that depend on the input are shown as `…`.
    """
    wordings: dict[str, list[str]] = {}
    for room in ROOMS:
        for file in sorted((root / room).rglob("*.py")):
            for code, wording in _reported(ast.parse(file.read_text(encoding="utf-8"))):
                known = wordings.setdefault(code, [])
                if wording and wording not in known:
                    known.append(wording)
    wordings["SG0100"] = [what for _, what, _ in yaml_reading.SYNTAX]
    wordings = {code: list(dict.fromkeys(said)) for code, said in wordings.items()}
    lines = ["# 诊断代码", "", "每条诊断写明文件、行、列（或单元格）、原因与改法；代码不变，可用来查找。", ""]
    for stage, title in STAGES.items():
        rows = [
            f"| `{code}` | {'；'.join(said)} |"
            for code, said in sorted(wordings.items())
            if code[:4] == stage
        ]
        lines += [f"## {title}", "", "| 代码 | 说明 |", "|---|---|", *(row for row in rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _reported(tree: ast.Module) -> list[tuple[str, str]]:
    """Find the calls that hand over a code, with the text that follows it; a text in a variable is looked up in its function."""
    found: list[tuple[str, str]] = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        named = _named(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            for position, argument in enumerate(node.args):
                if isinstance(argument, ast.Constant) and _CODE.match(str(argument.value)):
                    texts = [text for later in node.args[position + 1 :] for text in _texts(later, named)]
                    found += [(str(argument.value), text) for text in texts if _CHINESE.search(text)][:2]
                    found.append((str(argument.value), ""))
    return found


def _named(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """Collect what is assigned to each name of a function, alone or as part of a tuple."""
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    named.setdefault(name.id, []).append(value)
    return named


def _texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> list[str]:
    """Write the texts that an expression may give, with what is filled in as an ellipsis."""
    match node:
        case ast.Constant(value=str(text)):
            return [_cell(text)]
        case ast.JoinedStr(values=parts):
            return [
                _cell("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts))
            ]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, named) + _texts(other, named)
        case ast.Name(id=name):
            return [text for value in named.get(name, []) for text in _texts(value, {})]
    return []


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
