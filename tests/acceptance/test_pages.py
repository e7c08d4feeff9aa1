"""The pages in a real browser, against the real service and the sandbox, each a process of its own.

Sign in, upload, progress, result, report, history, an order whose refund is greyed, and its shipment; nothing asked of anyone else,
nothing that the content security policy forbids, nothing on the console. `--screenshots` writes the pictures of docs/images anew.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from api.app import create_app
from api.services import Services, Settings
from api.serving import Server
from engine.rulebook import find_manifest
from pipeline.live_rules import LiveRules
from pipeline.secrets import Vault, new_key
from pipeline.store import migrate, open_store
from pipeline.uploads.runner import UploadRunner
from tests.integration.api.front import PASSWORD, add_people
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP, plant

IMAGES = ROOT / "docs" / "images"
COMMAND = Path(sys.executable).with_name("shelfgate")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
"""One browser and one service are enough for all of them."""

PATIENCE = 60.0
"""Seconds to wait for a process to be there, or for an upload to come to its end."""

ROWS = 30
"""Rows of the example's sheet that are uploaded."""

SETTINGS = {
    "SHELFGATE_PASSWORD": PASSWORD,
    "SHELFGATE_NEW_PASSWORD": PASSWORD,
    "SHELFGATE_HUIJU_APP_ID": "hj-acceptance",
    "SHELFGATE_HUIJU_APP_SECRET": "0123456789abcdef0123456789abcdef",
    "SHELFGATE_HUIJU_DATA_KEY": "fedcba9876543210fedcba9876543210",
    "SHELFGATE_YOUZAN_CLIENT_ID": "yz-acceptance",
    "SHELFGATE_YOUZAN_CLIENT_SECRET": "0123456789abcdef0123456789abcdef",
}
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@dataclass
class Visit:
    """Hold a page of the browser, and what went wrong on it.

    Attributes:
        home: Address of the service.
        wrongs: What the console said, what was refused or failed, and what was asked of others.
    """

    page: Page
    home: str
    wrongs: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda line: self.wrongs.append(line.text) if line.type != "log" else None)
        self.page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and f"{address.scheme}://{address.netloc}" != self.home:
            self.wrongs.append(f"asked {request.url}")

    def go(self, path: str) -> None:
        self.page.goto(self.home + path)

    def wait_for(self, place: Locator) -> None:
        """Look again until the service has taken in what it has to."""
        deadline = time.monotonic() + PATIENCE
        while not place.count() and time.monotonic() < deadline:
            time.sleep(0.2)
            self.page.reload()
        expect(place).to_be_visible()

    def sign_in(self, login: str) -> None:
        self.page.get_by_label("登录名").fill(login)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give the browser; where a change is judged it has to be there."""
    if CHROMIUM is None and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail("Chromium is not installed: make browser brings it")
    if CHROMIUM is None:
        pytest.skip(
            "Chromium is not installed: the pages are NOT tried in a browser; make test says how to get it"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def running(words: list[str], ready: str, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run a command until it is told to stop, and give what it printed when it was ready."""
    log = folder / f"{words[0]}.log"
    own = {name: value for name, value in os.environ.items() if not name.startswith("SHELFGATE_")}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [COMMAND, *words], cwd=folder, env={**own, **settings}, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while ready not in (shown := log.read_text(encoding="utf-8")):
                assert process.poll() is None, shown
                assert time.monotonic() < deadline, shown
                time.sleep(0.05)
            yield shown
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the service, with the demo shop bound and a person of two roles."""
    folder = tmp_path_factory.mktemp("service")
    sandbox = ["sandbox", "--examples", str(EXAMPLES), "--huiju-port", "0", "--youzan-port", "0"]
    with running(sandbox, "Ctrl-C", folder, SETTINGS) as shown:
        addresses = dict(re.findall(r"^(惠聚|有赞)沙箱 +(\S+)", shown, re.MULTILINE))
        settings = {
            **SETTINGS,
            "SHELFGATE_HUIJU_URL": addresses["惠聚"],
            "SHELFGATE_YOUZAN_URL": addresses["有赞"],
        }
        for words in (
            ["shops", "add", str(EXAMPLES / "shop.yaml")],
            ["users", "add", "amy", "--role", "senior_admin", "--name", "王小美"],
            ["users", "add", "zhou", "--role", "viewer", "--name", "周青", "--user", "amy"],
            ["bind", "--user", "amy"],
            ["reference"],
        ):
            done = subprocess.run(
                [COMMAND, *words],
                cwd=folder,
                env={**os.environ, **settings},
                capture_output=True,
                text=True,
                check=False,
            )
            assert 0 == done.returncode, done.stdout + done.stderr
        with running(["serve", "--port", "0", "--sync-every", "1"], "Ctrl-C", folder, settings) as shown:
            yield re.findall(r"http://\S+?(?=，)", shown)[0]


@pytest.fixture
def visit(chromium: Browser, home: str) -> Iterator[Visit]:
    """Give a fresh browser that has been nowhere; at the end nothing may have gone wrong in it."""
    context = chromium.new_context(viewport=WIDE, locale="zh-CN", accept_downloads=True)
    context.set_default_timeout(PATIENCE * 1000)
    found = Visit(context.new_page(), home)
    found.listen()
    yield found
    context.close()
    assert [] == found.wrongs


@pytest.fixture
def snap(request: pytest.FixtureRequest) -> Any:
    """Give a function that takes a picture for the documents, where that is asked for."""
    wanted = request.config.getoption("--screenshots")

    def take(page: Page, name: str) -> None:
        if wanted:
            IMAGES.mkdir(exist_ok=True)
            page.screenshot(path=IMAGES / f"{name}.png")

    return take


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the first rows of the example's sheet, some of them wrong on purpose."""
    book = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx")
    page = book.worksheets[0]
    page.delete_rows(ROWS + 2, page.max_row)
    target = tmp_path_factory.mktemp("sheet") / "三月上新.xlsx"
    book.save(target)
    return target


