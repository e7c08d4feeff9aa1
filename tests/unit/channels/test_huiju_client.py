"""The Huiju client against the sandbox: products, stock, reference data, orders, parcels, after-sales."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from channels.errors import (
    AlreadyListed,
    BusinessRefusal,
    CannotDecrypt,
    CredentialsRefused,
    LimitExceeded,
    Missing,
    StateChanged,
)
from channels.huiju import HuijuClient, HuijuCredentials, load_profile
from channels.sandbox import Sandbox

Payload = dict[str, Any]


def code_of(name: str) -> str:
    return str(load_profile().codes[name].value)


class TestProducts:
    def test_a_product_that_was_added_can_be_looked_up_either_way(
        self, huiju: HuijuClient, product: Payload
    ) -> None:
        added = huiju.products.add(product, idempotency_key="k1")
        found = huiju.products.find("403680077")
        assert found is not None
        assert found == huiju.products.get(product_id=added["productId"])
        assert added["skuList"] == found["skuList"]
        as_sent = found | {
            "skuList": [{k: v for k, v in sku.items() if k != "skuId"} for sku in found["skuList"]]
        }
        assert product == {key: as_sent[key] for key in product}

    def test_the_same_key_and_content_gives_the_first_answer_again(
        self, huiju: HuijuClient, product: Payload
    ) -> None:
        first = huiju.products.add(product, idempotency_key="k1")
        again = huiju.products.add(product, idempotency_key="k1")
        assert (False, True) == (first["repeated"], again["repeated"])
        assert (first["productId"], first["skuList"]) == (again["productId"], again["skuList"])

    def test_a_listed_product_is_refused_under_another_key_and_the_listing_named(
        self, huiju: HuijuClient, product: Payload
    ) -> None:
        first = huiju.products.add(product, idempotency_key="k1")
        with pytest.raises(AlreadyListed) as caught:
            huiju.products.add(product, idempotency_key="k2")
        assert first["productId"] == caught.value.product_id

    def test_the_same_key_for_other_content_is_a_conflict(self, huiju: HuijuClient, product: Payload) -> None:
        huiju.products.add(product, idempotency_key="k1")
        with pytest.raises(BusinessRefusal) as caught:
            huiju.products.add(product | {"title": "另一条围巾"}, idempotency_key="k1")
        assert code_of("idempotency_conflict") == caught.value.code

    def test_a_product_of_the_seed_counts_as_listed(self, huiju: HuijuClient, product: Payload) -> None:
        with pytest.raises(AlreadyListed) as caught:
            huiju.products.add(product | {"outProductId": "403680079"}, idempotency_key="k")
        assert "777" == caught.value.product_id

    @pytest.mark.parametrize("same_key", [True, False])
    def test_many_at_once_list_a_product_once(
        self, sandbox: Sandbox, huiju: HuijuClient, product: Payload, same_key: bool
    ) -> None:
        """R15, across uploads that run at the same time."""

        def add(number: int) -> str:
            try:
                added = huiju.products.add(product, idempotency_key="k" if same_key else f"k{number}")
            except AlreadyListed as error:
                return error.product_id
            return str(added["productId"])

        with ThreadPoolExecutor(8) as workers:
            ids = set(workers.map(add, range(24)))
        assert {sandbox.huiju.state.listed["403680077"]} == ids
        assert 1 == len(sandbox.huiju.state.effects)

    def test_a_product_that_is_not_listed_is_not_found(self, huiju: HuijuClient) -> None:
        assert huiju.products.find("1") is None
        with pytest.raises(Missing):
            huiju.products.get(product_id="1")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"title": " "}, "title_invalid"),
            ({"title": "长" * 61}, "title_invalid"),
            ({"images": []}, "images_invalid"),
            ({"categoryId": "1"}, "category_missing"),
            ({"categoryId": "6057"}, "category_not_leaf"),
            ({"brandId": "999"}, "brand_missing"),
            ({"freightTemplateId": "1"}, "freight_template_missing"),
            ({"specList": []}, "spec_levels"),
            ({"specList": [{"specTemplateId": str(n)} for n in range(3)]}, "spec_levels"),
            ({"specList": [{"specTemplateId": "1003", "values": ["红"]}]}, "spec_template_missing"),
            (
                {"specList": [{"specTemplateId": "1001"}, {"specTemplateId": "1001"}]},
                "spec_template_repeated",
            ),
            ({"specList": [{"specTemplateId": "1001", "values": ["红", "蓝"]}]}, "skus_invalid"),
            ({"skuList": []}, "skus_invalid"),
        ],
    )
    def test_a_product_that_breaks_a_rule_is_refused_by_its_code(
        self, huiju: HuijuClient, product: Payload, change: Payload, code: str
    ) -> None:
        with pytest.raises(BusinessRefusal) as caught:
            huiju.products.add(product | change, idempotency_key="k")
        assert (code_of(code), "none", False) == (
            caught.value.code,
            caught.value.effect,
            caught.value.retryable,
        )
        assert huiju.products.find("403680077") is None

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"price": 0}, "price_invalid"),
            ({"stock": -1}, "stock_invalid"),
            ({"outSkuId": "36234761"}, "skus_invalid"),
            (
                {
                    "specs": [
                        {"specTemplateId": "1001", "value": "绿"},
                        {"specTemplateId": "1002", "value": "M"},
                    ]
                },
                "skus_invalid",
            ),
            (
                {
                    "specs": [
                        {"specTemplateId": "1001", "value": "蓝"},
                        {"specTemplateId": "1002", "value": "M"},
                    ]
                },
                "skus_invalid",
            ),
        ],
    )
    def test_a_sku_that_breaks_a_rule_is_refused_by_its_code(
        self, huiju: HuijuClient, product: Payload, change: Payload, code: str
    ) -> None:
        product["skuList"][0].update(change)
        with pytest.raises(BusinessRefusal) as caught:
            huiju.products.add(product, idempotency_key="k")
        assert code_of(code) == caught.value.code


class TestStock:
    def test_stock_can_be_set_raised_and_lowered(self, huiju: HuijuClient, product: Payload) -> None:
        product_id = huiju.products.add(product, idempotency_key="k")["productId"]
        first, second = huiju.stock.query(product_id)
        assert [9, 12, 10] == [
            huiju.stock.set(first["skuId"], 9),
            huiju.stock.increase(first["skuId"], 3),
            huiju.stock.decrease(first["skuId"], 2),
        ]
        assert [10, second["stock"]] == [row["stock"] for row in huiju.stock.query(product_id)]

    def test_stock_never_falls_below_nothing(self, huiju: HuijuClient, product: Payload) -> None:
        product_id = huiju.products.add(product, idempotency_key="k")["productId"]
        sku = huiju.stock.query(product_id)[0]["skuId"]
        with pytest.raises(BusinessRefusal, match="库存"):
            huiju.stock.decrease(sku, 6)
        assert 5 == huiju.stock.query(product_id)[0]["stock"]

    def test_a_sku_that_does_not_exist_is_missing(self, huiju: HuijuClient) -> None:
        with pytest.raises(Missing):
            huiju.stock.set("1", 1)


class TestReference:
    def test_every_kind_comes_whole_over_several_pages(self, huiju: HuijuClient) -> None:
        assert [str(number) for number in range(1, 121)] == [
            row["brandId"] for row in huiju.reference.brands()
        ]
        assert [(1, False), (2, False), (3, True)] == [
            (row["level"], row["leaf"]) for row in huiju.reference.categories()
        ]
        assert [
            {"freightTemplateId": "47428464001", "name": "全国包邮"}
        ] == huiju.reference.freight_templates()
        assert ["颜色", "尺码"] == [row["name"] for row in huiju.reference.spec_templates()]


class TestOrders:
    def test_increments_come_by_window_with_personal_fields_readable(
        self, huiju: HuijuClient, start: int
    ) -> None:
        windows = list(huiju.orders.updated(start, start + 1800))
        assert [["HJ1", "HJ2"], ["HJ3"]] == [[order["orderId"] for order in window] for window in windows]
        first = windows[0][0]
        assert ("收货人甲", "13800138000", "示例路1号") == (
            first["userName"],
            first["telNumber"],
            first["detailInfo"],
        )
        assert ("to_ship", 29801) == (first["orderStatus"], first["totalAmount"])

    def test_both_ends_of_a_span_are_included_and_nothing_beyond(
        self, huiju: HuijuClient, start: int
    ) -> None:
        def ids(since: int, until: int) -> list[str]:
            return [order["orderId"] for window in huiju.orders.updated(since, until) for order in window]

        assert ["HJ1"] == ids(start, start)
        assert ["HJ2"] == ids(start + 1, start + 60)
        assert [] == ids(start + 61, start + 1799)

    def test_small_pages_give_the_same_orders(self, huiju: HuijuClient, start: int) -> None:
        whole = next(huiju.orders.updated(start, start + 100))
        assert whole == next(huiju.orders.updated(start, start + 100, page_size=1))

    @pytest.mark.parametrize("size", [0, 51])
    def test_a_page_size_beyond_the_limit_is_not_even_sent(
        self, huiju: HuijuClient, start: int, size: int
    ) -> None:
        with pytest.raises(LimitExceeded) as caught:
            next(huiju.orders.updated(start, start, page_size=size))
        assert "none" == caught.value.effect

    def test_a_span_that_ends_before_it_begins_is_refused(self, huiju: HuijuClient, start: int) -> None:
        with pytest.raises(LimitExceeded):
            next(huiju.orders.updated(start, start - 1))

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"endUpdateTime": 1801}, "window_too_long"),
            ({"startUpdateTime": -92 * 86400, "endUpdateTime": -92 * 86400}, "window_too_old"),
            ({"pageSize": 51}, "page_size_too_large"),
            ({"pageNum": 0}, "bad_request"),
        ],
    )
    def test_the_channel_itself_refuses_what_the_client_would_not_send(
        self, huiju: HuijuClient, start: int, change: Payload, code: str
    ) -> None:
        window = {"startUpdateTime": 0, "endUpdateTime": 10, "pageNum": 1, "pageSize": 50} | change
        window = {k: v + start if k.endswith("UpdateTime") else v for k, v in window.items()}
        with pytest.raises(BusinessRefusal) as caught:
            huiju.call("order_increment", window)
        assert code_of(code) == caught.value.code

    def test_an_order_that_does_not_exist_is_missing(self, huiju: HuijuClient) -> None:
        with pytest.raises(Missing, match="HJ99"):
            huiju.orders.get("HJ99")

    def test_a_wrong_data_key_is_said_to_be_wrong(self, sandbox: Sandbox, clock: Callable[[], float]) -> None:
        known = sandbox.huiju.credentials
        wrong = HuijuCredentials(known.app_id, known.app_secret, "another-data-key")
        with (
            HuijuClient(wrong, base_url=sandbox.huiju.base_url, clock=clock) as client,
            pytest.raises(CannotDecrypt, match="dataKey"),
        ):
            client.orders.get("HJ1")


class TestShipping:
    def test_an_order_ships_line_by_line(self, huiju: HuijuClient) -> None:
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001", ["100"])
        assert "partly_shipped" == huiju.orders.get("HJ1")["orderStatus"]
        huiju.orders.deliver("HJ1", "中通快递", "ZT2000000002", ["101"])
        order = huiju.orders.get("HJ1")
        assert "shipped" == order["orderStatus"]
        assert [("SF1000000001", ["100"]), ("ZT2000000002", ["101"])] == [
            (parcel["deliverNumber"], parcel["lineIds"]) for parcel in order["logisticsList"]
        ]
        assert ("顺丰速运", "SF1000000001") == (order["deliverCompany"], order["deliverNumber"])

    @pytest.mark.parametrize(
        ("order", "company", "waybill", "lines", "code"),
        [
            ("HJ2", "顺丰速运", "SF1000000001", None, "already_shipped"),
            ("HJ3", "顺丰速运", "SF1000000001", None, "order_not_shippable"),
            ("HJ1", "顺丰速运", "单号 1", None, "waybill_invalid"),
            ("HJ1", " ", "SF1000000001", None, "waybill_invalid"),
            ("HJ1", "顺丰速运", "SF1000000001", ["999"], "line_missing"),
            ("HJ1", "顺丰速运", "SF1000000001", [], "line_missing"),
        ],
    )
    def test_what_can_not_be_shipped_is_refused_by_its_code(
        self, huiju: HuijuClient, order: str, company: str, waybill: str, lines: list[str] | None, code: str
    ) -> None:
        with pytest.raises(BusinessRefusal) as caught:
            huiju.orders.deliver(order, company, waybill, lines)
        assert code_of(code) == caught.value.code

    def test_a_shipped_line_does_not_ship_twice(self, huiju: HuijuClient) -> None:
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001", ["100"])
        with pytest.raises(StateChanged):
            huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000009", ["100", "101"])
        assert 1 == len(huiju.orders.get("HJ1")["logisticsList"])

    def test_parcels_can_be_added_corrected_and_removed(self, huiju: HuijuClient) -> None:
        extra = huiju.orders.add_parcel("HJ2", "中通快递", "ZT2000000002", ["200"])
        huiju.orders.update_parcel("HJ2", extra, "圆通速递", "YT3000000003")
        assert "YT3000000003" == huiju.orders.get("HJ2")["logisticsList"][1]["deliverNumber"]
        huiju.orders.remove_parcel("HJ2", extra)
        assert 1 == len(huiju.orders.get("HJ2")["logisticsList"])

    def test_the_only_parcel_of_a_line_stays(self, huiju: HuijuClient) -> None:
        with pytest.raises(StateChanged, match="唯一包裹"):
            huiju.orders.remove_parcel("HJ2", "HJ2-1")

    def test_parcels_of_an_order_that_is_not_shipped_or_of_none_are_refused(self, huiju: HuijuClient) -> None:
        with pytest.raises(StateChanged):
            huiju.orders.add_parcel("HJ1", "中通快递", "ZT2000000002")
        with pytest.raises(Missing):
            huiju.orders.update_parcel("HJ2", "nothing", "中通快递", "ZT2000000002")

    def test_shipping_moves_the_order_into_the_window_of_now(
        self, huiju: HuijuClient, clock: Callable[[], float]
    ) -> None:
        before = int(clock())
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
        window = next(huiju.orders.updated(before, int(clock()) + 1))
        assert [("HJ1", "shipped")] == [(order["orderId"], order["orderStatus"]) for order in window]


FIRST, RETURN, AFTER_SHIPMENT = (f"2022031012000000000000{number:02d}" for number in (1, 2, 3))


class TestAfterSales:
    def test_increments_name_kind_status_and_order(self, huiju: HuijuClient, start: int) -> None:
        rows = next(huiju.after_sales.updated(start, start + 10))
        assert [
            (FIRST, "HJ1", "refund_only", "requested"),
            (RETURN, "HJ2", "return_refund", "requested"),
            (AFTER_SHIPMENT, "HJ2", "refund_only", "requested"),
        ] == [(r["afterSaleOrderId"], r["orderId"], r["afterSaleType"], r["afterSaleStatus"]) for r in rows]
        assert "13800138000" == rows[0]["contactTel"]

    def test_before_shipment_a_refund_can_not_be_rejected_but_shipping_closes_it(
        self, huiju: HuijuClient
    ) -> None:
        """R30."""
        with pytest.raises(BusinessRefusal) as caught:
            huiju.after_sales.reject(FIRST, remark="已备货")
        assert code_of("reject_before_shipment") == caught.value.code
        assert "requested" == huiju.after_sales.get(FIRST)["afterSaleStatus"]
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
        closed = huiju.after_sales.get(FIRST)
        assert ("closed", "shipment") == (closed["afterSaleStatus"], closed["closedBy"])

    def test_shipping_leaves_the_requests_of_other_orders_alone(self, huiju: HuijuClient) -> None:
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
        assert "requested" == huiju.after_sales.get(AFTER_SHIPMENT)["afterSaleStatus"]

    def test_agreeing_before_shipment_refunds_and_closes_the_order(self, huiju: HuijuClient) -> None:
        assert "succeeded" == huiju.after_sales.agree(FIRST)["afterSaleStatus"]
        assert "closed" == huiju.orders.get("HJ1")["orderStatus"]
        with pytest.raises(StateChanged):
            huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")

    def test_after_shipment_a_refund_can_be_rejected(self, huiju: HuijuClient) -> None:
        assert "rejected" == huiju.after_sales.reject(AFTER_SHIPMENT, reason_code="1")["afterSaleStatus"]

    def test_a_return_goes_there_and_back(self, sandbox: Sandbox, huiju: HuijuClient) -> None:
        assert "waiting_return" == huiju.after_sales.agree(RETURN)["afterSaleStatus"]
        with pytest.raises(StateChanged):
            huiju.after_sales.confirm_return(RETURN)
        sandbox.huiju.buyer.return_goods(RETURN)
        assert "succeeded" == huiju.after_sales.confirm_return(RETURN)["afterSaleStatus"]

    def test_returned_goods_can_be_refused(self, sandbox: Sandbox, huiju: HuijuClient) -> None:
        huiju.after_sales.agree(RETURN)
        sandbox.huiju.buyer.return_goods(RETURN)
        assert "return_rejected" == huiju.after_sales.reject_return(RETURN)["afterSaleStatus"]

    def test_a_withdrawn_request_can_no_longer_be_decided(self, sandbox: Sandbox, huiju: HuijuClient) -> None:
        sandbox.huiju.buyer.withdraw(FIRST)
        with pytest.raises(StateChanged):
            huiju.after_sales.agree(FIRST)

    def test_an_after_sale_that_does_not_exist_is_missing(self, huiju: HuijuClient) -> None:
        with pytest.raises(Missing):
            huiju.after_sales.get("1")


class TestBuyer:
    def test_an_order_takes_from_huijus_own_stock_and_runs_its_course(
        self, sandbox: Sandbox, huiju: HuijuClient, product: Payload
    ) -> None:
        """R34: Youzan's stock is not touched."""
        product_id = huiju.products.add(product, idempotency_key="k")["productId"]
        buyer = sandbox.huiju.buyer
        order_id = buyer.place_order("403680077", count=2, paid=False)
        assert 3 == huiju.stock.query(product_id)[0]["stock"]
        assert 5 == sandbox.youzan.state.items["403680077"]["sku_list"][0]["stock_num"]
        buyer.pay(order_id)
        huiju.orders.deliver(order_id, "顺丰速运", "SF1000000001")
        buyer.receive(order_id)
        assert "done" == huiju.orders.get(order_id)["orderStatus"]
        after_sale_id = buyer.request(order_id, kind="return_refund", amount=100)
        huiju.after_sales.agree(after_sale_id)
        buyer.time_out(after_sale_id)
        assert "timeout" == huiju.after_sales.get(after_sale_id)["closedBy"]


class TestProbe:
    """R4: credentials are tried before they are kept."""

    def test_good_credentials_are_told_from_a_wrong_data_key(
        self, sandbox: Sandbox, huiju: HuijuClient, clock: Callable[[], float]
    ) -> None:
        assert huiju.probe()
        known = sandbox.huiju.credentials
        wrong = HuijuCredentials(known.app_id, known.app_secret, "another-data-key")
        with (
            HuijuClient(wrong, base_url=sandbox.huiju.base_url, clock=clock) as client,
            pytest.raises(CannotDecrypt),
        ):
            client.probe()

    def test_without_orders_the_data_key_is_said_to_be_untried(self, huiju: HuijuClient) -> None:
        assert not huiju.probe(windows=1)

    def test_a_wrong_secret_is_refused_by_the_channel(
        self, sandbox: Sandbox, clock: Callable[[], float]
    ) -> None:
        known = sandbox.huiju.credentials
        wrong = HuijuCredentials(known.app_id, "wrong-secret", known.data_key)
        with (
            HuijuClient(wrong, base_url=sandbox.huiju.base_url, clock=clock) as client,
            pytest.raises(CredentialsRefused),
        ):
            client.probe()
