"""Numbers as people write them -> floats.

A text that can mean two numbers is never guessed: the whole column is refused, and the error names
the keys of the source that settle it. What means "no value" becomes None. A text that is neither
stays as it is, as evidence, and is rejected later.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.ingestion.reading.unclear import UnclearError, examples, shown
from actioncast.source_fields import TabularFields

MISSING = (
    "",
    "-",
    "--",
    "\u2013",
    "\u2014",
    ".",
    "null",
    "none",
    "nan",
    "na",
    "n/a",
    "#n/a",
    "<na>",
)
BLANKS = "\u00a0\u202f\u2009"  # blanks that do not break a line; they separate thousands
APOSTROPHE = "\u2019"  # as Switzerland prints it
MINUS = "\u2212"
TYPICAL = str.maketrans(
    {
        MINUS: "-",
        APOSTROPHE: "'",
        **dict.fromkeys(BLANKS, " "),
    }
)
PLAIN = 'write plain numbers at the source, or read it by a function of your own (kind = "python")'
EXPONENT = re.compile("[eE][+-]?[0-9]+$")
COMMA_IS_DECIMAL = r"^[+-]?0?,[0-9]|,([0-9]{1,2}|[0-9]{4,})$|\.[0-9]{3},|\..*\."
DOT_IS_DECIMAL = r"^[+-]?0?\.[0-9]|\.([0-9]{1,2}|[0-9]{4,})$|,[0-9]{3}\.|,.*,"
THREE_DIGITS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")  # 1.024 is 1024 to some
FEWEST_TEXTS = 200  # in so many, a number that is rounded to three digits ends in a zero somewhere

# Digits with any signs that separate them, and the same with something before or after it.
SEPARATED = re.compile(r"[+-]?[0-9.,' _]*[0-9][0-9.,' _]*([eE][+-]?[0-9]+)?")
SURROUNDED = re.compile(
    r"(?P<before>[^0-9]{0,5}?)"
    r"[+-]?[0-9][0-9.,' _]*(e[+-]?[0-9]+)?"
    r"(?P<after>[^0-9]{0,15})"
)


@dataclass(frozen=True)
class _Style:
    """How the numbers of one column are written."""

    pattern: re.Pattern[str]
    decimal: str
    thousands: str
    strip: str
    missing: frozenset[str]  # lower case
    sentinels: frozenset[float]  # numbers that mean "no value"

    def number(self, text: str) -> float | None:
        """The number that a text stands for, None where it is written in another way."""
        bare = text.removeprefix(self.strip).removesuffix(self.strip)
        if self.strip and bare == text:
            return None
        bare = bare.strip()
        if not self.pattern.fullmatch(bare):
            return None
        if self.thousands:
            bare = bare.replace(self.thousands, "")
        return float(bare.replace(self.decimal, "."))


def read(cells: Sequence[object], fields: TabularFields) -> list[object]:
    """Cells -> floats; None where there is no value; what cannot be read stays as it is.

    Raises UnclearError for texts that can be read in two ways.
    """
    style = _style(fields)
    texts = list(dict.fromkeys(cells_of_text(cells)))  # each one once
    readings: dict[str, object] = {text: _reading(text, style) for text in texts}
    other_texts = [text for text in texts if readings[text] is text]
    _refuse_unclear(other_texts, texts, fields)
    if fields.decimal is None and not fields.thousands:
        _refuse_three_digits(texts, fields.strip.strip())
    numbers = []
    for cell in cells:
        number = readings[cell] if isinstance(cell, str) else _plain(cell, style)
        numbers.append(number)
    return numbers


def cells_of_text(cells: Sequence[object]) -> list[str]:
    """The cells that are texts."""
    return [cell for cell in cells if isinstance(cell, str)]


def _style(fields: TabularFields) -> _Style:
    """How the keys of a source say that its numbers are written."""
    thousands = fields.thousands.translate(TYPICAL)
    usual_decimal = "," if thousands == "." else "."
    decimal = fields.decimal or usual_decimal
    missing = {str(token).strip().lower() for token in fields.missing}
    sentinels = [_float_or_none(token) for token in fields.missing]
    return _Style(
        pattern=_number_pattern(decimal, thousands),
        decimal=decimal,
        thousands=thousands,
        strip=fields.strip.strip(),
        missing=frozenset(missing.union(MISSING)),
        sentinels=frozenset(number for number in sentinels if number is not None),
    )


def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    """What a number with these signs looks like."""
    whole = "[0-9]+"
    if thousands:
        separator = re.escape(thousands)
        whole = f"[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+|[0-9]+"
    if thousands == ",":
        whole = f"[0-9]{{1,2}}(?:,[0-9]{{2}})+,[0-9]{{3}}|{whole}"  # 12,34,567 in India
    point = re.escape(decimal)
    size = f"(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+"
    return re.compile(f"[+-]?(?:{size})(?:[eE][+-]?[0-9]+)?")


def _float_or_none(token: str | float) -> float | None:
    try:
        return float(token)
    except ValueError:
        return None


def _reading(text: str, style: _Style) -> object:
    """The number of a text, None for "no value", the text itself where it is neither."""
    typical = _typical(text)
    if typical.lower() in style.missing:
        return None
    number = style.number(typical)
    if number is None:
        return text
    return None if number in style.sentinels else number


def _typical(text: str) -> str:
    """The text with the signs of a keyboard in place of those of a printer."""
    return text.translate(TYPICAL).strip()


def _plain(cell: object, style: _Style) -> object:
    """A cell that is no text."""
    if isinstance(cell, bool):
        return str(cell).lower()  # no number, though Python counts with it
    if not isinstance(cell, int | float):
        return cell
    if math.isnan(cell) or cell in style.sentinels:
        return None
    return cell


# What is refused ----------------------------------------------------------------------------------


def _refuse_unclear(
    other_texts: Sequence[str],
    texts: Sequence[str],
    fields: TabularFields,
) -> None:
    """Raise UnclearError where one of the other texts is a number, written in another way."""
    separated = [text for text in other_texts if SEPARATED.fullmatch(_typical(text))]
    if separated and not fields.strip:
        keys = _keys(fields)
        remedy = _signs(separated, texts)
        if remedy == f"set {keys}":
            remedy = PLAIN
        example = _example_with_most_signs(separated)
        raise UnclearError(f"the value {shown(example)} does not fit {keys}; {remedy}")
    surrounded = [text for text in other_texts if SURROUNDED.fullmatch(_typical(text))]
    if surrounded:
        fault = "has something around its number"
        if fields.strip:
            fault = f"does not fit strip = {fields.strip!r}, which must stand at every value"
        remedy = _unit(surrounded, texts, fields)
        raise UnclearError(f"the value {shown(surrounded[0])} {fault}; {remedy}")


def _keys(fields: TabularFields) -> str:
    """The keys that say how numbers are written, as they stand."""
    decimal = fields.decimal or "."
    if fields.thousands:
        return f'decimal = "{decimal}" and thousands = "{fields.thousands}"'
    return f'decimal = "{decimal}"'


def _example_with_most_signs(texts: Sequence[str]) -> str:
    """The text that says most about how numbers are written."""
    return max(texts, key=_sign_count)


def _sign_count(text: str) -> int:
    """How many different signs a text has besides digits and letters."""
    signs = {character for character in text if not character.isalnum()}
    return len(signs)


def _signs(separated: Sequence[str], texts: Sequence[str]) -> str:
    """Which keys would read these texts."""
    typical = [EXPONENT.sub("", _typical(text)) for text in texts]
    has_comma = _any_match(",", typical)
    has_dot = _any_match(r"\.", typical)
    for blank in (" ", "'"):
        if _any_match(rf"[0-9]{blank}[0-9]{{3}}", typical):
            decimal = "," if has_comma else "."
            return f'set decimal = "{decimal}" and thousands = "{blank}"'
    comma_is_decimal = _any_match(COMMA_IS_DECIMAL, typical)
    dot_is_decimal = _any_match(DOT_IS_DECIMAL, typical)
    if comma_is_decimal and dot_is_decimal:
        return f"the values are not all written in one way; {PLAIN}"
    if comma_is_decimal:
        return _with_thousands('set decimal = ","', "." if has_dot else "")
    if dot_is_decimal:
        return _with_thousands('set decimal = "."', "," if has_comma else "")
    return _meanings_of_comma(separated[0])


def _with_thousands(remedy: str, thousands: str) -> str:
    if not thousands:
        return remedy
    return f'{remedy} and thousands = "{thousands}"'


def _meanings_of_comma(text: str) -> str:
    """The keys for each of the two numbers that a text such as 1,024 can mean."""
    number = EXPONENT.sub("", text.strip())
    if "," not in number:
        return PLAIN
    whole = number.replace(",", "")
    dotted = number.replace(",", ".")
    return f'set thousands = "," if it means {whole}, or decimal = "," if it means {dotted}'


def _any_match(pattern: str, texts: Sequence[str]) -> bool:
    return any(re.search(pattern, text) for text in texts)


def _unit(surrounded: Sequence[str], texts: Sequence[str], fields: TabularFields) -> str:
    """What to do about units: they can be taken off where all numbers have the same."""
    if fields.strip:
        return PLAIN
    units = {_unit_of(text) for text in surrounded}
    texts_with_digits = [text for text in texts if _has_digit(text)]
    have_all_a_unit = len(surrounded) == len(texts_with_digits)
    if len(units) > 1 or not have_all_a_unit or "(" in surrounded[0]:
        return PLAIN
    return f'set strip = "{units.pop()}" (and scale, where the unit shall change)'


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _unit_of(text: str) -> str:
    """What stands before or after the number of a text."""
    match = SURROUNDED.fullmatch(_typical(text))
    if match is None:
        return ""
    unit = match["before"] or match["after"]
    return unit.strip()


def _refuse_three_digits(texts: Sequence[str], strip: str) -> None:
    """Raise UnclearError where each dot stands before exactly three digits: then 1.024 may be 1024.

    Beside whole numbers a few texts are enough: a number that is rounded to three digits ends in a
    zero now and then, which is not written.
    """
    numbers = [text.strip().removesuffix(strip).strip() for text in texts]
    dotted = [text for text in numbers if "." in text and text != "."]
    if not dotted or not _have_all_three_digits(dotted):
        return
    whole = [text for text in numbers if text.lstrip("+-").isdigit()]
    if not whole and len(dotted) < FEWEST_TEXTS:
        return
    beside = f" beside {shown(whole[0])}" if whole else ""
    number = dotted[0]
    without_dots = number.replace(".", "")
    raise UnclearError(
        f"three digits follow the dot in each value that has one ({examples(dotted)}{beside}); "
        f'set thousands = "." if {shown(number)} means {without_dots}, '
        'or decimal = "." if it does not'
    )


def _have_all_three_digits(texts: Sequence[str]) -> bool:
    return all(THREE_DIGITS.fullmatch(text) for text in texts)
