"""The meaning of a class name: the positive class, its opposite, or unknown."""

import re
import unicodedata

_MICRONUCLEI = ("micronucl", "mikrokern", "mikronukl", "micronoyau")  # anywhere in a name
_ABNORMAL = ("abnorm", "aberra", "atypi", "damag", "affect", "mutant", "auffall")
"""At the beginning of a word, as all that follow here."""
_NORMAL = ("normal", "healthy", "intact")
_UNTREATED = (
    *("control", "kontroll", "ctrl", "vehicle", "solvent", "dmso", "untreated", "unexposed"),
    *("unbehandelt", "unexponiert", "wildtype", "wt", "mock"),
)
_TREATED = ("treated", "exposed", "behandelt", "exponiert", "trata", "tratta")
_YES = {
    "pos", "positive", "positiv", "positif", "yes", "ja", "oui", "true", "with", "plus",
    "present", "avec",
}  # fmt: skip
_NO = {
    "no", "not", "non", "none", "zero", "without", "free", "minus", "absent", "negative", "negativ",
    "negatif", "neg", "nein", "false", "lacking", "ohne", "kein", "keine", "nicht", "sans", "sin",
    "senza", "zonder",
}  # fmt: skip
_OF_ANY_CLASS = {"cell", "cells", "image", "images", "crop", "crops", "ok", "only"}
_NEGATED = re.compile(rf"un({'|'.join((*_ABNORMAL, *_NORMAL))})")
_GLUED = re.compile(
    r"(no|non|with|without|a|un|bn)?(mn|micronucl[a-z]*)(neg|pos|free|plus|minus|bn|mono|bi)?"
)
_SIGNS = {"+": 1, **dict.fromkeys("-\u2010\u2011\u2012\u2013\u2014\u2212", -1)}


def meaning(name: str) -> int:
    """Return 1 for a name of the positive class, -1 for its opposite, and 0 if unknown.

    A sign at the end decides first, then whether the name denotes a control, then words on
    micronuclei, on the cells, and on the treatment. A negation reverses the word beside it.
    """
    text = unicodedata.normalize("NFKD", name)
    text = "".join(c for c in text if not unicodedata.combining(c))
    sign = _SIGNS.get(text.strip().rstrip(")] ")[-1:], 0)
    if sign:
        return sign
    words = _words(text)
    said_no = not _NO.isdisjoint(words)
    said_yes = not _YES.isdisjoint(words) or _is_with(words, "mit") or _is_with(words, "con")
    is_con = "con" in words and not _is_with(words, "con")
    if is_con or _any_begins(words, _UNTREATED):
        return 1 if said_yes and not said_no else -1
    if _tells_of_micronuclei(words):
        none = said_no or ("0" in words and ">" not in text)
        return -1 if none else 1
    return _meaning_of_cells(words, said_yes=said_yes, said_no=said_no)


def _is_with(words: list[str], word: str) -> bool:
    """Return whether a word means "with": "con" alone is short for control, and "mit" for a drug."""
    if word not in words:
        return False
    after = words[words.index(word) + 1 :]
    return _tells_of_micronuclei(after) or _any_begins(after, (*_ABNORMAL, "trata", "tratta"))


def _meaning_of_cells(words: list[str], *, said_yes: bool, said_no: bool) -> int:
    """Return the meaning of a name that mentions neither controls nor micronuclei."""
    turned = -1 if said_no else 1
    if _any_begins(words, _ABNORMAL):
        return turned
    if _any_begins(words, _NORMAL):
        return -turned
    if said_no:
        return -1
    if said_yes or _any_begins(words, _TREATED) or words == ["1"]:
        return 1
    of_nuclei = [word for word in words if word.startswith(("nucle", "nucli"))]
    others = [word for word in words if word not in of_nuclei and not word.isdigit()]
    is_plain = of_nuclei and set(others) <= _OF_ANY_CLASS
    return -1 if is_plain or words == ["0"] else 0


def _words(text: str) -> list[str]:
    """Return the words of a name in lower case, with prefixes and suffixes of "MN" separated."""
    text = re.sub(r"\bw/o\b", "without", text, flags=re.I)
    text = re.sub(r"\bw/", "with ", text, flags=re.I)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words: list[str] = []
    for word in re.findall(r"[^\W\d_]+|\d+", text.casefold()):
        if _NEGATED.match(word):
            words += ["no", word[2:]]
            continue
        glued = _GLUED.fullmatch(word)
        parts = [part for part in glued.groups() if part] if glued else [word]
        words += ["no" if part in ("a", "un") and glued else part for part in parts]
    return words


def _tells_of_micronuclei(words: list[str]) -> bool:
    joined = "".join(words)
    named = any(stem in joined for stem in _MICRONUCLEI)
    return named or not {"mn", "mni", "mned", "mns"}.isdisjoint(words)


def _any_begins(words: list[str], beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in words)
