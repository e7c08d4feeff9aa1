"""What a template says to the person who fills it in: titles, comments, and messages about choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.sheet_columns import Column

BARRED_TITLES = (("有赞商品ID", 20), ("商品名称", 32), ("状态", 10), ("原因", 60), ("修改建议", 60))
"""Title and width, in characters, of each column of the sheet of products that can't be listed."""

WRONG_CHOICE: dict[str, Any] = {
    "validate": "list",
    "ignore_blank": True,
    "error_type": "warning",
    "error_title": "不在下拉列表里",
    "error_message": "请从下拉列表里选；如果确认无误（例如直接粘贴了 ID），可以继续。",
}
"""What a drop-down does with a value of its own making: it asks, as an id may be pasted too."""

_EXPECTED = {
    "row.product_id": "有赞商品 ID，只含数字，每个商品一行。从有赞商品列表复制，不要手抄。",
    "name": "商品在有赞里的规格名，与有赞完全一致，一个字也不能差。每一级规格占一组列；只有一级规格时，第二组留空。",
    "template_id": "这一级规格对应的惠聚规格模板。从下拉列表里选（显示名称，方括号里是 ID），也可以只填 ID。两级规格要用不同的模板。",
    "row.category_id": "惠聚的末级（三级）类目。从下拉列表里选（显示完整路径，方括号里是 ID），也可以只填 ID。",
    "row.brand_id": "惠聚店铺的品牌。从下拉列表里选（显示名称，方括号里是 ID），也可以只填 ID。",
    "row.freight_template_id": "惠聚店铺的运费模板，不是有赞的运费模板。从下拉列表里选（显示名称，方括号里是 ID），也可以只填 ID。",
}

_COLOURS = "黄色：规则的建议，请核对。红色：规则没有把握，请自己选。"


def header_note(column: Column, reference_note: str, advice: str) -> str:
    """Say what is expected in a column.

    Args:
        column: The column.
        reference_note: Where its choices come from; empty for a column without choices.
        advice: What to do where there is nothing to choose from; empty where there is.
    """
    expected = _EXPECTED.get(column.path) or _EXPECTED[column.path.rpartition(".")[2]]
    parts = ["必填。" if column.required else "有第二级规格时必填。", expected]
    if reference_note:
        parts += [f"\n{_COLOURS}", f"\n{reference_note}"]
    if advice:
        parts.append(f"\n注意：{advice}。")
    return "".join(parts)


def proposal_note(shown: str, confidence: float) -> str:
    """Say that a value is a proposal, and how sure it is."""
    return f"按对应规则建议「{shown}」，把握 {confidence:.0%}，请核对；不合适就从下拉列表里改选。"


def gap_note(why: str) -> str:
    """Say why there is no proposal."""
    return f"请从下拉列表里选。{why}"


def product_note(remarks: Sequence[str]) -> str:
    """Say what to have an eye on."""
    return "可以上架，但请留意：\n" + "\n".join(remarks)


def barred_cells(
    product_id: str, title: str, outcome: str, reasons: Sequence[tuple[str, str]]
) -> tuple[str, str, str, str, str]:
    """Give the cells of a product that can't be listed; reasons and fixes are numbered alike where there are several."""
    if len(reasons) == 1:
        return product_id, title, outcome, *reasons[0]
    messages = "\n".join(f"{number}. {message}" for number, (message, _) in enumerate(reasons, 1))
    fixes = "\n".join(f"{number}. {fix}" for number, (_, fix) in enumerate(reasons, 1))
    return product_id, title, outcome, messages, fixes
