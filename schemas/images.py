"""What counts as a valid inspection image.

One row per image file. To change a limit, subclass a model and set the field again; the rule keeps its name::

    class DarkField(Images):
        brightness: float = pa.Field(ge=0.005, nullable=True)

and name it in the recipe: ``images: {schema: 'schemas/images.py:DarkField'}``. An *error* quarantines
the image, a *warning* is reported and keeps it.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl  # noqa: TC002  (Pandera reads the annotations when it builds the model)

from tundish.rules import error, rules, warning

__all__ = ["Images", "SteelSurface"]

_SIDE = rules(
    below=error("too_small", "the image is too small", "图像尺寸过小"),
    above=error("too_large", "the image is too large", "图像尺寸过大"),
)


class Images(pa.DataFrameModel):
    """Any image of a camera: it can be decoded, has a usable size, and shows something.

    Sizes are px of the upright image, brightness and clipped shares 0 to 1, sharpness the variance of the
    Laplacian of the gray image.
    """

    fault: str = pa.Field(
        isin=["none"],
        metadata=rules(
            other=error("not_decodable", "the file cannot be decoded as an image", "文件无法解码为图像")
        ),
    )
    extension_fits: bool = pa.Field(
        eq=True,
        metadata=rules(
            other=error(
                "wrong_extension", "the file extension does not match the content", "文件扩展名与内容不符"
            )
        ),
    )
    width: pl.Int32 = pa.Field(
        ge=4,
        le=65_500,
        nullable=True,
        metadata=_SIDE,
    )
    height: pl.Int32 = pa.Field(
        ge=4,
        le=65_500,
        nullable=True,
        metadata=_SIDE,
    )
    channels: pl.Int32 = pa.Field(
        isin=[1, 2, 3, 4],
        nullable=True,
        metadata=rules(
            other=error("channels", "the number of channels is not 1 to 4", "通道数不在 1 至 4 之内")
        ),
    )
    brightness: float = pa.Field(
        ge=0.02,
        le=0.98,
        nullable=True,
        metadata=rules(
            below=warning("too_dark", "the image is nearly black", "图像接近全黑"),
            above=warning("too_bright", "the image is nearly white", "图像接近全白"),
        ),
    )
    contrast: float = pa.Field(
        ge=0.005,
        nullable=True,
        metadata=rules(below=warning("flat", "the image has almost no contrast", "图像几乎没有对比度")),
    )
    sharpness: float = pa.Field(
        ge=5.0,
        nullable=True,
        metadata=rules(below=warning("blurred", "the image is out of focus or smeared", "图像失焦或拖影")),
    )
    clipped_bright: float = pa.Field(
        le=0.5,
        nullable=True,
        metadata=rules(above=warning("overexposed", "much of the image is overexposed", "图像大面积过曝")),
    )
    clipped_dark: float = pa.Field(
        le=0.8,
        nullable=True,
        metadata=rules(above=warning("underexposed", "much of the image is underexposed", "图像大面积欠曝")),
    )


class SteelSurface(Images):
    """Strip and plate surfaces under controlled light: flat by nature, so contrast may be low."""

    contrast: float = pa.Field(ge=0.002, nullable=True)
