"""Which language the caller reads: Chinese first, English where there is English."""

from __future__ import annotations

from typing import Literal

from flask import request

Language = Literal["zh", "en"]


def language() -> Language:
    """Give the language that the request asks for; Chinese where it asks for neither."""
    best = (
        request.accept_languages.best_match(("zh", "en"), default="zh") if request.accept_languages else "zh"
    )
    return "en" if best == "en" else "zh"
