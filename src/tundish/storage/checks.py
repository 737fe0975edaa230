"""What the checks and reasons in a dataset's tables mean, in English and Chinese.

The names are those of `quarantine.check`, `files.reason`, `features.reason`, `standing.state`,
`disputes.reason`, `duplicates.relation`, `duplicates.label_conflict`, `splits.reason` (up to its colon) and
`links.reason`. The rules of records are not here: the project's schema says what they mean.
"""
# ruff: noqa: RUF001  (Chinese sentences have Chinese commas)

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHECKS", "Check", "Language", "describe", "preferred_language"]

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Check:
    """The name of a check or reason, and what it says in English and Chinese."""

    name: str
    english: str
    chinese: str

    def sentence(self, language: Language) -> str:
        """What the check says in one of the two languages."""
        return self.chinese if language == "zh" else self.english


_FILES = {
    "answer_replaced": (
        "the query was changed and read again from the beginning",
        "查询已更改，已从头重新读取",
    ),
    "archive_bomb": ("the archive entry would unpack to an absurd size", "压缩包条目解压后大小异常"),
    "damaged_in_archive": ("the archive entry cannot be unpacked", "压缩包条目损坏，无法解压"),
    "empty_file": ("the file is empty", "文件为空"),
    "encrypted": ("the archive entry needs a password", "压缩包条目已加密，需要密码"),
    "file_too_large": ("the file is larger than any image or label file", "文件过大，超出读取上限"),
    "formula_without_result": ("formulas have no stored result", "公式没有保存计算结果"),
    "hidden_rows_read": ("hidden rows of the sheet were read", "读取了工作表中的隐藏行"),
    "hidden_sheet": ("a hidden sheet was not read", "隐藏的工作表未读取"),
    "linked_folder": ("a linked folder is not followed", "不读取符号链接指向的文件夹"),
    "linked_in_circle": ("the link points to itself", "链接指向自身，形成循环"),
    "linked_outside": ("a link out of the source is not followed", "不读取指向数据源之外的链接"),
    "no_picture_in_row": ("the row names a picture and lacks its bytes", "表中该行只有图像名，没有图像数据"),
    "long_table": ("a long table, pivoted: a column for each item", "长表已转为宽表：每个项目一列"),
    "not_a_file": ("a link or a device, not a file", "链接或设备，不是普通文件"),
    "not_for_this_format": ("the label format does not use this file", "该标注格式不使用此文件"),
    "number_formats_unread": (
        "number formats of the sheet could not be read: check columns in %",
        "无法读取工作表的数字格式：请检查百分比列",
    ),
    "pages_taken": ("its pages or frames came in as images of their own", "其各页或各帧已分别作为图像读入"),
    "repeated_in_archive": ("a later archive entry has the same name", "压缩包中后面有同名条目"),
    "several_pages": ("only the first of several pages or frames was taken", "文件含多页或多帧，只取第一页"),
    "several_tables": ("the sheet has several tables", "一张工作表中有多个表格"),
    "typed_by_first_values": (
        "later values of a column are of another kind than its first ones",
        "该列后面的值与前面的值类型不同",
    ),
    "units_by_row": ("a column has a unit for each row", "某一列逐行给出单位"),
    "sheet_left_out": ("the sheet is not a table of these records", "工作表不属于该记录表，已略去"),
    "source_left": ("the recipe no longer names this source", "配置中已不再包含该数据源"),
    "superseded": ("a newer version of the file came in", "已被文件的新版本取代"),
    "system_file": ("a hidden or system file", "隐藏文件或系统文件"),
    "unread_archive": ("an archive inside the source, which is not unpacked", "数据源中的压缩包，未解压读取"),
    "unread_kind_of_image": ("an image of a kind that is not read", "不支持读取该种图像文件"),
    "unread_labels": ("it may be labels, and no format of the source reads it", "可能是标注，但未被读取"),
    "unread_mask": ("a mask beside its photograph is not an image of the set", "照片旁的掩码不作为图像"),
    "unreadable": ("the file cannot be read", "文件无法读取"),
    "unreadable_table": ("the file cannot be read as a table", "文件无法作为表格读取"),
    "unsafe_path": ("the name points outside its archive", "文件名指向压缩包之外"),
    "no reason given": ("no table gives a reason", "没有任何表给出原因"),
}
"""Files as they come in."""

