"""Made-up people who buy in the sandbox: another one for each order, and each of their data of a form of its own, so that a leak shows."""

from __future__ import annotations

from typing import Any

FIRST = 10001
"""Number of the first person, where not told otherwise; below are the people of `examples/`."""


def person(number: int) -> dict[str, Any]:
    """Give buyer and consignee of one order, as the order holds them.

    Args:
        number: Says who it is, 1 to 99999; the same number is the same person.

    Examples:
        >>> [person(10001)[key] for key in ("userName", "telNumber", "detailInfo", "buyerId", "buyerName")]
        ['收货人10001', '13000010001', '示例路10001号', 'huiju-buyer-10001', '买家10001']
    """
    return {
        "buyerId": f"huiju-buyer-{number:04d}",
        "buyerName": f"买家{number:04d}",
        "userName": f"收货人{number:04d}",
        "telNumber": f"130000{number:05d}",
        "provinceName": "广东省",
        "cityName": "深圳市",
        "countyName": "南山区",
        "detailInfo": f"示例路{number}号",
        "postalCode": "518000",
    }
