"""Show the whole job on the demo shop, in a folder of its own: from the sheet to products on the channel, and the orders that come back.

Run by `make demo`. Both outside systems are the sandbox, a process of its own on loopback; nothing is left behind.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openpyxl

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
COMMAND = Path(sys.executable).with_name("shelfgate")
UPLOAD, REPORT = "上架表.xlsx", "上架表-结果.xlsx"
ROWS = 16
"""Rows of the example's sheet that are uploaded: half of them pass."""

REJECTED = 1
PATIENCE = 30
MOST_LINES = 16
PROPOSED = re.compile(r"^建议改为 (.+?)：.* → (.+)$", re.MULTILINE)


def main() -> int:
    """Run every step; give 0 where each ended as it should."""
    show("1. 检查示例店铺的上架表", "只用文件，不连任何系统")
    inputs = ["--shop", "examples/shop.yaml", "--products", "examples/products.jsonl"]
    words = ["check", f"examples/{UPLOAD}", *inputs, "--reference", "examples/惠聚数据.xlsx"]
    run(ROOT, {}, words, REJECTED, most=MOST_LINES)
    with tempfile.TemporaryDirectory() as name, sandbox(identity()) as settings:
        folder = Path(name)
        (folder / "examples").symlink_to(EXAMPLES)
        (folder / "rules").symlink_to(ROOT / "rules")
        (folder / "rulesets.yaml").symlink_to(ROOT / "rulesets.yaml")
        steps(folder, settings)
    print("\n演示结束。这些步骤的说明见 docs/howto/。")
    return 0


def steps(folder: Path, settings: dict[str, str]) -> None:
    """Go from an empty folder to products on the channel."""
    show("2. 绑定店铺", "沙箱在本机扮演有赞和惠聚；身份信息取自环境变量")
    run(folder, settings, ["shops", "add", "examples/shop.yaml"])
    run(folder, settings, ["users", "add", "amy", "--role", "senior_admin", "--name", "王小美"])
    run(folder, settings, ["bind", "--user", "amy"])
    show("3. 下载惠聚数据，生成上架模板")
    run(folder, settings, ["reference"])
    run(folder, settings, ["template", "--products", "403682221,403682887"])
    show("4. 上传填好的上架表", f"示例上架表的前 {ROWS} 行，有几行是故意填错的")
    first_rows(EXAMPLES / UPLOAD, folder / UPLOAD)
    run(folder, settings, ["upload", UPLOAD, "--user", "amy"], REJECTED)
    show("5. 在报告里就地更正", "报告就是原来的表，多了状态、原因、修改建议三列")
    for line in correct(folder / REPORT):
        print(f"  {line}")
    show("6. 把报告再上传一次", "只有更正过的行会重新处理，已上架的行不动")
    run(folder, settings, ["upload", REPORT, "--user", "amy"])
    show("7. 导入历史")
    run(folder, settings, ["history"])
    orders(folder, settings)


def orders(folder: Path, settings: dict[str, str]) -> None:
    """Let a buyer order what has been listed, and ask for the money back; see what may be done, and do it."""
    products = marketplace(settings, "state")["products"].values()
    product = next(item for item in products if any(sku["stock"] > 0 for sku in item["skuList"]))
    sku = next(place for place, sku in enumerate(product["skuList"]) if sku["stock"] > 0)
    order = happens(settings, "place_order", out_product_id=product["outProductId"], sku=sku)
    request = happens(settings, "request", order_id=order, reason="拍错了")
    show("8. 买家在惠聚下单，又申请退款；收取订单", "买家由沙箱扮演")
    run(folder, settings, ["sync", "--days", "1"])
    run(folder, settings, ["orders", "list", "--source", "huiju", "--status", "to_ship"])
    show("9. 不能做的，说明原因和改做什么", "什么都不会发往惠聚")
    run(folder, settings, ["orders", "act", order, "refund", "--user", "amy"], REJECTED)
    run(folder, settings, ["after-sales", "reject", request, "--user", "amy"], REJECTED)
    show("10. 发货，退款申请随之关闭")
    waybill = ["--carrier", "顺丰速运", "--waybill", "SF1000000000001"]
    run(folder, settings, ["orders", "ship", order, *waybill, "--user", "amy"])
    run(folder, settings, ["after-sales", "list"])


def happens(settings: dict[str, str], act: str, **how: Any) -> str:
    """Let the buyer do something, and give the id of what it made."""
    return str(marketplace(settings, f"act/{act}", how)["id"])


