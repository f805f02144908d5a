"""BIND: from the text of named.conf(5) to statements. A statement is words and blocks up to its `;`."""
from __future__ import annotations

import dataclasses
import pathlib
import re
import typing

from . import common
from .common import Fault, Place, read_text

DEPTH_MAX = 8
NESTED_MAX = 32
TOKEN = re.compile(r"""\s+|//.*|\#.*|(?P<open>/\*)|"(?P<quoted>(?:[^"\\\n]|\\.)*)"|(?P<mark>[{};!])"""
                   r"""|(?P<word>(?:[^\s"{};!/#]|/(?![/*]))(?:[^\s"{};/]|/(?![/*]))*)""")


class Word(typing.NamedTuple):
    text: str
    place: Place
    quoted: bool = False


@dataclasses.dataclass
class Block:
    body: list[Statement]
    place: Place


@dataclasses.dataclass
class Statement:
    parts: list[Word | Block]
    place: Place
    negated: bool = False

    @property
    def name(self) -> str:
        """Its first word; "" if it is a block."""
        return self.parts[0].text if isinstance(self.parts[0], Word) else ""

    @property
    def words(self) -> list[str]:
        return [p.text for p in self.parts if isinstance(p, Word)]

    @property
    def block(self) -> Block | None:
        return next((p for p in self.parts if isinstance(p, Block)), None)

    def word(self, n: int) -> str:
        """Raises Fault if it has no n-th word (0 is its name)."""
        if n >= len(self.words):
            raise Fault(f"{self.name} has no value", self.place)
        return self.words[n]

    def after(self, keyword: str) -> str | None:
        """The word behind this one."""
        words = self.words
        return words[words.index(keyword) + 1] if keyword in words[1:-1] else None

    def body(self) -> list[Statement]:
        if self.block is None:
            raise Fault(f"{self.name} has no block in braces", self.place)
        return self.block.body


def unquote(text: str) -> str:
    """Only a quote's backslash is for the parser; all others are of the value."""
    return re.sub(r"\\(.)", lambda m: '"' if m[1] == '"' else m[0], text)


def tokens(path: str, at: Place | None):
    """Words and marks, with their places; all three kinds of comments are passed over. Raises Fault."""
    text, pos, line = read_text(path, at), 0, 1
    while pos < len(text):
        m = TOKEN.match(text, pos)
        place = Place(path, line)
        if not m:
            raise Fault("a quote is open at the end of the line; close it there", place)
        end = m.end()
        if m["open"]:
            close = text.find("*/", end)
            if close < 0:
                raise Fault("this comment does not end", place)
            end = close + 2
        elif m["quoted"] is not None:
            yield Word(unquote(m["quoted"]), place, True)
        elif m["mark"] or m["word"]:
            yield Word(m[0], place)
        line += text.count("\n", pos, end)
        pos = end


class Parser:
    """Reads files into one list of statements, includes in their places."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.directory: str | None = None

    def read(self, path: str, at: Place | None = None) -> list[Statement]:
        if path in self.open or len(self.open) > DEPTH_MAX:
            raise Fault(f"{path} includes itself, or files are nested too deeply", at)
        self.open.append(path)
        stream = tokens(path, at)
        out = self.statements(stream, None, 0)
        self.open.pop()
        return out

    def statements(self, stream, opened: Place | None, depth: int) -> list[Statement]:
        """Up to the brace that closes, or the end of the file."""
        out: list[Statement] = []
        if depth > NESTED_MAX:
            raise Fault("braces are nested too deeply", opened)
        parts: list[Word | Block] = []
        negated = False
        for token in stream:
            mark = token.text if not token.quoted else ""
            if mark == "{":
                parts.append(Block(self.statements(stream, token.place, depth + 1), token.place))
            elif mark == "}":
                if opened is None:
                    raise Fault("this '}' closes nothing", token.place)
                if parts:
                    raise Fault("a ';' is missing before this '}'", token.place)
                return out
            elif mark == "!":
                negated = not negated
            elif mark == ";":
                if parts:
                    out += self.finish(parts, negated)
                parts, negated = [], False
            else:
                parts.append(token)
        if opened is not None:
            raise Fault("this '{' is never closed", opened)
        if parts:
            raise Fault("a ';' is missing behind this statement", parts[0].place)
        return out

    def finish(self, parts: list[Word | Block], negated: bool) -> list[Statement]:
        statement = Statement(parts, parts[0].place, negated)
        if statement.name == "directory" and len(statement.words) == 2:
            self.directory = statement.word(1)
        if statement.name != "include" or len(parts) != 2 or not isinstance(parts[1], Word):
            return [statement]
        pattern = parts[1].text
        bases = [pathlib.Path(self.directory)] if self.directory else []
        bases += [pathlib.Path("."), pathlib.Path(self.open[0]).parent]
        found = common.included(pattern, bases)
        if not found:
            raise Fault(f"{pattern} can't be found, and is included", statement.place)
        return [s for path in found for s in self.read(path, statement.place)]
