"""What a profile file must hold for the client and the sandbox to work."""

from __future__ import annotations

SECTIONS = frozenset(
    "name title sources base_url envelope reply signing encryption limits codes enums records endpoints".split()
)
COMMON = frozenset({"mark", "source", "note", "title"})
MARKS = frozenset({"sourced", "assumed"})
KINDS = frozenset("ok credentials clock replayed rate busy refused missing stale listed".split())
TYPES = frozenset("text integer fen seconds milliseconds boolean texts record records".split())
NESTED = frozenset({"record", "records"})

ENVELOPE = frozenset({"request_id", "app_id", "timestamp", "nonce", "sign"})
REPLY = frozenset({"code", "message", "data"})
SIGNING = frozenset({"algorithm", "secret_parameter", "upper_case", "empty_values", "nested_values"})
CHOICES: dict[str, tuple[object, ...]] = {
    "algorithm": ("md5",),
    "upper_case": (True, False),
    "empty_values": ("include", "skip"),
    "nested_values": ("json_text",),
}
ENCRYPTION = frozenset({"scheme"})
LIMITS = frozenset(
    (
        "timestamp_tolerance_seconds nonce_memory_seconds requests_per_second page_size_max window_seconds_max "
        "lookback_days title_length_max skus_max images_max spec_levels_min spec_levels_max category_level"
    ).split()
)
CODES = frozenset(
    (
        "ok bad_request unknown_path unknown_app bad_sign bad_timestamp replayed_nonce rate_limited internal "
        "window_too_long window_too_old page_size_too_large product_missing already_listed idempotency_conflict "
        "category_missing category_not_leaf brand_missing freight_template_missing spec_template_missing spec_levels "
        "spec_template_repeated title_invalid price_invalid stock_invalid skus_invalid images_invalid sku_missing "
        "order_missing order_not_shippable already_shipped waybill_invalid line_missing logistics_missing "
        "logistics_not_editable after_sale_missing after_sale_state reject_before_shipment"
    ).split()
)
ENUMS = frozenset(
    "order_status after_sale_kind after_sale_status closed_by audit_action stock_change".split()
)
RECORDS = frozenset(
    (
        "order order_line parcel after_sale product product_spec product_sku sku_spec stock_row category brand "
        "freight_template spec_template"
    ).split()
)
ENDPOINTS = frozenset(
    (
        "system_time order_increment order_detail after_sale_increment after_sale_detail after_sale_audit product_add "
        "product_get stock_query stock_update category_list brand_list freight_template_list spec_template_list "
        "order_deliver logistics_add logistics_update logistics_remove"
    ).split()
)
