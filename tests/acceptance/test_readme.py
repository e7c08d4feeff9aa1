"""What README.md shows is what the command says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("shelfgate")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """List the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """List the commands that the reader is told to type, each as its words without the comment."""
    typed = "".join(blocks("console")).replace("\\\n", " ")
    return [shlex.split(line[2:], comments=True) for line in typed.splitlines() if line.startswith("$ ")]


def without_lines(text: str) -> str:
    """Leave out the numbers of lines in rule files, which move with every edit above them."""
    return re.sub(r"(?<=\.yaml:)[0-9]+", "…", text)


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of README in the checkout, as its reader would."""
    return subprocess.run([COMMAND, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_finding_it_shows_is_what_check_prints() -> None:
    (finding,) = blocks("text")
    (check,) = [words for words in commands() if words[:2] == ["shelfgate", "check"]]
    answer = run(check)
    assert (1, "") == (answer.returncode, answer.stderr)
    assert without_lines(finding) in without_lines(answer.stdout)


def test_the_rule_it_shows_is_valid_and_its_examples_hold(tmp_path: Path) -> None:
    (shown,) = blocks("yaml")
    shutil.copytree(ROOT / "rules" / "facts", tmp_path / "facts")
    (tmp_path / "shown.yaml").write_text(shown, encoding="utf-8")
    manifest = {
        "facts": "facts",
        "channels": {"huiju": {"title": "惠聚", "rulesets": {"shown": "shown.yaml"}}},
    }
    (tmp_path / "rulesets.yaml").write_text(yaml.safe_dump(manifest, allow_unicode=True), encoding="utf-8")
    answers = [run(["shelfgate", "rules", what, "--rules", str(tmp_path)]) for what in ("lint", "test")]
    assert [(0, "")] * 2 == [(answer.returncode, answer.stderr) for answer in answers]


def test_the_rules_commands_it_names_succeed() -> None:
    named = [words for words in commands() if words[:2] == ["shelfgate", "rules"]]
    assert [["shelfgate", "rules", what] for what in ("lint", "test", "matrix")] == named
    assert [(0, "")] * 3 == [(answer.returncode, answer.stderr) for answer in map(run, named)]


def test_every_page_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [] == [link for link in links if not (ROOT / link).exists()]