_IMAGES = {
    "blurred": ("the image is out of focus or smeared", "图像失焦或拖影"),
    "channels": ("the number of channels is not 1 to 4", "通道数不在 1 至 4 之内"),
    "corrupt": ("the image file is corrupt", "图像文件损坏"),
    "flat": ("the image has almost no contrast", "图像几乎没有对比度"),
    "key_missing": ("the file name does not contain the key", "文件名中找不到关键字段"),
    "not_an_image": ("the content is not an image", "文件内容不是图像"),
    "not_decodable": ("the file cannot be decoded as an image", "文件无法解码为图像"),
    "overexposed": ("much of the image is overexposed", "图像大面积过曝"),
    "too_bright": ("the image is nearly white", "图像接近全白"),
    "too_dark": ("the image is nearly black", "图像接近全黑"),
    "too_large": ("the image is too large", "图像尺寸过大"),
    "too_small": ("the image is too small", "图像尺寸过小"),
    "truncated": ("the image file is incomplete", "图像文件不完整"),
    "underexposed": ("much of the image is underexposed", "图像大面积欠曝"),
    "unsupported": ("this kind of image file is not supported", "不支持该图像编码"),
    "wrong_extension": ("the file extension does not match the content", "文件扩展名与内容不符"),
}
"""Images: the rules of `schemas/images.py`, and why an image cannot be decoded."""

