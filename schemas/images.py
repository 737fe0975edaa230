"""What counts as a valid inspection image.

One row an image file. To change a limit, subclass a model and set the field again; the rule keeps its name::

    class DarkField(Images):
        brightness: float = pa.Field(ge=0.005, nullable=True)

and name it in the recipe: ``images: {schema: 'schemas/images.py:DarkField'}``. An *error* takes the image
out, a *warning* is told and keeps it.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl  # noqa: TC002  (Pandera reads the annotations when it builds the model)

from tundish.rules import error, rules, warning

__all__ = ["Images", "SteelSurface"]

_SIDE = rules(
    below=error("too_small", "the image is too small"), above=error("too_large", "the image is too large")
)


class Images(pa.DataFrameModel):
    """Any image that a camera made: it decodes, has a size one can train on, and shows something.

    Sizes are px of the upright image, brightness and clipped shares 0 to 1, sharpness the variance of the
    Laplacian of the gray image.
    """

    fault: str = pa.Field(
        isin=["none"],
        metadata=rules(other=error("not_decodable", "the file is no image that can be decoded")),
    )
    extension_fits: bool = pa.Field(
        eq=True,
        metadata=rules(other=error("wrong_extension", "the file's name says another format than its bytes")),
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
        isin=[1, 2, 3, 4], nullable=True, metadata=rules(other=error("channels", "an odd number of channels"))
    )
    brightness: float = pa.Field(
        ge=0.02,
        le=0.98,
        nullable=True,
        metadata=rules(
            below=warning("too_dark", "the image is nearly black"),
            above=warning("too_bright", "the image is nearly white"),
        ),
    )
    contrast: float = pa.Field(
        ge=0.005, nullable=True, metadata=rules(below=warning("flat", "the image shows next to nothing"))
    )
    sharpness: float = pa.Field(
        ge=5.0,
        nullable=True,
        metadata=rules(below=warning("blurred", "the image is out of focus or smeared")),
    )
    clipped_bright: float = pa.Field(
        le=0.5, nullable=True, metadata=rules(above=warning("overexposed", "much of the image is burnt out"))
    )
    clipped_dark: float = pa.Field(
        le=0.8, nullable=True, metadata=rules(above=warning("underexposed", "much of the image is black"))
    )


class SteelSurface(Images):
    """Strip and plate surfaces under controlled light: flat by nature, so contrast may be low."""

    contrast: float = pa.Field(ge=0.002, nullable=True)