def marketplace(settings: dict[str, str], path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Steer the sandbox, or look at what it holds."""
    address = settings["SHELFGATE_HUIJU_URL"].partition("/openapi")[0]
    method = "GET" if body is None else "POST"
    reply = httpx.request(method, f"{address}/_sandbox/{path}", json=body, timeout=PATIENCE)
    found: dict[str, Any] = reply.raise_for_status().json()
    return found


def run(folder: Path, settings: dict[str, str], words: list[str], code: int = 0, most: int = 40) -> None:
    """Type a command, show what it prints, and see that it ends with the code.

    Args:
        folder: The working folder.
        settings: The environment beyond the process's own.
        words: The command.
        code: The exit code that it should end with.
        most: Most lines that are shown.
    """
    print(f"\n$ shelfgate {shlex.join(words)}", flush=True)
    done = subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stderr + done.stdout).splitlines()
    print("\n".join(lines if len(lines) <= most else [*lines[: most - 2], "…", lines[-1]]), flush=True)
    if done.returncode != code:
        sys.exit(f"shelfgate {words[0]} 的退出码是 {done.returncode}，应为 {code}")


def identity() -> dict[str, str]:
    """Make up who the shop is at both systems, and a password; they open nothing but the sandbox."""
    password = secrets.token_urlsafe(12)
    return {
        "SHELFGATE_HUIJU_APP_ID": f"hj{secrets.randbelow(10**8):08d}",
        "SHELFGATE_HUIJU_APP_SECRET": secrets.token_hex(16),
        "SHELFGATE_HUIJU_DATA_KEY": secrets.token_hex(16),
        "SHELFGATE_YOUZAN_CLIENT_ID": secrets.token_hex(9),
        "SHELFGATE_YOUZAN_CLIENT_SECRET": secrets.token_hex(16),
        "SHELFGATE_PASSWORD": password,
        "SHELFGATE_NEW_PASSWORD": password,
    }


@contextmanager
def sandbox(settings: dict[str, str]) -> Iterator[dict[str, str]]:
    """Run the sandbox, and give the settings with its addresses."""
    words = [str(COMMAND), "sandbox", "--huiju-port", "0", "--youzan-port", "0"]
    with (
        tempfile.NamedTemporaryFile() as log,
        subprocess.Popen(words, cwd=ROOT, env={**os.environ, **settings}, stdout=log) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while "Ctrl-C" not in (shown := Path(log.name).read_text(encoding="utf-8")):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"沙箱没有启动：{shown}")
                time.sleep(0.05)
            addresses = dict(re.findall(r"^(惠聚|有赞)沙箱 +(\S+)", shown, re.MULTILINE))
            huiju, youzan = addresses["惠聚"], addresses["有赞"]
            yield {**settings, "SHELFGATE_HUIJU_URL": huiju, "SHELFGATE_YOUZAN_URL": youzan}
        finally:
            process.send_signal(signal.SIGTERM)


def first_rows(source: Path, target: Path) -> None:
    """Keep the first rows of a sheet."""
    book = openpyxl.load_workbook(source)
    page = book.worksheets[0]
    page.delete_rows(ROWS + 2, page.max_row)
    book.save(target)


def correct(report: Path) -> list[str]:
    """Do what a person does with the report: take the proposals over, and drop the rows that can't be listed.

    Returns:
        What was done.
    """
    book = openpyxl.load_workbook(report)
    page = book.worksheets[0]
    titles = {str(cell.value): place for place, cell in enumerate(page[1], 1)}
    told: list[str] = []
    for row in range(page.max_row, 1, -1):
        status = str(page.cell(row, titles["状态"]).value or "")
        if not status or status.startswith("已上架"):
            continue
        about = f"商品 {page.cell(row, titles['有赞商品ID']).value}"
        proposals = PROPOSED.findall(str(page.cell(row, titles["修改建议"]).value or ""))
        for title, value in proposals:
            page.cell(row, titles[title]).value = value
            told.append(f"{about}：{title} 改为 {value}")
        if not proposals:
            reason = str(page.cell(row, titles["原因"]).value).splitlines()[0]
            page.delete_rows(row)
            told.append(f"{about}：删去这一行（{reason}）")
    book.save(report)
    return told[::-1]


def show(title: str, remark: str = "") -> None:
    """Head a step."""
    print(f"\n── {title} " + "─" * max(4, 60 - 2 * len(title)), flush=True)
    if remark:
        print(remark, flush=True)


if __name__ == "__main__":
    sys.exit(main())
