"""The page that says, for every requirement, which rule expresses it and which test proves it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# The `source` of a rule that a test makes up for itself proves nothing.
R_ID = re.compile(r"(?<!source: )(?<!source: [\"'])\bR([1-9][0-9]?)\b")

# What is demanded, in a few words; the numbers are those of the announcement's points, as this project counts them.
DEMANDS: Mapping[str, Mapping[int, str]] = {
    "资格与绑定": {
        1: "只有微商城电商版可用",
        2: "店铺须已入驻惠聚",
        3: "2022-02-11 起内测，2022-03-08 起对符合条件的店铺开放；按日期回答",
        4: "填写接口身份信息并授权后绑定；先验证再加密保存，不再显示",
        5: "只有高级管理员和普通管理员可以绑定",
        6: "惠聚渠道入口只对已绑定的店铺显示",
    },
    "上架": {
        7: "下载惠聚数据：运费模板、品牌、类目、规格模板",
        8: "下载上架表模板，填写后导入，一行一个商品",
        9: "各列的编号要么读得分毫不差，要么指名拒绝",
        10: "只支持一级或两级规格",
        11: "规格名须是商品在有赞中的规格名",
        12: "规格模板、类目、品牌、运费模板须属于该惠聚店铺",
        13: "类目须是末级（第三级）",
        14: "只支持快递发货的实物商品，不支持预售和分销",
        15: "一个有赞商品只能对应一个惠聚商品",
        16: "选文件、检查、上传；通过的行自动推送，中断后不重复",
        17: "失败的行带原因下载，改好后原样再传",
        18: "导入历史可筛选，能看到每一行的结果",
        19: "一个文件可有数万行",
    },
    "订单": {
        20: "订单列表可按来源腾讯惠聚筛选",
        21: "不能小额打款",
        22: "不能查看交易快照",
        23: "商家不能主动退款",
        24: "不能修改收货信息",
        25: "买家显示为匿名用户",
        26: "不能查看或联系买家，不能留言",
        27: "在有赞发货，物流同步到惠聚",
    },
    "售后": {
        28: "没有系统自动处理的倒计时",
        29: "看不到售后联系人",
        30: "待发货时不能直接拒绝退款申请；发货即关闭申请，与事件到达的先后无关",
        31: "买家匿名，不能联系，不能留言",
        32: "其余售后操作照常，并同步到惠聚",
    },
    "长期注意": {
        33: "上架后有赞中的修改不会同步，须提示有何不同",
        34: "惠聚订单不扣有赞库存，两边库存并列，超卖前提醒",
        35: "惠聚订单是标记支付，不计入有赞结算",
    },
}


def page(root: Path) -> str:
    """Draw the page.

    Args:
        root: The checkout.

    Returns:
        Markdown, with a table for each part of the announcement.
    """
    rules, tests = rules_by_demand(root / "rules"), tests_by_demand(root / "tests")
    lines = ["# 要求", "", "每条要求由哪些规则表达、由哪些测试证明。空白处表示还没有。", ""]
    for part, demands in DEMANDS.items():
        lines += [f"## {part}", "", "| 编号 | 要求 | 规则 | 测试 |", "|---|---|---|---|"]
        for number, demand in demands.items():
            proofs = "<br>".join(tests[number])
            lines.append(f"| R{number} | {demand} | {'<br>'.join(rules[number])} | {proofs} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def rules_by_demand(folder: Path) -> Mapping[int, list[str]]:
    """Collect the rules whose `source` names a demand, as `channel/ruleset/rule`, by number."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in sorted(folder.glob("*/*.yaml")):
        if file.parent.name == "facts":
            continue
        place = file.relative_to(folder).with_suffix("").as_posix()
        for entry in entries(yaml.safe_load(file.read_text(encoding="utf-8"))):
            for number in numbers(str(entry["source"])):
                found[number].append(f"`{place}/{entry['id']}`")
    return found


def entries(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping within a file that has both an id and a source."""
    if isinstance(node, dict):
        if {"id", "source"} <= node.keys():
            yield node
        for inner in node.values():
            yield from entries(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from entries(inner)


def tests_by_demand(folder: Path) -> Mapping[int, list[str]]:
    """Collect the tests that name a demand anywhere in their text, by number."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                decorated = [
                    ast.get_source_segment(text, part) or "" for part in (*node.decorator_list, node)
                ]
                for number in numbers("\n".join(decorated)):
                    found[number].append(f"`{file.relative_to(folder).as_posix()}` {sentence(node.name)}")
    return found


def sentence(name: str) -> str:
    """Read a test's name as the sentence that it is."""
    return name.removeprefix("test_").replace("_", " ")


def numbers(text: str) -> list[int]:
    """List the demands that a text names, each once, in order."""
    return sorted({int(number) for number in R_ID.findall(text)})
