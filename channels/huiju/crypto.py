"""Read and write Huiju's encrypted fields: base64(IV(16) + AES-128-CBC/PKCS5(text)), as in the one public client."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from channels.errors import CannotDecrypt

_BLOCK = 16


def key_of(data_key: str) -> bytes:
    """Return the AES key, shape (16,) bytes: the first half of SHA-256 of the data key."""
    return hashlib.sha256(data_key.encode()).digest()[:_BLOCK]


def encrypt(text: str, data_key: str, iv: bytes | None = None) -> str:
    """Encrypt one field; empty text stays empty.

    Args:
        text: The plain text.
        data_key: The shop's data key, its third credential.
        iv: Initialisation vector, shape (16,) bytes; random where None.

    Returns:
        Base64 text.
    """
    if text == "":
        return ""
    start = os.urandom(_BLOCK) if iv is None else iv
    padder = PKCS7(_BLOCK * 8).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key_of(data_key)), modes.CBC(start)).encryptor()
    return base64.b64encode(start + encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(cipher: str, data_key: str) -> str:
    """Decrypt one field; empty text stays empty.

    Raises:
        CannotDecrypt: The text is not a ciphertext, or it was made with another data key. Neither text is quoted.
    """
    if cipher == "":
        return ""
    try:
        raw = base64.b64decode(cipher, validate=True)
        if len(raw) < 2 * _BLOCK or len(raw) % _BLOCK:
            raise ValueError
        decryptor = Cipher(algorithms.AES(key_of(data_key)), modes.CBC(raw[:_BLOCK])).decryptor()
        padded = decryptor.update(raw[_BLOCK:]) + decryptor.finalize()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, binascii.Error):
        raise CannotDecrypt(
            "huiju", "密文无法用当前的数据密钥解开，请核对绑定中的 dataKey", code="cannot_decrypt"
        ) from None
