"""Acting on orders and after-sales, through rules, outbox and worker to the marketplace and back (R21–R24, R27, R30, R32)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from channels.sandbox.faults import Fault, FaultPlan
from pipeline.actors import Actor
from pipeline.orders import intake
from pipeline.orders.actions import ActionRefused, ActionUnknown, ActorRefused
from pipeline.orders.after_sales import AfterSaleUnknown
from pipeline.orders.orders import OrderUnknown
from pipeline.orders.requests import EditLogistics, Parcel, RequestInvalid, Ship
from pipeline.sending.releasing import NotHeld, release_sending
from pipeline.sending.sendings import SendingUnknown, find_sending, list_sendings
from pipeline.store import AuditEntry, OutboxItem

SHOP = "38405005"
AMY = Actor("u1", "王小美", "operator", SHOP)
DELIVER, DETAIL, AUDIT = "/order/deliver", "/order/detail", "/aftersale/audit"
BEFORE_EFFECT = (Fault.DROPPED, Fault.SERVER_ERROR, Fault.RATE_LIMITED)
AFTER_EFFECT = (
    Fault.REPLY_LOST,
    Fault.REPLY_CUT,
    Fault.REPLY_GARBLED,
    Fault.ERROR_AFTER_EFFECT,
    Fault.DELIVERED_TWICE,
)


def refused(act: Callable[[], Any]) -> Any:
    """Give the state of the action that is refused."""
    with pytest.raises(ActionRefused) as caught:
        act()
    return caught.value.state


def outbox(office: Any) -> list[OutboxItem]:
    with office.store.read() as session:
        return list(session.scalars(select(OutboxItem)))


class TestShip:
    def test_an_order_with_an_open_refund_request_closes_the_request_once(self, office: Any) -> None:
        """R30, R27: the marketplace has the waybill, the request is closed by the shipment."""
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        assert ("requested", None) == office.state(request)
        sent = office.work(office.ship(order_id, "SF-2022-01"))
        assert ("done", "") == (sent.state, sent.error)
        assert [("SF-2022-01", ["L10", "L11"])] == office.parcels(order_id)
        assert ([order_id], ("closed", "shipment")) == (
            office.effects("order_deliver"),
            office.state(request),
        )
        assert "shipped" == office.order(order_id).fact["status"]
        assert office.there() == office.states()
        closing = [event for event in office.after_sale(request).events if event.event == "order_shipped"]
        assert 1 == len(closing)

    @pytest.mark.parametrize("fault", [*BEFORE_EFFECT, *AFTER_EFFECT])
    def test_once_whatever_goes_wrong_on_the_way(self, fault: Fault, office: Any, sandbox: Any) -> None:
        """R27, R30: what may have arrived is looked for, not sent again."""
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        sandbox.huiju.faults.next([fault], DELIVER)
        calls = office.listen()
        sent = office.work(office.ship(order_id, "SF100"))
        assert "done" == sent.state
        delivered = calls.count(DELIVER)
        assert (2 if fault in BEFORE_EFFECT else 1) == delivered
        assert ([order_id], [("SF100", ["L10", "L11"])]) == (
            office.effects("order_deliver"),
            office.parcels(order_id),
        )
        assert ("closed", "shipment") == office.state(request)
        assert office.there() == office.states()

    @pytest.mark.parametrize("path", [DETAIL, "/aftersale/detail"])
    def test_an_answer_that_is_lost_after_the_parcel_has_left_costs_no_second_parcel(
        self, path: str, office: Any, sandbox: Any
    ) -> None:
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        sandbox.huiju.faults.next([Fault.REPLY_LOST, Fault.SERVER_ERROR], path)
        assert "done" == office.work(office.ship(order_id)).state
        assert ([order_id], ("closed", "shipment")) == (
            office.effects("order_deliver"),
            office.state(request),
        )

    def test_line_by_line(self, office: Any) -> None:
        """R27: the rest may follow later; each line once."""
        order_id = office.place(lines=3)
        office.sync()
        assert "done" == office.work(office.ship(order_id, "SF100", lines=(("L11",),))).state
        shown = office.order(order_id)
        assert "partly_shipped" == shown.fact["status"]
        assert [False, True, False] == [line["shipped"] for line in shown.fact["lines"]]
        with pytest.raises(RequestInvalid, match="商品行 L11 已经发出"):
            office.ship(order_id, "SF200", lines=(("L11",),))
        assert "done" == office.work(office.ship(order_id, "SF300")).state
        assert [("SF100", ["L11"]), ("SF300", ["L10", "L12"])] == office.parcels(order_id)
        assert "shipped" == office.order(order_id).fact["status"]
        assert "shipped-already" in refused(lambda: office.ship(order_id, "SF400")).rule

    def test_in_several_parcels_at_once(self, office: Any, sandbox: Any) -> None:
        """R27, R30: a fault between them repeats none; the request closes with the first."""
        order_id = office.place(lines=3)
        request = office.ask(order_id)
        office.sync()
        parcels = (("L10",), ("L11", "L12"))
        accepted = office.ship(order_id, "SF100", "SF200", lines=parcels)
        sandbox.huiju.faults.next([Fault.DELIVERED_TWICE, Fault.REPLY_LOST], DELIVER)
        assert "done" == office.work(accepted).state
        assert [("SF100", ["L10"]), ("SF200", ["L11", "L12"])] == office.parcels(order_id)
        assert ("closed", "shipment") == office.state(request)
        assert ["SF100", "SF200"] == [item["waybill"] for item in office.order(order_id).shipments]

    def test_a_parcel_that_the_channel_refuses_after_another_has_left_is_told_and_the_other_is_kept(
        self, office: Any
    ) -> None:
        """R27: the channel wants at least four characters; what has left is not forgotten for it."""
        order_id = office.place()
        office.sync()
        sent = office.work(office.ship(order_id, "SF100", "A-1", lines=(("L10",), ("L11",))))
        assert "refused" == sent.state
        assert "运单号或物流公司无效" in sent.error
        shown = office.order(order_id)
        assert ("partly_shipped", ["SF100"]) == (
            shown.fact["status"],
            [item["waybill"] for item in shown.shipments],
        )
        assert "enabled" == shown.verdict.action("ship").state

    def test_shipped_meanwhile_by_someone_else_is_refused_with_what_it_is_now(
        self, office: Any, sandbox: Any
    ) -> None:
        """R27: in the channel's back office, with another waybill."""
        order_id = office.place()
        office.sync()
        with office.client() as client:
            client.orders.deliver(order_id, "中通快递", "ZT900")
        sent = office.work(office.ship(order_id))
        assert "refused" == sent.state
        assert "商品已发货" in sent.error
        assert "商品已经全部发出，不能再次发货" in sent.error
        shown = office.order(order_id)
        assert ("shipped", ["ZT900"]) == (
            shown.fact["status"],
            [item["waybill"] for item in shown.shipments],
        )
        assert [("ship", "refused")] == [entry[:2] for entry in office.audit()[-1:]]

    def test_shipped_meanwhile_with_the_very_same_waybill_is_done(self, office: Any) -> None:
        order_id = office.place()
        office.sync()
        with office.client() as client:
            client.orders.deliver(order_id, "顺丰速运", "SF100")
        assert "done" == office.work(office.ship(order_id, "SF100")).state
        assert 1 == len(office.parcels(order_id))

    def test_closed_meanwhile_is_refused(self, office: Any) -> None:
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        with office.client() as client:
            client.after_sales.agree(request)
        sent = office.work(office.ship(order_id))
        assert ("refused", True) == (sent.state, "订单已关闭" in sent.error)
        assert ([], "closed") == (office.parcels(order_id), office.order(order_id).fact["status"])

    def test_a_snapshot_from_before_that_arrives_after_moves_nothing_back(
        self, office: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R30: an intake reads the page, the shipment overtakes it, then the page is kept."""
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        with sandbox.huiju.state.lock:  # both changed in the very second of what follows
            sandbox.huiju.state.touch(sandbox.huiju.state.orders[order_id])
            sandbox.huiju.state.touch(sandbox.huiju.state.after_sales[request])
        overtaken: list[int] = []
        read = intake._Intake.window

        def window(self: Any, kind: Any, since: Any, end: Any, result: Any) -> None:
            source = self.client.orders if kind == "orders" else self.client.after_sales
            updated = source.updated

            def slow(*span: int) -> Any:
                found = list(updated(*span))
                if any(found) and not overtaken:
                    overtaken.append(1)
                    assert "done" == office.work(office.ship(order_id)).state
                return iter(found)

            source.updated = slow
            read(self, kind, since, end, result)
            source.updated = updated

        monkeypatch.setattr(intake._Intake, "window", window)
        office.sync()
        assert [1] == overtaken
        assert {order_id: "shipped", request: ("closed", "shipment")} == office.states()

    @pytest.mark.parametrize(
        ("parcels", "field", "message"),
        [
            ([("顺丰速运", "SF 100")], "parcels[0].waybill", "包裹的运单号 SF 100 中有 空格；只能是字母、数字和连字符"),
            ([("顺丰速运", "ＳＦ100")], "parcels[0].waybill", "包裹的运单号 ＳＦ100 中有 Ｓ、Ｆ"),
            ([("顺丰速运", "")], "parcels[0].waybill", "包裹的运单号要填写"),
            ([(" ", "SF100")], "parcels[0].carrier", "包裹的物流公司要填写"),
            ([], "parcels", "一次发 1～50 个包裹，这里有 0 个"),
            ([("顺丰速运", "SF100", "L99")], "parcels[0].line_ids", "包裹的商品行 L99 不在订单里"),
            (
                [("顺丰速运", "SF1", "L10"), ("顺丰速运", "SF2", "L10")],
                "parcels[1].line_ids",
                "商品行 L10 写了两次，第 1 个包裹里已有",
            ),
            (
                [("顺丰速运", "SF1", "L10"), ("顺丰速运", "SF1", "L11")],
                "parcels[1].waybill",
                "第 2 个包裹的运单号 SF1 与第 1 个包裹相同",
            ),
            ([("顺丰速运", "SF1", "L10"), ("顺丰速运", "SF2")], "parcels[1].line_ids", "第 2 个包裹没有写装哪些商品行"),
        ],
    )  # fmt: skip
    def test_a_request_that_is_filled_in_wrong_is_told_field_by_field(
        self, parcels: list[tuple[str, ...]], field: str, message: str, office: Any
    ) -> None:
        """R27: nothing of it is sent or kept."""
        order_id = office.place()
        office.sync()
        made = Ship(
            tuple(
                Parcel(*first, tuple(lines)) for *first, lines in ((*item[:2], item[2:]) for item in parcels)
            )
        )
        with pytest.raises(RequestInvalid) as caught:
            office.order_action(order_id, "ship", made)
        assert [(field, True)] == [
            (item.field, item.message.startswith(message)) for item in caught.value.problems
        ]
        assert [] == outbox(office)
        assert [("ship", "refused", caught.value.message)] == office.audit()


class TestEditLogistics:
    def test_a_wrong_waybill_is_corrected(self, office: Any, sandbox: Any) -> None:
        """R27: also where the answer is lost."""
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id, "SF100"))
        sandbox.huiju.faults.next([Fault.REPLY_LOST], "/order/logistics/update")
        sent = office.work(
            office.order_action(order_id, "edit_logistics", EditLogistics("中通快递", "ZT200"))
        )
        assert "done" == sent.state
        assert [("ZT200", ["L10", "L11"])] == office.parcels(order_id)
        assert ["ZT200"] == [item["waybill"] for item in office.order(order_id).shipments]

    def test_which_parcel_is_meant_must_be_clear(self, office: Any) -> None:
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id, "SF100", "SF200", lines=(("L10",), ("L11",))))
        for parcel, message in (("", "没有写明是哪个包裹"), ("SF999", "没有包裹 SF999")):
            with pytest.raises(RequestInvalid, match=message):
                office.order_action(order_id, "edit_logistics", EditLogistics("中通快递", "ZT1-0", parcel))
        with pytest.raises(RequestInvalid, match="运单号 SF100 与这个订单的另一个包裹相同"):
            office.order_action(order_id, "edit_logistics", EditLogistics("顺丰速运", "SF100", "SF200"))
        office.work(
            office.order_action(order_id, "edit_logistics", EditLogistics("中通快递", "ZT1-0", "SF200"))
        )
        assert ["SF100", "ZT1-0"] == [waybill for waybill, _ in office.parcels(order_id)]

    def test_received_meanwhile_is_refused_with_what_it_is_now(self, office: Any, sandbox: Any) -> None:
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id, "SF100"))
        sandbox.huiju.buyer.receive(order_id)
        sent = office.work(
            office.order_action(order_id, "edit_logistics", EditLogistics("中通快递", "ZT200"))
        )
        assert ("refused", "done") == (sent.state, office.order(order_id).fact["status"])
        assert "买家已确认收货" in sent.error


class TestDecide:
    def test_a_refund_cannot_be_rejected_before_shipment_and_nothing_is_sent(self, office: Any) -> None:
        """R30: refused here, naming shipping as the way, with nothing kept for later."""
        request = office.ask(office.place())
        office.sync()
        calls = office.listen()
        state = refused(lambda: office.decide(request, "reject", remark="已备货"))
        assert ("huiju/after-sale/reject-before-shipment", "R30") == (state.rule, state.source)
        assert [("ship", "发货后这个退款申请自动关闭")] == [
            (item.action, item.effect) for item in state.instead
        ]
        office.work()
        assert ([], []) == (outbox(office), calls)
        assert state == office.after_sale(request).verdict.action("reject")
        ((action, outcome, reason),) = office.audit()
        assert ("reject", "refused") == (action, outcome)
        assert "改为：发货后这个退款申请自动关闭" in reason

    def test_a_refused_command_hits_no_later_request(self, office: Any) -> None:
        """R30: the first request is withdrawn, the order shipped, a second one comes: it is still to be answered."""
        order_id = office.place()
        first = office.ask(order_id)
        office.sync()
        refused(lambda: office.decide(first, "reject"))
        office.sandbox.huiju.buyer.withdraw(first)
        office.sync()
        office.work(office.ship(order_id))
        second = office.ask(order_id)
        office.sync()
        office.work()
        assert (("closed", "buyer"), ("requested", None)) == (office.state(first), office.state(second))
        assert [] == office.effects("after_sale_audit")

    @pytest.mark.parametrize(
        ("kind", "path", "action", "after"),
        [
            ("refund_only", (), "agree", "succeeded"),
            ("refund_only", ("ship",), "reject", "rejected"),
            ("return_refund", ("ship",), "agree_return", "waiting_return"),
            ("return_refund", ("ship", "agree_return", "return"), "confirm_return", "succeeded"),
            ("exchange", ("ship", "agree_return", "return"), "reject_return", "return_rejected"),
        ],
    )
    @pytest.mark.parametrize("fault", [None, Fault.REPLY_LOST, Fault.DELIVERED_TWICE, Fault.DROPPED])
    def test_every_decision_reaches_the_channel_once(
        self, fault: Fault | None, kind: str, path: tuple[str, ...], action: str, after: str, office: Any, sandbox: Any
    ) -> None:  # fmt: skip
        """R32: and the channel's answer is what moves the state, of the order too."""
        order_id = office.place()
        office.sync()
        if "ship" in path:
            office.work(office.ship(order_id))
        request = office.ask(order_id, kind=kind)
        office.sync()
        for step in path:
            if step == "return":
                sandbox.huiju.buyer.return_goods(request)
                office.sync()
            elif step != "ship":
                office.work(office.decide(request, step))
        before = len(office.effects("after_sale_audit"))
        if fault is not None:
            sandbox.huiju.faults.next([fault], AUDIT)
        sent = office.work(office.decide(request, action, remark="同意" if "agree" in action else "不同意"))
        assert ("done", (after, None)) == (sent.state, office.state(request))
        assert before + 1 == len(office.effects("after_sale_audit"))
        assert office.there() == office.states()

    def test_a_request_that_changed_meanwhile_is_not_hit_by_what_was_meant_for_the_one_before(
        self, office: Any, sandbox: Any
    ) -> None:
        """R32: withdrawn, and decided by someone else; the decision was made on another state."""
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id))
        request = office.ask(order_id)
        office.sync()
        accepted = office.decide(request, "reject")
        sandbox.huiju.buyer.withdraw(request)
        sent = office.work(accepted)
        assert ("refused", ("closed", "buyer")) == (sent.state, office.state(request))
        assert "售后单在提交之前已经变化" in sent.error
        assert "售后单已关闭，不用再处理" in sent.error

    def test_a_request_asked_anew_meanwhile_is_left_to_be_looked_at(self, office: Any, sandbox: Any) -> None:
        """R30, R32: same number, same state, another time: nothing is decided that nobody has looked at."""
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id))
        request = office.ask(order_id)
        office.sync()
        accepted = office.decide(request, "reject")
        with sandbox.huiju.state.lock:
            row = sandbox.huiju.state.after_sales[request]
            row |= {"refundAmount": 100, "updateTime": row["updateTime"] + 5}
        sent = office.work(accepted)
        assert ("refused", ("requested", None)) == (sent.state, office.state(request))
        assert [] == office.effects("after_sale_audit")
        assert 100 == office.after_sale(request).fact["amount"]
        assert "done" == office.work(office.decide(request, "reject")).state

    def test_what_someone_else_has_decided_alike_is_done(self, office: Any) -> None:
        request = office.ask(office.place())
        office.sync()
        accepted = office.decide(request, "agree")
        with office.client() as client:
            client.after_sales.agree(request)
        assert "done" == office.work(accepted).state
        assert 1 == len(office.effects("after_sale_audit"))

    def test_a_race_that_the_channel_decides_is_looked_at_again(self, office: Any, sandbox: Any) -> None:
        """R32: between the look and the call the buyer withdraws; the channel refuses, the state is taken in."""
        order_id = office.place()
        office.sync()
        office.work(office.ship(order_id))
        request = office.ask(order_id)
        office.sync()
        accepted = office.decide(request, "reject")
        draw = sandbox.huiju.faults.draw

        def withdrawing(path: str) -> Any:
            if path.endswith(AUDIT):
                sandbox.huiju.buyer.withdraw(request)
            return draw(path)

        sandbox.huiju.faults.draw = withdrawing
        sent = office.work(accepted)
        assert ("refused", ("closed", "buyer")) == (sent.state, office.state(request))
        assert "售后单当前状态不能执行该操作" in sent.error

    def test_a_remark_that_is_too_long_is_told(self, office: Any) -> None:
        request = office.ask(office.place())
        office.sync()
        with pytest.raises(RequestInvalid, match="说明有 201 字，最多 200 字"):
            office.decide(request, "agree", remark="好" * 201)
        with pytest.raises(RequestInvalid, match="原因码 没货 只能是字母、数字和连字符"):
            office.decide(request, "agree", reason_code="没货")


