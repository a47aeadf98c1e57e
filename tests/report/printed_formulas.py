"""Formulas as pages print them, read and evaluated: an evaluator of the LaTeX that ``formulas.toml`` uses.

A page's ``$$`` blocks are statements. ``=`` defines a symbol within a step, ``\\leftarrow`` a variable's next value.
Indices i and j run over agents; what is not indexed is a number, a set (C) or a function (f, g, m).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"\\(?:left|right|quad|qquad|,|;)(?![a-zA-Z])|\\\\|\\text\{[^}]*\}|\\begin\{cases\}|\\end\{cases\}|\\[a-zA-Z]+"
    r"|\d+\.?\d*|[a-zA-Z]|\S"
)
SKIPPED = re.compile(r"\\(?:left|right|quad|qquad)$")
ACCENTS = ("hat", "bar", "tilde")
INDICES = {"i": "i", "j": "j", "ij": "ij", "-i": "-i", "1": "1", "2": "2"}
RELATIONS = {r"\gt": lambda a, b: a > b, r"\lt": lambda a, b: a < b, r"\geq": lambda a, b: a >= b,
             r"\leq": lambda a, b: a <= b, "=": lambda a, b: a == b}  # fmt: skip
ENDS = {"+", "-", ")", ",", "&", r"\\", "}", r"\rvert", r"\end{cases}", r"\in", *RELATIONS}  # of a product
FUNCTIONS = {
    "max": max,
    "min": min,
    "tanh": math.tanh,
    "ln": math.log,
    "clip": lambda x, low, high: min(max(x, low), high),
}


def tokens(latex: str) -> list[str]:
    return [token for token in TOKEN.findall(latex) if not SKIPPED.match(token)]


@dataclass
class Statement:
    """left: name of the symbol; indices of it ("", "i", "ij", "-i"); arrow: "=" or "\\leftarrow"; right: its tokens."""

    name: str
    index: str
    arrow: str
    right: list[str]


@dataclass
class Page:
    """Statements of a page by arrow. values: what the page gives as numbers, and what the caller adds: by name, numbers
    or arrays by index."""

    definitions: dict[str, Statement] = field(default_factory=dict)
    updates: dict[str, Statement] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)  # statements that are not formulas
    twice: list[str] = field(default_factory=list)  # symbols that are defined more than once

    @classmethod
    def of(cls, text: str) -> Page:
        page = cls()
        for latex in re.findall(r"\$\$\n(.*?)\n\$\$", text, re.S):
            if r"\text{ leaves" in latex or r"\sim" in latex:
                page.words.append(latex)
                continue
            reader = Reader(tokens(latex), page, {}, {}, {})
            name, index, _ = reader.symbol()
            if reader.peek() == "(":  # f(a_i), g(a): the name alone tells
                while reader.take() != ")":
                    pass
            arrow = reader.take()
            known = page.definitions if arrow == "=" else page.updates
            if name in known:
                page.twice.append(name)
            known[name] = Statement(name, index, arrow, reader.rest())
        return page

    def value(self, name: str, values: dict[str, Any], places: dict[str, int], update: bool = False) -> float:
        """A symbol's value for indices such as {"i": 0, "j": 1}."""
        statement = (self.updates if update else self.definitions)[name]
        reader = Reader(statement.right, self, values, places, {})
        found = reader.sum()
        assert reader.peek() is None, f"{name}: {reader.rest()} is left over"
        return found


