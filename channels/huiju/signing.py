"""Sign requests the way Huiju expects."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def sign(
    params: Mapping[str, str],
    app_secret: str,
    *,
    sign_parameter: str = "sign",
    secret_parameter: str = "appSecret",
    upper_case: bool = True,
    skip_empty: bool = False,
) -> str:
    """Return the signature of a flat request: sorted ``k=v`` joined by ``&``, the secret appended, MD5, hex.

    The recipe is read in the one public Huiju client; what becomes of empty values is assumed.

    Args:
        params: Every parameter of the request as text; the signature itself, if there, is left out.
        app_secret: The shop's secret.
        sign_parameter: Name of the parameter that carries the signature.
        secret_parameter: Name under which the secret is appended.
        upper_case: Whether the hex digits are upper case.
        skip_empty: Whether parameters with an empty value are left out.

    Returns:
        32 hex digits.

    >>> sign({"appId": "demoapp", "pageNum": "1"}, "demosecret")
    'F43D9F139025B4E62E4B2948ADD77E38'
    """
    pairs = [
        f"{name}={value}"
        for name, value in sorted(params.items())
        if name != sign_parameter and not (skip_empty and value == "")
    ]
    pairs.append(f"{secret_parameter}={app_secret}")
    digest = hashlib.md5("&".join(pairs).encode(), usedforsecurity=False).hexdigest()
    return digest.upper() if upper_case else digest


def same(left: str, right: str) -> bool:
    """Compare two signatures without telling by its duration where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
