"""`shelfgate upload`: take a filled-in sheet to the end: checked, pushed, and reported in the user's own workbook (R16, R17)."""

from __future__ import annotations

import io
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import click

from cli._options import channel_option, load_rules, now, pick_channel, rules_option
from cli._progress import Bar
from cli._store import find_vault, opened, pick_shop, shop_option, sign_in_as, store_option, user_option
from cli.check import REJECTED, UNDETERMINED, UNUSABLE
from engine.rulebook import Channel, Rulebook
from pipeline.clients import youzan_client
from pipeline.reference import load_reference
from pipeline.sending.lanes import Lanes
from pipeline.sending.worker import Worker
from pipeline.store import Store
from pipeline.uploads.check import FRESH, Checking, check_upload
from pipeline.uploads.history import failing_rows
from pipeline.uploads.receiving import receive
from pipeline.uploads.report import WORKBOOK, report_formats, report_name, write_report
from pipeline.uploads.sending import listing_sending
from pipeline.uploads.state import ROW_TITLES, Progress, progress

SHOWN = 10
"""Failing rows that are named on the screen; the report has them all."""

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("upload")
@click.argument("file", type=_FILE)
@shop_option
@user_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="报告写到哪个文件；不写时在当前文件夹另起一个名字",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(report_formats()),
    default=WORKBOOK,
    show_default=True,
    help="报告的格式；workbook 是你自己的表加上状态、原因、修改建议三列，改好后可以直接再上传",
)
@click.option("--no-wait", is_flag=True, help="检查完就结束，推送交给 shelfgate worker")
@click.option("--cached", is_flag=True, help="不向有赞读取商品，用已保存的")
@click.option("--threads", type=click.IntRange(1, 16), default=4, show_default=True, help="同时推送的路数")
@click.option("--progress/--no-progress", "shown", default=None, help="进度条；不写时只在终端上显示")
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    file: Path,
    shop_id: str | None,
    login: str | None,
    password_file: Path | None,
    output: Path | None,
    format_: str,
    no_wait: bool,
    cached: bool,
    threads: int,
    shown: bool | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """上传填好的上架表：逐行检查，通过的推送到渠道，最后写出报告。

    中断后再运行同一条命令会接着进行，不会重复上架。改好报告里不通过的行，把报告本身再上传一次即可。

    退出码：0 全部上架；1 有不通过、被拒绝或失败；2 参数或文件有误；3 没有不通过，但有无法判断。
    """
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store:
        shop = pick_shop(store, picked.name, shop_id)["id"]
        actor = sign_in_as(store, login, password_file)
        reference = load_reference(store, shop, picked.name)
        if reference.is_stale(now()):
            click.echo(reference.note(now()), err=True)
        received = receive(store, actor, shop, picked.name, file.name, file.read_bytes())
        if received.remark:
            click.echo(received.remark, err=True)
        youzan = nullcontext(None) if cached else youzan_client(store, shop)
        try:
            with youzan as client, Bar(shown=shown) as bar:
                checking = Checking(store, rulebook, picked, client, listing_sending(picked), FRESH, bar.show)
                found = check_upload(checking, received.upload_id)
            if not no_wait and not found.is_finished:
                found = push(store, rulebook, received.upload_id, threads, shown)
        except KeyboardInterrupt:
            click.echo(f"已中断（导入 {received.upload_id}）；再运行同一条命令即可接着进行", err=True)
            sys.exit(UNUSABLE)
        click.echo(f"导入 {received.upload_id} {found}")
        if not found.failure:
            tell(store, received.upload_id, found)
            target = output or free_name(file.name, format_)
            save_report(store, received.upload_id, picked, format_, target)
            click.echo(f"报告已写到 {target}")
        sys.exit(exit_code(found))


def push(store: Store, rulebook: Rulebook, upload_id: str, threads: int, shown: bool | None) -> Progress:
    """Work the outbox off until the upload has come to its end; other workers may help."""
    worker = Worker(Lanes(store, find_vault()), rulebook, threads=threads)
    with Bar(shown=shown) as bar:

        def finished() -> bool:
            found = progress(store, upload_id)
            bar.show(found.pushed, found.to_push)
            return found.is_finished

        worker.run(threading.Event(), finished)
        finished()
    return progress(store, upload_id)


def tell(store: Store, upload_id: str, found: Progress) -> None:
    """Name the first rows that failed."""
    for row in failing_rows(store, upload_id, SHOWN):
        about = f"第 {row.number} 行" + (f"（商品 {row.product_id}）" if row.product_id else "")
        click.echo(f"  {about}{ROW_TITLES[row.state]}：{row.reason or ''}")
    if found.failing > SHOWN:
        click.echo(f"  另有 {found.failing - SHOWN} 行，见报告")


def save_report(store: Store, upload_id: str, channel: Channel, format_: str, target: Path) -> None:
    """Write the report of an upload to a file."""
    out = io.BytesIO()
    write_report(store, upload_id, channel, format_, out)
    try:
        target.write_bytes(out.getvalue())
    except OSError as error:
        raise click.BadParameter(f"写不了 {target}：{error.strerror}", param_hint="--output") from error


def free_name(filename: str, format_: str) -> Path:
    """Choose a name for the report of a file in the working folder; nothing there is written over."""
    number = 1
    while (found := Path(report_name(filename, format_, number))).exists():
        number += 1
    return found


def exit_code(found: Progress) -> int:
    """Give the exit code, as `check` does: 2 where nothing could be read, 1 where a row failed, 3 where one is undetermined."""
    if found.failure:
        return UNUSABLE
    if found.failing > found.rows["undetermined"]:
        return REJECTED
    return UNDETERMINED if found.rows["undetermined"] else 0