@dataclass
class Reader:
    """A recursive descent over tokens that evaluates as it reads."""

    given: list[str]
    page: Page
    values: dict[str, Any]
    places: dict[str, int]
    bound: dict[str, int]
    at: int = 0

    def peek(self) -> str | None:
        return self.given[self.at] if self.at < len(self.given) else None

    def take(self, expected: str | None = None) -> str:
        token = self.given[self.at]
        assert expected is None or token == expected, f"{token} where {expected} was expected in {self.given}"
        self.at += 1
        return token

    def rest(self) -> list[str]:
        return self.given[self.at :]

    def group(self) -> list[str]:
        """The tokens of { ... }, or one token."""
        if self.peek() != "{":
            return [self.take()]
        self.take("{")
        depth, start = 1, self.at
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.given[start : self.at - 1]

    def within(self, part: list[str], places: dict[str, int] | None = None) -> float:
        reader = Reader(part, self.page, self.values, places or self.places, self.bound)
        found = reader.sum()
        assert reader.peek() is None, f"{reader.rest()} is left over in {part}"
        return found

    # --- names

    def symbol(self) -> tuple[str, str, list[str]]:
        """(name with whatever is not an index, indices, tokens of a power that follows)."""
        name = self.take()
        if name[1:] in ACCENTS:
            name += "{" + "".join(self.group()) + "}"
        elif name == r"\mathrm":
            name = "".join(self.group())
        index, power = "", list[str]()
        while self.peek() in ("_", "^"):
            mark, part = self.take(), self.group()
            text = "".join(part)
            if mark == "_" and text in INDICES:
                index = text
            elif mark == "_" or text in ("+", "-") or text.startswith(r"\mathrm"):
                name += mark + text
            else:
                power = part
        return name, index, power

    def look_up(self, name: str, index: str) -> float:
        places = {**self.places}
        if index in ("1", "2"):
            places, index = {"i": int(index) - 1}, "i"
        if name in self.values:
            value = self.values[name]
            own = index.lstrip("-")
            return float(value[tuple(places[k] for k in own)] if own else value)
        statement = self.page.definitions[name]
        mine = dict(zip(statement.index.lstrip("-"), [places[k] for k in index.lstrip("-")], strict=True))
        return self.page.value(name, self.values, mine)

    # --- expressions

    def sum(self) -> float:
        sign = -1.0 if self.peek() == "-" and self.take() else 1.0
        total = sign * self.product()
        while self.peek() in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total += sign * self.product()
        return total

    def product(self) -> float:
        total = self.factor()
        while True:
            token = self.peek()
            if token == "/":
                self.take()
                total /= self.factor()
            elif token is None or token in ENDS or token.startswith(r"\text"):
                return total
            else:
                total *= self.factor()

    def factor(self) -> float:
        token = self.peek()
        assert token is not None
        if re.fullmatch(r"\d+\.?\d*", token):
            return self.powered(float(self.take()))
        if token == "(":
            self.take()
            inside = self.sum()
            self.take(")")
            return self.powered(inside)
        if token == r"\lvert":
            return self.size_or_magnitude()
        if token in (r"\frac", r"\tfrac"):
            self.take()
            above, below = self.group(), self.group()
            return self.within(above) / self.within(below)
        if token in (r"\sum", r"\prod"):
            return self.over(token)
        if token == r"\begin{cases}":
            return self.cases()
        return self.named()

    def powered(self, base: float) -> float:
        if self.peek() != "^":
            return base
        self.take()
        return base ** self.within(self.group())

    def size_or_magnitude(self) -> float:
        self.take(r"\lvert")
        if self.peek() == "C":
            self.take()
            found = float(len(self.values["C"]))
        else:
            found = abs(self.sum())
        self.take(r"\rvert")
        return found

    def over(self, token: str) -> float:
        """A sum or product over agents j; its body is the product that follows."""
        self.take()
        self.take("_")
        below = "".join(self.group())
        if self.peek() == "^":
            self.take()
            self.group()
        everybody = range(int(self.values["N"]))
        choices = {
            "j=1": list(everybody),
            r"j\neqi": [j for j in everybody if j != self.places.get("i")],
            r"j\inC": sorted(self.values.get("C", ())),
            r"j\inC,j\neqi": [j for j in sorted(self.values.get("C", ())) if j != self.places.get("i")],
        }[below]
        start, found = self.at, []
        for j in choices:
            reader = Reader(self.given, self.page, self.values, {**self.places, "j": j}, self.bound, start)
            found.append(reader.product())
            self.at = reader.at
        if not choices:
            reader = Reader(
                self.given, self.page, self.values, {**self.places, "j": self.places["i"]}, self.bound, start
            )
            reader.product()
            self.at = reader.at
        return float(sum(found)) if token == r"\sum" else math.prod(found)

    def cases(self) -> float:
        self.take(r"\begin{cases}")
        depth, start = 1, self.at
        while depth:
            depth += {r"\begin{cases}": 1, r"\end{cases}": -1}.get(self.take(), 0)
        body, rows = self.given[start : self.at - 1], [list[str]()]
        for token in body:
            rows.append([]) if token == r"\\" else rows[-1].append(token)
        for row in rows:
            value, condition = row[: row.index("&")], row[row.index("&") + 1 :]
            if condition == [r"\text{otherwise}"] or self.holds(condition):
                return self.within(value)
        raise AssertionError(f"no case holds in {body}")

    def holds(self, condition: list[str]) -> bool:
        assert condition[0] == r"\text{if }", condition
        parts = [list[str]()]
        for token in condition[1:]:
            parts.append([]) if token == r"\text{ and }" else parts[-1].append(token)
        return all(self.true(part) for part in parts)

    def true(self, part: list[str]) -> bool:
        if r"\in" in part:
            return self.places["".join(part[: part.index(r"\in")])] in self.values["C"]
        at = next(k for k, token in enumerate(part) if token in RELATIONS)
        return bool(RELATIONS[part[at]](self.within(part[:at]), self.within(part[at + 1 :])))

    def named(self) -> float:
        start = self.at
        name, index, power = self.symbol()
        bare = name.removeprefix("\\")
        if bare in FUNCTIONS:
            return FUNCTIONS[bare](*self.arguments())
        if callable(self.values.get(name)):
            return float(self.values[name](*self.arguments()))
        if self.peek() == "(" and name in ("f", "g"):  # of a_i, of a: defined on the page for the same agent
            while self.take() != ")":
                pass
            return self.page.value(name, self.values, self.places)
        assert self.at > start
        found = self.look_up(name, index)
        return found ** self.within(power) if power else self.powered(found)

    def arguments(self) -> list[float]:
        self.take("(")
        found = [self.sum()]
        while self.peek() == ",":
            self.take()
            found.append(self.sum())
        self.take(")")
        return found
