"""Formulas as trees, that are written out for the package and evaluated here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

LENGTHS_S = {":seconds": 1, ":minutes": 60, ":hours": 3_600}


@dataclass(frozen=True)
class Formula:
    """A metric, a number or a length (`sign` is ""), or two formulas and a sign between them."""

    sign: str = ""
    leaf: str = ""
    left: Formula | None = None
    right: Formula | None = None

    @property
    def text(self) -> str:
        if self.left is None or self.right is None:
            return self.leaf
        sign = " - " if self.sign == "-" else self.sign
        left, right = (
            each.text if each.left is None else f"({each.text})" for each in (self.left, self.right)
        )
        return f"{left}{sign}{right}"

    @property
    def metrics(self) -> set[str]:
        if self.left is None or self.right is None:
            return set() if self.leaf in LENGTHS_S or self.leaf[0].isdigit() else {self.leaf}
        return self.left.metrics | self.right.metrics

    @property
    def divides(self) -> bool:
        if self.left is None or self.right is None:
            return False
        return self.sign == "/" or self.left.divides or self.right.divides

    @property
    def has_length(self) -> bool:
        if self.left is None or self.right is None:
            return self.leaf in LENGTHS_S
        return self.left.has_length or self.right.has_length

    def value(
        self, sums: Mapping[str, Fraction], length_s: int, by_zero: Fraction | None
    ) -> Fraction | None:
        """Its value on sums, over a span of this length; a quotient by 0 is `by_zero`.

        docs/http.rst: in /totals, /plotpoints and the library it is 0, and the rest of its formula
        is computed with that 0; elsewhere the formula has no value.
        """
        if self.left is None or self.right is None:
            if self.leaf in LENGTHS_S:
                # docs/http.rst: :seconds, :minutes and :hours are elapsed time.
                return Fraction(length_s, LENGTHS_S[self.leaf])
            return Fraction(self.leaf) if self.leaf[0].isdigit() else sums[self.leaf]
        left = self.left.value(sums, length_s, by_zero)
        right = self.right.value(sums, length_s, by_zero)
        if left is None or right is None:
            return None
        if self.sign == "/":
            return left / right if right else by_zero
        return {"+": left + right, "-": left - right, "*": left * right}[self.sign]
