"""Manifests of every kind: what is wrong is a diagnostic, and a version changes with the meaning and with nothing else."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decision import Decision
from engine.rulebook import Rulebook, RulebookError, find_manifest, inspect, load
from engine.session import Session
from engine.tables import Tables

ROOT = Path(__file__).resolve().parents[3]
FACT = """title: 商品
type: object
additionalProperties: false
x-actions: {ship: {title: 发货}, refund: {title: 退款}}
x-events: {shipped: {title: 已发货}, closed: {title: 已关闭}}
properties:
  id: {type: string, title: 编号}
  name: {type: string, title: 名称}
  price: {type: integer, title: 价格, x-unit: fen}
  kind: {type: string, title: 种类, enum: [a, b], x-enum-titles: {a: 甲, b: 乙}}
examples: [{id: "1", name: 围巾, price: 100, kind: a}]
"""
RULES = """kind: eligibility
fact: thing
definitions: {dear: {price: {more_than: 100}}}
rules:
  - id: name-given
    title: 名称
    source: R1
    require: {name: {length: {between: [1, 5]}}, kind: a}
    otherwise: 名称「{name}」有误
    effective: {from: 2022-01-01}
    examples: [{accept: {}}, {reject: {name: ""}}]
"""
WAIVERS = """waivers:
  - {rule: e/name-given, when: {id: "7"}, owner: 张三, reason: 特批, until: 2022-04-30}
"""
MANIFEST = """facts: facts
channels:
  c:
    title: 渠道
    rulesets: {e: e.yaml}
    waivers: w.yaml
