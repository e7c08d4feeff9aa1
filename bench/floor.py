"""The floor: what a careful person would write by hand for the rules that are shipped, in `rules/huiju/eligibility.yaml`.

It gives the ids of the rules that a fact does not pass or that can't be decided. A rule that is not here, or says something else than
here, is named by the benchmark and left out of the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from bench.data import World

EMPTY: Mapping[str, Any] = {}


def by_hand(world: World) -> Callable[[Mapping[str, Any]], list[str]]:
    """Give the function, with the reference data at hand as sets."""
    tables = {name: frozenset(row["id"] for row in world.tables.rows(name) or ()) for name in
              ("categories", "brands", "freight_templates", "spec_templates")}  # fmt: skip
    categories, brands = tables["categories"], tables["brands"]
    freight_templates, spec_templates = tables["freight_templates"], tables["spec_templates"]
    leaves = frozenset(
        row["id"]
        for row in world.tables.rows("categories") or ()
        if row.get("level") == 3 and row.get("leaf") in {None, True}
    )
    listings: dict[str, list[str | None]] = {}
    for row in world.tables.rows("listings") or ():
        listings.setdefault(row["product_id"], []).append(row.get("shop_id"))
    counts = {} if world.batch is None else world.batch.counts.get("row.product_id", {})
    not_open = world.day <= date(2022, 2, 10)
    beta = date(2022, 2, 11) <= world.day <= date(2022, 3, 7)

    def failing(fact: Mapping[str, Any]) -> list[str]:
        bad: list[str] = []
        shop = fact.get("shop") or EMPTY
        if shop.get("edition") != "wsc_ecommerce":
            bad.append("shop-edition")
        if shop.get("admitted") is not True:
            bad.append("shop-not-admitted")
        if not_open and fact.get("shop") is not None:
            bad.append("not-open-yet")
        if beta and shop.get("beta_approved") is not True:
            bad.append("beta-not-approved")
        if shop.get("bound") is not True:
            bad.append("shop-not-bound")

        row = fact.get("row") or EMPTY
        product = fact.get("product") or EMPTY
        product_id = row.get("product_id")
        category_id = row.get("category_id")
        brand_id = row.get("brand_id")
        freight_template_id = row.get("freight_template_id")
        row_specs = row.get("specs")
        names: list[str | None] = []
        templates: list[str | None] = []
        for spec in row_specs or ():
            names.append(spec.get("name"))
            templates.append(spec.get("template_id"))
        if (
            product_id is None
            or category_id is None
            or brand_id is None
            or freight_template_id is None
            or row_specs is None
            or None in names
            or None in templates
        ):
            bad.append("row-incomplete")
        if category_id is not None:
            if category_id not in categories:
                bad.append("category-unknown")
            elif category_id not in leaves:
                bad.append("category-not-leaf")
        if brand_id is not None and brand_id not in brands:
            bad.append("brand-unknown")
        if freight_template_id is not None and freight_template_id not in freight_templates:
            bad.append("freight-template-unknown")
        if row_specs is None or any(
            template is not None and template not in spec_templates for template in templates
        ):
            bad.append("spec-template-unknown")
        if row_specs is None or (None not in names and len(set(names)) < len(names)):
            bad.append("spec-level-twice")
        if product_id is not None:
            if product.get("id") != product_id:
                bad.append("product-unknown")
            if product_id in listings:
                shop_id = shop.get("id")
                if any(
                    there is None or shop_id is None or there == shop_id for there in listings[product_id]
                ):
                    bad.append("listed-already")
            if counts.get(product_id, 0) > 1:
                bad.append("twice-in-upload")
        if product.get("id") is None:
            return bad

        specs = product.get("specs")
        own_names = None if specs is None else [spec.get("name") for spec in specs]
        two_levels = own_names is not None and 1 <= len(own_names) <= 2
        if not two_levels:
            bad.append("spec-levels")
        foreign = any(name is not None and (own_names is None or name not in own_names) for name in names)
        if row_specs is None or foreign:
            bad.append("spec-name-not-of-product")
        if own_names is None:
            if None not in names:
                bad.append("spec-level-missing")
        elif two_levels and (
            row_specs is None
            or (None not in names and not foreign and any(name not in names for name in own_names))
        ):
            bad.append("spec-level-missing")

        item_type = product.get("item_type")
        if item_type not in {"ordinary", "virtual", "e_voucher", "distribution"}:
            bad.append("not-ordinary-goods")
        if item_type is None or item_type == "virtual" or (
            product.get("is_virtual") is not False and item_type != "e_voucher"
        ):  # fmt: skip
            bad.append("virtual-goods")
        if item_type is None or item_type == "e_voucher":
            bad.append("e-voucher-goods")
        if (
            product.get("presale_type") in {None, "full_payment", "deposit"}
            or product.get("business_kind") in {None, "presale"}
        ):  # fmt: skip
            bad.append("presale-goods")
        marks = product.get("marks")
        if (
            item_type in {None, "distribution"}
            or product.get("platform") in {None, "distribution"}
            or marks is None
            or "distribution" in marks
            or product.get("supplier_item_id") is not None
        ):
            bad.append("distribution-goods")
        if (product.get("delivery") or EMPTY).get("express") is not True:
            bad.append("no-express")
        if product.get("on_sale") is not True:
            bad.append("not-on-sale")

        stock = product.get("stock")
        skus = product.get("skus")
        if stock is None or stock <= 0:
            bad.append("out-of-stock")
        if stock is None:
            bad.append("sku-out-of-stock")
        elif stock > 0:
            if skus is None:
                bad.append("sku-out-of-stock")
            else:
                for sku in skus:
                    stock = sku.get("stock")
                    if stock is None or stock <= 0:
                        bad.append("sku-out-of-stock")
                        break
        if skus is None:
            bad.append("price-zero")
        else:
            for sku in skus:
                price = sku.get("price")
                if price is None or price <= 0:
                    bad.append("price-zero")
                    break
        if not product.get("images"):
            bad.append("no-image")
        return bad

    return failing
