"""What this package notes in a file: how the stack in it came to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import to_jsonable_python

from napari_lowdose.stack import Recipe

_KEY = "napari-lowdose"


@dataclass(frozen=True)
class Note:
    """One line of JSON inside a file's description.

    Parameters
    ----------
    recipe
        The steps that led to the stack, oldest first; plain values only.
    """

    recipe: Recipe = ()

    def text(self) -> str:
        """Spell it in ASCII, on one line."""
        content = {"axes": "TYX", "recipe": list(self.recipe)}
        plain = to_jsonable_python({_KEY: content}, fallback=_plain)
        return json.dumps(plain)

    @classmethod
    def found_in(cls, text: str) -> Note | None:
        """Find the note among other lines; None when the file is not ours."""
        for line in text.splitlines():
            content = _content(line)
            if content is not None:
                recipe = content.get("recipe")
                steps = recipe if isinstance(recipe, list) else []
                return cls(tuple(step for step in steps if isinstance(step, dict)))
        return None


def _content(line: str) -> Mapping[str, Any] | None:
    if _KEY not in line:
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    content = found.get(_KEY) if isinstance(found, dict) else None
    return content if isinstance(content, dict) else None


def _plain(value: object) -> object:
    """Turn what JSON does not know into numbers, lists or text."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