def test_a_sheet_is_uploaded_followed_read_row_by_row_and_its_report_fetched(
    visit: Visit, sheet: Path, tmp_path: Path, snap: Any
) -> None:
    """R6, R7, R16–R18."""
    page = visit.page
    visit.go("/channel")
    visit.sign_in("amy")
    expect(page.get_by_role("heading", name="惠聚渠道")).to_be_visible()
    expect(page.get_by_text("惠聚数据取自")).to_be_visible()
    page.get_by_label("填好的上架表").set_input_files(sheet)
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("heading", name="三月上新.xlsx")).to_be_visible()
    expect(page.get_by_text("完成，有未通过的行")).to_be_visible()
    expect(page.get_by_text("品牌 ID 7100 不在本店的惠聚数据中").first).to_be_visible()
    snap(page, "upload")
    page.get_by_role("link", name="需更正").click()
    expect(page.get_by_role("cell", name="已上架")).to_have_count(0)
    with page.expect_download() as got:
        page.get_by_role("link", name="下载结果表").click()
    assert "三月上新-结果.xlsx" == got.value.suggested_filename
    got.value.save_as(tmp_path / "report.xlsx")
    titles = [cell.value for cell in openpyxl.load_workbook(tmp_path / "report.xlsx").worksheets[0][1]]
    assert ["状态", "原因", "修改建议"] == titles[-3:]
    page.locator("table.result tbody a").first.click()
    expect(page.get_by_role("heading", name="经过")).to_be_visible()
    page.get_by_role("link", name="导入历史").click()
    page.get_by_label("操作人").fill("王小美")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_role("link", name="三月上新.xlsx")).to_be_visible()


def test_an_order_shows_its_refund_greyed_with_the_reason_and_is_shipped(visit: Visit, snap: Any) -> None:
    """R20, R23, R25, R27, R30: what can't be done says why and what to do instead; what can is done at the channel."""
    page = visit.page
    visit.go("/orders?source=huiju&status=to_ship")
    visit.sign_in("amy")
    visit.wait_for(page.get_by_role("link", name="HJ2022031000000001"))
    page.get_by_role("link", name="HJ2022031000000001").click()
    refund = page.get_by_role("button", name="商家主动退款")
    expect(refund).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("惠聚订单不支持商家主动退款")).to_be_visible()
    expect(page.get_by_text("改为：买家在惠聚申请退款后，在售后单里同意")).to_be_visible()
    expect(page.get_by_text("匿名用户", exact=True)).to_be_visible()
    request = page.get_by_role("link", name="仅退款 · 待商家处理")
    visit.wait_for(request)
    snap(page, "order")
    request.click()
    expect(page.get_by_role("button", name="拒绝申请")).to_have_attribute("aria-disabled", "true")
    page.locator("#reject .instead a").click()
    page.get_by_text("发货", exact=True).first.click()
    page.get_by_label("物流公司").fill("顺丰速运")
    page.get_by_label("运单号").fill("SF 1")
    page.get_by_role("button", name="确认发货").click()
    expect(page.get_by_role("alert")).to_contain_text("只能是字母、数字和连字符")
    page.get_by_label("运单号").fill("SF1234567890")
    page.get_by_role("button", name="确认发货").click()
    expect(page.get_by_text("已提交「发货」")).to_be_visible()
    expect(page.get_by_role("cell", name="SF1234567890")).to_be_visible()
    expect(page.get_by_role("link", name="仅退款 · 已关闭")).to_be_visible()
    # The answer to a form that was filled in wrongly is an error by its status, which Chromium notes on the console.
    visit.wrongs = [text for text in visit.wrongs if "status of 422" not in text]


