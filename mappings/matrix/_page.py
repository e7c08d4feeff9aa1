"""What every format shows of a channel's matrix: rows of situations that are told apart, marks, notes, and what events lead to.

Values that no verdict tells apart share a row, so that a person can read the whole; together the rows cover every situation. The csv format
alone gives every situation a line.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from engine.actions import ActionState
from engine.flows import changes_of
from engine.matrix import Matrix, Situation, matrices, periods
from engine.rulebook import Channel, Rulebook
from engine.rules import ActionRule, Flow, Message
from engine.vocabulary import Fact, resolve
from engine.wording import day_of, outline, outline_message, said, title_of
from mappings.matrix._merged import merged

STATE_TITLES = {"enabled": "✓", "disabled": "置灰", "hidden": "隐藏", "undetermined": "缺数据"}
LEGEND = (
    ("enabled", "可以做"),
    ("disabled", "看得到、不能做；后面的数字是下面的注，写明原因与改做什么"),
    ("hidden", "不显示，接口同样拒绝；数字同上"),
)
COVERAGE = "结论相同的取值合成一行，各行合起来就是全部情形；不可能出现的情形也在内"
IGNORED = "忽略"
ALWAYS = "可以做时"


@dataclass(frozen=True, slots=True)
class Mark:
    """Show the state of one action in one row.

    Attributes:
        state: enabled, disabled, hidden, or undetermined where a fact is missing.
        note: Number of the note that says why; None where enabled.
    """

    state: str
    note: int | None = None

    def __str__(self) -> str:
        """Give the words of the cell, such as `置灰 3`."""
        title = STATE_TITLES[self.state]
        return title if self.note is None else f"{title} {self.note}"


@dataclass(frozen=True, slots=True)
class Note:
    """Say why a rule restricts, once for all its cells; slots of the reason are shown as the titles of their fields.

    Attributes:
        number: Its number within the section, from 1.
        rule: Ruleset and rule.
        source: Where the rule comes from, such as R23.
        place: File and line.
        reason: Why, in Chinese.
        english: Why and until when, in English; empty where the rule has no English.
        instead: What to do instead: the action's title and its effect.
        until: Until when, in words; may be empty.
    """

    number: int
    rule: str
    source: str
    place: str
    reason: str
    english: str
    instead: tuple[str, ...]
    until: str

    def __str__(self) -> str:
        """Give the note in one line, without its number."""
        more = [*(f"改做 {item}" for item in self.instead), *([f"直到 {self.until}"] if self.until else [])]
        return "；".join([self.reason, *more])


@dataclass(frozen=True, slots=True)
class Row:
    """Hold the values of a row, each in words, with a mark for each action."""

    labels: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Say what an action or event leads to.

    Attributes:
        trigger: Title of the action or event.
        labels: When, in words: for an event a word for each axis, for an action the flow's condition.
        result: What is set and what the channel is told, in words.
        flows: Ids of the flows; none where the event is ignored.
    """

    trigger: str
    labels: tuple[str, ...]
    result: str
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Hold what is shown of one matrix.

    Attributes:
        matrix: The matrix.
        title: Chinese title of the fact.
        rows: The situations that are told apart.
        notes: The reasons, in the order of the rule file.
        commands: What carrying out an action leads to, flow by flow.
        events: What events lead to; empty where the fact has none.
    """

    matrix: Matrix
    title: str
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    commands: tuple[ResultRow, ...]
    events: tuple[ResultRow, ...]

    @property
    def name(self) -> str:
        """Name the ruleset."""
        return self.matrix.ruleset.name

    @property
    def fact(self) -> Fact:
        """Give the fact that is judged."""
        return self.matrix.ruleset.fact

    @property
    def counted(self) -> str:
        """Say how many cells there are."""
        situations, actions = len(self.matrix.actions.situations), len(self.fact.actions)
        text = f"{situations} 种情形 × {actions} 个动作 = {situations * actions} 个结论"
        events = len(self.matrix.events.situations) * len(self.fact.events)
        return (
            f"{text}；{len(self.matrix.events.situations)} 种情形 × {len(self.fact.events)} 个事件 = {events} 个结果"
            if events
            else text
        )

    @property
    def held(self) -> str:
        """Say which fields are held at one value."""
        return "，".join(f"{title} {value}" for title, value in self.matrix.held)

    def results(self) -> list[tuple[str, list[str], tuple[ResultRow, ...]]]:
        """Give the tables of what actions and events lead to, those that have rows: heading, titles of the columns but for the flows, rows."""
        axes = [axis.title for axis in self.matrix.events.axes]
        tables = [
            ("做了什么，变成什么", ["动作", "何时", "结果"], self.commands),
            ("发生了什么，变成什么", ["事件", *axes, "结果"], self.events),
        ]
        return [table for table in tables if table[2]]


@dataclass(frozen=True, slots=True)
class Page:
    """Hold what is shown of one channel.

    Attributes:
        channel: Chinese name of the channel.
        as_of: The moment asked for; aware.
        changes: The days on which other rules come to be in force.
        sections: A section for each ruleset.
    """

    channel: str
    as_of: datetime
    changes: tuple[date, ...]
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Give the heading."""
        return f"{self.channel}动作矩阵"

    @property
    def dated(self) -> str:
        """Say as of which day it holds, and on which days it changes."""
        days = "、".join(map(str, self.changes))
        return f"以 {day_of(self.as_of)} 的规则为准" + (f"；规则变化的日子：{days}" if days else "")


