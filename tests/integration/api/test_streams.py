"""Progress streams: told from the store, as many as there is room for, each to its end (R16)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import streams
from api.app import create_app
from api.services import Services, Settings
from api.streams import Looks, Streams
from pipeline.store import Store, UploadRow
from pipeline.uploads.state import advance, fail
from tests.integration.api.front import Front
from tests.integration.api.test_uploads import check_all, send
from tests.integration.demo_shop import good_rows, sheet


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK", 0.01)
    monkeypatch.setattr(streams, "HEARTBEAT", 0.05)


@pytest.fixture
def upload_id(front: Front) -> str:
    return str(send(front.service(), sheet(good_rows()[:2])).json["id"])


def with_settings(front: Front, **settings: Any) -> Front:
    """Give the same service, set up in another way."""
    store, vault, rules = front.store, front.services.vault, front.services.rules
    services = Services(store, vault, rules, front.services.youzan, Settings(**settings))
    return Front(create_app(services), services)


def blocks(client: FlaskClient, upload_id: str, **headers: str) -> Iterator[dict[str, str]]:
    """Give what a stream says, block by block."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.get(f"/v1/uploads/{upload_id}/events", headers=given)
    assert (200, "text/event-stream") == (answer.status_code, answer.mimetype)
    rest = ""
    for chunk in answer.iter_encoded():
        rest += chunk.decode()
        while "\n\n" in rest:
            block, _, rest = rest.partition("\n\n")
            yield dict(line.partition(": ")[::2] for line in block.split("\n"))
    answer.close()


def test_a_stream_tells_every_change_and_ends_with_done(front: Front, upload_id: str) -> None:
    found = blocks(front.service("viewer"), upload_id)
    assert {"retry": "2000"} == next(found)
    first = next(found)
    counts = json.loads(first["data"])
    assert ("received", 0) == (counts["state"], counts["checked"])
    assert not counts["rate"]
    check_all(front.services)
    second = json.loads(next(item for item in found if "data" in item)["data"])
    assert ("pushing", 2, 2, 0) == tuple(second[name] for name in ("state", "total", "checked", "settled"))
    with front.store.write() as session:
        for row in session.query(UploadRow):
            row.state, row.channel_product_id = "listed", row.product_id
        advance(session, upload_id)
    *_, last = (item for item in found if "data" in item)
    data = json.loads(last["data"])
    assert ("done", "done", 2, 0) == (
        last["event"],
        data["state"],
        data["settled"],
        data["remaining_seconds"],
    )
    assert last["id"] != first["id"]


def test_a_reader_that_comes_again_is_told_only_what_is_new(front: Front, upload_id: str) -> None:
    """And one that has seen the end is told that there is nothing more, so that it comes no more."""
    fail(front.store, upload_id, "读不了")
    client = front.service("viewer")
    *_, last = blocks(client, upload_id)
    assert "done" == last["event"]
    again = client.get(f"/v1/uploads/{upload_id}/events", headers={"Last-Event-ID": last["id"]})
    assert 204 == again.status_code
    *_, seen = blocks(client, upload_id, Last_Event_ID="received-0-0")
    assert (last["event"], last["id"]) == (seen["event"], seen["id"])


def test_a_quiet_stream_gives_signs_of_life_and_closes_in_time(front: Front, upload_id: str) -> None:
    own = with_settings(front, stream_seconds=0.3)
    told = list(blocks(own.service("viewer"), upload_id))
    assert [{"retry"}, {"id", "data"}] == [set(item) for item in told[:2]]
    assert {""} == {name for item in told[2:] for name in item}
    assert len(told) > 2


def test_no_more_streams_than_there_is_room_for(front: Front, upload_id: str) -> None:
    own = with_settings(front, most_streams=1)
    client = own.service("viewer")
    first = blocks(client, upload_id)
    next(first)
    refused = client.get(f"/v1/uploads/{upload_id}/events")
    assert (503, "5") == (refused.status_code, refused.headers["Retry-After"])
    assert f"/v1/uploads/{upload_id}" in refused.json["detail"]
    fail(own.store, upload_id, "读不了")
    assert list(first)
    assert list(blocks(client, upload_id))


def test_a_reader_that_leaves_before_the_first_word_gives_its_place_back(
    front: Front, upload_id: str
) -> None:
    own = with_settings(front, most_streams=1)
    client = own.service("viewer")
    for _ in range(3):
        answer = client.get(f"/v1/uploads/{upload_id}/events")
        assert 200 == answer.status_code
        answer.close()
        answer = client.head(f"/v1/uploads/{upload_id}/events")
        assert 200 == answer.status_code
        answer.close()


def test_a_reader_that_has_left_is_noticed(front: Front, upload_id: str) -> None:
    gone = threading.Event()
    client = front.service("viewer")
    client.environ_base["waitress.client_disconnected"] = gone.is_set
    told = blocks(client, upload_id)
    next(told)
    next(told)
    gone.set()
    assert all("data" not in item for item in told)


def test_streams_end_when_the_service_stops(front: Front, upload_id: str) -> None:
    told = blocks(front.service("viewer"), upload_id)
    next(told)
    front.app.extensions[streams.EXTENSION].close()
    assert all("done" != item.get("event") for item in told)


def test_one_look_at_the_store_serves_all_streams(
    store: Store, front: Front, upload_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    counting = streams.progress
    monkeypatch.setattr(
        streams, "progress", lambda store, upload: looked.append(upload) or counting(store, upload)
    )
    now = [0.0]
    looks = Looks(store, clock=lambda: now[0])
    monkeypatch.setattr(streams, "LOOK", 1.0)
    for moment in (0.0, 0.2, 0.9, 1.0, 1.5):
        now[0] = moment
        looks.look(upload_id)
    assert [upload_id] * 2 == looked


def test_the_rate_is_that_of_the_last_seconds(store: Store, front: Front, upload_id: str) -> None:
    now = [0.0]
    looks = Looks(store, clock=lambda: now[0])
    assert (None, None) == ((seen := looks.look(upload_id)).rate, seen.remaining)
    check_all(front.services)
    now[0] = 4.0
    seen = looks.look(upload_id)
    assert (0.0, None) == (seen.rate, seen.remaining)
    with front.store.write() as session:
        row = session.query(UploadRow).filter_by(number=2).one()
        row.state, row.channel_product_id = "listed", row.product_id
    now[0] = 5.0
    seen = looks.look(upload_id)
    assert (0.2, 5.0) == (seen.rate, seen.remaining)
    assert isinstance(front.app.extensions[streams.EXTENSION], Streams)