@dataclass
class Quiet:
    """Hold a service in this process that lets no progress stream open, and does nothing by itself."""

    home: str
    check: Callable[[], bool]


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Quiet]:
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        migrate(store)
        plant(store)
        add_people(store, SHOP)
        rules, stop = LiveRules(find_manifest(ROOT)), threading.Event()
        services = Services(
            store,
            Vault([new_key()]),
            rules,
            youzan=lambda _store, _shop_id: nullcontext(None),
            settings=Settings(most_streams=0),
        )
        server = Server(create_app(services), host="127.0.0.1", port=0, threads=8)
        thread = threading.Thread(target=server.run, args=(stop,))
        thread.start()
        yield Quiet(server.address, UploadRunner(store, rules, services.youzan).step)
        stop.set()
        server.wake()
        thread.join()
        server.drain(5)


@pytest.mark.parametrize("scripts", [True, False], ids=["by asking", "by hand"])
def test_progress_is_there_without_a_stream_and_without_scripts(
    chromium: Browser, quiet: Quiet, sheet: Path, *, scripts: bool
) -> None:
    """R16: where no stream is to be had the page asks now and then; where no script runs, a person does."""
    context = chromium.new_context(java_script_enabled=scripts)
    visit = Visit(context.new_page(), quiet.home)
    visit.go("/channel")
    visit.sign_in(f"operator-{SHOP}")
    visit.page.get_by_label("填好的上架表").set_input_files(sheet)
    visit.page.get_by_role("button", name="上传并检查").click()
    expect(visit.page.get_by_text("已接收")).to_be_visible()
    assert quiet.check()
    if not scripts:
        visit.page.get_by_role("link", name="刷新").click()
    expect(visit.page.get_by_text("品牌 ID 7100 不在本店的惠聚数据中").first).to_be_visible(timeout=30_000)
    context.close()


def test_a_viewer_sees_everything_and_no_button_that_works(visit: Visit) -> None:
    page = visit.page
    visit.go("/orders")
    visit.sign_in("zhou")
    visit.wait_for(page.locator("td.id a").first)
    page.locator("td.id a").first.click()
    expect(page.get_by_role("button", name="发货", exact=True)).to_have_attribute("aria-disabled", "true")
    expect(page.locator("summary")).to_have_count(0)
    visit.go("/channel")
    expect(page.get_by_text("只读成员不能上传商品")).to_be_visible()
    expect(page.locator("input[type=file]")).to_have_count(0)


def test_nothing_is_cut_off_on_the_screen_of_a_phone(visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visit.go("/")
    visit.sign_in("amy")
    for path in ("/channel", "/history", "/orders", "/after-sales"):
        visit.go(path)
        assert NARROW["width"] >= page.evaluate("document.documentElement.scrollWidth"), path
    page.goto(visit.home + "/orders")
    visit.wait_for(page.locator("td.id a").first)
    page.locator("td.id a").first.click()
    expect(page.get_by_role("heading", name="操作")).to_be_visible()
    assert NARROW["width"] >= page.evaluate("document.documentElement.scrollWidth")


def test_the_interface_is_described_by_a_page_that_asks_nobody_else(visit: Visit) -> None:
    visit.go("/v1/docs")
    visit.page.locator("#operations-tag-document").click()
    visit.page.get_by_text("OpenAPI 3.1 文档").click()
    expect(visit.page.get_by_text("没有变化")).to_be_visible()
