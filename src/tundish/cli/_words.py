"""The words of ``tundish status`` in English and Chinese; TUNDISH_LANG=zh chooses Chinese."""
# ruff: noqa: RUF001  (Chinese sentences have Chinese commas)

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.storage.checks import CHECKS, describe, preferred_language

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["explain", "say"]

_WORDS = {
    "files": ("files", "文件"),
    "labels": ("labels", "标注"),
    "input": ("input", "总数"),
    "accepted": ("accepted", "通过"),
    "quarantined": ("quarantined", "隔离"),
    "skipped": ("skipped", "跳过"),
    "tally": (
        "{what}: {input} = {accepted} accepted + {quarantined} quarantined + {skipped} skipped",
        "{what}：总数 {input} = 通过 {accepted} + 隔离 {quarantined} + 跳过 {skipped}",
    ),
    "list": ("{what}: {list}", "{what}：{list}"),
    "of quarantined": ("{what} quarantined", "{what}：隔离"),
    "of skipped": ("{what} skipped", "{what}：跳过"),
    "warnings": ("kept with a warning", "保留，但有警告"),
    "of warnings": ("{what} kept with a warning", "{what}：保留，但有警告"),
    "columns": (
        "{what}: {named} columns read by name, {typed} typed by their values, {text} left as text",
        "{what}：按名称读取 {named} 列，按数值判定类型 {typed} 列，保留为文本 {text} 列",
    ),
    "links": ("{what}: linked to {linked} images", "{what}：已关联 {linked} 个图像"),
    "ambiguous": (
        "{what}: linked to {linked} images, {ambiguous} of them to several records that fit equally well",
        "{what}：已关联 {linked} 个图像，其中 {ambiguous} 个有多条记录同样符合",
    ),
    "unlinked": ("images without a record in {what}", "{what}：没有对应记录的图像"),
    "coverage": ("image files", "图像文件"),
    "copies": ("copies left out", "略去的重复图像"),
    "overlaps": ("pairs of images that overlap", "部分重叠的图像对"),
    "label conflicts": ("copies labelled differently", "标注不一致的重复图像"),
    "leak": (
        "{pictures} pictures came in several splits of their source: {splits}",
        "{pictures} 个画面同时出现在数据源的多个子集中：{splits}",
    ),
    "splits": ("images", "图像"),
    "left out": ("left out", "未划入"),
    "images left out": ("images left out", "未划入任何子集的图像"),
    "classes": ("labels by class", "各类别标注数"),
    "no classes": ("not counted before the stage consensus", "consensus 阶段运行后才能统计"),
    "results": ("in {folder}/", "位于 {folder}/"),
    "export incomplete": (
        "{list}: incomplete, as an export failed or was interrupted; run 'tundish export {name}'",
        "{list}：不完整，写出它的导出失败或被中断；请运行 'tundish export {name}'",
    ),
    "export older than the tables": (
        "{list}: older than the tables; run 'tundish export {name}'",
        "{list}：早于当前各表；请运行 'tundish export {name}'",
    ),
    "splits older": (
        "the splits are older than the images: a run stopped before them; run 'tundish run {name}'",
        "划分早于当前图像：运行在划分之前停止；请运行 'tundish run {name}'",
    ),
    "source gone": (
        "no longer at their source (source_gone): {what}, such as {list}",
        "数据源中已不存在（source_gone）：{what}，例如 {list}",
    ),
    "source gone advice": (
        "they stay in the dataset, from the store: put them back, or refuse them in schemas/images.py",
        "它们仍保存在数据集的存储中：请放回原处，或在 schemas/images.py 中用规则排除",
    ),
    "gone image": ("image files {count}", "图像 {count}"),
    "gone annotation": ("label files {count}", "标注文件 {count}"),
    "gone classes": ("lists of classes {count}", "类别列表 {count}"),
    "gone record": ("tables {count}", "记录表 {count}"),
    "nothing yet": (
        "nothing has been taken in yet; run 'tundish run {name}'",
        "尚未读入任何文件；请运行 'tundish run {name}'",
    ),
    "contradiction": ("the tables contradict each other: {what}", "各表之间有矛盾：{what}"),
    "does not add up": ("the counts do not add up", "各项计数之和与总数不符"),
}


def say(key: str, **values: object) -> str:
    """A word or sentence of the status in the language that TUNDISH_LANG names, English by default.

    Args:
        key: Its name in the table of this module.
        values: What its braces are replaced by; numbers get a separator for thousands.
    """
    english, chinese = _WORDS[key]
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    return (chinese if preferred_language() == "zh" else english).format(**shown)


def explain(reason: str, sentences: Mapping[str, str]) -> str:
    """What a reason means, in a sentence; empty where that is not known.

    Args:
        reason: Its code, as the tables have it.
        sentences: Those of the rules that failed in a dataset, as a `Status` has them.
    """
    if reason in CHECKS:
        return describe(reason)
    english, _, chinese = sentences.get(reason, "").partition(" / ")
    return chinese if chinese and preferred_language() == "zh" else english
