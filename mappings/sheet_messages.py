"""All wording about files and sheets that can't be read as they are; `SG05xx` are the codes of this stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.diagnostics import Cell, Diagnostic
from engine.errors import ShelfgateError

SAVE_AS = "用 Excel 或 WPS 打开，“文件 → 另存为 → Excel 工作簿（.xlsx）”，再上传另存的文件"


class SheetError(ShelfgateError):
    """Say that a file can't be read as a sheet at all.

    Attributes:
        file: Name of the file as the user gave it.
        diagnostics: What is wrong, at least one, each with a remedy as its hint.
    """

    def __init__(self, file: str, diagnostics: Sequence[Diagnostic]) -> None:
        lines = (
            f"{file}: {item.code} {item.message}" + (f"。{item.hint}" if item.hint else "")
            for item in diagnostics
        )
        super().__init__("\n".join(lines))
        self.file = file
        self.diagnostics = tuple(diagnostics)


def refuse(file: str, code: str, message: str, hint: str) -> SheetError:
    """Make the error for one thing that is wrong with a whole file."""
    return SheetError(file, [Diagnostic(code, "error", message, hint=hint)])


def cannot_open(file: str, reason: str) -> SheetError:
    """Word a file that the system does not hand out."""
    return refuse(
        file, "SG0501", f"打不开文件（{reason}）", "确认文件存在、没有被其他程序占用，并且有读取权限"
    )


def too_large(file: str, size: int, most: int) -> SheetError:
    """Word a file over the limit of size; both in bytes."""
    return refuse(
        file,
        "SG0502",
        f"文件有 {size / 1e6:.1f} MB，最多 {most // 1_000_000} MB",
        "分成几个文件上传；如果行数不多，删除图片和多余的工作表后再另存",
    )


def empty(file: str) -> SheetError:
    """Word a file without content."""
    return refuse(
        file, "SG0503", "文件是空的（0 字节）", "重新导出或下载该文件，确认能在 Excel 或 WPS 中打开"
    )


def other_kind(file: str, found: str, hint: str = SAVE_AS) -> SheetError:
    """Word a file whose content is not what its name says."""
    return refuse(file, "SG0504", f"扩展名与内容不符：文件内容是{found}", hint)


def locked(file: str) -> SheetError:
    """Word a workbook that asks for a password."""
    return refuse(
        file,
        "SG0505",
        "工作簿设置了打开密码，无法读取",
        "在 Excel 中“文件 → 信息 → 保护工作簿 → 用密码进行加密”里清空密码（WPS：“文件 → 文档加密”），保存后再上传",
    )


def broken(file: str, reason: str) -> SheetError:
    """Word a damaged workbook."""
    return refuse(
        file, "SG0506", f"工作簿已损坏，无法读取（{reason}）", f"文件可能没有传完整：重新下载；或{SAVE_AS}"
    )


def bomb(file: str, reason: str) -> SheetError:
    """Word a workbook that unpacks to far more than it may."""
    return refuse(
        file,
        "SG0507",
        f"工作簿解压后过大（{reason}），为安全起见不读取",
        "把需要的行复制到新建的工作簿中，另存为 .xlsx 后再上传",
    )


def macros(file: str) -> SheetError:
    """Word a workbook with macros."""
    return refuse(file, "SG0508", "工作簿带有宏（.xlsm），为安全起见不读取", SAVE_AS)


def unknown_suffix(file: str, suffix: str) -> SheetError:
    """Word a file of a kind that is not read."""
    return refuse(
        file, "SG0509", f"不支持的文件类型“{suffix or '没有扩展名'}”，可用 .xlsx、.csv、.tsv、.txt", SAVE_AS
    )


def encoding(file: str, line: int) -> SheetError:
    """Word text that is in no known encoding."""
    return refuse(
        file,
        "SG0510",
        f"第 {line} 行不是 UTF-8，也不是 GB18030 编码的文字",
        "在 Excel 中另存为“CSV UTF-8（逗号分隔）”，或直接上传 .xlsx",
    )


def broken_text(file: str, line: int, reason: str) -> SheetError:
    """Word delimited text that does not hold together."""
    return refuse(
        file, "SG0511", f"第 {line} 行不是完整的 CSV（{reason}）", f"检查该行的引号是否成对；或{SAVE_AS}"
    )


def no_header(file: str, sheets: Sequence[str], hidden: Sequence[str], wanted: Sequence[str]) -> SheetError:
    """Word a workbook in which no visible sheet has the columns."""
    if hidden:
        return refuse(
            file,
            "SG0523",
            f"可见的工作表（{'、'.join(sheets) or '无'}）都没有所需的列，只有隐藏的工作表“{'、'.join(hidden)}”有；隐藏的工作表不会被读取",
            f"右键工作表标签“取消隐藏”，显示“{hidden[0]}”并核对内容后再上传",
        )
    return refuse(
        file,
        "SG0521",
        f"没有找到表头：工作表 {'、'.join(sheets) or '（无）'} 的前 10 行都没有所需的列名",
        f"使用下载的上架模板填写；表头应包含：{'、'.join(wanted)}",
    )


def several_sheets(file: str, sheets: Sequence[str], wanted: str) -> SheetError:
    """Word a workbook in which more than one sheet could be meant."""
    return refuse(
        file,
        "SG0522",
        f"有 {len(sheets)} 个工作表都带有表头（{'、'.join(sheets)}），不确定读哪一个",
        f"把要上传的工作表命名为“{wanted}”，或删除其余的工作表",
    )


def missing_column(sheet: str, title: str, row: int, found: Sequence[str], nearest: str) -> Diagnostic:
    """Word a required column that is not there."""
    near = f"；最接近的是“{nearest}”" if nearest else ""
    return Diagnostic(
        "SG0524",
        "error",
        f"工作表“{sheet}”第 {row} 行的表头缺少必填列“{title}”；现有的列：{'、'.join(found) or '（无）'}{near}",
        hint=f"把“{nearest}”改名为“{title}”"
        if nearest
        else f"在表头中加上一列“{title}”，或使用下载的上架模板",
    )


def duplicate_column(title: str, first: str, cell: Cell) -> Diagnostic:
    """Word a column that stands twice."""
    return Diagnostic(
        "SG0525",
        "error",
        f"列“{title}”出现了两次（{first} 和 {cell.name}），不确定以哪一列为准",
        hint=f"删除其中一列，或给 {cell.name} 改一个别的列名",
        cell=cell,
    )


def unknown_column(cell: Cell, nearest: str) -> Diagnostic:
    """Word a column that is not read."""
    hint = f"如果它就是“{nearest}”，请改为这个列名" if nearest else ""
    return Diagnostic("SG0526", "notice", f"列“{cell.value}”不认识，不会读取", hint=hint, cell=cell)


def no_rows(file: str, sheet: str, row: int) -> SheetError:
    """Word a sheet with a header alone."""
    return refuse(
        file,
        "SG0527",
        f"工作表“{sheet}”第 {row} 行的表头下面没有数据行",
        "从表头的下一行开始填写，每个商品一行",
    )


def too_many_rows(file: str, sheet: str, rows: int, most: int) -> SheetError:
    """Word a sheet over the limit of rows."""
    return refuse(
        file,
        "SG0528",
        f"工作表“{sheet}”有 {rows:,} 行，最多 {most:,} 行",
        "分成几个文件上传；如果实际没有这么多行，删除末尾的空行后再保存",
    )


def hidden_sheet(names: Sequence[str]) -> Diagnostic:
    """Word hidden sheets that look like uploads and were left alone."""
    return Diagnostic(
        "SG0529",
        "notice",
        f"隐藏的工作表“{'、'.join(names)}”也带有表头，没有读取",
        hint="如果其中有要上传的行，请取消隐藏并复制到可见的工作表中",
    )


def hidden_upload(file: str, name: str) -> SheetError:
    """Word an upload sheet that is hidden."""
    return refuse(
        file,
        "SG0523",
        f"工作表“{name}”被隐藏了；隐藏的工作表不会被读取",
        "右键任一工作表标签“取消隐藏”，核对内容后再上传",
    )


def bad_id(cell: Cell, reason: str, remedy: str) -> Diagnostic:
    """Word an id that can't be read for certain."""
    return Diagnostic(
        "SG0541", "error", f"{cell.column} 无法读取：{cell.value or '空白'} {reason}", hint=remedy, cell=cell
    )


