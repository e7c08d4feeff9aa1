"""Uploads: every row gets its outcome once, whatever else happens at the same time (R15–R17)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import delete, func, select

from engine.errors import ShelfgateError
from mappings.report import formats
from pipeline.actors import Actor
from pipeline.store import DecisionRow, Listing, OutboxItem, Product, Upload, UploadFile
from pipeline.uploads import check as uploads_check
from pipeline.uploads.check import check_upload
from pipeline.uploads.receiving import UploadRefused, UploadUnknown, received_file
from pipeline.uploads.report import upload_report, upload_workbook
from pipeline.uploads.rows import decisions_from
from pipeline.uploads.sending import listing_sending

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]
EXAMPLES = Path(__file__).parents[3] / "examples"


def expected() -> dict[int, str]:
    with (EXAMPLES / "expected.csv").open(encoding="utf-8", newline="") as lines:
        return {int(line["row"]): line["outcome"] for line in csv.DictReader(lines)}


def page_of(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def corrected(content: bytes, changes: dict[str, dict[int, str]]) -> bytes:
    """Correct a report in place, by product id, as a person does."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for row in book.worksheets[0].iter_rows(min_row=2):
        for place, value in changes.get(str(row[0].value), {}).items():
            row[place - 1].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_file_is_kept_as_it_came(desk: Any, example: bytes) -> None:
    upload_id = desk.receive(example, "三月.xlsx").upload_id
    assert ("三月.xlsx", example) == received_file(desk.store, upload_id)
    with desk.store.read() as session:
        upload = session.get(Upload, upload_id)
    assert ("received", "u1", "王小美", len(example)) == (
        upload.state, upload.actor_id, upload.actor_name, upload.size,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (Actor("u2", "访客", "viewer", "38405005"), "只读成员"),
        (Actor("u3", "外人", "admin", "1"), "其他店铺"),
    ],
)
def test_who_may_not_upload_is_refused(desk: Any, actor: Actor, words: str) -> None:
    with pytest.raises(UploadRefused, match=words):
        desk.receive(b"x", actor=actor)
    with desk.store.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(UploadFile))


def test_every_row_of_the_example_gets_the_outcome_that_the_rules_give_it(desk: Any, example: bytes) -> None:
    """R16: what passes is on its way, what does not is told."""
    upload_id = desk.check(example)
    found = {"queued": "accepted"}
    assert expected() == {number: found.get(state, state) for number, state in desk.states(upload_id).items()}
    assert ("pushing", 89, 54) == (
        desk.progress(upload_id).state, desk.progress(upload_id).checked, desk.progress(upload_id).to_push,
    )  # fmt: skip


def test_each_row_has_its_decisions_with_version_and_moment(desk: Any, example: bytes) -> None:
    upload_id = desk.check(example)
    row = desk.rows(upload_id)[15]
    with desk.store.read() as session:
        upload = session.get(Upload, upload_id)
        kept = session.get(DecisionRow, row.decision_id)
    decisions = decisions_from(kept.content)
    channel = desk.rulebook.channels["huiju"]
    assert ["huiju/eligibility", "huiju/spec-mapping"] == [decision.ruleset for decision in decisions]
    assert [channel.rulesets["eligibility"].version, channel.rulesets["spec-mapping"].version] == [
        decision.version for decision in decisions
    ]
    assert {upload.as_of} == {decision.as_of for decision in decisions}
    assert "色颜" in row.reason
    assert "huiju/eligibility/spec-name-not-of-product" in {
        finding.rule for decision in decisions for finding in decision.findings
    }


def test_rows_that_simply_pass_share_one_decision(desk: Any, sheet: Sheet, good_rows: Rows) -> None:
    upload_id = desk.check(sheet(good_rows))
    assert 1 == len({row.decision_id for row in desk.rows(upload_id).values()})


def test_what_passes_is_sent_once_and_claims_its_listing(desk: Any, sheet: Sheet, good_rows: Rows) -> None:
    upload_id = desk.check(sheet(good_rows))
    check_upload(desk.checking(), upload_id)
    assert [(upload_id, number, row[0]) for number, row in enumerate(good_rows, 2)] == desk.sending.sent
    with desk.store.read() as session:
        wanted = select(Listing).where(Listing.upload_id == upload_id)
        listing = next(item for item in session.scalars(wanted) if item.product_id == good_rows[0][0])
    assert ("reserved", 2, good_rows[0][0]) == (listing.state, listing.row_number, listing.snapshot["id"])