_LABELS = {
    "ambiguous_class": ("the label names several classes", "标注同时属于多个类别"),
    "ambiguous_boxes": (
        "what the four numbers of the boxes mean is not certain",
        "边界框四个数的含义无法确定",
    ),
    "ambiguous_image": ("several images could be the one that is named", "有多个图像与所给名称相符"),
    "border_pixels": (
        "the mask marks border pixels, which count as background",
        "掩码含边界像素，按背景处理",
    ),
    "broken_answer": ("the annotator's answer cannot be read", "标注结果无法读取"),
    "broken_file": ("the label file cannot be read", "标注文件无法读取"),
    "broken_mask": ("the mask is not valid run-length code", "掩码的游程编码无效"),
    "broken_polygon": ("the polygon is not a list of points", "多边形顶点数据无效"),
    "broken_quotes": ("a quotation mark in the table is not closed", "表格中的引号没有闭合"),
    "broken_region": ("the region cannot be read", "标注区域无法读取"),
    "broken_row": ("the row's labels cannot be read", "该行标注无法读取"),
    "broken_task": ("the labelling task cannot be read", "标注任务无法读取"),
    "class_count": ("the number of classes differs from the list of names", "类别数与类别名列表不一致"),
    "classes_disagree": ("two lists of classes differ", "两个类别列表不一致"),
    "clipped": ("the label extended beyond the image and was clipped", "标注超出图像，已裁剪到图像边界"),
    "confidence": ("the sixth number was read as a confidence", "第六个数按置信度读取"),
    "decimal_comma": ("a decimal comma instead of a point", "小数点误写为逗号"),
    "degenerate": ("the label has no width or no height", "标注的宽或高为零"),
    "duplicate_annotation_id": ("the annotation id is used twice", "标注编号重复"),
    "duplicate_category_id": ("the category id is used twice", "类别编号重复"),
    "duplicate_image_id": ("the image id is used twice", "图像编号重复"),
    "empty_classes": ("the list of classes is empty", "类别列表为空"),
    "empty_mask": ("the mask has no pixels", "掩码中没有像素"),
    "empty_unseen": ("empty, and not begun from the proposed labels", "提交为空，且并非由预标注修改而来"),
    "exif_turn": (
        "the stated size is that of the image before EXIF turns it",
        "标注记载的是EXIF旋转前的尺寸",
    ),
    "forbidden_xml": ("the XML file declares entities", "XML 文件含有实体声明，拒绝读取"),
    "gray_mask": ("the mask has soft edges, which a threshold cuts", "掩码含灰度边缘，按阈值取前景"),
    "image_flags": ("flags or tags of the whole image, which are not read", "整图标志或标签，未作为标注读取"),
    "formats_disagree": ("label formats contradict each other on the image", "不同格式的标注互相矛盾"),
    "image_labelled_twice": ("two label files belong to one image", "同一图像有两个标注文件"),
    "image_listed_twice": ("the image is listed twice", "图像被重复列出"),
    "image_not_found": ("the image of the label does not exist", "找不到标注所对应的图像"),
    "image_quarantined": ("the image of the label is quarantined", "标注所对应的图像已被隔离"),
    "mask_not_found": ("the mask file that the label names is not here", "找不到标注所指的掩码文件"),
    "mask_not_read": ("the label is a mask in a file that is not read", "标注是未读取文件中的掩码"),
    "missing_box": ("the label has no box", "标注缺少边界框"),
    "missing_name": ("a name is missing", "缺少名称"),
    "missing_size": ("the label file does not state the image size", "标注文件未给出图像尺寸"),
    "name_spelling": ("the labels spell the image's name differently", "标注中的图像文件名写法不同"),
    "negative_size": ("the size of the box is negative or too large", "边界框的宽或高为负值或过大"),
    "no_annotations": ("the file has images but no list of annotations", "文件只有图像，没有标注列表"),
    "no_class_in_name": ("the name of the image file has no class", "图像文件名中没有类别"),
    "no_classes": ("no file names the classes", "没有类别名文件"),
    "no_control": ("the labelling project has no tool for this shape", "标注项目中没有该形状的工具"),
    "no_image_column": ("no column of the table names the images", "表中没有图像文件名列"),
    "no_label": ("the region has no label", "标注区域没有类别"),
    "no_label_column": ("no column of the table holds labels", "表中没有标注列"),
    "not_a_class": ("not the number of a class", "不是有效的类别编号"),
    "not_a_table": ("the file cannot be read as a table of labels", "文件无法作为标注表格读取"),
    "not_cityscapes": ("the JSON file is not in Cityscapes format", "JSON 文件不是 Cityscapes 格式"),
    "not_coco": ("the JSON file is not in COCO format", "JSON 文件不是 COCO 格式"),
    "not_createml": ("the JSON file is not in CreateML format", "JSON 文件不是 CreateML 格式"),
    "not_cvat": ("the XML file is not in CVAT format", "XML 文件不是 CVAT 格式"),
    "not_finite": ("a coordinate is infinite, not a number or too large", "坐标值无效或过大"),
    "not_interpolated": ("no shape is stated for a frame of a track", "轨迹在该帧没有给出形状"),
    "not_label_studio": ("the JSON file is not a Label Studio export", "JSON 文件不是 Label Studio 导出文件"),
    "not_labelme": ("the JSON file is not in labelme format", "JSON 文件不是 labelme 格式"),
    "not_labels": ("a list or a text, without labels", "清单或文本文件，不含标注"),
    "not_segment_anything": (
        "the JSON file is not in Segment Anything format",
        "JSON 文件不是 Segment Anything 格式",
    ),
    "not_supervisely": ("the JSON file is not in Supervisely format", "JSON 文件不是 Supervisely 格式"),
    "not_utf8": ("the file is not in UTF-8", "文件编码不是 UTF-8"),
    "not_via": ("the file is not in VIA format", "文件不是 VIA 格式"),
    "not_voc": ("the XML file is not in VOC format", "XML 文件不是 VOC 格式"),
    "not_vott": ("the JSON file is not in VoTT format", "JSON 文件不是 VoTT 格式"),
    "number_count": ("the line has the wrong number of values", "该行数值个数不对"),
    "omitted_class": ("the recipe omits this class", "配置中略去该类别"),
    "other_file_name": ("the label file names another image file", "标注文件内的图像文件名与其不符"),
    "outside_image": ("the label extends beyond the image", "标注超出图像范围"),
    "relation": ("a relation between regions, which is not supported", "标注区域之间的关系，暂不支持"),
    "conflicting_value": ("rows give the image different values", "同一图像的数值互相矛盾"),
    "no_value": ("the row has no value", "该行没有数值"),
    "outside_limits": ("the value is outside the limits of the recipe", "数值超出配置的范围"),
    "repeated_value": ("the same value is in the tables twice", "同一数值重复出现"),
    "column_not_found": ("the table lacks a column that the recipe names", "表格中没有配置所指定的列"),
    "several_splits": ("the image is listed in several splits", "图像被列入多个子集"),
    "repeated": ("the same label came in twice", "有完全相同的标注"),
    "repeated_id": ("the region's id is used twice", "标注区域编号重复"),
    "reversed_corners": ("the corners of the box were reversed and swapped", "边界框对角点颠倒，已互换"),
    "short_ring": ("a ring of under three points was left out", "少于三个顶点的轮廓已略去"),
    "same_in_two_formats": ("the same label came in another format too", "另一格式中已有相同标注"),
    "size_mismatch": ("the stated image size differs from the real one", "标注记载的图像尺寸与实际不符"),
    "task_gone": ("the task was deleted on the server", "标注任务已在服务器上删除"),
    "tiny": ("the label is too small to see", "标注小到难以分辨"),
    "track": ("the last number was read as that of a track", "最后一个数按轨迹编号读取"),
    "unknown_category": ("the category id is not in the file", "类别编号在文件中未定义"),
    "unknown_class": ("the recipe has no such class", "配置中没有该类别"),
    "superseded_answer": ("a later answer, or an adjudicator's, counts", "已被后来的答案或仲裁取代"),
    "unknown_image": ("the label belongs to an unknown image", "标注所属的图像未知"),
    "unlisted_segment": ("a segment of the mask file has no class", "掩码文件中的区域没有对应类别"),
    "unread_pictures": ("pictures in the table that are not read", "表中有未读取的图像列"),
    "unsafe_file_name": ("the image's file name points outside the folder", "图像文件名指向文件夹之外"),
    "unknown_shape": ("a kind of shape that is not known", "形状的类型未知"),
    "unsupported_region": ("a kind of region that is not supported", "不支持该类型的标注区域"),
    "unsupported_shape": (
        "a kind of shape that is not supported, such as points",
        "不支持该类型的形状（如点、线）",
    ),
    "wrong_type": ("a value of the wrong type", "数据类型不对"),
}
"""Labels: the rules of `schemas/annotations.py`, and what cannot be read in label files and answers."""

