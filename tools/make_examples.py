"""Write `examples/`: the demo shop's products, reference data, a filled-in upload and what is expected of each of its rows.

Run from the checkout: `python tools/make_examples.py [FOLDER]`. The same source gives the same content.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from demo_goods import FAILING, PASSING, Failing
from demo_orders import after_sales, orders
from demo_payloads import SHOP_ID, Good, detail_payload, old_payload, read_good
from demo_reference import BRANDS, CATEGORIES, FREIGHT, SPEC_TEMPLATES

FOLDER = Path(__file__).parent.parent / "examples"
SEED = 20220311
UPLOAD_TITLES = (
    "有赞商品ID",
    "规格名1",
    "规格模板ID1",
    "规格名2",
    "规格模板ID2",
    "类目ID",
    "品牌ID",
    "运费模板ID",
)
COMPLETED_OLD = {"properties_name_json": (3, 9, 17, 26), "sku_properties_name": (7, 21, 33)}
ELSEWHERE = (("403670011", "880000000001"), ("403670012", "880000000002"))


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a row of the upload with what is expected of it.

    Attributes:
        cells: Cells by column title.
        product_id: The product that the row is about, as a clean id; empty where the cell is.
        title: The product's name; empty where there is none.
        outcome: accepted, rejected or undetermined.
        rules: Ids of the rules that don't hold or can't be decided.
        notes: Ids of the rules that remark on it and decide nothing.
        why: What is wrong, or written carelessly, in Chinese.
    """

    cells: Mapping[str, object]
    product_id: str
    title: str
    outcome: str = "accepted"
    rules: Sequence[str] = ()
    notes: Sequence[str] = ()
    why: str = ""


def upload_cells(good: Good) -> dict[str, object]:
    """Fill in a product's row as it should be."""
    templates = {name: id_ for id_, name in SPEC_TEMPLATES.items()}
    cells: dict[str, object] = dict.fromkeys(UPLOAD_TITLES, "")
    for level, (name, _) in enumerate(good.specs[:2], 1):
        cells |= {f"规格名{level}": name, f"规格模板ID{level}": templates[name]}
    return cells | {
        "有赞商品ID": str(good.item_id),
        "类目ID": good.category,
        "品牌ID": good.brand,
        "运费模板ID": good.freight,
    }


def clutter(number: int, cells: Mapping[str, object]) -> tuple[dict[str, object], str]:
    """Write a good row in the harmless ways in which people write them, and say which."""
    id_, spec = str(cells["有赞商品ID"]), str(cells["规格名1"])
    category, brand = str(cells["类目ID"]), str(cells["品牌ID"])
    wide = id_.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    habits: dict[int, tuple[dict[str, object], str]] = {
        4: ({"有赞商品ID": f" {id_} "}, "ID 前后有空格"),
        8: ({"有赞商品ID": wide}, "ID 是全角数字"),
        15: ({"类目ID": int(category)}, "类目 ID 是数值单元格"),
        19: ({"规格名1": f"{spec}\u3000"}, "规格名后有全角空格"),
        23: ({"有赞商品ID": f"{id_}\u00a0", "品牌ID": f"{brand} "}, "ID 后有不换行空格"),
        40: ({"有赞商品ID": int(id_)}, "商品 ID 是数值单元格"),
    }
    changes, why = habits.get(number, ({}, ""))
    return {**cells, **changes}, why


def build() -> tuple[list[dict[str, Any]], list[Row], list[str]]:
    """Make up products, rows and the ids of products already listed, in the order in which they are written."""
    products: list[dict[str, Any]] = []
    rows: list[Row] = []
    listed: list[str] = []
    passing = PASSING.strip().split("\n")
    for number, line in enumerate(passing):
        good = read_good(number, line)
        spelling = next((key for key, numbers in COMPLETED_OLD.items() if number in numbers), None)
        products.append(old_payload(good, spelling, completed=True) if spelling else detail_payload(good, {}))
        cells, why = clutter(number, upload_cells(good))
        rows.append(Row(cells, str(good.item_id), good.title, why=why))
    for number, failing in enumerate(FAILING, len(passing)):
        rows += failing_rows(number, failing, products, listed)
    random.Random(SEED).shuffle(rows)
    return products, rows, listed


def failing_rows(
    number: int, failing: Failing, products: list[dict[str, Any]], listed: list[str]
) -> list[Row]:
    """Make up a failing row; adds its product to the shop's and to those listed, where it is to be there."""
    good = read_good(number, failing.good or "—|6091|7001|47428464001|0|1.00|颜色=红")
    cells = {**upload_cells(good), **failing.row}
    if failing.good:
        old = failing.shape == "old"
        payload = (
            old_payload(good, "properties_name_json", completed=False)
            if old
            else detail_payload(good, failing.product)
        )
        products.append(payload)
    if failing.listed:
        listed.append(str(good.item_id))
    title = good.title if failing.good else ""
    row = Row(
        cells, str(cells["有赞商品ID"]), title, failing.outcome, failing.rules, failing.notes, failing.why
    )
    return [row] * failing.times


def write_workbook(
    path: Path, sheets: Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]
) -> None:
    """Write a workbook whose bytes depend on its content alone.

    Args:
        path: Where to.
        sheets: Sheet name to its titles and rows; text stays text, numbers are written as numbers.
    """
    book = xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, "strings_to_formulas": False})
    book.set_properties({"created": datetime(2022, 3, 11)})  # noqa: DTZ001 - the library takes no zone
    bold = book.add_format({"bold": True, "num_format": "@"})
    text = book.add_format({"num_format": "@"})
    for name, (titles, rows) in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(titles) - 1, 18, text)
        sheet.write_row(0, 0, titles, bold)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if isinstance(value, str) and value:
                    sheet.write_string(number, place, value, text)
                elif isinstance(value, int):
                    sheet.write_number(number, place, value)
    book.close()


