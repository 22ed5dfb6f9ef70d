"""Turns a pattern of the `regex` module into an RE2 pattern that matches wherever the original could. Knows no
recogniser.

Only ever widens: lookaround, word boundaries and anchors vanish, shorthands grow to all of Unicode, a back-reference
becomes any short run, possessive and atomic groups become plain ones. A construct that is not understood raises,
because a pattern that silently cannot fire would hide identifiers.
"""

from __future__ import annotations

import regex

from mhds.errors import ConfigurationError

ANY = r"\x{0}-\x{10ffff}"
# Python's \w holds letters, marks, digits, connectors and a few symbols that differ between Unicode versions: take all.
WORD = r"0-9A-Za-z_\x{80}-\x{10ffff}"
# RE2's \s is ASCII without \v; Python's `re` adds U+001C-1F, `regex` does not: the union.
SPACE = r"\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}"


def _digits() -> str:
    """What `regex` calls a digit: its Unicode tables are newer than RE2's, whose \\p{Nd} would miss some."""
    planes = "".join(map(chr, (*range(0x80, 0xD800), *range(0xE000, 0x20000))))
    found = [ord(char) for char in regex.findall(r"\d", planes)]
    return "0-9" + "".join(f"\\x{{{code:x}}}" for code in found)


DIGIT = _digits()
_SHORTHAND = {"d": DIGIT, "w": WORD, "s": SPACE, "D": ANY, "W": ANY, "S": ANY}
_VANISHING = frozenset("bBAzZG")
_QUANTIFIER_END = frozenset("+*?}")


def overapproximate(pattern: str) -> str:
    """The RE2 pattern whose matches include every text that ``pattern`` (Python syntax, any flags) can match in."""
    return _Widener(pattern).run()


class _Widener:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.out: list[str] = []

    def run(self) -> str:
        while self.at < len(self.pattern):
            self._step()
        return "".join(self.out)

    def _step(self) -> None:
        char = self.pattern[self.at]
        if char == "\\":
            self.out.append(self._escape())
        elif char == "[":
            self.out.append(self._character_class())
        elif char == "(" and self.pattern.startswith("(?", self.at):
            self._special_group()
        elif char in "^$":
            self.at += 1
            self.out.append("(?:)")  # keeps a following quantifier legal
        elif char == "+" and self._after_quantifier():
            self.at += 1
        else:
            self.at += 1
            self.out.append(char)

    def _after_quantifier(self) -> bool:
        """A ``+`` right after a quantifier makes it possessive; an escaped ``\\+`` before it does not count."""
        before = self.pattern[self.at - 1] if self.at else ""
        return before in _QUANTIFIER_END and bool(self.out) and self.out[-1] == before

    def _escape(self) -> str:
        code = self.pattern[self.at + 1]
        if code in _VANISHING:
            self.at += 2
            return "(?:)"
        if code.isdigit() and code != "0":
            self.at += 2
            return "(?s:.{0,64})"
        if code in _SHORTHAND:
            self.at += 2
            return f"[{_SHORTHAND[code]}]"
        return self._literal_escape()

    def _literal_escape(self) -> str:
        """An escape that means the same inside and outside a class: code points, properties, punctuation."""
        code = self.pattern[self.at + 1]
        width = {"u": 4, "U": 8, "x": 2}.get(code)
        if width:
            digits = self.pattern[self.at + 2 : self.at + 2 + width]
            self.at += 2 + width
            return f"\\x{{{digits}}}"
        if code == "p":
            end = self.pattern.index("}", self.at) + 1
            text, self.at = self.pattern[self.at : end], end
            return text
        if code.isalnum() and code not in "ntrfv0":
            raise ConfigurationError(f"Pattern escape \\{code} has no widened form: the prefilter cannot be built.")
        self.at += 2
        return {"v": r"\x{0b}", "0": r"\x{0}"}.get(code, "\\" + code)

    def _character_class(self) -> str:
        start = self.at
        self.at += 1
        negated = self.pattern[self.at] == "^"
        self.at += negated
        body: list[str] = []
        shorthand = False
        while self.pattern[self.at] != "]" or not body:
            shorthand |= self._class_member(body)
        self.at += 1
        if negated and shorthand:
            return f"[{ANY}]"  # widening inside a negation would narrow it
        if start == self.at:
            raise ConfigurationError("Empty character class in a pattern: the prefilter cannot be built.")
        return "[" + ("^" if negated else "") + "".join(body) + "]"

    def _class_member(self, body: list[str]) -> bool:
        """Consumes one member of a class; tells whether it was a shorthand such as ``\\w``."""
        char = self.pattern[self.at]
        if char != "\\":
            self.at += 1
            body.append("\\" + char if char in "[]" else char)
            return False
        code = self.pattern[self.at + 1]
        if code in _SHORTHAND:
            self.at += 2
            body.append(_SHORTHAND[code])
            return True
        body.append(self._literal_escape())
        return False

    def _special_group(self) -> None:
        rest = self.pattern[self.at + 2 :]
        if rest.startswith(("=", "!", "<=", "<!")):
            self._skip_group()
            self.out.append("(?:)")
        elif rest.startswith((">", "P<", "<")):
            self.at = self.pattern.index(">", self.at) + 1
            self.out.append("(?:")
        elif rest[:1] in ":i-":
            self.at += 2
            self.out.append("(?")
        else:
            raise ConfigurationError(
                "Pattern group (?" + rest[:1] + " is not understood: the prefilter cannot be built."
            )

    def _skip_group(self) -> None:
        """Moves past a whole group, minding escapes and classes."""
        depth, in_class = 0, False
        while True:
            char = self.pattern[self.at]
            if char == "\\":
                self.at += 2
                continue
            if in_class:
                in_class = char != "]"
            elif char == "[":
                in_class = True
            else:
                depth += (char == "(") - (char == ")")
            self.at += 1
            if depth == 0 and char == ")":
                return