_AUGMENTED = {
    "augment_covered": ("cutouts cover the label in the derived image", "标注在增强图像中被遮挡块覆盖"),
    "augment_hardly_visible": ("hardly any of the label is left in the derived image", "标注可见部分过少"),
    "augment_no_label_left": ("no label is left in the derived image", "增强图像中没有剩余标注，已弃用"),
    "augment_outside": ("the label is outside the derived image", "标注落在增强图像之外"),
    "augment_too_narrow": ("what is left of the label is too narrow", "标注在增强图像中过窄"),
}
"""Labels of derived images."""

_RECORDS = {
    "ambiguous_date": ("day, month and year cannot be told apart", "日期的年月日无法区分"),
    "ambiguous_number": (
        "a comma or point may separate decimals or thousands",
        "逗号或点可能是小数点，也可能是千位分隔",
    ),
    "ambiguous_time": ("the hour occurred twice when summer time ended", "夏令时结束，该时刻出现两次"),
    "blank_row": ("a blank row", "空行"),
    "broken_quote": ("a quotation mark is misplaced or not closed", "引号未闭合或位置错误"),
    "conflicting_record": ("records with the same key contradict each other", "同一主键的记录互相矛盾"),
    "damaged_identifier": ("a spreadsheet rounded the identifier", "编号被电子表格改写为近似数"),
    "decimal_point": ("a decimal point in a file with decimal commas", "文件以逗号为小数点，此处却用了点"),
    "double_conversion": ("the text was lost in a double conversion", "文字经两次转码已丢失"),
    "field_count": ("the number of fields differs from the header", "字段数与表头不一致"),
    "fraction": ("a fraction instead of a decimal number", "写成分数，应写成小数"),
    "hidden_row": ("a hidden row", "隐藏行"),
    "merged_into_record": ("its values went into another row of the same key", "数值已并入同一主键的另一行"),
    "merged_record": ("rows of one key with other columns filled were merged", "同一主键的多行互补，已合并"),
    "mixed_encoding": ("the line has another encoding than the file", "该行编码与文件编码不同"),
    "no_such_time": ("the hour did not exist when summer time began", "夏令时开始，该时刻不存在"),
    "not_a_flag": ("neither yes nor no", "既不是“是”也不是“否”"),
    "not_a_number": ("not a number", "不是数值"),
    "not_a_time": ("not a date or time", "不是日期或时间"),
    "not_an_integer": ("not a whole number", "不是整数"),
    "no_values": ("a title or a key without values", "标题行，或只有编号没有数值的行"),
    "note_row": ("a note, not a record", "备注行，不是记录"),
    "nul_byte": ("the line contains NUL bytes", "该行含有空字节"),
    "outside_rows": ("outside the rows that the recipe names", "不在配置指定的行范围内"),
    "reference_taken_out": ("refers to a record that is quarantined", "所引用的记录已被隔离"),
    "repeated_header": ("the header is repeated", "重复的表头行"),
    "repeated_row": ("exactly repeats an earlier row", "与前面的行完全重复"),
    "retest": ("a repeat test within the tolerance; the last one counts", "复检结果在允差内，以末次为准"),
    "subtotal_row": ("a subtotal or average, not a record", "小计、合计或平均值行"),
    "superseded_by_update": ("the database has a newer version of this record", "数据库中已有该记录的新版本"),
    "superseded_by_retest": ("superseded by a repeat test", "已被复检结果取代"),
    "two_values": ("two values in one cell", "一个单元格内有两个值"),
    "unit_in_cell": ("a unit inside the cell", "单元格内写有单位"),
    "row_without_unit": (
        "the row names no unit, and other rows name different ones",
        "该行未写单位，而其他行的单位各不相同",
    ),
    "unit_of_row": (
        "the unit of the row is unknown or measures something else",
        "该行的单位未知，或与该列量纲不符",
    ),
    "unit_not_told": ("the unit of the column is not known", "该列单位不明"),
    "unknown_reference": ("refers to a record that does not exist", "所引用的记录不存在"),
}
"""Records, apart from the rules of their schema: what cannot be read, or is not a record of its own."""

