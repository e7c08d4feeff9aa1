"""What the service says of its rules, and what changes when their files do."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from engine.decision import plain
from engine.examples import overlaid
from engine.rulebook import MANIFEST, load
from pipeline.live_rules import LiveRules
from tests.integration.api.front import Front
from tests.integration.demo_shop import ROOT

FILE = "rules/huiju/eligibility.yaml"
RULESET = "/v1/rulesets/huiju/eligibility"
on_one_database = pytest.mark.parametrize("database", ["sqlite"])
pytestmark = on_one_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "rules", tmp_path / "live" / "rules")
    shutil.copy(ROOT / MANIFEST, tmp_path / "live")
    return tmp_path / "live"


@pytest.fixture
def live(front: Front, folder: Path) -> Front:
    """Give a service whose rules are a folder of the test's own, looked at on each request."""
    services = replace(front.services, rules=LiveRules(folder / MANIFEST, look=0))
    return Front(create_app(services), services)


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    assert old in text
    (folder / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_ruleset_is_sent_again_only_when_it_has_changed(live: Front, folder: Path) -> None:
    client = live.service("viewer")
    first = client.get(RULESET)
    etag = first.headers["ETag"]
    for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = client.get(RULESET, headers={"If-None-Match": sent})
        assert (304, b"", etag) == (answer.status_code, answer.data, answer.headers["ETag"])
    edit(folder, "title: 规格层级", "title: 规格的层级")
    second = client.get(RULESET, headers={"If-None-Match": etag})
    assert 200 == second.status_code
    assert first.json["version"] != second.json["version"]
    assert "规格的层级" in {rule["title"] for rule in second.json["rules"]}
    for ignored in (
        {"If-Match": '"x"'},
        {"Range": "bytes=0-1"},
        {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        assert 200 == client.get(RULESET, headers=ignored).status_code


def test_a_bad_edit_is_told_where_readiness_is_asked_for_and_stops_nothing(live: Front, folder: Path) -> None:
    client = live.service("admin")
    before = client.get(RULESET).json
    assert (True, None) == (
        client.get("/readyz").json["ready"],
        client.get("/readyz").json["rules"]["bad_edit"],
    )
    edit(folder, "product.specs: {count:", "product.spec: {count:")
    ready = live.anyone().get("/readyz")
    assert (200, True, "ok") == (ready.status_code, ready.json["ready"], ready.json["store"])
    bad = ready.json["rules"]["bad_edit"]
    assert bad["places"][0].startswith(f"{FILE}:")
    assert "没有字段 'spec'" in bad["places"][0]
    assert "{count:" not in ready.text, "no line of a rule file is shown to everyone"
    assert str(folder) not in ready.text
    assert before == client.get(RULESET).json
    assert "shelfgate_rules_bad_edit 1.0" in client.get("/metrics").text
    edit(folder, "product.spec: {count:", "product.specs: {count:")
    assert live.anyone().get("/readyz").json["rules"]["bad_edit"] is None
    assert "shelfgate_rules_bad_edit 0.0" in client.get("/metrics").text


def test_a_store_that_does_not_answer_is_not_ready_and_says_no_more(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError
    from sqlalchemy.orm import Session

    def broken(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("secret host 10.0.0.5"))

    monkeypatch.setattr(Session, "execute", broken)
    answer = front.anyone().get("/readyz")
    assert (503, False) == (answer.status_code, answer.json["ready"])
    assert "10.0.0.5" not in answer.text
    assert 200 == front.anyone().get("/healthz").status_code


def test_every_request_is_answered_by_one_version(live: Front, folder: Path) -> None:
    """While rules change under many requests: each answer's version goes with what its findings say."""
    listing = live.services.rules.current().vocabulary.facts["listing"]
    fact = plain(overlaid(listing.example, {"product.specs": []}))
    answers: list[Any] = []
    done = threading.Event()

    def ask() -> None:
        client = live.service()
        while not done.is_set():
            answers.append(client.post("/v1/validate/huiju/eligibility", json={"facts": [fact] * 5}).json)

    live.token()
    crew = [threading.Thread(target=ask) for _ in range(3)]
    for thread in crew:
        thread.start()
    titles = {}
    old = "title: 规格层级"
    try:
        for number in range(4):
            edit(folder, old, f"title: 规格层级{number}号")
            old = f"title: 规格层级{number}号"
            version = load(folder / MANIFEST).ruleset("huiju/eligibility").version
            titles[version] = f"规格层级{number}号"
            done.wait(0.3)
    finally:
        done.set()
        for thread in crew:
            thread.join()
    seen = {
        (answer["version"], finding["title"])
        for answer in answers
        for result in answer["results"]
        for finding in result["findings"]
        if finding["rule"] == "huiju/eligibility/spec-levels"
    }
    assert len({version for version, _ in seen}) == len(seen) > 1, "two titles under one version"
    assert all(titles.get(version, "规格层级") == title for version, title in seen)


def test_lint_looks_at_rules_without_using_them(live: Front, folder: Path) -> None:
    client = live.service("viewer")
    before = client.get(RULESET).json
    text = (folder / FILE).read_text(encoding="utf-8")
    good = client.post(
        "/v1/rulesets/lint", json={"files": {FILE: text.replace("规格层级", "规格的层级")}}
    ).json
    assert (True, [], 0) == (good["good"], good["diagnostics"], good["left_out"])
    assert before["version"] != good["versions"]["huiju/eligibility"]
    bad = client.post(
        "/v1/rulesets/lint", json={"files": {FILE: text.replace("product.specs:", "product.spec:", 1)}}
    ).json
    assert (False, {}) == (bad["good"], bad["versions"])
    span = bad["diagnostics"][0]["span"]
    assert FILE == span["file"]
    assert bad["text"].startswith(
        f"{FILE}:{span['start_line']}:{span['start_col']}: {bad['diagnostics'][0]['code']}"
    )
    assert "^" in bad["text"]
    assert before == client.get(RULESET).json


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("", "没有找到"),
        ("zh-CN,zh;q=0.9", "没有找到"),
        ("en", "Not found"),
        ("en-GB,en;q=0.8,zh;q=0.2", "Not found"),
        ("zh;q=0.2,en;q=0.1", "没有找到"),
        ("fr", "没有找到"),
        ("fr, en;q=0.5", "Not found"),
        ("*", "没有找到"),
        ("garbage;;q=x,\x01", "没有找到"),
        ("zh-Hant-TW", "没有找到"),
    ],
)
def test_titles_are_in_the_language_that_is_asked_for(front: Front, header: str, title: str) -> None:
    answer = front.anyone().get("/nothing", headers={"Accept-Language": header})
    assert title == answer.json["title"]
    assert "没有地址" in answer.json["detail"], "details are Chinese: there is no English of them"
