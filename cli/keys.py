"""`shelfgate keys`: the keys that seal credentials in the store."""

from __future__ import annotations

from pathlib import Path

import click

from cli._store import find_vault, opened, store_option
from pipeline.secrets import DEFAULT_KEY_FILE, KEY_FILE, KEYS, rotate_keys, write_key_file


@click.group("keys")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """管理加密身份信息的密钥。"""


@COMMAND.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_KEY_FILE)
def new(file: Path) -> None:
    """生成一个密钥，写入新文件 FILE（不写时为当前文件夹的 shelfgate.key），只有本人可读。

    密钥不显示在屏幕上。使用别处的文件时，用环境变量 SHELFGATE_KEY_FILE 指向它。
    """
    key_id = write_key_file(file)
    click.echo(f"已生成密钥 {key_id}，写入 {file}；请另行备份")


@COMMAND.command("rotate")
@store_option
def rotate(address: str) -> None:
    """用第一个密钥重新加密库里的全部密文；旧密钥要还在列表里，换完以后才可以删去。"""
    vault = find_vault()
    with opened(address) as store:
        count = rotate_keys(store, vault)
    click.echo(
        f"已用密钥 {vault.key_ids[0]} 重新加密 {count} 处"
        + (
            f"；旧密钥 {'、'.join(vault.key_ids[1:])} 可以从 {KEYS} 或 {KEY_FILE} 里删去了"
            if vault.key_ids[1:]
            else ""
        )
    )
