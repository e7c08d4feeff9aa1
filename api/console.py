"""What all pages for people share: how one is declared, the frame around it, and errors that are pages too.

A file of `api/pages/` holds one `PAGES`; the folder is scanned. A page goes through the same gate as a route of the API. Its function
prepares everything that is shown; a template only loops over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, render_template, request
from werkzeug.datastructures import MultiDict

from api.around import request_id
from api.channel_page import page_state
from api.problems import Mistake, Problem
from api.routes import JSON, Ask, Method, Resource, Route
from api.schemas import Schema
from pipeline.callers import ADMINS
from pipeline.people import ROLE_TITLES

HTML = "text/html"
HOME = "/"
SIGN_IN = "/sign-in"
MOST_FORM = 100_000
"""Bytes of a form at the most, where it carries no file."""

OF_PAGES = "pages."
"""What the endpoint of every page begins with."""


@dataclass(frozen=True)
class Page(Route):
    """Declare one page; like a route, but a field that a form leaves empty is as good as not sent."""

    def read_query(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Read the query parameters that are not empty; errors as for `Route`."""
        filled = [(name, value.strip()) for name, value in given.items(multi=True) if value.strip()]
        return super().read_query(MultiDict(filled))


class Pages(Resource):
    """Collect the pages of one group.

    Args:
        name: Its name.
        title: Its title in Chinese.
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(OF_PAGES + name, title)

    def page(
        self,
        method: Method,
        path: str,
        title: str,
        *,
        scope: str | None = None,
        signed_in: bool = True,
        query: Mapping[str, Schema] | None = None,
        path_schemas: Mapping[str, Schema] | None = None,
        most: int = MOST_FORM,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the function that follows; see `Route`."""

        def declared(handle: Callable[..., Any]) -> Callable[..., Any]:
            limits = path_schemas or {}
            page = Page(
                method, path, handle, title, scope, {}, query or {}, limits, most=most, signed_in=signed_in
            )
            self.routes.append(page)
            return handle

        return declared


@dataclass(frozen=True, slots=True)
class Link:
    """Lead somewhere.

    Attributes:
        title: What it says.
        address: Where it leads.
        current: Whether one is there already.
    """

    title: str
    address: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Hold what stands around a page.

    Attributes:
        links: The pages that one may go to.
        person: Name of who is signed in; empty for nobody.
        role: Title of their role.
        shop_id: Their shop.
        bad_rules: What is wrong with the rule files on disk, for administrators; empty where nothing is.
    """

    links: Sequence[Link] = ()
    person: str = ""
    role: str = ""
    shop_id: str = ""
    bad_rules: str = ""


def render(template: str, ask: Ask | None = None, status: int = 200, **data: Any) -> Response:
    """Fill a template in.

    Args:
        template: Its file in `api/templates/`.
        ask: The request, for the frame; None for a page that is open to all.
        status: HTTP status.
        data: What the template shows.
    """
    frame = _frame(ask) if ask is not None and ask.caller is not None else Frame()
    text = render_template(template, frame=frame, **data)
    return Response(text, status, content_type=f"{HTML}; charset=utf-8")


def go(address: str, said: str = "", tone: str = "good") -> Response:
    """Lead the browser on after a form.

    Args:
        address: Where to.
        said: What to say there; nothing where empty.
        tone: How it is meant: good, warn or bad.
    """
    if said:
        flash(said, tone)
    return Response(status=303, headers={"Location": address})


def address(path: str, **query: Any) -> str:
    """Give an address with the query parameters that are not empty."""
    filled = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(filled)}" if filled else path


def inside(address: str) -> str:
    """Give an address where it is one of ours, and the first page where it is not: nobody is led elsewhere."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else HOME


def for_people() -> bool:
    """Tell whether this request is a person's, so that an error is to be a page."""
    if request.endpoint is not None:
        return request.endpoint.startswith(OF_PAGES)
    return (
        not request.path.startswith("/v1/")
        and request.accept_mimetypes.best_match((JSON, HTML), JSON) == HTML
    )


def respond(problem: Problem) -> Response:
    """Show a problem as a page; who is not signed in is led to where one signs in, and then back."""
    kind = problem.kind
    if kind.name == "not-signed-in" and request.method == "GET":
        wanted = request.full_path.rstrip("?")
        return go(address(SIGN_IN, next=wanted if wanted != HOME else ""))
    mistakes = [item.as_data() if isinstance(item, Mistake) else item for item in problem.mistakes]
    response = render(
        "problem.html",
        status=kind.status,
        title=kind.title,
        detail=problem.detail,
        mistakes=mistakes,
        request_id=request_id(),
    )
    response.headers.extend(problem.headers)
    return response


def _frame(ask: Ask) -> Frame:
    actor, bad = ask.who.actor, ask.services.rules.bad_edit
    pages = [("惠聚渠道", "/channel", "/channel")] if page_state(ask).state == "enabled" else []
    pages += [
        ("导入历史", "/history", "/uploads"),
        ("订单", "/orders", "/orders"),
        ("售后", "/after-sales", "/after-sales"),
    ]
    return Frame(
        [Link(title, home, request.path.startswith((home, within))) for title, home, within in pages],
        actor.name,
        ROLE_TITLES[actor.role],
        actor.shop_id,
        bad.text if bad is not None and actor.role in ADMINS else "",
    )
