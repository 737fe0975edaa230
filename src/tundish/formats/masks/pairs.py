"""Which pictures of a source may be the masks of others: pairs by stem, and the rules that they follow."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tundish.formats.base import parts_of, suffix_of
from tundish.formats.masks.rules import Rule
from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["candidate_rules"]

_MOST_ALIKE = 64
"""Files of one stem among which partners are looked for in full; of more, only for some."""
_SOME = 8
_SEPARATOR = re.compile(r"[-_ .]+")


def candidate_rules(paths: Sequence[str]) -> list[tuple[Rule, list[tuple[str, str]]]]:
    """Rules by which pictures could be masks, most pairs first.

    Args:
        paths: Pictures, sorted.

    Returns:
        Each rule with its pairs of a mask and an image, in path order.
    """
    by_stem: dict[str, list[str]] = {}
    for path in paths:
        by_stem.setdefault(parts_of(path)[2], []).append(path)
    stems = _Stems(by_stem)
    heads: dict[str, list[str]] = {}
    for stem in by_stem:
        if (cut := _last_cut(stem)) is not None:
            heads.setdefault(stem[:cut], []).append(stem)
    pairs: dict[Rule, list[tuple[str, str]]] = {}
    for stem, group in by_stem.items():
        few = group if len(group) <= _MOST_ALIKE else group[:: len(group) // _SOME]
        bases = list(_bases(stem, stems))
        for mask in few:
            for base, prefix, suffix in bases:
                _pair(mask, by_stem[base], prefix, suffix, pairs)
            for other, head in () if bases else _of_one_head(stem, heads):
                _pair_apart(mask, by_stem[other], head, pairs)
    return sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))


class _Stems:
    """The stems of a source, found as they are spelt, else as `loose_spelling` has them."""

    def __init__(self, by_stem: Mapping[str, list[str]]) -> None:
        self.by_stem = by_stem
        self._spelt: dict[str, list[str]] = {}
        for stem in by_stem:
            self._spelt.setdefault(loose_spelling(stem), []).append(stem)

    def find(self, stem: str) -> str | None:
        """The stem of a picture that may be meant; None where no picture or several have it."""
        return stem if stem in self.by_stem else self.other(stem)

    def other(self, stem: str) -> str | None:
        """The only other stem that differs in its spelling alone."""
        found = [one for one in self._spelt.get(loose_spelling(stem), ()) if one != stem]
        return found[0] if len(found) == 1 else None


def _bases(stem: str, stems: _Stems) -> Iterator[tuple[str, str, str]]:
    """Stems that images of this stem's mask could have, with what comes before and after them."""
    own = stem if len(stems.by_stem[stem]) > 1 else stems.other(stem)
    if own is not None:
        yield own, "", ""
    cuts = list(_SEPARATOR.finditer(stem))
    for cut in reversed(cuts):
        if (base := stems.find(stem[: cut.start()])) is not None:
            yield base, "", stem[cut.start() :]
            break
    for cut in cuts:
        if (base := stems.find(stem[cut.end() :])) is not None:
            yield base, stem[: cut.end()], ""
            break


def _last_cut(stem: str) -> int | None:
    cuts = [cut.start() for cut in _SEPARATOR.finditer(stem)]
    return cuts[-1] if cuts and cuts[-1] else None


def _of_one_head(stem: str, heads: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Stems that begin as this one does and end otherwise: ``a_leftImg8bit`` for ``a_gtFine_labelIds``."""
    for cut in reversed(list(_SEPARATOR.finditer(stem))):
        head = stem[: cut.start()]
        others = heads.get(head, [])
        if len(others) <= _SOME:
            yield from ((other, head) for other in others if other != stem)


def _pair_apart(mask: str, others: list[str], head: str, pairs: dict[Rule, list[tuple[str, str]]]) -> None:
    """A pair of names that share their beginning and lie in different folders of like layout."""
    stem = parts_of(mask)[2]
    folders = parts_of(mask)[0].split("/")
    for other in others:
        theirs = parts_of(other)[0].split("/")
        apart = [part for part, own in zip(folders, theirs, strict=False) if part != own]
        if len(folders) == len(theirs) and len(apart) == 1:
            rule = Rule(apart[0], "", stem[len(head) :], "", parts_of(other)[2][len(head) :])
            pairs.setdefault(rule, []).append((mask, other))


def _pair(
    mask: str, others: list[str], prefix: str, suffix: str, pairs: dict[Rule, list[tuple[str, str]]]
) -> None:
    folders = parts_of(mask)[0].split("/")
    own = Counter(folders)

    def shared(other: str) -> tuple[int, bool]:
        theirs = Counter(parts_of(other)[0].split("/"))
        return (own & theirs).total(), suffix_of(other) != suffix_of(mask)

    others = [other for other in others if other != mask]
    if not others:
        return
    partner = max(others, key=shared)
    rest = Counter(parts_of(partner)[0].split("/"))
    apart = []
    for part in folders:
        if rest[part]:
            rest[part] -= 1
        else:
            apart.append(part)
    folder = "/".join(apart)
    if folder and f"/{folder}/" not in f"/{'/'.join(folders)}/":
        folder = apart[0]
    ending = "" if folder or prefix or suffix or suffix_of(mask) == suffix_of(partner) else suffix_of(mask)
    if folder or prefix or suffix or ending:
        pairs.setdefault(Rule(folder, prefix, suffix, ending), []).append((mask, partner))
