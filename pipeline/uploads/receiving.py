"""Uploads (导入): a file stored as received, known again when it comes a second time, and linked to the upload that it corrects (R16, R17)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.wording import SHANGHAI
from mappings.workbook_file import mark_of
from pipeline.actors import Actor
from pipeline.keyed_requests import Hold, note_made
from pipeline.shops import ShopUnknown
from pipeline.store import (
    Shop,
    Store,
    Upload,
    UploadFile,
    UploadState,
    database_now,
    new_id,
    newest_first,
)

MAY_UPLOAD = frozenset({"senior_admin", "admin", "operator"})
"""Roles that may send products to a channel; a viewer only looks."""

FINISHED: tuple[UploadState, ...] = ("done", "done_with_failures", "failed")
MOST_CORRECTIONS = 100
"""Most uploads in one line of corrections that are looked at."""


class UploadRefused(ShelfgateError):
    """Refuse an upload for who sends it.

    Attributes:
        actor_id: Who sent it.
    """

    def __init__(self, message: str, actor_id: str) -> None:
        super().__init__(message)
        self.actor_id = actor_id


class UploadUnknown(ShelfgateError):
    """Report that there is no such upload.

    Attributes:
        upload_id: The id that was asked for.
    """

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"没有编号为 {upload_id} 的导入；请在导入历史里核对")
        self.upload_id = upload_id


@dataclass(frozen=True, slots=True)
class Earlier:
    """Name an earlier upload of the very same file."""

    upload_id: str
    filename: str
    actor_name: str
    received_at: datetime
    state: UploadState

    def __str__(self) -> str:
        return f"{moment(self.received_at)} 由 {self.actor_name} 上传过（{self.filename}，编号 {self.upload_id}）"


@dataclass(frozen=True, slots=True)
class Received:
    """Say what became of a file that came in.

    Attributes:
        upload_id: The upload to go on with.
        is_new: False where the same file is still on its way: that upload goes on, no second one begins.
        same_file: The latest earlier upload of the very same file; None where there is none.
        corrects: Id of the upload whose failing rows this one corrects; None for none.
    """

    upload_id: str
    is_new: bool
    same_file: Earlier | None = None
    corrects: str | None = None

    @property
    def remark(self) -> str:
        """Say what is known of the file from before; empty for a file that is new."""
        if self.same_file is not None:
            going_on = "仍在处理，接着进行" if not self.is_new else "已上架的行不会重复处理，只处理其余的行"
            return f"同一个文件已于 {self.same_file}；{going_on}"
        return f"这是导入 {self.corrects} 的更正；已上架的行不会重复处理" if self.corrects else ""


def receive(
    store: Store,
    actor: Actor,
    shop_id: str,
    channel: str,
    filename: str,
    content: bytes,
    hold: Hold | None = None,
) -> Received:
    """Keep a file exactly as it came.

    A file that is on its way already is not taken a second time. A file that was done before is: what it lists is listed once all the
    same, and rows that failed then may pass now.

    Args:
        store: Where uploads are kept.
        actor: Who sends it.
        shop_id: The shop whose products it lists.
        channel: The channel to list them on.
        filename: Its name, for show and for its extension.
        content: Its bytes.
        hold: The request's hold on its idempotency key. The upload is kept along with it: where the request dies before it has answered,
            the next one under the key is given the same upload, even one that is done by then.

    Raises:
        UploadRefused: The actor may not.
        ShopUnknown: The shop is not registered.
        KeyInUse: The request took so long that another one has its key.
    """
    if actor.shop_id != shop_id:
        raise UploadRefused("不能为其他店铺上传；请使用该店铺的账号", actor.id)
    if actor.role not in MAY_UPLOAD:
        raise UploadRefused("只读成员不能上传商品；请由管理员或运营上传", actor.id)
    digest = hashlib.sha256(content).hexdigest()
    mark = mark_of(content)
    with store.write() as session:
        if hold is not None and hold.made is not None:
            made = find_upload(session, hold.made)
            return Received(made.id, is_new=True, corrects=made.corrects)
        # The shop's row is held, so that the same file sent twice at once is seen to be the same.
        if session.get(Shop, shop_id, with_for_update=True) is None:
            raise ShopUnknown(shop_id)
        before = _same_file(session, shop_id, channel, digest)
        same = _earlier(before) if before is not None else None
        if before is not None and before.state not in FINISHED:
            if hold is not None:
                note_made(session, hold, before.id)
            return Received(before.id, is_new=False, same_file=same, corrects=before.corrects)
        corrects = before.id if before is not None else _reported(session, shop_id, channel, mark)
        upload = Upload(
            id=new_id(),
            channel=channel,
            shop_id=shop_id,
            actor_id=actor.id,
            actor_name=actor.name,
            filename=filename,
            sha256=digest,
            size=len(content),
            state="received",
            received_at=database_now(session),
            corrects=corrects,
        )
        session.add(upload)
        session.flush()
        session.add(UploadFile(upload_id=upload.id, content=content))
        if hold is not None:
            note_made(session, hold, upload.id)
    return Received(upload.id, is_new=True, same_file=same, corrects=corrects)


def find_upload(session: Session, upload_id: str, *, lock: bool = False) -> Upload:
    """Give an upload.

    Raises:
        UploadUnknown: There is none of that id.
    """
    upload = session.get(Upload, upload_id, with_for_update=lock or None, populate_existing=lock)
    if upload is None:
        raise UploadUnknown(upload_id)
    return upload


def upload_of(store: Store, shop_id: str, upload_id: str) -> Upload:
    """Give an upload of a shop.

    Raises:
        UploadUnknown: The shop has none of that id; another shop's is as unknown as none.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
    if upload.shop_id != shop_id:
        raise UploadUnknown(upload_id)
    return upload