"""
GOOD = {"rulesets.yaml": MANIFEST, "facts/thing.yaml": FACT, "e.yaml": RULES, "w.yaml": WAIVERS}


def build(folder: Path, **changed: str) -> Path:
    """Write a rulebook; a file is named by its stem."""
    (folder / "facts").mkdir(parents=True, exist_ok=True)
    for name, text in GOOD.items():
        (folder / name).write_text(changed.get(Path(name).stem, text), "utf-8")
    return folder / "rulesets.yaml"


def version(folder: Path, **changed: str) -> str:
    return load(build(folder, **changed)).ruleset("c/e").version


def told(manifest: Path) -> list[tuple[str, str]]:
    _, diagnostics = inspect(manifest)
    return [(item.code, item.message) for item in diagnostics.in_order()]


def test_a_good_rulebook_has_nothing_said_of_it(tmp_path: Path) -> None:
    rulebook = load(build(tmp_path))
    assert ["c/e"] == [ruleset.name for ruleset in rulebook.rulesets()]
    assert ("渠道", "record") == (rulebook.channels["c"].title, rulebook.channels["c"].flows)
    assert rulebook.evaluator(rulebook.ruleset("c/e")) is rulebook.evaluator(rulebook.ruleset("c/e"))
    assert {"e.yaml", "w.yaml", "facts/thing.yaml"} < rulebook.sources.keys()
    with pytest.raises(KeyError):
        rulebook.ruleset("c/none")


@pytest.mark.parametrize(
    ("manifest", "code", "message"),
    [
        ("[]", "SG0701", "清单应是键值表"),
        ("x", "SG0701", "清单应是键值表"),
        ("", "SG0107", "文件是空的"),
        ("facts: facts", "SG0702", "清单里没有渠道"),
        ("facts: facts\nchannels: {}", "SG0702", "清单里没有渠道"),
        ("facts: facts\nchannels: [c]", "SG0702", "清单里没有渠道"),
        ("facts: 5\nchannels: {c: {rulesets: {e: e.yaml}}}", "SG0204", "facts应是文字"),
        (
            "facts: nowhere\nchannels: {c: {rulesets: {e: e.yaml}}}",
            "SG0301",
            "没有词汇表：nowhere 里没有 *.yaml",
        ),
        (
            "facts: facts\nchanels: {}\nchannels: {c: {rulesets: {e: e.yaml}}}",
            "SG0202",
            "清单里不认识 'chanels'",
        ),
        ("facts: facts\nchannels: {c: {rulesets: {}}}", "SG0703", "渠道 c 缺少 rulesets"),
        ("facts: facts\nchannels: {c: {rulesets: [e.yaml]}}", "SG0703", "渠道 c 缺少 rulesets"),
        ("facts: facts\nchannels: {c: e.yaml}", "SG0703", "渠道 c 缺少 rulesets"),
        ("facts: facts\nchannels: {c: }", "SG0703", "渠道 c 缺少 rulesets"),
        ("facts: facts\nchannels: {c: {rule: 1, rulesets: {e: e.yaml}}}", "SG0202", "渠道 c 里不认识 'rule'"),
        (
            "facts: facts\nchannels: {c: {flows: fast, rulesets: {e: e.yaml}}}",
            "SG0704",
            "没有名为 'fast' 的流程求值器",
        ),
        ("facts: facts\nchannels: {c: {flows: 5, rulesets: {e: e.yaml}}}", "SG0204", "flows应是文字"),
        ("facts: facts\nchannels: {c: {title: [x], rulesets: {e: e.yaml}}}", "SG0204", "title应是文字"),
        ("facts: facts\nchannels: {c: {rulesets: {e: [e.yaml]}}}", "SG0705", "规则集 c/e 应写一个文件路径"),
        ("facts: facts\nchannels: {c: {rulesets: {e: }}}", "SG0705", "规则集 c/e 应写一个文件路径"),
        (
            "facts: facts\nchannels: {c: {rulesets: {e: nowhere.yaml}}}",
            "SG0101",
            "读不到文件：No such file or directory",
        ),
        ("facts: facts\nchannels: {c: {rulesets: {e: facts}}}", "SG0101", "读不到文件：不是普通文件"),
        ("facts: facts\nchannels: {c: {rulesets: {e: /dev/zero}}}", "SG0101", "读不到文件：不是普通文件"),
        ('facts: facts\nchannels: {c: {rulesets: {e: "a\\0b"}}}', "SG0101", "读不到文件：路径写法有误"),
        ("facts: facts\nchannels: {c/d: {rulesets: {e: e.yaml}}}", "SG0706", "渠道名 'c/d' 不能为空或含有 /"),
        ('facts: facts\nchannels: {"": {rulesets: {e: e.yaml}}}', "SG0706", "渠道名 '' 不能为空或含有 /"),
        (
            "facts: facts\nchannels: {c: {rulesets: {e/f: e.yaml}}}",
            "SG0706",
            "规则集名 'e/f' 不能为空或含有 /",
        ),
        ("facts: facts\nchannels: {c: {rulesets: {e: w.yaml}}}", "SG0212", "规则文件缺少 kind"),
        ("facts: facts\nchannels: {c: {rulesets: {e: e.yaml}, waivers: []}}", "SG0204", "waivers应是文字"),
        ("facts: facts\nchannels: {c: {rulesets: {e: e.yaml}, waivers: }}", "SG0204", "waivers应是文字"),
        (
            "facts: facts\nchannels: {c: {rulesets: {e: e.yaml}, waivers: e.yaml}}",
            "SG0230",
            "豁免文件应写成 waivers: [ … ]",
        ),
        (
            "channels: {c: {rulesets: {e: e.yaml}}, c: {rulesets: {e: e.yaml}}}",
            "SG0112",
            "键 'c' 重复（第 1 行已有）",
        ),
    ],
)
def test_a_mistake_in_a_manifest_is_named(tmp_path: Path, manifest: str, code: str, message: str) -> None:
    path = build(tmp_path, rulesets=manifest)
    assert (code, message) in told(path)
    with pytest.raises(RulebookError) as caught:
        load(path)
    assert message in caught.value.message


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert [("SG0101", "读不到文件：No such file or directory")] == told(tmp_path / "rulesets.yaml")
    assert [("SG0101", "读不到文件：不是普通文件")] == told(tmp_path)


@pytest.mark.parametrize("old", ["kind: eligibility", "fact: thing"])
def test_a_family_whose_kind_or_fact_is_unknown_is_named_and_the_others_are_read(
    tmp_path: Path, old: str
) -> None:
    manifest = MANIFEST.replace("{e: e.yaml}", "{e: e.yaml, f: f.yaml}")
    (tmp_path / "f.yaml").write_text(RULES.replace(old, f"{old}x"), "utf-8")
    rulebook, diagnostics = inspect(build(tmp_path, rulesets=manifest))
    assert ["SG0212"] == [item.code for item in diagnostics.items]
    assert ["e"] == list(rulebook.channels["c"].rulesets)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (RULES.replace("rules:\n", "rules: 5\nruls:\n"), "SG0211"),
        ("kind: eligibility\nfact: thing\nrules: {}\n", "SG0211"),
        ("kind: eligibility\nfact: thing\nrules: [5, [], null]\n", "SG0201"),
        (RULES.replace("definitions: {dear: {price: {more_than: 100}}}", "definitions: [dear]"), "SG0201"),
        (RULES.replace("{dear: {price: {more_than: 100}}}", "{dear: 5}"), "SG0401"),
        (RULES + "flows: 5\n", "SG0206"),
        (RULES + "flows: [5]\n", "SG0201"),
    ],
)
def test_a_rule_file_of_any_shape_is_a_diagnostic(tmp_path: Path, rules: str, code: str) -> None:
    assert code in [found for found, _ in told(build(tmp_path, e=rules))]


def test_two_families_may_be_the_same_file_and_a_file_may_lie_outside(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("{e: e.yaml}", "{e: e.yaml, f: ../e.yaml, g: e.yaml}")
    inner = tmp_path / "inner"
    path = build(inner, rulesets=manifest)
    shutil.copy(inner / "e.yaml", tmp_path / "e.yaml")
    versions = {ruleset.name: ruleset.version for ruleset in load(path).rulesets()}
    assert ["c/e", "c/f", "c/g"] == list(versions)
    assert 3 == len(set(versions.values())), "a version says which ruleset it is of"


@pytest.mark.parametrize("path", ["../e.yaml", "inner/../../e.yaml", "/etc/passwd"])
@pytest.mark.parametrize(
    "manifest",
    [
        MANIFEST.replace("e: e.yaml", "e: PATH"),
        MANIFEST.replace("facts: facts", "facts: PATH"),
        MANIFEST.replace("waivers: w.yaml", "waivers: PATH"),
    ],
    ids=["a ruleset", "facts", "waivers"],
)
def test_rules_that_are_confined_read_nothing_outside_of_their_folder(
    tmp_path: Path, manifest: str, path: str
) -> None:
    rules = build(tmp_path / "inner", rulesets=manifest.replace("PATH", path))
    shutil.copy(tmp_path / "inner" / "e.yaml", tmp_path / "e.yaml")
    rulebook, diagnostics = inspect(rules, confined=True)
    assert ("SG0707", f"路径 {path!r} 不在清单所在的文件夹里") in [
        (item.code, item.message) for item in diagnostics.in_order()
    ]
    assert all(
        Path(name).is_relative_to(rules.parent) or not Path(name).is_absolute() for name in rulebook.sources
    )
    assert path not in rulebook.sources


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("e", "rules:", "# ein Kommentar\nrules:"),
        ("e", 'examples: [{accept: {}}, {reject: {name: ""}}]', 'examples: [{reject: {name: ""}}]'),
        ("e", "    title: 名称\n    source: R1\n", "    source: R1\n    title: '名称'\n"),
        ("e", "kind: eligibility\nfact: thing\n", "fact: thing\nkind: eligibility\n"),
        ("e", "[1, 5]", "[\n    1,\n    5 ]"),
        ("thing", 'examples: [{id: "1"', 'examples: [{id: "2"'),
        ("thing", "title: 商品", "title:    商品   # 一种"),
        ("rulesets", "title: 渠道", "title: 别的"),
        ("w", "waivers:", "# 豁免\nwaivers:"),
    ],
)
def test_a_version_stays_where_the_meaning_stays(tmp_path: Path, file: str, old: str, new: str) -> None:
    before = version(tmp_path)
    text = next(text for name, text in GOOD.items() if Path(name).stem == file)
    assert old in text
    assert before == version(tmp_path, **{file: text.replace(old, new)})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("e", "[1, 5]", "[1, 6]"),
        ("e", "kind: a}", "kind: b}"),
        ("e", "require:", "forbid:"),
        ("e", "名称「{name}」有误", "名称「{name}」不对"),
        ("e", "from: 2022-01-01", "from: 2022-01-02"),
        ("e", "title: 名称", "title: 名字"),
        ("e", "source: R1", "source: R2"),
        ("e", "id: name-given", "id: name-there"),
        ("e", "more_than: 100", "more_than: 101"),
        ("e", "{name: {length: {between: [1, 5]}}, kind: a}", "{kind: a, name: {length: {between: [1, 5]}}}"),
        ("e", "source: R1", "source: R1\n    severity: warning"),
        ("thing", "enum: [a, b]", "enum: [a, b, c]"),
        ("thing", "{a: 甲, b: 乙}", "{a: 甲, b: 丙}"),
        ("thing", "x-unit: fen", "x-unit: g"),
        (
            "thing",
            "{shipped: {title: 已发货}, closed: {title: 已关闭}}",
            "{closed: {title: 已关闭}, shipped: {title: 已发货}}",
        ),
        (
            "thing",
            "{ship: {title: 发货}, refund: {title: 退款}}",
            "{refund: {title: 退款}, ship: {title: 发货}}",
        ),
        ("w", "2022-04-30", "2022-05-01"),
        ("w", 'id: "7"', 'id: "8"'),
        ("w", "张三", "李四"),
        ("w", WAIVERS, "waivers: []\n"),
    ],
)
def test_a_version_changes_with_the_meaning(tmp_path: Path, file: str, old: str, new: str) -> None:
    """The order of conditions is the order of the evidence, that of events decides ties: both are part of the meaning."""
    before = version(tmp_path)
    text = next(text for name, text in GOOD.items() if Path(name).stem == file)
    assert old in text
    changed = {file: text.replace(old, new)}
    if "name-there" in new:
        changed["w"] = WAIVERS.replace("name-given", "name-there")
    assert before != version(tmp_path, **changed)


def decide(rulebook: Rulebook, fact: dict[str, Any]) -> Decision:
    ruleset = rulebook.ruleset("c/e")
    return Session(ruleset, rulebook.evaluator(ruleset), Tables(), datetime(2022, 3, 8, tzinfo=UTC)).decide(
        fact
    )


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["1", "7"]),
            "name": st.text(max_size=7),
            "kind": st.sampled_from(["a", "b"]),
        },
    )
)
def test_a_decision_is_the_same_bytes_after_a_reload_and_through_pickle(
    tmp_path_factory: pytest.TempPathFactory, fact: dict[str, Any]
) -> None:
    first, second = (load(build(tmp_path_factory.getbasetemp() / name)) for name in ("one", "two"))
    decision = decide(first, fact)
    assert decision.to_bytes() == decide(second, fact).to_bytes()
    again = pickle.loads(pickle.dumps(decision))
    assert (decision, decision.to_bytes()) == (again, again.to_bytes())
    assert json.loads(decision.to_bytes()) == decision.as_data()


def test_the_manifest_is_what_was_named_else_that_of_the_working_folder_else_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(tmp_path)
    assert path == find_manifest(path) == find_manifest(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert Path("rulesets.yaml") == find_manifest()
    Path("rulesets.yaml").unlink()
    shipped = load(find_manifest())
    assert "huiju/eligibility" in [ruleset.name for ruleset in shipped.rulesets()]


def test_warnings_do_not_keep_a_rulebook_from_being_used(tmp_path: Path) -> None:
    rulebook = load(build(tmp_path, e="\ufeff" + RULES))
    assert ["SG0104"] == [item.code for item in rulebook.warnings]


def test_a_plan_is_the_same_in_another_process() -> None:
    """Texts are hashed differently in every process; a constant that brought its hash along would be found in no table there."""
    code = (
        "import pickle, sys; from pathlib import Path; from engine.rulebook import load\n"
        "plans = [ruleset.plan() for ruleset in load(Path('rulesets.yaml')).rulesets()]\n"
        "if sys.argv[1] == 'write': sys.stdout.buffer.write(pickle.dumps(plans))\n"
        "else:\n"
        "    read = pickle.load(sys.stdin.buffer)\n"
        "    assert (read, [hash(p) for p in read]) == (plans, [hash(p) for p in plans])\n"
    )
    told = b""
    for seed, way in (("1", "write"), ("2", "read")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        told = subprocess.run(
            [sys.executable, "-c", code, way],
            input=told,
            env=environment,
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
