"""Write the reference page of the profile: what is known of Huiju's wire, what is assumed, where to correct it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from channels.huiju.profile import Entry, Fields, Profile

_MARKS = {"sourced": "有出处", "assumed": "推定"}
_HEAD = """# 惠聚接口约定

<!-- 由 make reference 从 channels/huiju/profile.yaml 生成，不要手改 -->

惠聚的完整接口文档没有公开。客户端与沙箱都只读 `channels/huiju/profile.yaml` 这一个文件；每一项都标明“有出处”或“推定”。
手里有正式文档的商家，请复制这个文件，改正其中的字段名（`wire:`）、取值（`value:`）或路径（`path:`），把 `mark` 改为 `sourced`，
然后让命令使用改过的文件。键名请保持不变，其余代码只认键名。
"""


def render(profile: Profile) -> str:
    """Return the page as Markdown."""
    known, guessed = count(profile)
    parts = [
        _HEAD,
        f"共 {known + guessed} 项，其中有出处 {known} 项，推定 {guessed} 项。\n",
        "## 出处\n",
        _table(("代号", "出处"), ([key, text] for key, text in profile.sources.items())),
        "## 请求信封\n",
        f"地址 `{profile.base_url}`，POST，JSON 对象；业务参数与信封参数平铺在一起，每个值都是字符串。\n",
        _names(profile, "envelope"),
        "## 回复信封\n",
        _names(profile, "reply"),
        "## 签名与加密\n",
        _entries({**profile.signing, **profile.encryption}),
        "## 限制\n",
        _entries(profile.limits),
        "## 错误码\n",
        _table(
            ("键", "值", "含义", "类别", "标记", "说明"),
            (
                [f"`{key}`", f"`{entry.value}`", entry.title, f"`{entry.kind}`", _mark(entry), entry.note]
                for key, entry in profile.codes.items()
            ),
        ),
        "## 枚举\n",
        *(
            f"### {name}\n\n"
            + _table(
                ("键", "值", "含义", "标记", "说明"),
                ([f"`{key}`", f"`{e.value}`", e.title, _mark(e), e.note] for key, e in members.items()),
            )
            for name, members in profile.enums.items()
        ),
        "## 接口\n",
        *(_endpoint(profile, name) for name in profile.endpoints),
        "## 记录\n",
        *(f"### {name}\n\n{_fields(fields)}" for name, fields in profile.records.items()),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def count(profile: Profile) -> tuple[int, int]:
    """Return how many entries are sourced and how many assumed, wherever they stand in the file."""
    marks: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, Mapping):
            if isinstance(node.get("mark"), str):
                marks.append(node["mark"])
            for child in node.values():
                walk(child)

    walk(profile.raw)
    return marks.count("sourced"), marks.count("assumed")


def _endpoint(profile: Profile, name: str) -> str:
    endpoint = profile.endpoints[name]
    how = "写" if endpoint.writes else "读"
    if endpoint.writes:
        how += "，可重复提交" if endpoint.repeatable else "，不可重复提交"
    said = f"{_MARKS[endpoint.mark]}{f'（{endpoint.source}）' if endpoint.source else ''}；{how}。{endpoint.note}"
    request = _fields(endpoint.request, optional=True) if endpoint.request else "没有业务参数。\n"
    return f"### {endpoint.title} `{endpoint.path}`\n\n{said}\n\n请求\n\n{request}\n回复\n\n{_fields(endpoint.reply)}"


def _fields(fields: Fields, *, optional: bool = False) -> str:
    def row(name: str) -> list[str]:
        field = fields[name]
        kind = (
            field.type + (f" of {field.of}" if field.of else "") + (f"（{field.enum}）" if field.enum else "")
        )
        wire = "" if field.wire == name else f"`{field.wire}`"
        extra = ["否" if field.optional else "是"] if optional else []
        hidden = "密文" if field.encrypted else ""
        return [f"`{name}`", wire, field.title, kind, hidden, *extra, _mark(field), field.note]

    head = ("键", "线上名称", "含义", "类型", "加密", *(("必填",) if optional else ()), "标记", "说明")
    return _table(head, (row(name) for name in fields))


def _names(profile: Profile, section: str) -> str:
    rows = (
        [f"`{key}`", f"`{spec.get('wire', key)}`", _plain_mark(spec), spec.get("note", "")]
        for key, spec in profile.raw[section].items()
    )
    return _table(("键", "线上名称", "标记", "说明"), rows)


def _entries(entries: Mapping[str, Entry]) -> str:
    rows = ([f"`{key}`", f"`{entry.value}`", _mark(entry), entry.note] for key, entry in entries.items())
    return _table(("键", "值", "标记", "说明"), rows)


def _mark(entry: object) -> str:
    mark, source = getattr(entry, "mark", ""), getattr(entry, "source", "")
    return f"{_MARKS[mark]} {source}".strip()


def _plain_mark(spec: Mapping[str, str]) -> str:
    return f"{_MARKS[spec['mark']]} {spec.get('source', '')}".strip()


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n".replace("  ", " ") for line in lines)
