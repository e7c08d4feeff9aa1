"""Signing in and out."""

from __future__ import annotations

from flask import Response, current_app, request, session

from api.console import HOME, SIGN_IN, Pages, go, inside, render
from api.problems import Problem, problem_of
from api.routes import Ask
from api.signing_in import let_person_in, let_person_out
from pipeline.people import SignInRefused

PAGES = Pages("signing", "登录")
page = PAGES.page


@page("GET", SIGN_IN, "登录", signed_in=False, query={"next": {"type": "string"}})
def show_sign_in(ask: Ask) -> Response:
    """Show the form."""
    return render("sign_in.html", login="", following=inside(ask.query.get("next", HOME)), refusal="")


@page("POST", SIGN_IN, "登录", signed_in=False)
def sign_in(ask: Ask) -> Response:
    """Sign a person in, and lead them to where they wanted to be; the form again where that fails."""
    current_app.extensions["csrf"].protect()
    login, following = request.form.get("login", ""), inside(request.form.get("next", HOME))
    try:
        _, cookie = let_person_in(ask.services, login, request.form.get("password", ""))
    except (SignInRefused, Problem) as error:
        problem = error if isinstance(error, Problem) else problem_of(error)
        shown = render(
            "sign_in.html",
            None,
            problem.kind.status,
            login=login,
            following=following,
            refusal=problem.detail,
        )
        shown.headers.extend(problem.headers)
        return shown
    return _with_cookie(go(following), cookie)


@page("POST", "/sign-out", "退出")
def sign_out(ask: Ask) -> Response:
    """Sign the person out."""
    return _with_cookie(go(SIGN_IN), let_person_out(ask.services))


def _with_cookie(response: Response, cookie: str) -> Response:
    """Set the cookie; whoever comes next gets CSRF tokens of their own."""
    session.clear()
    response.headers.add("Set-Cookie", cookie)
    return response
