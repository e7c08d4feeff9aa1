"""Products and their stock at Huiju."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.errors import Missing
from channels.huiju.increments import Call

Payload = dict[str, Any]


class Products:
    """List products and look them up.

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def add(self, product: Mapping[str, Any], *, idempotency_key: str) -> Payload:
        """List a product and return ``productId``, ``repeated`` and ``skuList``.

        Never sent twice by itself: where the answer was lost, EffectUnknown comes up and ``find`` tells what happened.

        Args:
            product: Keys of the profile's ``product_add`` request.
            idempotency_key: The same text for the same product and content, new when the content changes.

        Raises:
            AlreadyListed: The Youzan product is listed already (R15).
            BusinessRefusal: The channel declines the content; ``code`` says why.
            EffectUnknown: No clear answer came; look the product up before sending it again.
        """
        return self._call("product_add", {**product, "idempotencyKey": idempotency_key})

    def get(self, *, out_product_id: str | None = None, product_id: str | None = None) -> Payload:
        """Return a product by its Youzan id or its Huiju id.

        Raises:
            Missing: There is no such product.
        """
        return dict(
            self._call("product_get", {"outProductId": out_product_id, "productId": product_id})["product"]
        )

    def find(self, out_product_id: str) -> Payload | None:
        """Return the product that lists a Youzan product, or None where it isn't listed."""
        try:
            return self.get(out_product_id=out_product_id)
        except Missing:
            return None


class Stock:
    """Read and change Huiju's own stock, which Youzan's doesn't touch (R34).

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def query(self, product_id: str) -> list[Payload]:
        """Return one row per SKU: ``skuId``, ``outSkuId``, ``stock``."""
        return list(self._call("stock_query", {"productId": product_id})["stockList"])

    def set(self, sku_id: str, stock: int) -> int | None:
        """Set the stock of a SKU and return it, None where the channel does not say."""
        return self._change(sku_id, "set", stock)

    def increase(self, sku_id: str, by: int) -> int | None:
        """Raise the stock of a SKU and return it, None where the channel does not say."""
        return self._change(sku_id, "increase", by)

    def decrease(self, sku_id: str, by: int) -> int | None:
        """Lower the stock of a SKU and return it, None where the channel does not say."""
        return self._change(sku_id, "decrease", by)

    def _change(self, sku_id: str, how: str, stock: int) -> int | None:
        now = self._call("stock_update", {"skuId": sku_id, "changeType": how, "stock": stock}).get("stock")
        return None if now is None else int(now)