def page_of(rulebook: Rulebook, channel: Channel, as_of: datetime, fact: str = "") -> Page:
    """Lay out a channel's matrix for reading.

    Args:
        rulebook: The rules.
        channel: One of its channels.
        as_of: The moment asked for; aware.
        fact: Name of the only fact to show; empty for all.

    Returns:
        The page.
    """
    changes = tuple(day_of(moment) for moment in periods(channel)[1:])
    titles = {
        action: f"{title}（{known.type.title}）"
        for known in rulebook.vocabulary.facts.values()
        for action, title, _ in known.actions
    }
    sections = tuple(_section(matrix, titles) for matrix in matrices(rulebook, channel, as_of, fact))
    return Page(channel.title, as_of, changes, sections)


def result_of(matrix: Matrix, flows: Sequence[Flow]) -> str:
    """Say what flows lead to together: the fields they set, what the channel is told; without flows, that the event is ignored."""
    if not flows:
        return IGNORED
    type_ = matrix.ruleset.fact.type
    told = []
    for path, value in changes_of(flows).items():
        found = resolve(type_, tuple(path.split("."))).type
        choices = dict(found.choices) if found is not None else {}
        told.append(f"{title_of(type_, path)} → {choices.get(value, said(value))}")
    return "；".join([*told, *(f"通知渠道 {flow.call}" for flow in flows if flow.call)])


def _section(matrix: Matrix, titles: Mapping[str, str]) -> Section:
    """Lay out one matrix; `titles` name the actions of every fact, as what is to be done instead may be another fact's."""
    fact = matrix.ruleset.fact
    own = {name: title for name, title, _ in fact.actions}
    deciding = {state.rule for situation in matrix.actions.situations for state in situation.actions}
    rules = [
        rule
        for rule in matrix.ruleset.rules
        if isinstance(rule, ActionRule) and f"{matrix.ruleset.name}/{rule.common.id}" in deciding
    ]
    notes = tuple(_note(matrix, rule, {**titles, **own}, n) for n, rule in enumerate(rules, start=1))
    numbers = {note.rule: note.number for note in notes}
    rows = tuple(
        Row(labels, tuple(_mark(state, numbers) for state in situation.actions))
        for labels, situation in merged(matrix.actions, _verdicts)
    )
    commands = tuple(
        _result(matrix, own[flow.on], (outline(flow.common.when) if flow.common.when else ALWAYS,), [flow])
        for flow in matrix.flows
        if flow.on in own
    )
    events = tuple(
        _result(matrix, title, labels, situation.flows.get(event, ()))
        for event, title in fact.events
        for labels, situation in merged(matrix.events, partial(_taken_up, event))
    )
    return Section(matrix, fact.type.title, rows, notes, commands, events)


def _taken_up(event: str, situation: Situation) -> Hashable:
    return situation.flows.get(event, ())


def _result(matrix: Matrix, trigger: str, labels: tuple[str, ...], flows: Sequence[Flow]) -> ResultRow:
    return ResultRow(trigger, labels, result_of(matrix, flows), tuple(flow.common.id for flow in flows))


def _note(matrix: Matrix, rule: ActionRule, titles: Mapping[str, str], number: int) -> Note:
    common = rule.common
    return Note(
        number,
        f"{matrix.ruleset.name}/{common.id}",
        common.source,
        f"{common.span.file}:{common.span.start_line}",
        _words(rule.because),
        _english(rule),
        tuple(f"{titles[item.action]}：{_words(item.effect)}" for item in rule.instead),
        _words(rule.until),
    )


def _english(rule: ActionRule) -> str:
    if not rule.because.en:
        return ""
    return _words(rule.because, "en") + (f"; until {_words(rule.until, 'en')}" if rule.until.en else "")


def _words(message: Message, language: str = "zh") -> str:
    """Put a message into words, in one line."""
    return " ".join(outline_message(message, language).split())


def _mark(state: ActionState, numbers: dict[str, int]) -> Mark:
    if state.state == "enabled":
        return Mark("enabled")
    return Mark("undetermined" if state.missing else state.state, numbers[state.rule])


def _verdicts(situation: Situation) -> Hashable:
    return tuple((state.state, state.rule, state.missing) for state in situation.actions)