class TestOnItsWay:
    def test_what_would_collide_is_greyed_and_refused_by_the_same_answer(self, office: Any) -> None:
        """R27, R32: until the channel has answered."""
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        office.ship(order_id)
        shown = office.order(order_id)
        assert ["ship"] == shown.fact["pending"]
        assert ["queued"] == [item.state for item in shown.sendings]
        state = refused(lambda: office.ship(order_id, "SF200"))
        assert ("huiju/order-actions/on-its-way", "渠道答复") == (state.rule, state.until)
        assert state == shown.verdict.action("ship")
        state = refused(lambda: office.decide(request, "agree"))
        assert "huiju/after-sale/on-its-way" == state.rule
        assert state == office.after_sale(request).verdict.action("agree")
        office.work()
        assert [order_id] == office.effects("order_deliver")

    def test_a_refund_that_is_being_agreed_to_holds_the_shipment_back(self, office: Any) -> None:
        """R30: else goods and money would both be gone."""
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        office.decide(request, "agree")
        assert "huiju/order-actions/on-its-way" == refused(lambda: office.ship(order_id)).rule
        office.work()
        assert {order_id: "closed", request: ("succeeded", None)} == office.states()

    def test_of_two_people_who_act_at_once_one_is_first(
        self, office: Any, in_threads: Callable[[int, Callable[[int], None]], None]
    ) -> None:
        """R27: the order is held while it is judged."""
        order_id = office.place()
        office.sync()
        done: list[str] = []

        def act(number: int) -> None:
            try:
                office.ship(order_id, f"SF{number}00")
                done.append("accepted")
            except ActionRefused as error:
                done.append(error.state.rule)

        in_threads(4, act)
        assert ["accepted", *["huiju/order-actions/on-its-way"] * 3] == sorted(done)
        office.work()
        assert 1 == len(office.parcels(order_id))

    def test_what_fails_stays_to_be_seen_until_someone_lets_it_go_on(self, office: Any, sandbox: Any) -> None:
        """R27: what, since when, how often, the last error; never lost, and never twice."""
        order_id = office.place()
        office.sync()
        accepted = office.ship(order_id)
        sandbox.huiju.faults.set(FaultPlan({Fault.SERVER_ERROR: 1.0}))
        sent = office.work(accepted)
        assert ("held", 3) == (sent.state, sent.attempts)
        assert "对方服务异常" in sent.error
        shown = office.order(order_id)
        assert [("ship", "held")] == [(item.action, item.state) for item in shown.sendings]
        assert "huiju/order-actions/on-its-way" == shown.verdict.action("ship").rule
        assert [sent] == list_sendings(office.store, SHOP)
        assert [("ship", "done"), *[("ship", "failed")] * 3] == [entry[:2] for entry in office.audit()]
        with pytest.raises(ActorRefused):
            release_sending(office.store, Actor("u2", "小李", "viewer", SHOP), accepted.item_id)
        with pytest.raises(SendingUnknown):
            release_sending(office.store, Actor("u3", "外人", "operator", "999"), accepted.item_id)
        sandbox.huiju.faults.clear()
        release_sending(office.store, AMY, accepted.item_id)
        assert "done" == office.work(accepted).state
        assert [order_id] == office.effects("order_deliver")
        with pytest.raises(NotHeld, match="现在是已完成，不用放行"):
            release_sending(office.store, AMY, accepted.item_id)

    def test_what_the_channel_refused_may_be_asked_for_again(self, office: Any) -> None:
        """R27: the very same request too, once the reason is gone."""
        order_id = office.place()
        office.sync()
        first = office.ship(order_id, "A-1")
        assert "refused" == office.work(first).state
        assert "enabled" == office.order(order_id).verdict.action("ship").state
        assert first.item_id == office.ship(order_id, "A-1").item_id