def received_file(store: Store, upload_id: str) -> tuple[str, bytes]:
    """Give name and bytes of an upload's file, as received.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
        kept = session.get(UploadFile, upload_id)
    if kept is None:
        raise UploadUnknown(upload_id)
    return upload.filename, kept.content


def family(session: Session, upload: Upload) -> list[str]:
    """Give the ids of the other uploads that correct, directly or by others, the same first upload; and of that one.

    Whoever corrects the same report twice over corrects what came of it the first time too.
    """
    root, steps = upload, 0
    while root.corrects is not None and steps < MOST_CORRECTIONS:
        before = session.get(Upload, root.corrects)
        if before is None:
            break
        root, steps = before, steps + 1
    found, level = [root.id], [root.id]
    while level and len(found) < MOST_CORRECTIONS:
        level = list(session.scalars(select(Upload.id).where(Upload.corrects.in_(level)).order_by(Upload.id)))
        found += level
    return [upload_id for upload_id in found if upload_id != upload.id]


def moment(at: datetime) -> str:
    """Write a moment as a user's clock shows it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _same_file(session: Session, shop_id: str, channel: str, digest: str) -> Upload | None:
    """Find the latest upload of the same file; one that could not be read counts for nothing."""
    wanted = select(Upload).where(
        Upload.shop_id == shop_id,
        Upload.channel == channel,
        Upload.sha256 == digest,
        Upload.state != "failed",
    )
    return session.scalars(wanted.order_by(newest_first(Upload.received_at), newest_first(Upload.id))).first()


def _reported(session: Session, shop_id: str, channel: str, mark: str) -> str | None:
    """Find the upload that a workbook says it is the report of; a mark from elsewhere means nothing here."""
    upload = session.get(Upload, mark) if mark else None
    return mark if upload is not None and (upload.shop_id, upload.channel) == (shop_id, channel) else None


def _earlier(upload: Upload) -> Earlier:
    return Earlier(upload.id, upload.filename, upload.actor_name, upload.received_at, upload.state)
