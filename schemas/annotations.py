"""What counts as a valid label.

One row per label, whatever its format. The columns that are checked are made by `tundish validate`:

=============  ===  =======================================================================================
label               the class of the recipe; empty where the raw label has none
overshoot      px   how far it extended beyond the image before it was clipped
short_side     px   the shorter side of its box
area           px²  the area of its box, polygon or mask
copy           1    0 for the first of exactly equal labels of a file or an answer, 1 for the next, ...
=============  ===  =======================================================================================

Subclass a model and set a field again to change its limit; the rule keeps its name.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl  # noqa: TC002  (Pandera reads the annotations when it builds the model)

from tundish.rules import error, rules, warning

__all__ = ["Annotations", "DefectBox"]


class Annotations(pa.DataFrameModel):
    """Any label: a known class, inside its image, not degenerate, not repeated."""

    label: str = pa.Field(
        metadata=rules(missing=error("unknown_class", "the recipe has no such class", "配置中没有该类别"))
    )
    overshoot: float = pa.Field(
        # 1 px: the effect of rounding to whole pixels or to six decimals.
        le=1.0,
        metadata=rules(
            above=error("outside_image", "the label extends beyond the image", "标注超出图像范围")
        ),
    )
    short_side: float = pa.Field(
        gt=0.0,
        metadata=rules(below=error("degenerate", "the label has no width or no height", "标注的宽或高为零")),
    )
    area: float = pa.Field(
        ge=4.0,
        metadata=rules(below=warning("tiny", "the label is too small to see", "标注小到难以分辨")),
    )
    copy: pl.Int32 = pa.Field(
        eq=0,
        metadata=rules(other=error("repeated", "the same label came in twice", "有完全相同的标注")),
    )


class DefectBox(Annotations):
    """Boxes around surface defects: at least about three by three pixels."""

    area: float = pa.Field(ge=9.0)