def no_value(cell: Cell) -> Diagnostic:
    """Word a formula that carries no result."""
    return Diagnostic(
        "SG0542",
        "error",
        f"{cell.name} 是公式，但文件里没有保存它的计算结果",
        hint="用 Excel 或 WPS 打开，重新计算并保存；或复制该列后“选择性粘贴 → 数值”",
        cell=cell,
    )


def formula_error(cell: Cell, error: str = "") -> Diagnostic:
    """Word a formula that ended in an error; a reader may show the cell as blank."""
    cell = replace(cell, value=error or cell.value)
    return Diagnostic(
        "SG0543",
        "error",
        f"{cell.name} 是公式的错误结果 {cell.value}",
        hint="修正公式，或直接填写数值；查找类公式请确认能在来源表中找到",
        cell=cell,
    )


def merged(cell: Cell, area: str) -> Diagnostic:
    """Word a cell that is part of a merged area."""
    return Diagnostic(
        "SG0544",
        "error",
        f"{cell.name} 属于合并单元格 {area}，只有左上角一格有值",
        hint="选中该区域“取消合并单元格”，再逐行填写",
        cell=cell,
    )


def bad_text(cell: Cell, reason: str) -> Diagnostic:
    """Word a cell that should hold text and doesn't."""
    return Diagnostic(
        "SG0545",
        "error",
        f"{cell.column} 应为文字，{cell.name} {reason}：{cell.value}",
        hint="把单元格格式设为“文本”后重新填写",
        cell=cell,
    )


def no_key(cell: Cell) -> Diagnostic:
    """Word a row of reference data without its id."""
    return Diagnostic(
        "SG0546",
        "error",
        f"第 {cell.row} 行没有填写{cell.column}",
        hint="补上 ID，或删除这一行；重新下载惠聚数据最稳妥",
        cell=cell,
    )


def repeated_key(cell: Cell, first: int) -> Diagnostic:
    """Word an id of reference data that stands twice."""
    return Diagnostic(
        "SG0547",
        "error",
        f"{cell.column} {cell.value} 在第 {first} 行已经出现过",
        hint="删除重复的行，或重新下载惠聚数据",
        cell=cell,
    )