_LOSSES = {
    "answers_gone": ("the annotators' answers are no longer there", "标注人员的标注结果已不存在"),
    "labels_gone": ("the label file no longer has these labels", "标注文件中已没有这些标注"),
    "other_class": ("the labels have another class now", "标注已归入其他类别"),
    "source_gone": ("the file is no longer at its source", "文件在数据源中已不存在"),
}
"""What took labels and images that the run before had, beside the checks above."""

_COPIES = {
    "representative": ("the image that represents its copies", "保留的代表图像"),
    "identical bytes": ("the same file again", "文件完全相同"),
    "identical pixels": ("the same pixels in another file", "像素完全相同"),
    "same picture": ("the same picture, encoded or scaled differently", "同一画面，编码或缩放不同"),
    "probably same picture": ("probably the same picture", "可能是同一画面"),
    "mirrored or turned": ("the same picture, mirrored or turned", "同一画面，经镜像或旋转"),
    "copies of one picture": ("both are copies of one picture", "均为同一画面的副本"),
    "overlapping": ("a part of both shows the same", "部分画面相同"),
    "probably overlapping": ("a part of both probably shows the same", "部分画面可能相同"),
    "same scene": ("the same scene with other content", "同一场景，内容不同"),
    "pixels": ("all pixels were compared", "已逐像素比较"),
    "every place": ("every place of the thumbnails was compared", "已比较缩略图各处"),
    "class": ("the labels differ in class", "标注的类别不一致"),
    "count": ("the labels differ in number", "标注的数量不一致"),
    "value": ("the values of the images differ", "图像的数值不一致"),
    "geometry": ("the labels differ in position or shape", "标注的位置或形状不一致"),
    "state": ("one copy is a negative, another is unlabelled", "一份为负样本，另一份未标注"),
    "quorum": ("too few annotators drew it", "标注该目标的人数不足"),
}
"""Copies of a picture, how their labels conflict, and what annotators disagree on."""

