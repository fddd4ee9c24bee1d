"""Units by their full names, as napari's scale bar wants them."""

from __future__ import annotations

import math
import re

# Full name (pint's), the symbol that OME-XML knows, other spellings in the field.
_LENGTHS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("picometer", "pm", ("picometre",)),
    ("angstrom", "Å", ("A", "Å", "ångström", "ångstrom")),
    ("nanometer", "nm", ("nanometre",)),
    ("micrometer", "µm", ("um", "μm", "micron", "micrometre")),
    ("millimeter", "mm", ("millimetre",)),
    ("centimeter", "cm", ("centimetre",)),
    ("meter", "m", ("metre",)),
)
_NAMES = {
    spelling: name
    for name, symbol, others in _LENGTHS
    for spelling in (name, symbol, *others)
}
_SYMBOLS = {name: symbol for name, symbol, _ in _LENGTHS}
_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "second"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond"), 1e-9),
    **dict.fromkeys(("min", "minute"), 60.0),
    **dict.fromkeys(("h", "hr", "hour"), 3600.0),
}


def unit_name(text: str) -> str | None:
    r"""Find the full name of a unit of length; None for pixels, inches and unknowns.

    Inches are left out on purpose: they stand for the resolution of a printer or a
    screen (72 or 96 dots per inch), never for a microscope's calibration.

    Examples
    --------
    >>> unit_name("microns"), unit_name("\\u00B5m"), unit_name("inch")
    ('micrometer', 'micrometer', None)
    """
    word = unescaped(text).strip()
    return _NAMES.get(word) or _NAMES.get(word.lower().removesuffix("s"))


def unit_symbol(name: str) -> str:
    """Abbreviate a unit of length, such as ``"µm"``; unknown ones stay as they are."""
    return _SYMBOLS.get(name, name)


def known_units() -> str:
    """List the units of length that may be given."""
    return ", ".join(_SYMBOLS)


def in_seconds(value: float, unit: str) -> float | None:
    """Convert a time; None when it is not a positive number of a known unit."""
    word = unescaped(unit).strip().lower()
    factor = _SECONDS.get(word) or _SECONDS.get(word.removesuffix("s"))
    return positive(value * factor) if factor else None


def positive(value: object) -> float | None:
    """Read a number that may be text; None unless it is positive and finite."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if number > 0 and math.isfinite(number) else None


def escaped(text: str) -> str:
    r"""Spell a text in ASCII as ImageJ does: ``µm`` becomes ``\u00B5m``."""
    return "".join(c if c.isascii() else f"\\u{ord(c):04X}" for c in text)


def unescaped(text: str) -> str:
    """Undo `escaped`."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