class TestWhoAndWhat:
    @pytest.mark.parametrize(
        "action", ["refund", "small_payout", "edit_consignee", "view_snapshot", "contact_buyer"]
    )
    def test_what_the_rules_restrict_is_refused_whoever_calls(self, action: str, office: Any) -> None:
        """R21, R22, R23, R24, R26: the senior administrator too, and with the reason that the list shows."""
        order_id = office.place()
        office.sync()
        boss = Actor("u0", "店长", "senior_admin", SHOP)
        state = refused(lambda: office.order_action(order_id, action, actor=boss))
        assert state == office.order(order_id).verdict.action(action)
        assert (state.action, "refused") == office.audit()[-1][:2]
        assert [] == outbox(office)

    def test_a_viewer_only_looks(self, office: Any) -> None:
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        viewer = Actor("u9", "小李", "viewer", SHOP)
        with pytest.raises(ActorRefused, match="只读成员不能处理订单"):
            office.ship(order_id, "SF100", actor=viewer)
        with pytest.raises(ActorRefused):
            office.decide(request, "agree", actor=viewer)
        assert [("ship", "refused"), ("agree", "refused")] == [entry[:2] for entry in office.audit()]

    def test_another_shops_order_is_as_unknown_as_none(self, office: Any) -> None:
        order_id = office.place()
        request = office.ask(order_id)
        office.sync()
        stranger = Actor("u8", "外人", "senior_admin", "999")
        own = office.order(order_id).id
        for id_ in (order_id, own, "nothing"):
            with pytest.raises(OrderUnknown) as caught:
                office.ship(id_, "SF100", actor=stranger)
            assert caught.value.message.startswith(f"没有订单 {id_}；")
        with pytest.raises(AfterSaleUnknown):
            office.decide(request, "agree", actor=stranger)
        assert [] == outbox(office)

    def test_an_action_that_there_is_not_is_named(self, office: Any) -> None:
        order_id = office.place()
        office.sync()
        with pytest.raises(ActionUnknown, match="没有操作 shipp；您是不是想写 'ship'|没有操作 shipp"):
            office.order_action(order_id, "shipp")

    def test_every_step_is_in_the_audit_trail_with_who_asked(
        self, office: Any, secrets: tuple[str, ...]
    ) -> None:
        """R27: accepted, each attempt, and the outcome; nothing private in it."""
        order_id = office.place()
        office.sync()
        office.sandbox.huiju.faults.next([Fault.REPLY_LOST], DELIVER)
        office.work(office.ship(order_id))
        assert [("ship", "done"), ("ship", "failed"), ("ship", "done")] == [
            entry[:2] for entry in office.audit()
        ]
        with office.store.read() as session:
            entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        assert {("u1", "王小美", "operator", SHOP, order_id)} == {
            (item.actor_id, item.actor_name, item.actor_role, item.shop_id, item.subject) for item in entries
        }
        assert ["accepted", "answered", "answered"] == [item.detail["step"] for item in entries]
        assert [] == [secret for secret in secrets if any(secret in str(item.detail) for item in entries)]

    def test_an_item_of_another_shop_is_unknown(self, office: Any) -> None:
        order_id = office.place()
        office.sync()
        accepted = office.ship(order_id)
        assert "queued" == find_sending(office.store, SHOP, accepted.item_id).state
        with pytest.raises(SendingUnknown):
            find_sending(office.store, "999", accepted.item_id)


def test_what_the_rules_allow_and_the_channel_has_no_call_for_is_refused_clearly(office: Any) -> None:
    """R23: as when someone takes the rule out; nothing pretends to be on its way."""
    order_id = office.place()
    office.sync()
    huiju = office.rulebook.channels["huiju"]
    ruleset = huiju.rulesets["order-actions"]
    without = tuple(rule for rule in ruleset.rules if rule.common.id != "no-merchant-refund")
    rulesets = {**huiju.rulesets, "order-actions": replace(ruleset, rules=without)}
    channels = {"huiju": replace(huiju, rulesets=rulesets)}
    office.rulebook = replace(office.rulebook, channels=channels, _evaluators={})
    assert "enabled" == office.order(order_id).verdict.action("refund").state
    state = refused(lambda: office.order_action(order_id, "refund"))
    assert ("disabled", "渠道没有这个操作的接口，请到渠道后台处理") == (state.state, state.reason)
    assert [] == outbox(office)
