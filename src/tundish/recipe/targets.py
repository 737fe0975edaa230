"""Values of whole images that a model is to predict: moisture, ash, hardness."""

from __future__ import annotations

from pydantic import Field, model_validator

from tundish.recipe.section import Section

__all__ = ["Target"]


class Target(Section):
    """Numbers for images, in a table of the source."""

    table: str = Field(
        min_length=1, description="CSV or JSON Lines file with the values, relative to the source."
    )
    column: str = Field(min_length=1, description="Its column, as the header is written.")
    unit: str = Field("", description="Unit of the values.")
    min: float | None = Field(None, description="Lower values are quarantined.")
    max: float | None = Field(None, description="Higher values are quarantined.")

    @model_validator(mode="after")
    def _in_order(self) -> Target:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' is {self.min:g} and 'max' is {self.max:g}; swap them")
        return self
