"""Rules that change while the service runs: a good edit is taken up as a whole, a bad one changes nothing and is told."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from engine.rulebook import Rulebook, RulebookError
from pipeline.live_rules import LOOK, LiveRules

ROOT = Path(__file__).resolve().parents[3]
FILE = "rules/huiju/eligibility.yaml"
NAME = "huiju/eligibility"


class Folder:
    """A folder of rules that a person edits, and the service that watches it."""

    def __init__(self, place: Path) -> None:
        shutil.copytree(ROOT / "rules", place / "rules")
        shutil.copy(ROOT / "rulesets.yaml", place)
        self.place, self.seconds = place, 100.0
        self.live = LiveRules(place / "rulesets.yaml", clock=lambda: self.seconds)

    def text(self, file: str = FILE) -> str:
        return (self.place / file).read_text(encoding="utf-8")

    def edit(self, old: str, new: str, file: str = FILE) -> None:
        text = self.text(file)
        assert old in text
        (self.place / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    def look(self, times: int = 2) -> Rulebook:
        """Let the service look so many times; it takes a change up when it finds it a second time."""
        for _ in range(times):
            self.seconds += LOOK
            self.live.current()
        return self.live.current()

    def version(self) -> str:
        return self.live.current().ruleset(NAME).version


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "live")


def test_a_good_edit_is_taken_up_and_others_keep_their_version(folder: Folder) -> None:
    before = {ruleset.name: ruleset.version for ruleset in folder.live.current().rulesets()}
    loaded_at = folder.live.loaded_at
    folder.edit("title: 规格层级", "title: 规格的层级")
    after = {ruleset.name: ruleset.version for ruleset in folder.look().rulesets()}
    assert {NAME} == {name for name in after if after[name] != before[name]}
    assert folder.live.loaded_at > loaded_at
    assert folder.live.bad_edit is None


def test_nothing_is_loaded_anew_while_nothing_changes(folder: Folder) -> None:
    first = folder.live.current()
    assert folder.look(5) is first


def test_files_are_looked_at_only_so_often(folder: Folder) -> None:
    first = folder.live.current()
    folder.edit("title: 规格层级", "title: 规格的层级")
    for _ in range(10):
        assert folder.live.current() is first


def test_a_bad_edit_keeps_the_last_good_rules_and_is_told_by_file_line_and_column(folder: Folder) -> None:
    first = folder.live.current()
    folder.edit("product.specs: {count:", "product.spec: {count:")
    assert folder.look() is first
    bad = folder.live.bad_edit
    assert bad is not None
    line = 1 + folder.text().split("product.spec: {count:")[0].count("\n")
    span = bad.diagnostics[0].span
    assert span is not None
    assert (FILE, line) == (span.file, span.start_line)
    assert bad.text.startswith(f"{FILE}:{line}:{span.start_col}: {bad.diagnostics[0].code}")
    assert "product.spec: {count:" in bad.text
    assert (
        f"{FILE}:{line}:{span.start_col} {bad.diagnostics[0].code} {bad.diagnostics[0].message}"
        == bad.places[0]
    )
    assert all("{count:" not in place for place in bad.places)


def test_a_mistake_in_the_manifest_is_told_without_the_folder_it_lies_in(folder: Folder) -> None:
    folder.edit("channels:", "chanels:", "rulesets.yaml")
    folder.look()
    assert folder.live.bad_edit is not None
    assert str(folder.place) not in "\n".join(folder.live.bad_edit.places)
    assert folder.live.bad_edit.places[0].startswith("rulesets.yaml:")


def test_a_bad_edit_that_is_mended_is_forgotten(folder: Folder) -> None:
    folder.edit("title: 规格层级", "title: [")
    folder.look()
    assert folder.live.bad_edit is not None
    folder.edit("title: [", "title: 规格的层级")
    folder.look()
    assert folder.live.bad_edit is None
    assert "规格的层级" in {rule.common.title for rule in folder.live.current().ruleset(NAME).rules}


def test_a_bad_edit_that_is_made_worse_is_told_as_it_is_now(folder: Folder) -> None:
    folder.edit("product.specs: {count:", "product.spec: {count:")
    folder.look()
    first = folder.live.bad_edit
    folder.edit("title: 规格层级", "titel: 规格层级")
    folder.look()
    assert first is not None
    assert folder.live.bad_edit is not None
    assert len(folder.live.bad_edit.diagnostics) > len(first.diagnostics)


def test_a_bad_edit_that_is_taken_back_with_its_old_time_is_forgotten(folder: Folder) -> None:
    """As a copy of before is, that keeps the time of its original."""
    path = folder.place / FILE
    kept = folder.place / "kept"
    shutil.copy2(path, kept)
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    text = folder.text()
    path.write_text(
        text.replace("规格层级", "规格[[[[", 1).replace("title: 规格[[[[", "title: [格层级"), encoding="utf-8"
    )
    folder.look()
    assert folder.live.bad_edit is not None
    shutil.copy2(kept, path)
    os.utime(path, ns=times)
    folder.look()
    assert folder.live.bad_edit is None


def test_an_edit_of_the_same_length_that_keeps_the_time_is_seen(folder: Folder) -> None:
    before = folder.version()
    path = folder.place / FILE
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    folder.edit("规格层级", "规格级层")
    os.utime(path, ns=times)
    folder.look()
    assert before != folder.version()


def test_an_editor_that_writes_beside_and_renames_is_followed(folder: Folder) -> None:
    before = folder.version()
    path = folder.place / FILE
    for number in range(3):
        beside = path.with_suffix(".yaml.tmp")
        beside.write_text(
            folder.text().replace("title: 规格层级", f"title: 规格层级{number}"), encoding="utf-8"
        )
        beside.replace(path)
        folder.look()
        assert before != folder.version()
        before = folder.version()
        folder.edit(f"title: 规格层级{number}", "title: 规格层级")


def test_a_file_that_is_still_being_written_is_not_read(folder: Folder) -> None:
    """Half a file is often a good file: it must not be in force for a moment."""
    before = folder.live.current()
    path = folder.place / FILE
    text = folder.text().replace("title: 规格层级", "title: 规格的层级")
    place = text.rindex("\n  - id:")
    path.write_text(text[:place], encoding="utf-8")
    assert folder.look(1) is before
    path.write_text(text, encoding="utf-8")
    assert folder.look(1) is before
    after = folder.look(1)
    assert len(before.ruleset(NAME).rules) == len(after.ruleset(NAME).rules)
    assert before.ruleset(NAME).version != after.ruleset(NAME).version
    assert folder.live.bad_edit is None


def test_a_file_that_is_added_and_one_that_is_taken_away_are_followed(folder: Folder) -> None:
    shutil.copy(folder.place / FILE, folder.place / "rules/huiju/second.yaml")
    folder.edit("      access: ", "      second: rules/huiju/second.yaml\n      access: ", "rulesets.yaml")
    assert "huiju/second" in {ruleset.name for ruleset in folder.look().rulesets()}
    (folder.place / "rules/huiju/second.yaml").unlink()
    assert "huiju/second" in {ruleset.name for ruleset in folder.look().rulesets()}
    bad = folder.live.bad_edit
    assert bad is not None
    assert "second.yaml" in bad.text
    folder.edit("      second: rules/huiju/second.yaml\n", "", "rulesets.yaml")
    assert "huiju/second" not in {ruleset.name for ruleset in folder.look().rulesets()}
    assert folder.live.bad_edit is None


def test_a_new_fact_is_taken_up(folder: Folder) -> None:
    (folder.place / "rules/facts/thing.yaml").write_text(
        folder.text("rules/facts/actor.yaml"), encoding="utf-8"
    )
    assert "thing" in folder.look().vocabulary.facts


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\x00" * 10,
        b"kind: eligibility\n",
        b"- a\n- b\n",
        b"{" * 20_000,
        b"a: &a [*a]\n",
    ],
    ids=["empty", "not UTF-8", "NUL", "half", "a list", "deep", "an alias"],
)
def test_whatever_stands_in_a_file_the_last_good_rules_stay(folder: Folder, content: bytes) -> None:
    first = folder.live.current()
    (folder.place / FILE).write_bytes(content)
    assert folder.look() is first
    assert folder.live.bad_edit is not None
    assert folder.live.bad_edit.places


def test_a_folder_that_is_gone_for_a_while_changes_nothing(folder: Folder) -> None:
    first = folder.live.current()
    away = folder.place.with_name("away")
    folder.place.rename(away)
    assert folder.look(3) is first
    away.rename(folder.place)
    assert folder.look(3).ruleset(NAME).version == first.ruleset(NAME).version
    assert folder.live.bad_edit is None


def test_a_fault_of_the_program_changes_nothing_and_is_told(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_manifest: Path) -> None:
        raise ZeroDivisionError

    first = folder.live.current()
    monkeypatch.setattr("pipeline.live_rules.inspect", broken)
    folder.edit("title: 规格层级", "title: 规格的层级")
    assert folder.look() is first
    assert folder.live.bad_edit is not None
    assert "程序出错" in folder.live.bad_edit.text
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    folder.edit("title: 规格的层级", "title: 规格之层级")
    assert folder.look() is not first
    assert folder.live.bad_edit is None


def test_rules_with_mistakes_from_the_beginning_are_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "live")
    folder.edit("title: 规格层级", "titel: 规格层级")
    with pytest.raises(RulebookError, match="titel"):
        LiveRules(folder.place / "rulesets.yaml")


def test_threads_see_the_old_rules_or_the_new_and_nothing_between(folder: Folder) -> None:
    """Two rulesets are edited, one after the other: nobody may see one of them new and the other old."""
    seen: list[set[tuple[str, str]]] = [set() for _ in range(4)]
    done = threading.Event()

    def ask(mine: set[tuple[str, str]]) -> None:
        while not done.is_set():
            rulebook = folder.live.current()
            mine.add((rulebook.ruleset(NAME).version, rulebook.ruleset("huiju/spec-mapping").version))

    crew = [threading.Thread(target=ask, args=(mine,)) for mine in seen]
    for thread in crew:
        thread.start()
    edits = [("title: 规格层级", FILE), ("title: ", "rules/huiju/spec-mapping.yaml")]
    for old, file in edits:
        folder.edit(old, f"{old}改过的", file)
        folder.look(1)
    before = folder.live.loaded_at
    folder.seconds += LOOK
    for _ in range(600):
        if folder.live.loaded_at > before:
            break
        threading.Event().wait(0.05)
    versions = {name: folder.live.current().ruleset(name).version for name in (NAME, "huiju/spec-mapping")}
    while not all(tuple(versions.values()) in mine for mine in seen):
        threading.Event().wait(0.01)
    done.set()
    for thread in crew:
        thread.join()
    assert [2] * 4 == [len(mine) for mine in seen]