def test_a_check_that_ends_anywhere_goes_on_where_it_was(
    desk: Any, sheet: Sheet, good_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R16: a chunk is kept as a whole or not at all."""
    monkeypatch.setattr(uploads_check, "CHUNK", 7)
    content = sheet(good_rows[:30])
    upload_id = desk.receive(content).upload_id
    whole = desk.sending.enqueue
    for room in (3, 5, 12, 17):
        left = [room]

        def enqueue(*arguments: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            whole(*arguments)

        before, desk.sending.sent = desk.sending.sent, []
        desk.sending.enqueue = enqueue
        with pytest.raises(KeyboardInterrupt):
            check_upload(desk.checking(), upload_id)
        # What was kept is a whole number of chunks; the rest of what was sent went with its transaction.
        kept = desk.rows(upload_id)
        assert 0 == len(kept) % 7
        desk.sending.sent = [*before, *(item for item in desk.sending.sent if item[1] in kept)]
        assert "checking" == desk.progress(upload_id).state
    desk.sending.enqueue = whole
    check_upload(desk.checking(), upload_id)
    assert [(upload_id, number, row[0]) for number, row in enumerate(good_rows[:30], 2)] == desk.sending.sent
    assert {"queued"} == set(desk.states(upload_id).values())


def test_two_processes_on_one_upload_decide_each_row_once(
    desk: Any, sheet: Sheet, good_rows: Rows, in_threads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_check, "CHUNK", 5)
    upload_id = desk.receive(sheet(good_rows)).upload_id
    in_threads(3, lambda _number: check_upload(desk.checking(), upload_id))
    assert sorted(row[0] for row in good_rows) == sorted(product for _, _, product in desk.sending.sent)
    assert {"queued"} == set(desk.states(upload_id).values())


def test_of_two_uploads_at_once_each_product_goes_with_one_and_the_loser_says_why(
    desk: Any, sheet: Sheet, good_rows: Rows, in_threads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: the unique constraint decides, not who looked first."""
    monkeypatch.setattr(uploads_check, "CHUNK", 5)
    uploads = [
        desk.receive(sheet(good_rows), "甲.xlsx").upload_id,
        desk.receive(sheet(good_rows[::-1]), "乙.xlsx").upload_id,
    ]
    assert uploads[0] != uploads[1]
    in_threads(2, lambda number: check_upload(desk.checking(), uploads[number]))
    assert sorted(row[0] for row in good_rows) == sorted(product for _, _, product in desk.sending.sent)
    rows = [row for upload_id in uploads for row in desk.rows(upload_id).values()]
    lost = [row for row in rows if row.state == "rejected"]
    assert len(good_rows) == len(lost)
    for row in lost:
        other = uploads[1 - uploads.index(row.upload_id)]
        assert f"编号 {other}）第 " in row.reason
        assert "王小美" in row.reason


def test_a_listed_product_is_refused_in_an_upload_that_corrects_nothing(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    desk.list_all(desk.check(sheet(good_rows[:2])))
    again = desk.check(sheet(good_rows[:3]), "别的.xlsx")
    assert {2: "rejected", 3: "rejected", 4: "queued"} == desk.states(again)
    assert "已经上架到惠聚" in desk.rows(again)[2].reason


def test_the_same_file_is_recognised_while_it_is_on_its_way(desk: Any, sheet: Sheet, good_rows: Rows) -> None:
    first = desk.receive(sheet(good_rows[:2]))
    second = desk.receive(sheet(good_rows[:2]), "换了名字.xlsx")
    assert (first.upload_id, False) == (second.upload_id, second.is_new)
    assert "同一个文件已于" in second.remark
    assert "仍在处理" in second.remark


def test_the_same_file_sent_twice_at_once_is_one_upload(
    desk: Any, sheet: Sheet, good_rows: Rows, in_threads: Any
) -> None:
    found: list[str] = []
    content = sheet(good_rows[:2])
    in_threads(4, lambda _number: found.append(desk.receive(content).upload_id))
    assert 1 == len(set(found))


def test_the_same_file_again_lists_nothing_twice_and_says_so(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    """R16: a file may come again, a product may not."""
    content = sheet(good_rows[:3])
    first = desk.check(content)
    desk.list_all(first)
    received = desk.receive(content)
    check_upload(desk.checking(), received.upload_id)
    assert received.upload_id != first
    assert "王小美" in received.remark
    assert 3 == len(desk.sending.sent)
    rows = desk.rows(received.upload_id)
    assert [("listed", f"88{row[0]}") for row in good_rows[:3]] == [
        (row.state, row.channel_product_id) for row in rows.values()
    ]
    assert f"导入 {first} 第 2 行已上架，未重复处理" == rows[2].reason
    assert "done" == desk.progress(received.upload_id).state


def test_a_corrected_report_has_only_its_failing_rows_processed_again(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    """R17: the report itself, corrected in place, is sent back."""
    bad_brand, bad_spec = [*good_rows[1][:6], "1", good_rows[1][7]], [*good_rows[2]]
    bad_spec[1] = f"{bad_spec[1]}的"
    first = desk.check(sheet([good_rows[0], bad_brand, bad_spec, good_rows[3], good_rows[4]]))
    assert {2: "queued", 3: "rejected", 4: "rejected", 5: "queued", 6: "queued"} == desk.states(first)
    desk.list_all(first, refused=[6])
    assert "done_with_failures" == desk.progress(first).state
    report = upload_workbook(desk.store, first, desk.rulebook.channels["huiju"])
    page = page_of(report)
    assert [
        "不通过（原第 3 行）",
        "不通过（原第 4 行）",
        "渠道拒绝（原第 6 行）",
        "已上架（原第 2 行）",
        "已上架",
    ] == [page.cell(row, 9).value.replace("（原第 5 行）", "") for row in range(2, 7)]
    assert "标题含有违禁词" == page["J4"].value
    assert "按渠道给出的原因修改商品或这一行，再把报告上传一次" == page["K4"].value
    assert f"建议改为 规格名1：{bad_spec[1]} → {good_rows[2][1]}" in page["K3"].value

    content = corrected(report, {bad_brand[0]: {7: good_rows[1][6]}, bad_spec[0]: {2: good_rows[2][1]}})
    desk.sending.sent.clear()
    received = desk.receive(content, "上架 改.xlsx")
    assert (first, True) == (received.corrects, received.is_new)
    with desk.store.write() as session:  # a row that is left alone asks nothing of its product
        for row in (good_rows[0], good_rows[3]):
            session.delete(session.get(Product, ("38405005", row[0])))
    check_upload(desk.checking(), received.upload_id)
    assert [bad_brand[0], bad_spec[0], good_rows[4][0]] == [product for _, _, product in desk.sending.sent]
    desk.list_all(received.upload_id)
    assert {"listed"} == set(desk.states(received.upload_id).values())
    assert "done" == desk.progress(received.upload_id).state

    third = desk.receive(corrected(content, {bad_brand[0]: {6: "1"}}), "第三次.xlsx")
    check_upload(desk.checking(), third.upload_id)
    rows = {row.product_id: row for row in desk.rows(third.upload_id).values()}
    assert {"listed"} == {row.state for row in rows.values()}
    assert "表里改动的 类目ID 没有提交" in rows[bad_brand[0]].reason
    assert first in rows[good_rows[0][0]].reason


def test_a_file_that_cannot_be_read_fails_as_a_whole_and_says_what_to_do(desk: Any) -> None:
    upload_id = desk.check(b"PK\x03\x04 broken")
    found = desk.progress(upload_id)
    assert ("failed", 0) == (found.state, found.checked)
    assert found.failure
    again = desk.receive(b"PK\x03\x04 broken")
    assert (True, None) == (again.is_new, again.same_file)


def test_an_unreadable_cell_rejects_its_row_and_keeps_what_it_held(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    row = [*good_rows[0]]
    row[6] = "4.03E+20"
    upload_id = desk.check(sheet([row]))
    kept = desk.rows(upload_id)[2]
    assert ("rejected", "4.03E+20") == (kept.state, kept.cells["品牌ID"])
    assert "科学计数法" in kept.reason


def test_a_row_whose_payload_cannot_be_made_is_rejected_with_the_reason(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    def payload(_fact: Any) -> Any:
        raise ShelfgateError("SKU 没有价格；请在有赞补上")

    desk.sending.payload = payload
    upload_id = desk.check(sheet(good_rows[:1]))
    assert ("rejected", "SKU 没有价格；请在有赞补上") == (
        desk.rows(upload_id)[2].state, desk.rows(upload_id)[2].reason,
    )  # fmt: skip
    assert "done_with_failures" == desk.progress(upload_id).state


def test_a_product_whose_data_cannot_be_read_is_not_said_to_be_missing(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    with desk.store.write() as session:
        product = session.get(Product, ("38405005", good_rows[0][0]))
        product.payload = {"item_id": int(good_rows[0][0]), "price": "很贵"}
    upload_id = desk.check(sheet(good_rows[:1]))
    assert "的有赞数据无法读取" in desk.rows(upload_id)[2].reason


def test_names_in_the_place_of_ids_are_answered_with_the_id(desk: Any, sheet: Sheet, good_rows: Rows) -> None:
    row = [*good_rows[0]]
    with desk.store.read() as session:
        from pipeline.store import ReferenceSnapshot

        brands = (
            session.scalars(select(ReferenceSnapshot).where(ReferenceSnapshot.kind == "brands")).one().rows
        )
    row[6] = next(brand["name"] for brand in brands if brand["id"] == row[6])
    upload_id = desk.check(sheet([row]))
    page = page_of(upload_workbook(desk.store, upload_id, desk.rulebook.channels["huiju"]))
    assert f"建议改为 品牌ID：{row[6]} → {row[6]} [{good_rows[0][6]}]" in page["K2"].value
    assert row[6] == page["G2"].value


@pytest.mark.parametrize("name", ["csv", "json", "text"])
def test_the_outcome_is_reported_in_the_formats_of_a_check(
    desk: Any, sheet: Sheet, good_rows: Rows, name: str
) -> None:
    upload_id = desk.check(sheet([good_rows[0], [*good_rows[1][:6], "1", good_rows[1][7]], good_rows[2]]))
    desk.list_all(upload_id, refused=[4])
    report = upload_report(desk.store, upload_id, desk.rulebook.channels["huiju"])
    out = io.BytesIO()
    formats()[name].write(report, out)
    text = out.getvalue().decode("utf-8-sig")
    assert "品牌 ID 1 不在本店的惠聚数据中" in text
    assert "标题含有违禁词" in text
    assert (3, 1, 2) == (report.summary.total, report.summary.accepted, report.summary.rejected)


def test_an_upload_that_is_not_there_is_said_to_be_not_there(desk: Any) -> None:
    with pytest.raises(UploadUnknown, match="没有编号为 nope 的导入"):
        check_upload(desk.checking(), "nope")


def test_a_row_is_kept_for_sending_and_taken_up_again_after_it_came_to_nothing(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    """With what really sends: the same words again are the same item again, under the same key."""
    sending = listing_sending(desk.rulebook.channels["huiju"])
    first = desk.check(sheet(good_rows[:3]), sending=sending)
    with desk.store.write() as session:
        items = list(session.scalars(select(OutboxItem).order_by(OutboxItem.row_number)))
        assert [(first, 2), (first, 3), (first, 4)] == [(item.upload_id, item.row_number) for item in items]
        keys = [item.idempotency_key for item in items]
        for item in items[:2]:
            item.state = "failed"
        items[2].state, items[2].lease_holder = "sending", "w"
        session.execute(delete(Listing).where(Listing.upload_id == first))
    second = desk.check(sheet(good_rows[:4]), "改.xlsx", sending=sending)
    assert {2: "queued", 3: "queued", 4: "rejected", 5: "queued"} == desk.states(second)
    assert "同一内容正在发送" in desk.rows(second)[4].reason
    with desk.store.read() as session:
        items = list(session.scalars(select(OutboxItem).where(OutboxItem.upload_id == second)))
        assert set(keys[:2]) < {item.idempotency_key for item in items}
        claims = session.scalars(select(Listing.row_number).where(Listing.upload_id == second))
        assert [2, 3, 5] == sorted(claims)


def test_a_claim_that_waits_for_a_person_gives_way_to_a_corrected_row(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    sending = listing_sending(desk.rulebook.channels["huiju"])
    first = desk.check(sheet(good_rows[:1]), sending=sending)
    with desk.store.write() as session:
        item = session.scalars(select(OutboxItem)).one()
        item.state, item.last_error = "held", {"message": "系统繁忙"}
    second = desk.check(sheet(good_rows[:2]), "改.xlsx", sending=sending)
    assert {2: "queued", 3: "queued"} == desk.states(second)
    with desk.store.read() as session:
        held = session.scalars(select(Listing).where(Listing.product_id == good_rows[0][0])).one()
        assert (second, 2) == (held.upload_id, held.row_number)
    assert first != second


def test_two_rows_of_one_product_are_sent_once_even_where_no_rule_forbids_it(
    desk: Any, sheet: Sheet, good_rows: Rows
) -> None:
    """One product, one listing is a constraint of the store: whoever edits the rules can't lose it (R15)."""
    channel = desk.rulebook.channels["huiju"]
    rules = channel.rulesets["eligibility"]
    lax = replace(rules, rules=tuple(rule for rule in rules.rules if rule.common.id != "twice-in-upload"))
    edited = replace(channel, rulesets={**channel.rulesets, "eligibility": lax})
    desk.rulebook = replace(desk.rulebook, channels={"huiju": edited}, _evaluators={})
    upload_id = desk.check(sheet([good_rows[0], good_rows[1], good_rows[0]]))
    assert {2: "queued", 3: "queued", 4: "rejected"} == desk.states(upload_id)
    assert f"编号 {upload_id}）第 2 行提交" in desk.rows(upload_id)[4].reason
    assert 2 == len(desk.sending.sent)
