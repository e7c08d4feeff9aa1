"""What nobody should send: it is refused with a problem document that says why, and nothing else happens."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from waitress import create_server, wasyncore

from api import app as app_module
from api.around import HEADERS
from api.problems import MEDIA_TYPE
from api.resources.rulesets import MOST_LINTED
from api.routes import MOST_JSON
from pipeline.people import SignInRefused
from pipeline.secrets import KeyMissing
from pipeline.store import StoreBusy, StoreConflict, StoreError
from tests.integration.api.front import Front, diagnostics
from tests.integration.demo_shop import SHOP

VALIDATE = "/v1/validate/huiju/eligibility"
LINT = "/v1/rulesets/lint"
JSON = "application/json"

# What is refused before anything is looked up is the same on every database.
on_one_database = pytest.mark.parametrize("database", ["sqlite"])


def told(answer: Any, status: int, kind: str) -> str:
    """See that an answer is a problem of a kind, with everything that one has, and give its detail."""
    assert (status, f"/v1/problems/{kind}") == (answer.status_code, answer.json["type"]), answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert {"type", "title", "status", "detail", "instance", "request_id", "diagnostics"} <= set(answer.json)
    assert (status, answer.headers["X-Request-Id"]) == (answer.json["status"], answer.json["request_id"])
    for name, value in HEADERS.items():
        assert value == answer.headers[name]
    for internal in ("Traceback", "Error:", 'File "', "site-packages", "sqlalchemy", "psycopg", "werkzeug"):
        assert internal not in answer.text
    return str(answer.json["detail"])


@on_one_database
@pytest.mark.parametrize("path", [VALIDATE, LINT])
@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (b"", 400, "bad-request", "第 1 行第 1 列"),
        (b"{", 400, "bad-request", "不是 JSON"),
        (b'{"fact": {}} {}', 400, "bad-request", "不是 JSON"),
        (b"{'fact': 1}", 400, "bad-request", "不是 JSON"),
        (b'\xef\xbb\xbf{"fact": {}}', 400, "bad-request", "不是 JSON"),
        ('{"fact": {}}'.encode("utf-16"), 400, "bad-request", "UTF-8"),
        (b'{"fact": "\xff"}', 400, "bad-request", "第 11 个字节"),
        (b'{"fact": "\xed\xa0\x80"}', 400, "bad-request", "UTF-8"),
        (b'{"fact": "a\x00b"}', 400, "bad-request", "不是 JSON"),
        (b'{"fact": NaN}', 400, "bad-request", "NaN 不是 JSON 的数"),
        (b'{"fact": Infinity}', 400, "bad-request", "Infinity 不是"),
        (b'{"fact": -Infinity}', 400, "bad-request", "-Infinity 不是"),
        (b'{"fact": 1e400}', 400, "bad-request", "'1e400' 太大"),
        (b'{"fact": -1' + b"0" * 400 + b".5}", 400, "bad-request", "太大"),
        (b'{"fact": ' + b"9" * 5000 + b"}", 400, "bad-request", "写成文字"),
        (b'{"fact": {"a": 1, "b": {"a": 1}, "a": 2}}', 400, "bad-request", "'a' 写了两次"),
        (b'{"fact": {}, "fact": {}}', 400, "bad-request", "'fact' 写了两次"),
        ('{"fact": {"类目": 1, "\\u7c7b\\u76ee": 2}}'.encode(), 400, "bad-request", "'类目' 写了两次"),
        (b"[" * 40_000, 400, "bad-request", "嵌套太深"),
        (b'{"fact":' * 40_000, 400, "bad-request", "嵌套太深"),
        (b'{"fact": ' + b"[" * 400 + b"]" * 400 + b"}", 422, "invalid", "1 处不"),
        (b'{"fact": "\\ud800"}', 422, "invalid", "1 处不对"),
        (b'{"fact": ["\\u0000"], "\\udfff": 1}', 422, "invalid", "2 处不对"),
        (b"null", 422, "invalid", ""),
        (b"[]", 422, "invalid", ""),
        (b'"fact"', 422, "invalid", ""),
        (b"1", 422, "invalid", ""),
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_refused(
    front: Front, path: str, body: bytes, status: int, kind: str, words: str
) -> None:
    answer = front.service().post(path, data=body, content_type=JSON)
    assert words in told(answer, status, kind)


@on_one_database
def test_a_text_that_can_not_be_kept_is_named_by_its_place(front: Front) -> None:
    body = b'{"fact": {"a/b": ["x", "\\ud83d\\ude00 \\ud800"], "c": "\\u0000"}}'
    answer = front.service().post(VALIDATE, data=body, content_type=JSON)
    assert ["/fact/a~1b/1", "/fact/c"] == [item["pointer"] for item in diagnostics(answer)]


@on_one_database
def test_a_whole_character_outside_of_the_basic_plane_is_good(front: Front) -> None:
    body = b'{"files": {"rules/huiju/x.yaml": "# \\ud83d\\ude00\\n"}}'
    assert 200 == front.service().post(LINT, data=body, content_type=JSON).status_code


@on_one_database
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "a\tb",
        "*/*",
    ],
)
def test_another_content_type_is_refused(front: Front, content_type: str) -> None:
    answer = front.service().post(VALIDATE, data=b'{"fact": {}}', headers={"Content-Type": content_type})
    assert "application/json" in told(answer, 415, "media-type")


@on_one_database
def test_a_content_type_with_parameters_is_good(front: Front) -> None:
    answer = front.service().post(
        LINT, data=b'{"files": {"rules/x.yaml": ""}}', content_type="application/json; charset=utf-8"
    )
    assert 200 == answer.status_code


@on_one_database
@pytest.mark.parametrize(
    ("path", "most"), [(VALIDATE, MOST_JSON), (LINT, MOST_LINTED), ("/v1/session", MOST_JSON)]
)
def test_a_body_that_is_too_large_is_refused_by_its_announced_and_its_true_size(
    front: Front, path: str, most: int
) -> None:
    good = json.dumps({"files": {"rules/x.yaml": "#" * (most + 1)}}).encode()
    answer = front.service().post(path, data=good, content_type=JSON)
    assert f"{most:,}" in told(answer, 413, "too-large")
    announced = front.service().post(
        path, content_type=JSON, environ_overrides={"CONTENT_LENGTH": str(10**15)}
    )
    assert f"{most:,}" in told(announced, 413, "too-large")


@on_one_database
def test_a_header_is_not_injected(front: Front) -> None:
    """CR and LF in path and query are part of the value, and reach no header."""
    inject = "%0d%0aSet-Cookie:%20owned=1"
    for path in (
        f"/v1/problems/{inject}",
        f"/v1/rulesets/huiju/{inject}",
        f"/{inject}",
        f"/v1/facts?{inject}=1",
        f"/v1/facts?a={inject}",
    ):
        answer = front.service().get(path)
        assert answer.status_code in {404, 422}
        assert "owned" not in str(answer.headers)
        assert "\r" not in answer.text.replace("\\r", "")


@on_one_database
@pytest.mark.parametrize(
    "name",
    [
        "../rulesets.yaml", "rules/../../x.yaml", "/etc/x.yaml", "rules\\..\\x.yaml", "C:\\x.yaml", "rules/x.yml", "", ".yaml",
        "x.yaml/../../y.yaml", "rules/\nx.yaml", "rules/\u202ex.yaml", "a" * 250 + ".yaml", "类" * 190 + ".yaml",
        "rules/huiju.yaml/x.yaml/../../../../x.yaml", "rulesets.yaml/x.yaml",
    ],
)  # fmt: skip
def test_a_rule_file_outside_of_the_folder_is_refused_by_its_name(front: Front, name: str) -> None:
    answer = front.service().post(LINT, json={"files": {name: "kind: eligibility\n"}})
    told(answer, 422, "invalid")
    assert {"/files/" + name.replace("/", "~1")} == {item["pointer"] for item in diagnostics(answer)}


@on_one_database
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../../../etc/passwd", "rules/../../../../etc/passwd"]
)
@pytest.mark.parametrize("where", ["ruleset", "facts", "waivers"])
def test_rules_that_are_sent_read_nothing_that_lies_elsewhere(front: Front, path: str, where: str) -> None:
    lines = {
        "ruleset": "rules/huiju/eligibility.yaml",
        "facts": "rules/facts",
        "waivers": "rules/huiju/waivers.yaml",
    } | {where: path}
    manifest = (
        f"facts: {lines['facts']}\nchannels:\n  huiju:\n    rulesets:\n      eligibility: {lines['ruleset']}\n"
        f"    waivers: {lines['waivers']}\n"
    )
    answer = front.service().post(LINT, json={"files": {"rulesets.yaml": manifest}})
    assert 200 == answer.status_code
    assert "SG0707" in {item["code"] for item in diagnostics(answer)}
    assert "root:" not in answer.text
    assert "/tmp" not in answer.text


@on_one_database
def test_many_mistakes_are_counted_and_not_all_told(front: Front) -> None:
    text = "kind: eligibility\nfact: listing\nrules:\n" + "  - {idd: 1}\n" * 2000
    answer = front.service().post(LINT, json={"files": {"rules/huiju/eligibility.yaml": text}})
    assert (False, 1000) == (answer.json["good"], len(diagnostics(answer)))
    assert answer.json["left_out"] > 1000
    facts = front.service().post(VALIDATE, json={"facts": [{"a": 1, "b": 1}] * 1000})
    assert 1000 == len(diagnostics(facts))
    assert facts.json["left_out"] >= 1000


@on_one_database
@pytest.mark.parametrize(
    "path", ["/v1/problems/x", "//evil.example/v1/facts", "/v1//facts", "/v1/facts/", "/nothing", "/v1/facts"]
)
def test_the_host_that_a_caller_names_comes_back_nowhere(front: Front, path: str) -> None:
    for host in ("evil.example", "evil.example:80@x", "", "a b", "[::1"):
        answer = front.service().get(
            path, headers={"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        )
        assert answer.status_code in {200, 404}
        assert "evil.example" not in str(answer.headers)
        assert path.startswith("//evil") or "evil.example" not in answer.text


@on_one_database
@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "FOO", "PROPFIND"])
def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(front: Front, method: str) -> None:
    answer = front.service().open("/v1/tokens", method=method)
    assert "/v1/tokens" in told(answer, 405, "method-not-allowed")
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.headers["Allow"].split(", "))
    told(front.service().open("/nothing", method=method), 404, "not-found")


@on_one_database
def test_methods_that_were_made_up_do_not_grow_the_metrics(front: Front) -> None:
    for number in range(20):
        front.anyone().open("/healthz", method=f"METHOD{number}")
    text = front.service("admin").get("/metrics").text
    assert 'method="other"' in text
    assert "METHOD" not in text


@on_one_database
def test_head_gives_the_headers_of_get_and_options_the_methods(front: Front) -> None:
    client = front.service()
    got, head = client.get("/v1/facts"), client.head("/v1/facts")
    assert (200, b"") == (head.status_code, head.data)
    for name in ("Content-Type", "Content-Length", "ETag", *HEADERS):
        assert got.headers[name] == head.headers[name]
    options = front.anyone().options("/v1/tokens/1")
    assert (200, b"") == (options.status_code, options.data)
    assert {"DELETE", "OPTIONS"} == set(options.headers["Allow"].split(", "))
    for name, value in HEADERS.items():
        assert value == options.headers[name]
    assert 401 == front.anyone().head("/v1/facts").status_code


@on_one_database
def test_very_long_addresses_are_answered_in_short(front: Front) -> None:
    for path in (f"/v1/problems/{'x' * 100_000}", f"/v1/rulesets/huiju/{'x' * 100_000}"):
        answer = front.service().get(path)
        told(answer, 404, "not-found")
        assert len(answer.json["detail"]) < 500
    query = front.service().get(f"/v1/facts?{'&'.join(f'a{n}=1' for n in range(20_000))}")
    told(query, 422, "invalid")


@on_one_database
def test_query_parameters_that_are_not_there_or_hold_what_can_not_be_kept_are_named(front: Front) -> None:
    answer = front.service().get("/v1/facts?nothing=1&%00=%00")
    told(answer, 422, "invalid")
    assert any("nothing" in item["pointer"] for item in diagnostics(answer))
    assert any("U+0000" in item["message"] for item in diagnostics(answer))


@on_one_database
@pytest.mark.parametrize(
    "value", ["", "x", "=", ";;;", "\xff\xfe", "shelfgate_session", "shelfgate_session=\x01", "a" * 4000]
)
def test_cookies_that_are_garbage_open_nothing_and_break_nothing(front: Front, value: str) -> None:
    told(front.anyone().get("/v1/session", headers={"Cookie": value}), 401, "not-signed-in")
    told(
        front.anyone().get("/v1/session", headers={"Cookie": f"shelfgate_session={value}"}),
        401,
        "not-signed-in",
    )
    browser = front.browser()
    browser.set_cookie(
        "shelfgate_csrf", value.replace(";", "").encode("latin-1", "ignore").decode("latin-1") or "x"
    )
    told(browser.delete("/v1/session"), 403, "csrf")


def test_an_id_with_what_no_database_keeps_is_an_id_that_is_not_there(front: Front) -> None:
    for value in ("%00", "a%00b", "%ed%a0%80", "%ff", "..", "%2e%2e%2f", "'; DROP TABLE tokens; --"):
        answer = front.service("admin").delete(f"/v1/tokens/{value}")
        assert 404 == answer.status_code, value
        told(answer, 404, "not-found")


@pytest.mark.parametrize(
    ("error", "status", "kind", "said"),
    [
        (ZeroDivisionError("secret at 10.0.0.5"), 500, "fault", False),
        (RecursionError("secret at 10.0.0.5"), 500, "fault", False),
        (
            StoreError('数据库无法使用：connection to server at "secret at 10.0.0.5"'),
            503,
            "unavailable",
            False,
        ),
        (StoreConflict("数据库约束 secret 不允许", "secret"), 503, "unavailable", False),
        (KeyMissing("密文是用密钥 secret 加密的", "secret"), 503, "unavailable", False),
        (StoreBusy("数据库正忙，请稍后重试"), 503, "unavailable", True),
        (SignInRefused("登录名或密码不对", "x"), 401, "sign-in-refused", True),
    ],
)
def test_what_is_inside_stays_inside(
    front: Front,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    kind: str,
    said: bool,
) -> None:
    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr("api.resources.tokens.list_tokens", broken)
    answer = front.service("admin").get("/v1/tokens")
    detail = told(answer, status, kind)
    assert "secret" not in answer.text
    assert said is (str(error) in detail)
    if not said:
        assert answer.json["request_id"] in detail
        assert "secret" in caplog.text, "who runs the service reads it in the log"
    if status == 503:
        assert answer.headers["Retry-After"]


@on_one_database
def test_every_status_of_the_web_framework_is_a_problem(front: Front) -> None:
    """Whatever the framework raises by itself; what it redirects, it would redirect to."""
    from werkzeug.exceptions import default_exceptions

    for status, error in default_exceptions.items():
        with front.app.test_request_context("/v1/facts"):
            response = app_module._failed(error())
        assert MEDIA_TYPE == response.content_type, status
        assert 400 <= response.status_code < 600


@on_one_database
def test_every_answer_has_the_headers_of_safety(front: Front) -> None:
    service = front.service("admin")
    answers = [
        service.get("/healthz"), service.get("/v1/facts"), service.get("/v1/openapi.json"), service.get("/nothing"),
        service.post("/v1/facts"), service.get("/metrics"), front.anyone().get("/v1/facts"), service.delete("/v1/tokens/x"),
        service.get("/v1/facts", headers={"If-None-Match": "*"}), service.options("/v1/facts"),
        service.post(VALIDATE, data=b"{", content_type=JSON), front.browser(csrf=False).delete("/v1/session"),
    ]  # fmt: skip
    assert {200, 304, 400, 401, 403, 404, 405} == {answer.status_code for answer in answers}
    for answer in answers:
        assert HEADERS == {name: answer.headers.get(name) for name in HEADERS}
        assert answer.headers["Cache-Control"] in {"no-store", "no-cache"}
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


@on_one_database
def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(front: Front) -> None:
    from tests.integration.api.front import PASSWORD

    body = {"login": f"viewer-{SHOP}", "password": PASSWORD}
    cookies = front.anyone().post("/v1/session", json=body).headers.getlist("Set-Cookie")
    assert 2 == len(cookies)
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain" not in cookie


@pytest.fixture
def address(address: str) -> str:
    return address


@pytest.fixture
def served(front: Front) -> Iterator[tuple[str, int]]:
    """Serve the app on a socket with few threads; give host and port."""
    watched: dict[int, Any] = {}
    stop = threading.Event()
    server = create_server(
        front.app,
        map=watched,
        host="127.0.0.1",
        port=0,
        threads=2,
        connection_limit=1000,
        asyncore_use_poll=True,
    )

    def run() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=0.05, map=watched, count=1, use_poll=True)

    thread = threading.Thread(target=run)
    thread.start()
    yield "127.0.0.1", int(server.effective_port)
    stop.set()
    thread.join(10)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(watched)


@on_one_database
def test_callers_who_never_finish_starve_nobody(front: Front, served: tuple[str, int]) -> None:
    """Half of a request line, half of the headers, half of the body: none of them holds a thread."""
    head = f"POST {VALIDATE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token()}\r\nContent-Type: {JSON}\r\n"
    halves = [
        b"",
        b"GET /hea",
        head.encode(),
        f"{head}Content-Length: 1000000\r\n\r\n".encode() + b'{"fact": {',
    ]
    crowd = []
    for number in range(120):
        caller = socket.create_connection(served, timeout=10)
        caller.sendall(halves[number % len(halves)])
        crowd.append(caller)
    try:
        for _ in range(5):
            with urllib.request.urlopen(f"http://{served[0]}:{served[1]}/healthz", timeout=10) as answer:
                assert 200 == answer.status
    finally:
        for caller in crowd:
            caller.close()
