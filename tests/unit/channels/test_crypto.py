"""Encrypted fields against a known vector."""

from __future__ import annotations

import pytest

from channels.errors import CannotDecrypt
from channels.huiju.crypto import decrypt, encrypt

VECTOR = "AAECAwQFBgcICQoLDA0OD09BdjWT3ouQ5F9Se0F9ewI="


def test_the_known_text_gives_the_known_ciphertext_and_back() -> None:
    assert encrypt("13800138000", "demo-data-key", bytes(range(16))) == VECTOR
    assert decrypt(VECTOR, "demo-data-key") == "13800138000"


@pytest.mark.parametrize(
    "text", ["", "张", "四川省成都市锦江区示例路 1 号", "x" * 15, "x" * 16, "x" * 17, "😀\n"]
)
def test_what_is_encrypted_can_be_read_again(text: str) -> None:
    assert decrypt(encrypt(text, "key"), "key") == text


def test_empty_text_stays_empty() -> None:
    assert encrypt("", "key") == ""
    assert decrypt("", "key") == ""


def test_the_same_text_never_looks_the_same_twice() -> None:
    assert encrypt("张三", "key") != encrypt("张三", "key")


@pytest.mark.parametrize("cipher", ["张三", "13800138000", "AAAA", VECTOR[:-4], VECTOR + "AAAA", VECTOR[:24]])
def test_a_damaged_ciphertext_is_refused_without_being_quoted(cipher: str) -> None:
    with pytest.raises(CannotDecrypt) as caught:
        decrypt(cipher, "demo-data-key")
    assert cipher not in str(caught.value)
    assert "dataKey" in str(caught.value)


def test_another_shops_data_key_opens_nothing() -> None:
    """Padding can fit by chance (1 in 256), but then the text is not the text."""
    for number in range(50):
        try:
            assert decrypt(VECTOR, f"other-key-{number}") != "13800138000"
        except CannotDecrypt:
            continue
