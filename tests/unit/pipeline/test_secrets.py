"""The vault: what it seals opens only where it belongs, and never shows a key."""

from __future__ import annotations

import copy
import pickle
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.secrets import KeyMissing, KeyUnusable, SealBroken, Vault, new_key, open_vault, write_key_file

OLD, NEW = new_key(), new_key()


@given(text=st.text(), shop_id=st.text(), field=st.text())
def test_what_is_sealed_opens_for_the_same_shop_and_field(text: str, shop_id: str, field: str) -> None:
    vault = Vault([NEW])
    assert text == vault.open(vault.seal(text, shop_id=shop_id, field=field), shop_id=shop_id, field=field)


@pytest.mark.parametrize(
    ("shop_id", "field"), [("2", "secret"), ("1", "other"), ("", "1secret"), ("1s", "ecret")]
)
def test_a_sealed_text_does_not_open_for_another_shop_or_field(shop_id: str, field: str) -> None:
    """Fernet binds no context: a sealed text copied into another row would open there as that row's own."""
    vault = Vault([NEW])
    with pytest.raises(SealBroken, match="另一家店铺") as caught:
        vault.open(vault.seal("hush-hush", shop_id="1", field="secret"), shop_id=shop_id, field=field)
    assert (shop_id, field) == (caught.value.shop_id, caught.value.field)
    assert "hush" not in caught.value.message


def test_a_sealed_text_shows_nothing_and_differs_each_time() -> None:
    vault = Vault([NEW])
    one, two = (vault.seal("hush-hush", shop_id="1", field="secret") for _ in range(2))
    assert one != two
    assert "hush" not in one
    assert one.isascii()


@pytest.mark.parametrize("at", [0, 3, 9, 20, -1])
def test_a_sealed_text_that_was_altered_does_not_open(at: int) -> None:
    vault = Vault([NEW])
    sealed = vault.seal("hush-hush", shop_id="1", field="secret")
    altered = list(sealed)
    altered[at] = "A" if altered[at] != "A" else "B"
    with pytest.raises((SealBroken, KeyMissing)):
        vault.open("".join(altered), shop_id="1", field="secret")


@pytest.mark.parametrize("text", ["", "hush", "密文:x", ":", "a:b:c"])
def test_a_text_that_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises((SealBroken, KeyMissing)):
        Vault([NEW]).open(text, shop_id="1", field="secret")


def test_the_newest_key_seals_and_every_key_opens() -> None:
    sealed = Vault([OLD]).seal("hush", shop_id="1", field="secret")
    both = Vault([NEW, OLD])
    assert "hush" == both.open(sealed, shop_id="1", field="secret")
    assert both.seal("x", shop_id="1", field="secret").startswith(f"{Vault([NEW]).key_ids[0]}:")


def test_after_rotation_the_old_key_is_needed_no_more() -> None:
    sealed = Vault([OLD]).seal("hush", shop_id="1", field="secret")
    both = Vault([NEW, OLD])
    rotated = both.rotate(sealed)
    assert (False, True) == (both.is_current(sealed), both.is_current(rotated))
    assert "hush" == Vault([NEW]).open(rotated, shop_id="1", field="secret")
    with pytest.raises(KeyMissing, match=Vault([NEW]).key_ids[0]):
        Vault([OLD]).open(rotated, shop_id="1", field="secret")


def test_a_sealed_text_that_was_altered_is_not_rotated() -> None:
    both = Vault([NEW, OLD])
    sealed = both.seal("hush", shop_id="1", field="secret")
    with pytest.raises(SealBroken):
        both.rotate(sealed[:-4] + "AAAA")
    with pytest.raises(KeyMissing):
        Vault([OLD]).rotate(sealed)


def test_a_key_missing_names_the_one_that_is_needed_and_the_remedy() -> None:
    sealed = Vault([OLD]).seal("hush", shop_id="1", field="secret")
    with pytest.raises(KeyMissing, match="请把旧密钥加到列表末尾") as caught:
        Vault([NEW]).open(sealed, shop_id="1", field="secret")
    assert Vault([OLD]).key_ids[0] == caught.value.key_id


def test_a_vault_shows_no_key_and_is_not_copied() -> None:
    vault = Vault([NEW, OLD])
    for shown in (repr(vault), str(vault), f"{vault!r:>200}", repr(vault.key_ids)):
        assert NEW not in shown
        assert OLD not in shown
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds keys"):
            copied(vault)


def test_keys_are_taken_from_the_environment_first(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{OLD}\n")
    environment = {"SHELFGATE_KEYS": f" {NEW},\n{OLD} ", "SHELFGATE_KEY_FILE": str(tmp_path / "keys")}
    assert Vault([NEW, OLD]).key_ids == open_vault(environment).key_ids


def test_keys_are_taken_from_a_file_that_the_environment_or_the_caller_names(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# the new one\n{NEW}\n\n  {OLD}  \n", encoding="utf-8")
    wanted = Vault([NEW, OLD]).key_ids
    assert wanted == open_vault({"SHELFGATE_KEY_FILE": str(tmp_path / "keys")}).key_ids
    assert wanted == open_vault({}, tmp_path / "keys").key_ids


def test_no_key_anywhere_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nothing\n")
    for environment, file in (
        ({}, None),
        ({"SHELFGATE_KEYS": " , "}, None),
        ({}, tmp_path / "missing"),
        ({}, tmp_path / "empty"),
    ):
        with pytest.raises(KeyMissing, match="shelfgate keys new"):
            open_vault(environment, file)


@pytest.mark.parametrize(
    "bad",
    ["hush-hush", NEW[:-5], NEW + "AAAA", "芝麻开门", "=" * 44],
    ids=["text", "short", "long", "chinese", "padding"],
)
def test_what_is_no_key_is_refused_by_its_place_without_showing_it(bad: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        open_vault({"SHELFGATE_KEYS": f"{NEW},{bad}"})
    assert "环境变量 SHELFGATE_KEYS 第 2 个" == caught.value.place
    assert bad not in caught.value.message


def test_a_key_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(KeyUnusable, match="第 3 个 密钥与前面的重复"):
        Vault([NEW, OLD, NEW])


def test_a_key_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff")
    for path in (tmp_path, tmp_path / "photo"):
        with pytest.raises(KeyUnusable, match="无法读取"):
            open_vault({}, path)


def test_a_new_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    key_id = write_key_file(path)
    assert (key_id,) == open_vault({}, path).key_ids
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    before = path.read_bytes()
    with pytest.raises(KeyUnusable, match="不会覆盖"):
        write_key_file(path)
    assert before == path.read_bytes()
    with pytest.raises(KeyUnusable, match="无法写入"):
        write_key_file(tmp_path / "nowhere" / "keys")


def test_a_secret_for_a_purpose_comes_from_each_key_and_shows_none() -> None:
    both, old = Vault([NEW, OLD]), Vault([OLD])
    cookies = both.derived("cookies")
    assert (2, 64) == (len(cookies), len(cookies[0]))
    assert both.derived("cookies") == cookies, "the same in every process"
    assert cookies[1:] == old.derived("cookies"), "what an older key has signed is still known"
    assert not set(cookies) & set(both.derived("other"))
    for key in (NEW, OLD):
        assert key not in "".join(cookies)
    assert not set(both.key_ids) & {secret[:8] for secret in cookies}
