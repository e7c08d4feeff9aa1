"""What README.md shows is what the command says."""

from __future__ import annotations

import re
import shlex
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


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of README in the checkout, as its reader would."""
    return subprocess.run([COMMAND, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_finding_it_shows_is_what_check_prints() -> None:
    (finding,) = blocks("text")
    (check,) = [words for words in commands() if words[:2] == ["shelfgate", "check"]]
    answer = run(check)
    assert (1, "") == (answer.returncode, answer.stderr)
    assert finding in answer.stdout


def test_the_rule_it_shows_is_one_of_ours() -> None:
    """Word for word, so that a reader who looks it up finds what was shown."""
    (shown,) = [yaml.safe_load(block) for block in blocks("yaml")]
    ours = yaml.safe_load((ROOT / "rules" / "huiju" / "eligibility.yaml").read_text(encoding="utf-8"))
    (same,) = [rule for rule in ours["rules"] if rule["id"] == shown["rules"][0]["id"]]
    assert (ours["kind"], ours["fact"], same) == (shown["kind"], shown["fact"], shown["rules"][0])


def test_the_rules_commands_it_names_succeed() -> None:
    named = [words for words in commands() if words[:2] == ["shelfgate", "rules"]]
    assert [["shelfgate", "rules", "lint"], ["shelfgate", "rules", "test"]] == named
    assert [(0, "")] * 2 == [(answer.returncode, answer.stderr) for answer in map(run, named)]


def test_every_page_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [] == [link for link in links if not (ROOT / link).exists()]