def reference_sheets(listed: Sequence[str]) -> dict[str, tuple[Sequence[str], Sequence[Sequence[object]]]]:
    """Lay out the reference data, a sheet per table."""
    ids = {path: id_ for id_, path in (line.split() for line in CATEGORIES.strip().split("\n"))}
    categories = []
    for path, id_ in ids.items():
        parent, _, name = path.rpartition("/")
        level = path.count("/") + 1
        categories.append((id_, name, ids.get(parent, ""), level, "是" if level == 3 else "否", path))
    here = [(id_, f"88000000001{number}", "2022-03-10 10:00:00") for number, id_ in enumerate(listed)]
    elsewhere = [(id_, there, "2022-03-09 10:00:00") for id_, there in ELSEWHERE]
    return {
        "类目": (("类目ID", "类目名称", "上级类目ID", "层级", "是否末级", "类目路径"), categories),
        "品牌": (("品牌ID", "品牌名称"), list(BRANDS.items())),
        "运费模板": (("运费模板ID", "运费模板名称"), list(FREIGHT.items())),
        "规格模板": (("规格模板ID", "规格模板名称"), list(SPEC_TEMPLATES.items())),
        "已上架商品": (("有赞商品ID", "惠聚商品ID", "上架时间"), [*elsewhere, *here]),
    }


def expected_csv(rows: Sequence[Row]) -> str:
    """Write what is expected of each row; rows are numbered as in the sheet, whose first is the header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("row", "product_id", "outcome", "rules", "notes"))
    for number, row in enumerate(rows, 2):
        writer.writerow((number, row.product_id, row.outcome, " ".join(row.rules), " ".join(row.notes)))
    return out.getvalue()


def readme(rows: Sequence[Row], n_products: int) -> str:
    """Describe the files and the rows meant to fail."""
    titles = {"accepted": "通过", "rejected": "被拒", "undetermined": "无法判断"}
    outcomes = "，".join(
        f"{sum(row.outcome == outcome for row in rows)} 行{title}" for outcome, title in titles.items()
    )
    lines = [
        "# 示例数据",
        "",
        "由 `python tools/make_examples.py` 写出，请勿手改。店铺、商品、买家、电话和地址均为虚构。",
        "",
        "| 文件 | 内容 |",
        "| --- | --- |",
        "| `shop.yaml` | 店铺 |",
        f"| `products.jsonl` | {n_products} 个商品，每行一份有赞接口的原始返回 |",
        "| `惠聚数据.xlsx` | 惠聚的类目、品牌、运费模板、规格模板，以及已上架的商品 |",
        f"| `上架表.xlsx` | 填好的上架表，{len(rows)} 行：{outcomes} |",
        "| `expected.csv` | 上架表每一行应得的结果、决定结果的规则（rules）和只作提醒的规则（notes） |",
        "| `orders.jsonl` | 订单，供沙箱使用 |",
        "| `after_sales.jsonl` | 售后单，供沙箱使用 |",
        "",
        "## 不应通过的行",
        "",
        "| 行 | 有赞商品 ID | 商品 | 原因 | 规则 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for number, row in enumerate(rows, 2):
        if row.outcome != "accepted":
            rules = " ".join(f"`{rule}`" for rule in row.rules)
            lines.append(f"| {number} | {row.product_id} | {row.title} | {row.why} | {rules} |")
    lines += [
        "",
        "## 通过、但有提醒的行",
        "",
        "| 行 | 有赞商品 ID | 商品 | 原因 | 规则 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for number, row in enumerate(rows, 2):
        if row.outcome == "accepted" and row.notes:
            rules = " ".join(f"`{rule}`" for rule in row.notes)
            lines.append(f"| {number} | {row.product_id} | {row.title} | {row.why} | {rules} |")
    lines += ["", "## 写法随意、仍应通过的行", "", "| 行 | 有赞商品 ID | 写法 |", "| --- | --- | --- |"]
    lines += [
        f"| {number} | {row.product_id} | {row.why} |"
        for number, row in enumerate(rows, 2)
        if row.outcome == "accepted" and row.why and not row.notes
    ]
    return "\n".join(lines) + "\n"


def write_all(folder: Path) -> None:
    """Write every file of the examples into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    products, rows, listed = build()
    demo_orders = orders(products)
    shop = f'id: "{SHOP_ID}"\nname: 青禾集市\nedition: wsc_ecommerce\nadmitted: true\nbeta_approved: true\nbound: true\n'
    texts = {
        "shop.yaml": "# 店铺：检查上架表时用 --shop 给出\n" + shop,
        "products.jsonl": json_lines(products),
        "orders.jsonl": json_lines(demo_orders),
        "after_sales.jsonl": json_lines(after_sales(demo_orders)),
        "expected.csv": expected_csv(rows),
        "README.md": readme(rows, len(products)),
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    cells = [[row.cells[title] for title in UPLOAD_TITLES] for row in rows]
    write_workbook(folder / "上架表.xlsx", {"上架商品": (UPLOAD_TITLES, cells)})
    write_workbook(folder / "惠聚数据.xlsx", reference_sheets(listed))


def json_lines(records: Sequence[Mapping[str, Any]]) -> str:
    """Write records as JSON, one a line."""
    return "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
