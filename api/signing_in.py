"""Sign people in and out, with tries held back; for the API and the pages alike."""

from __future__ import annotations

import math
from datetime import timedelta

from flask import request
from werkzeug.http import dump_cookie

from api.access import COOKIE
from api.problems import Problem
from api.services import Services
from pipeline.callers import SESSION_LIFE, Caller, caller_of_session, end_session, start_session
from pipeline.people import SignInRefused, sign_in
from pipeline.throttle import SIGN_IN, SIGN_INS, hold_back


def let_person_in(services: Services, login: str, password: str) -> tuple[Caller, str]:
    """Sign a person in.

    Args:
        services: What the app works with.
        login: The login name.
        password: The password.

    Returns:
        Who it is, and the `Set-Cookie` header.

    Raises:
        Problem: There were too many tries, from this address or for this name.
        SignInRefused: Name or password is wrong, or the person was shut out.
    """
    store, address = services.store, request.remote_addr or ""
    for limit, who in ((SIGN_INS, address), (SIGN_IN, f"{address} {login.strip().lower()}")):
        if wait := hold_back(store, limit, who):
            seconds = str(math.ceil(wait))
            raise Problem("too-many", f"登录太频繁；请 {seconds} 秒后再试", headers={"Retry-After": seconds})
    value = start_session(store, sign_in(store, login, password))
    caller = caller_of_session(store, value)
    if caller is None:  # shut out in this very moment
        raise SignInRefused("登录名或密码不对，或账号已停用", login)
    return caller, _cookie(services, value, SESSION_LIFE)


def let_person_out(services: Services) -> str:
    """Sign the person of this request out, and give the `Set-Cookie` header that takes the cookie away."""
    if value := request.cookies.get(COOKIE):
        end_session(services.store, value)
    return _cookie(services, "", timedelta(0))


def _cookie(services: Services, value: str, life: timedelta) -> str:
    secure = services.settings.secure_cookies
    return dump_cookie(COOKIE, value, max_age=life, secure=secure, httponly=True, samesite="Lax")
