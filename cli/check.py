"""`shelfgate check`: hold uploads and catalogues against the rules, and say of everything that does not pass why, where and what to do."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from cli._options import (
    as_of_option,
    channel_option,
    load_rules,
    now,
    pick_channel,
    read_fact,
    rules_option,
)
from cli._progress import Bar
from engine.diagnostics import Diagnostic, render
from engine.source import Span
from engine.tables import Tables
from mappings.reference import read_reference
from mappings.report import CheckedRow, Report, Summary, formats, unreadable
from mappings.sheet import SheetError, open_upload
from pipeline.catalogue import read_lines
from pipeline.checking import Checker

SHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".csv", ".tsv", ".txt"})
LINES = frozenset({".jsonl", ".ndjson"})
MOST_NOTICES = 20
REJECTED, UNUSABLE, UNDETERMINED = 1, 2, 3
# Facts are trees of plain data, freed as they go by; looking for circles among them costs a tenth of a large check.
_COLLECT_AFTER = 200_000
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--shop", type=_FILE, help="店铺（YAML 或 JSON）")
@click.option(
    "--products", type=_FILE, help="有赞商品，每行一个 JSON（原始返回或商品字段）；检查上架表时必填"
)
@click.option("--reference", type=_FILE, help="惠聚数据（类目、品牌、运费模板、规格模板）工作簿")
@as_of_option
@channel_option
@rules_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(formats())),
    default="text",
    show_default=True,
    help="输出格式",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="写到文件；不写时写到屏幕"
)
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "undetermined", "rejected", "never"]),
    default="undetermined",
    show_default=True,
    help="从哪一级起以非零退出码结束",
)
@click.option("--progress/--no-progress", default=None, help="进度条；不写时只在终端上显示")
def COMMAND(  # noqa: N802 - the name under which the command is found
    files: tuple[Path, ...],
    shop: Path | None,
    products: Path | None,
    reference: Path | None,
    as_of: datetime | None,
    channel: str | None,
    rules: Path | None,
    format_: str,
    output: Path | None,
    fail_on: str,
    progress: bool | None,
) -> None:
    """检查上架表（xlsx、csv）或商品清单（jsonl）。

    退出码：0 全部通过；1 有不通过；2 规则、参数或文件有误；3 没有不通过，但有无法判断。
    """
    gc.set_threshold(_COLLECT_AFTER)
    rulebook = load_rules(rules)
    for fact in ("shop", "product", "listing"):
        if fact not in rulebook.vocabulary.facts:
            raise click.UsageError(f"规则的词汇表里没有 {fact}，无法检查上架")
    for file in files:
        if file.suffix.lower() in SHEETS and products is None:
            raise click.UsageError(
                f"检查上架表 {file} 需要 --products：表里只有商品编号，商品信息要从有赞商品清单里取"
            )
    checker = Checker(
        rulebook,
        pick_channel(rulebook, channel),
        as_of or now(),
        Tables(read_reference(reference)) if reference else Tables(),
        read_fact(shop, rulebook.vocabulary.facts["shop"]) if shop else {},
    )
    if not checker.rulesets():
        raise click.UsageError(f"渠道 {checker.channel.name} 没有关于上架（listing）的规则，什么也检查不了")
    chosen = formats()[format_]
    if output is None and chosen.SUFFIX == ".xlsx" and sys.stdout.isatty():
        raise click.UsageError("xlsx 不能显示在屏幕上，请用 -o 写到文件")
    summary = Summary()
    notices: list[Diagnostic] = []
    checker.on_notice = notices.append
    _spare(output, [*files, *(file for file in (shop, products, reference, rules) if file is not None)])
    with _out(output) as out, Bar(shown=progress) as bar:
        checker.on_progress = bar.show
        report = Report(
            f"上架检查（{checker.channel.title}）",
            checker.versions(),
            checker.as_of,
            "、".join(map(str, files)),
            _rows(checker, files, products),
            summary,
            colour=output is None and sys.stdout.isatty(),
        )
        chosen.write(report, out)
    click.echo(render(notices, {}, most=MOST_NOTICES), err=True, nl=False)
    if output is not None:
        click.echo(f"{summary}；已写到 {output}", err=True)
    sys.exit(exit_code(summary, fail_on))


def exit_code(summary: Summary, fail_on: str) -> int:
    """Give the exit code for what was found.

    Args:
        summary: The counts.
        fail_on: From which level on the code is not 0: warning, undetermined, rejected or never.

    Returns:
        2 where a file can't be read; 1 where a row is rejected (or, with `warning`, warned of); 3 where none is rejected but one is
        undetermined; else 0.
    """
    if summary.unreadable:
        return UNUSABLE
    if fail_on == "never":
        return 0
    if summary.rejected or (fail_on == "warning" and any(count.warnings for count in summary.rules.values())):
        return REJECTED
    return UNDETERMINED if summary.undetermined and fail_on != "rejected" else 0


def _rows(checker: Checker, files: tuple[Path, ...], products: Path | None) -> Iterator[CheckedRow]:
    """Check file after file; one that can't be read is said and the others go on."""
    for file in files:
        suffix = file.suffix.lower()
        if suffix in LINES:
            row = None
            for row in checker.catalogue(str(file), read_lines(file, checker.rulebook.vocabulary)):
                yield row
            if row is None:
                yield unreadable(str(file), [_empty(file)])
            continue
        try:
            sheet = open_upload(file)
            for notice in sheet.notices:
                click.echo(
                    f"{file}: {notice.message}" + (f"；{notice.hint}" if notice.hint else ""), err=True
                )
            assert products is not None
            yield from checker.upload(sheet, read_lines(products, checker.rulebook.vocabulary))
        except SheetError as error:
            yield unreadable(str(file), error.diagnostics)


def _empty(file: Path) -> Diagnostic:
    """Say that a file has no line: nothing was checked, which is not the same as everything having passed."""
    return Diagnostic(
        "SG0806", "error", "文件里一行也没有", Span(str(file), 1, 1, 1, 1), "确认导出成功、没有选错文件"
    )


def _spare(output: Path | None, inputs: list[Path]) -> None:
    """See that the output is none of the inputs, which it would wipe out before they are read."""
    for file in inputs:
        if output is not None and output.exists() and output.samefile(file):
            raise click.BadParameter(f"{output} 是输入文件，换一个文件名", param_hint="--output")


def _out(output: Path | None) -> AbstractContextManager[BinaryIO]:
    if output is None:
        return nullcontext(sys.stdout.buffer)
    try:
        return output.open("wb")
    except OSError as error:
        raise click.BadParameter(f"写不了 {output}：{error.strerror}", param_hint="--output") from error