_STATES = {
    "labelled": ("has labels", "已标注"),
    "incomplete": (
        "labelled, but a label was lost that may be a real object",
        "标注不完整（有标注丢失，可能为真实目标）",
    ),
    "negative": ("known to show nothing", "负样本（确认无目标）"),
    "unlabelled": ("not labelled yet", "未标注"),
    "rejected": ("labels were drawn, none is valid", "有标注，但均无效"),
    "disputed": ("the annotators disagree", "标注人员意见不一致"),
    "refused": ("the batch was not accepted", "所在批不接收"),
    "unreviewed": ("not reviewed yet", "尚未复核"),
}
"""What is known of an image."""

_SPLITS = {
    "quarantined": ("the image is quarantined", "图像已被隔离"),
    "duplicate": ("a copy of another image", "其他图像的重复"),
    "held": ("the copies are labelled differently", "重复图像的标注不一致，暂不使用"),
    "all its labels are quarantined": ("all labels of the image are quarantined", "图像的标注已全部隔离"),
    "half labelled": ("a label was lost that may be a real object", "标注不完整，暂不使用"),
    "given": ("the split it came with", "沿用原有划分"),
    "leak": (
        "an image of its group came in a split that is held out",
        "同组图像原属留出子集，避免泄漏",
    ),
    "its annotators do not agree": ("the annotators disagree", "标注人员意见不一致"),
    "its batch was not accepted": ("the batch was not accepted", "所在批不接收"),
    "its labels were not reviewed yet": ("the labels are not reviewed yet", "标注尚未复核"),
    "dealt": ("assigned by the ratios", "按比例划分"),
}
"""How an image came to its split, or why it has none."""

_LINKS = {
    "ambiguous": ("several records fit equally well", "多条记录同样符合"),
    "no_ancestor": ("the genealogy does not lead to a record", "按谱系追溯不到记录"),
    "no_key": ("the image has no key", "图像没有关键字段"),
    "no_position": ("the position is unknown", "缺少位置"),
    "no_record": ("no record has this key", "没有该主键的记录"),
    "no_time": ("the time is unknown", "缺少时间"),
    "not_accepted": ("the record is quarantined or skipped", "对应记录已被隔离或略去"),
    "out_of_tolerance": ("the nearest record is too far away", "最近的记录超出允许偏差"),
}
"""Why an image has no record."""

_ALL = _FILES | _IMAGES | _LABELS | _LOSSES | _AUGMENTED | _RECORDS | _COPIES | _STATES | _SPLITS | _LINKS

CHECKS: Mapping[str, Check] = {name: Check(name, *sentences) for name, sentences in _ALL.items()}
"""Every check and reason by its name."""


def preferred_language() -> Language:
    """The language of what is printed: `zh` or `en` from the variable TUNDISH_LANG, English by default."""
    return "zh" if os.environ.get("TUNDISH_LANG", "").lower().startswith("zh") else "en"


def describe(name: str, language: Language | None = None) -> str:
    """What a check or reason means, in a sentence without a full stop.

    Args:
        name: The check or reason as written in a table.
        language: The language to write; by default the one that TUNDISH_LANG names, else English.

    Returns:
        The sentence; `name` itself where the table lacks it, as for the rules of a project's records.
    """
    check = CHECKS.get(name)
    return name if check is None else check.sentence(language or preferred_language())
