"""`shelfgate rules`: look after the rules themselves."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from cli._options import as_of_option, channel_option, load_rules, now, pick_channel, read_fact, rules_option
from engine.diagnostics import render
from engine.examples import rule_names, run_examples, verdict_of
from engine.explanation import explain
from engine.matrix_check import check
from engine.plan import batch_refs
from engine.rule_docs import flow_page, index_page, rule_page
from engine.rule_schema import rule_file_schema
from engine.rulebook import Rulebook, find_manifest, inspect
from engine.rules import EligibilityRule
from engine.suggest import did_you_mean
from engine.tables import Batch, Tables
from engine.truth import Judge
from engine.wording import day_of
from mappings.matrix import FORMATS, page_of
from mappings.reference import read_reference

FAILED, UNUSABLE = 1, 2
_VERDICTS = {"accept": "通过", "reject": "不通过", "undetermined": "无法判断"}


@click.group("rules")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """检查、试验与说明规则。"""


@COMMAND.command("lint")
@rules_option
@as_of_option
def lint(rules: Path | None, as_of: datetime | None) -> None:
    """检查规则文件的写法；有错误时退出码为 2。"""
    rulebook, diagnostics = inspect(find_manifest(rules))
    day = day_of(as_of or now())
    for ruleset in rulebook.rulesets():
        for waiver in ruleset.waivers:
            if waiver.last_day < day:
                message = f"豁免已于 {waiver.last_day} 到期（{waiver.owner}：{waiver.reason}）"
                diagnostics.report(
                    "SG0232", message, waiver.span, severity="warning", hint="删去，或写新的 until"
                )
    click.echo(render(diagnostics.in_order(), rulebook.sources), nl=False)
    if diagnostics.failed:
        sys.exit(UNUSABLE)
    rulesets = rulebook.rulesets()
    count = sum(len(ruleset.rules) + len(ruleset.flows) for ruleset in rulesets)
    click.echo(f"{len(rulesets)} 个规则集，{count} 条规则与流程，没有错误")


@COMMAND.command("test")
@click.argument("only", required=False, default="")
@rules_option
def test(only: str, rules: Path | None) -> None:
    """运行规则里的例子；ONLY 只运行名称里含有它的规则。有不符或没有例子可运行时退出码为 1。"""
    results = run_examples(load_rules(rules), only)
    if not results:
        click.echo(
            f"没有可运行的例子：没有规则的名称含有 {only!r}" if only else "没有可运行的例子：没有规则",
            err=True,
        )
        sys.exit(FAILED)
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(f"{result.span}: {result.rule}: {result.message}")
    tested = len({result.rule for result in results})
    click.echo(f"{tested} 条规则，{len(results)} 个例子，{len(failed)} 个不符")
    sys.exit(FAILED if failed else 0)


@COMMAND.command("explain")
@click.argument("rule")
@click.argument("fact", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--reference", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="惠聚数据工作簿"
)
@as_of_option
@rules_option
def explain_rule(
    rule: str, fact: Path, reference: Path | None, as_of: datetime | None, rules: Path | None
) -> None:
    """说明规则 RULE 对数据 FACT（YAML 或 JSON）怎样得出结论。"""
    rulebook = load_rules(rules)
    name = _find(rulebook, rule)
    ruleset = rulebook.ruleset(name.rpartition("/")[0])
    position, found = next(
        (n, known) for n, known in enumerate(ruleset.rules) if known.common.id == name.rpartition("/")[2]
    )
    data = read_fact(fact, ruleset.fact)
    tables = Tables(read_reference(reference)) if reference else Tables()
    batch = Batch(batch_refs(ruleset.plan()))
    batch.add(data, "1")
    click.echo(f"{name}（{found.common.span}）")
    for line in explain(found, Judge(tables, batch), (data,)):
        click.echo(line)
    day = day_of(as_of or now())
    verdict = verdict_of(ruleset, position, [data], tables, day)
    words = (
        _VERDICTS
        if isinstance(found, EligibilityRule)
        else {**_VERDICTS, "accept": "不限制", "reject": "限制"}
    )
    click.echo(f"结论（{day}）：{words[verdict]}")


@COMMAND.command("schema")
@click.argument("ruleset", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="写到这个文件夹，每个规则集一个文件",
)
@rules_option
def schema(ruleset: str | None, output: Path | None, rules: Path | None) -> None:
    """写出编辑器用的 JSON Schema：输入时补全字段、测试、可选值与动作。"""
    rulebook = load_rules(rules)
    known = {item.name: item for item in rulebook.rulesets()}
    if ruleset is not None and ruleset not in known:
        raise click.BadParameter(
            f"没有规则集 {ruleset!r}；{did_you_mean(ruleset, known)}", param_hint="RULESET"
        )
    chosen = [known[ruleset]] if ruleset is not None else list(known.values())
    if output is None and len(chosen) > 1:
        raise click.UsageError(f"写明规则集（{'、'.join(known)}），或用 -o 写到文件夹")
    for item in chosen:
        text = json.dumps(
            rule_file_schema(rulebook.vocabulary, item.fact, item.kind), ensure_ascii=False, indent=2
        )
        if output is None:
            click.echo(text)
        else:
            _write(output / f"{item.name.replace('/', '-')}.schema.json", text + "\n")


@COMMAND.command("doc")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="写到这个文件夹"
)
@rules_option
def doc(output: Path, rules: Path | None) -> None:
    """给每条规则写一页说明。"""
    rulebook = load_rules(rules)
    for path, text in rule_pages(rulebook).items():
        _write(output / path, text)
    click.echo(f"写了 {len(rule_pages(rulebook))} 页到 {output}")


@COMMAND.command("matrix")
@channel_option
@click.option("--fact", default="", help="只要这一种数据，例如 order；不写时为所有有动作的")
@click.option(
    "--format", "format_", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="格式"
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="写到文件；不写时写到屏幕"
)
@as_of_option
@rules_option
def matrix(
    channel: str | None,
    fact: str,
    format_: str,
    output: Path | None,
    as_of: datetime | None,
    rules: Path | None,
) -> None:
    """列出每种情形下每个动作可用、置灰还是隐藏，以及每个事件的结果，供人签字确认。

    有缺口（没有结论、无法判断、执行不了）或矛盾时写到标准错误，退出码为 2。
    """
    rulebook = load_rules(rules)
    chosen = pick_channel(rulebook, channel)
    known = [item.fact.name for item in chosen.rulesets.values() if item.kind == "actions"]
    if not known:
        raise click.UsageError(f"渠道 {chosen.name} 没有动作规则，没有矩阵可列")
    if fact and fact not in known:
        raise click.BadParameter(
            f"没有判断 {fact!r} 的动作规则；{did_you_mean(fact, known)}", param_hint="--fact"
        )
    page = page_of(rulebook, chosen, as_of or now(), fact)
    text = FORMATS[format_].render(page)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
    faults = check([section.matrix for section in page.sections])
    click.echo(render(faults, rulebook.sources), err=True, nl=False)
    if any(fault.severity == "error" for fault in faults):
        sys.exit(UNUSABLE)


def rule_pages(rulebook: Rulebook) -> dict[str, str]:
    """Give the pages of every rule and flow, and the page that lists them, by file."""
    pages = {"README.md": index_page(rulebook.rulesets())}
    for ruleset in rulebook.rulesets():
        pages |= {f"{ruleset.name}/{rule.common.id}.md": rule_page(ruleset, rule) for rule in ruleset.rules}
        pages |= {f"{ruleset.name}/{flow.common.id}.md": flow_page(ruleset, flow) for flow in ruleset.flows}
    return pages


def _find(rulebook: Rulebook, name: str) -> str:
    """Find the one rule whose full name ends with what was typed."""
    names = [known for known, _ in rule_names(rulebook)]
    found = [known for known in names if known == name or known.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    why = f"有多条规则叫 {name!r}：{'、'.join(found)}" if found else f"没有规则 {name!r}"
    hint = "" if found else did_you_mean(name, [*names, *(known.rpartition("/")[2] for known in names)])
    raise click.BadParameter(f"{why}；{hint}", param_hint="RULE")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
