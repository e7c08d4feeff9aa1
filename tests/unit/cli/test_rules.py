"""`shelfgate rules` and what the commands share: every mistake is a sentence and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main as entry
from cli._progress import Bar
from cli.main import shelfgate
from engine.errors import ShelfgateError

ROOT = Path(__file__).resolve().parents[3]
RULES = ("--rules", str(ROOT))
FACT = """title: 商品
type: object
additionalProperties: false
properties: {id: {type: string, title: 编号}}
examples: [{id: "1"}]
"""
RULE = """kind: eligibility
fact: thing
rules:
  - {id: a, title: 甲, source: R0, require: {id: "1"}, otherwise: 乙, examples: [{accept: {}}, {reject: {id: "2"}}]}
"""


def rules(*arguments: object) -> Result:
    return CliRunner().invoke(shelfgate, ["rules", *map(str, arguments)])


def said(result: Result) -> str:
    if isinstance(result.exception, ShelfgateError):
        return result.exception.message
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.output


def own(folder: Path, rule: str = RULE, waivers: str = "") -> Path:
    (folder / "facts").mkdir()
    (folder / "facts" / "thing.yaml").write_text(FACT, "utf-8")
    (folder / "e.yaml").write_text(rule, "utf-8")
    (folder / "w.yaml").write_text(waivers, "utf-8")
    named = ", waivers: w.yaml" if waivers else ""
    (folder / "rulesets.yaml").write_text(
        f"facts: facts\nchannels: {{c: {{rulesets: {{e: e.yaml}}{named}}}}}\n", "utf-8"
    )
    return folder


def test_lint_names_mistakes_and_ends_with_2(tmp_path: Path) -> None:
    assert (0, "1 个规则集，1 条规则与流程，没有错误\n") == (
        (good := rules("lint", "--rules", own(tmp_path))).exit_code,
        good.output,
    )
    (tmp_path / "e.yaml").write_text(RULE.replace('{id: "1"}', '{idd: "1"}'), "utf-8")
    bad = rules("lint", "--rules", tmp_path)
    assert (2, True) == (bad.exit_code, "SG0405" in bad.output and "是不是 id？" in bad.output)


def test_lint_warns_of_a_waiver_that_has_run_out_by_the_day_asked_for(tmp_path: Path) -> None:
    folder = own(
        tmp_path,
        waivers='waivers: [{rule: e/a, when: {id: "2"}, owner: 张三, reason: 特批, until: 2022-04-30}]',
    )
    assert "SG0232" not in rules("lint", "--rules", folder, "--as-of", "2022-04-30").output
    late = rules("lint", "--rules", folder, "--as-of", "2022-05-01")
    assert (0, True) == (late.exit_code, "SG0232 豁免已于 2022-04-30 到期（张三：特批）" in late.output)


@pytest.mark.parametrize(
    ("rule", "only", "code", "words"),
    [
        (RULE, "", 0, "1 条规则，2 个例子，0 个不符"),
        (RULE, "nothing", 1, "没有规则的名称含有 'nothing'"),
        (RULE.replace('reject: {id: "2"}', 'reject: {id: "1"}'), "", 1, "例子写的是 reject，得到的是 accept"),
        (RULE.replace(', {reject: {id: "2"}}', ""), "", 1, "缺少 reject 的例子"),
        (
            RULE.replace('reject: {id: "2"}', "reject: {id: 2}"),
            "",
            1,
            "例子的数据不合词汇表：id 应是文字，这里是 2",
        ),
    ],
)
def test_examples_that_fail_or_lack_or_match_nothing_end_with_1(
    tmp_path: Path, rule: str, only: str, code: int, words: str
) -> None:
    result = rules("test", *([only] if only else []), "--rules", own(tmp_path, rule))
    assert (code, True) == (result.exit_code, words in result.output)


def test_explain_shows_each_condition_with_the_value_found(tmp_path: Path) -> None:
    fact = tmp_path / "fact.yaml"
    fact.write_text("product: {id: '1', specs: []}\nrow: {product_id: '1'}\n", "utf-8")
    result = rules("explain", "spec-levels", fact, "--as-of", "2022-03-08", *RULES)
    assert 0 == result.exit_code
    assert "huiju/eligibility/spec-levels（" in result.output
    assert "✗" in result.output
    assert result.output.endswith("结论（2022-03-08）：不通过\n")
    order = tmp_path / "order.json"
    order.write_text('{"id": "1", "channel": "huiju"}', "utf-8")
    assert rules("explain", "no-snapshot", order, "--as-of", "2022-03-08", *RULES).output.endswith(
        "结论（2022-03-08）：限制\n"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spec-level", "没有规则 'spec-level'；是不是 spec-levels？"),
        ("closed", ""),
        (
            "shop-edition",
            "有多条规则叫 'shop-edition'：huiju/eligibility/shop-edition、huiju/access/shop-edition",
        ),
    ],
)
def test_explain_takes_one_rule(tmp_path: Path, name: str, words: str) -> None:
    fact = tmp_path / "fact.json"
    fact.write_text('{"id": "1"}', "utf-8")
    result = rules("explain", name, fact, *RULES)
    assert (0 if not words else 2, True) == (result.exit_code, words in said(result))


def test_explain_of_a_fact_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    fact = tmp_path / "fact.json"
    fact.write_text('{"row": {"prodct_id": "1"}}', "utf-8")
    assert "row.prodct_id：没有这个字段（是不是 product_id？）" in said(
        rules("explain", "spec-levels", fact, *RULES)
    )


def test_schema_writes_one_or_a_folder_of_them(tmp_path: Path) -> None:
    one = rules("schema", "huiju/eligibility", *RULES)
    assert "eligibility" == json.loads(one.output)["properties"]["kind"]["const"]
    assert 2 == rules("schema", *RULES).exit_code
    assert "是不是 huiju/eligibility？" in rules("schema", "huiju/eligibilty", *RULES).output
    assert 0 == rules("schema", "-o", tmp_path / "deep" / "schemas", *RULES).exit_code
    assert json.loads(one.output) == json.loads(
        (tmp_path / "deep" / "schemas" / "huiju-eligibility.schema.json").read_text("utf-8")
    )


def test_doc_writes_a_page_for_each_rule_and_flow(tmp_path: Path) -> None:
    result = rules("doc", "-o", tmp_path / "pages", *RULES)
    pages = sorted((tmp_path / "pages").rglob("*.md"))
    assert f"写了 {len(pages)} 页到 {tmp_path / 'pages'}\n" == result.output
    assert "(huiju/eligibility/spec-levels.md)" in (tmp_path / "pages" / "README.md").read_text("utf-8")


ACTIONS = """kind: actions
fact: thing
rules: [{id: a, title: 甲, source: R0, restrict: [use], when: {new: true}, because: 乙}]
"""
ACTING = FACT.replace(
    "properties: {", "x-actions: {use: {title: 使用}}\nproperties: {new: {type: boolean, title: 新}, "
).replace('id: "1"', 'id: "1", new: true')


def acting(folder: Path, rule: str = ACTIONS) -> Path:
    own(folder, rule)
    (folder / "facts" / "thing.yaml").write_text(ACTING, "utf-8")
    return folder


def test_matrix_shows_every_situation_and_ends_with_0(tmp_path: Path) -> None:
    result = rules("matrix", "--rules", acting(tmp_path), "--as-of", "2022-03-08")
    assert (0, "") == (result.exit_code, result.stderr)
    assert result.stdout.startswith("c动作矩阵 · 以 2022-03-08 的规则为准\n")
    assert "是  置灰 1\n否  ✓\n" in result.stdout
    (tmp_path / "deep").mkdir()
    written = rules("matrix", "--rules", tmp_path, "--format", "csv", "-o", tmp_path / "deep" / "m.csv")
    assert (0, "") == (written.exit_code, written.output)
    assert 3 == len((tmp_path / "deep" / "m.csv").read_text("utf-8").splitlines())


@pytest.mark.parametrize("format_", ["text", "csv", "html", "markdown"])
def test_matrix_of_the_shipped_rules_is_whole_in_every_format(format_: str) -> None:
    result = rules("matrix", "--format", format_, *RULES)
    assert (0, "") == (result.exit_code, result.stderr)
    assert all(title in result.stdout for title in ("小额打款", "确认收到退货", "更换接口身份信息"))
    one = rules("matrix", "--format", format_, "--fact", "order", "--channel", "huiju", *RULES)
    assert "小额打款" in one.stdout
    assert "确认收到退货" not in one.stdout


def test_matrix_with_a_gap_or_a_contradiction_is_shown_all_the_same_and_ends_with_2(tmp_path: Path) -> None:
    rule = ACTIONS.replace(
        "rules: [", "rules: [{id: b, title: 丙, source: R0, restrict: [use], effect: hide, because: 丁}, "
    )
    result = rules("matrix", "--rules", acting(tmp_path, rule))
    assert 2 == result.exit_code
    assert "任何  隐藏 1" in result.stdout
    assert "e.yaml:3:14: SG0905 动作「使用」被 b 隐藏，又被 a 置灰并说明原因" in result.stderr
    assert "  |" in result.stderr
    assert "另见 e.yaml:3:" in result.stderr


def test_matrix_with_a_warning_ends_with_0(tmp_path: Path) -> None:
    two = ACTING.replace("{use: {title: 使用}}", "{use: {title: 使用}, see: {title: 查看}}")
    folder = acting(
        tmp_path, ACTIONS + "flows: [{id: f, title: 己, source: R0, on: use, then: {call: use}}]\n"
    )
    (folder / "facts" / "thing.yaml").write_text(two, "utf-8")
    result = rules("matrix", "--rules", folder)
    assert (0, True) == (result.exit_code, "警告 SG0904 动作「查看」可用" in result.stderr)


def test_matrix_of_a_channel_without_actions_says_so_and_ends_with_2(tmp_path: Path) -> None:
    result = rules("matrix", "--rules", own(tmp_path))
    assert (2, True) == (result.exit_code, "渠道 c 没有动作规则，没有矩阵可列" in result.output)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fact", "ordr"), "没有判断 'ordr' 的动作规则；是不是 order？"),
        (("--fact", "listing"), "没有判断 'listing' 的动作规则"),
        (("--channel", "huji"), "没有渠道 'huji'；是不是 huiju？"),
        (("--format", "pdf"), "'pdf' is not one of"),
    ],
)
def test_matrix_of_what_is_not_there_is_a_sentence_and_2(arguments: tuple[str, str], words: str) -> None:
    result = rules("matrix", *arguments, *RULES)
    assert (2, True) == (result.exit_code, words in result.output)


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["shelfgate", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code, capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to_is_a_sentence_and_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    code, told = run(monkeypatch, capsys, "rules", "doc", "-o", tmp_path / "file" / "pages", *RULES)
    assert (2, f"{tmp_path / 'file' / 'pages'}: 读写失败：Not a directory\n") == (code, told)


def test_a_broken_rulebook_is_shown_with_its_places_and_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(
        monkeypatch, capsys, "rules", "test", "--rules", own(tmp_path, RULE.replace("kind:", "knd:"))
    )
    assert (2, True) == (code, "e.yaml:1:1: SG0212 规则文件缺少 kind" in told)


def test_a_rulebook_with_a_warning_is_used_and_the_warning_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(monkeypatch, capsys, "rules", "test", "--rules", own(tmp_path, "\ufeff" + RULE))
    assert (0, True) == (code, "警告 SG0104" in told)


def test_a_command_that_is_not_there_is_named_with_what_may_have_been_meant() -> None:
    result = CliRunner().invoke(shelfgate, ["chekc"])
    assert (2, True) == (result.exit_code, "没有命令 'chekc'；是不是 check？" in result.output)
    assert "check" in CliRunner().invoke(shelfgate, ["--help"]).output
    assert shelfgate.get_command(None, "main") is None  # type: ignore[arg-type]


def test_the_bar_shows_rows_rate_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(shown=True) as bar:
        bar.show(5, 0)
        bar.show(1000, 4000)
    told = capsys.readouterr().err
    assert "\r5 行，" in told
    assert "[#######-----------------------]  25%  1,000/4,000 行" in told
    assert told.endswith("\n")
    with Bar() as quiet:
        quiet.show(1, 2)
    assert "" == capsys.readouterr().err
