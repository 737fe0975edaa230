"""What columns of images and of classes are called, in plain names: without case, blanks and punctuation."""

from __future__ import annotations

__all__ = ["IMAGE_NAMES", "LABEL_NAMES"]

_IMAGE_NAMES = (
    "image imageid filename file filepath imagepath path img imgname imgpath imgid imagename "
    "fname imagefile imagefilename picture photo 图片 图像 文件名"
)
IMAGE_NAMES = frozenset(_IMAGE_NAMES.split())
"""What columns of images are called, plain."""

_LABEL_NAMES = (
    "class label classname labelname category categoryname classid labelid categoryid defect "
    "defecttype defectclass target cls tag objectclass annotation 类别 标签 缺陷"
)
LABEL_NAMES = frozenset(_LABEL_NAMES.split())
"""What columns of classes are called, plain."""
