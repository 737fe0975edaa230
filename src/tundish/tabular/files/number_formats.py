"""What a number format makes of a number, where that changes its meaning: 12.34%, 0012345, H0012, 12.5 mm.

A person reads what the cell shows. Formats that only round, colour or group what is shown are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from tundish.tabular.units import canonical_unit

__all__ = ["BUILT_IN", "NumberFormat", "parse_format"]

BUILT_IN = {9: "0%", 10: "0.00%"}
"""Formats that workbooks name by number only, as far as they change a number."""

_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[[^\]]*\]|_.|\*.|(?P<plain>.)', re.DOTALL)
_LITERAL = frozenset("-/ ()℃°\uff05:+")
"""Characters that a format shows without quotes."""


@dataclass(frozen=True)
class NumberFormat:
    """A number format that changes what a number means.

    Attributes:
        percent: Whether it shows a share in percent.
        parts: For a format of zeros and texts only: the texts and the zeros, as they follow each other.
        unit: The unit that it shows behind the number.
        thousands: How many times it shows the number divided by 1000.
    """

    percent: bool = False
    parts: tuple[str, ...] = ()
    unit: str = ""
    thousands: int = 0

    def shown(self, value: float, text: str) -> str:
        """The number as the format shows it, with all its digits.

        Args:
            value: The number.
            text: The number as text, as it is without the format.
        """
        if self.percent:
            return f"{_plain(Decimal(text) * 100)}%"
        if self.parts:
            return self._filled(value) if value >= 0 and value == int(value) else text
        return f"{_plain(Decimal(text) / 1000**self.thousands)} {self.unit}"

    def _filled(self, value: float) -> str:
        zeros = sum(part.count("0") for part in self.parts if _is_zeros(part))
        digits = str(int(value)).zfill(zeros)
        found: list[str] = []
        for part in reversed(self.parts):
            if _is_zeros(part):
                found.append(digits[-len(part) :])
                digits = digits[: -len(part)]
            else:
                found.append(part[1:])
        first = next(number for number in range(len(self.parts)) if _is_zeros(self.parts[number]))
        found.reverse()
        found[first] = digits + found[first]
        return "".join(found)


def _is_zeros(part: str) -> bool:
    """Whether a part is zeros; texts begin with a quote."""
    return not part.startswith('"')


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_format(code: str) -> NumberFormat | None:
    """The format as far as it changes what a number means; None where it does not.

    Args:
        code: The format as workbooks write it: '0.00%', '0000000', '"H"00000', '0.0" mm"'.
    """
    core, before, after, parts = "", "", "", list[str]()
    for token in _TOKEN.finditer(code):
        plain = token["plain"]
        literal = token["quoted"] or token["escaped"] or (plain if plain in _LITERAL else None)
        if plain == ";":
            break
        if literal:
            parts.append(f'"{literal}')
            after, before = after + literal, before if core else before + literal
        elif plain:
            core, after = core + plain, ""
            if plain == "0" and parts and _is_zeros(parts[-1]):
                parts[-1] += "0"
            else:
                parts.append(plain)
    if "%" in core:
        return NumberFormat(percent=True)
    if re.fullmatch("0+", core) and (len(core) > 1 or re.search(r"[^\W\d_]", before)):
        return NumberFormat(parts=tuple(parts))
    unit = canonical_unit(after.strip()) if re.fullmatch(r"[#0?.,]+", core) and after.strip() else None
    if unit is not None and not before.strip():
        return NumberFormat(unit=unit, thousands=len(core) - len(core.rstrip(",")))
    return None
