"""Seal texts that must not be read from the database: credentials, and what is known of buyers.

A sealed text is `<key id>:<Fernet token>`. Fernet binds no context, so the shop's id and the field's name are sealed
along with the text and checked on opening: a sealed text that is moved to another shop or field does not open there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import bindparam, select, update

from engine.errors import ShelfgateError
from pipeline.store import Base, Store
from pipeline.store.types import SealedText

KEYS = "SHELFGATE_KEYS"
KEY_FILE = "SHELFGATE_KEY_FILE"
DEFAULT_KEY_FILE = Path("shelfgate.key")
"""Where the keys are looked for that the environment says nothing of."""

BATCH = 500


class KeyMissing(ShelfgateError):
    """Report that there is no key to seal or open with, or not the one that a text was sealed with.

    Attributes:
        key_id: Id of the key that is missing; empty where there is none at all.
    """

    def __init__(self, message: str, key_id: str = "") -> None:
        super().__init__(message)
        self.key_id = key_id


class KeyUnusable(ShelfgateError):
    """Refuse a key that isn't one.

    Attributes:
        place: Where the key stands, such as `SHELFGATE_KEYS 第 1 个`; never the key.
    """

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


class SealBroken(ShelfgateError):
    """Report a sealed text that was altered, or that belongs to another shop or field.

    Attributes:
        shop_id: The shop for which it was to be opened.
        field: The field for which it was to be opened.
    """

    def __init__(self, message: str, shop_id: str, field: str) -> None:
        super().__init__(message)
        self.shop_id = shop_id
        self.field = field


class Vault:
    """Seal and open texts; the first key seals, every key opens.

    Attributes:
        key_ids: Ids of the keys, the sealing one first. An id is taken from the key itself, so that no two keys ever
            share one and nobody has to invent them.
    """

    def __init__(self, keys: Sequence[str], source: str = "密钥") -> None:
        """Take the keys.

        Args:
            keys: Fernet keys: 32 bytes in URL-safe base64; the newest first, at least one.
            source: Where they come from, for messages.

        Raises:
            KeyMissing: Where there is no key.
            KeyUnusable: Where one of them isn't a key, or stands there twice.
        """
        if not keys:
            raise KeyMissing(f"{source} 中没有密钥；请运行 shelfgate keys new 生成一个")
        self._fernets: dict[str, Fernet] = {}
        self._roots = tuple(hashlib.sha256(b"shelfgate root " + key.encode()).digest() for key in keys)
        for number, key in enumerate(keys, 1):
            place = f"{source} 第 {number} 个"
            fernet = _fernet(key, place)
            if _key_id(key) in self._fernets:
                raise KeyUnusable(f"{place} 密钥与前面的重复；请删除重复的一个", place)
            self._fernets[_key_id(key)] = fernet
        self.key_ids = tuple(self._fernets)
        self._all = MultiFernet(list(self._fernets.values()))

    def __repr__(self) -> str:
        return f"Vault(key_ids={self.key_ids!r})"

    def __reduce__(self) -> str:
        raise TypeError("a Vault is not to be copied or pickled: it holds keys")

    def derived(self, purpose: str) -> tuple[str, ...]:
        """Give a secret of its own for a purpose from each key, the newest key's first; no key can be told from it.

        Args:
            purpose: What it is for, such as `cookies`.

        Returns:
            64 hex digits for each key.
        """
        return tuple(hmac.digest(root, purpose.encode(), "sha256").hex() for root in self._roots)

    def seal(self, text: str, *, shop_id: str, field: str) -> str:
        """Seal a text for one shop and one field.

        Returns:
            The sealed text: ASCII, different each time.
        """
        inside = json.dumps([shop_id, field, text]).encode()
        return f"{self.key_ids[0]}:{self._all.encrypt(inside).decode()}"

    def open(self, sealed: str, *, shop_id: str, field: str) -> str:
        """Open a text that was sealed for this shop and this field.

        Raises:
            KeyMissing: Where it was sealed with a key that isn't here.
            SealBroken: Where it was altered, or sealed for another shop or field.
        """
        key_id, token = self._parts(sealed, shop_id, field)
        try:
            found_shop, found_field, text = json.loads(self._fernets[key_id].decrypt(token))
        except InvalidToken:
            raise SealBroken("密文已损坏或被改动，无法解开；请重新填写", shop_id, field) from None
        if (found_shop, found_field) != (shop_id, field):
            raise SealBroken("密文属于另一家店铺或另一个字段，拒绝解开；请重新填写", shop_id, field)
        return str(text)

    def is_current(self, sealed: str) -> bool:
        """Tell whether a text was sealed with the newest key."""
        return sealed.partition(":")[0] == self.key_ids[0]

    def rotate(self, sealed: str) -> str:
        """Seal a text anew with the newest key, without asking what it is for.

        Raises:
            KeyMissing: Where it was sealed with a key that isn't here.
            SealBroken: Where it was altered.
        """
        _, token = self._parts(sealed, "", "")
        try:
            return f"{self.key_ids[0]}:{self._all.rotate(token).decode()}"
        except InvalidToken:
            raise SealBroken("密文已损坏或被改动，无法更换密钥；请重新填写", "", "") from None

    def _parts(self, sealed: str, shop_id: str, field: str) -> tuple[str, bytes]:
        key_id, colon, token = sealed.partition(":")
        if not colon or not sealed.isascii():
            raise SealBroken("这不是密文；请重新填写", shop_id, field)
        if key_id not in self._fernets:
            raise KeyMissing(
                f"密文是用密钥 {key_id} 加密的，现有密钥为 {'、'.join(self.key_ids)}；请把旧密钥加到列表末尾",
                key_id,
            )
        return key_id, token.encode()


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()


def write_key_file(path: Path) -> str:
    """Make a key and write it to a new file that only its owner may read.

    Returns:
        The key's id.

    Raises:
        KeyUnusable: Where the file is there already or can't be written: a key is never overwritten.
    """
    key = new_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyUnusable(
            f"密钥文件 {path} 已存在，不会覆盖；更换密钥时请把新密钥加到第一行", str(path)
        ) from None
    except OSError as error:
        raise KeyUnusable(f"无法写入密钥文件 {path}：{error.strerror}", str(path)) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{key}\n")
    return _key_id(key)


def open_vault(environment: Mapping[str, str] | None = None, key_file: Path | None = None) -> Vault:
    """Take the keys from where they are kept.

    Args:
        environment: Where to look for `SHELFGATE_KEYS` (keys parted by commas or white space, the newest first) and
            `SHELFGATE_KEY_FILE`; the process's own if None.
        key_file: A file with a key per line, the newest first; empty lines and lines that begin with # don't count.
            Used where the environment holds no keys.

    Raises:
        KeyMissing: Where there is no key anywhere.
        KeyUnusable: Where what is there isn't a key, or the file can't be read.
    """
    environment = os.environ if environment is None else environment
    if keys := environment.get(KEYS, "").replace(",", " ").split():
        return Vault(keys, f"环境变量 {KEYS}")
    if environment.get(KEY_FILE):
        key_file = Path(environment[KEY_FILE])
    if key_file is None:
        raise KeyMissing(
            f"没有加密密钥；请运行 shelfgate keys new 生成一个，写入环境变量 {KEYS}，或写入文件并由 {KEY_FILE} 指向它"
        )
    try:
        lines = key_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise KeyMissing(f"密钥文件 {key_file} 不存在；请运行 shelfgate keys new 生成一个") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"密钥文件 {key_file} 无法读取：{type(error).__name__}", str(key_file)) from None
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return Vault(found, f"密钥文件 {key_file}")


def rotate_keys(store: Store, vault: Vault) -> int:
    """Seal everything in the store anew that isn't sealed with the newest key; may be run again at any time.

    Each batch is kept by itself, and a row that someone changes meanwhile is left as they wrote it.

    Args:
        store: The store; its sealed columns are found by their type.
        vault: Keys: the new one first, every one still in use after it.

    Returns:
        How many texts were sealed anew.

    Raises:
        KeyMissing: Where a text was sealed with a key that isn't here; what was done so far is kept.
        SealBroken: Where a text was altered.
    """
    return sum(
        _rotate_column(store, vault, table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedText)
    )


def _rotate_column(store: Store, vault: Vault, table_name: str, column_name: str) -> int:
    table = Base.metadata.tables[table_name]
    column = table.c[column_name]
    keys = list(table.primary_key.columns)
    old = select(*keys, column).where(
        column.is_not(None), ~column.startswith(f"{vault.key_ids[0]}:", autoescape=True)
    )
    swap = (
        update(table)
        .where(*(key == bindparam(f"key_{key.name}") for key in keys), column == bindparam("before"))
        .values({column: bindparam("after")})
    )
    count = 0
    while True:
        with store.write() as session:
            rows = session.execute(old.limit(BATCH)).mappings().all()
            if not rows:
                return count
            for row in rows:
                before = row[column]
                changed = {"before": before, "after": vault.rotate(before)}
                session.execute(swap, changed | {f"key_{key.name}": row[key] for key in keys})
            count += len(rows)


def _fernet(key: str, place: str) -> Fernet:
    """Make the cipher of a key that is spelt in the one right way: Base64 readers pass over much that is not."""
    try:
        if urlsafe_b64encode(urlsafe_b64decode(key)).decode() == key:
            return Fernet(key)
    except ValueError:
        pass
    raise KeyUnusable(f"{place} 不是有效的密钥；密钥是 shelfgate keys new 生成的 44 个字符", place)


def _key_id(key: str) -> str:
    return hashlib.sha256(b"shelfgate key " + key.encode()).hexdigest()[:8]
