"""What a model is: the card of a shipped one, the header of the user's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from napari_lowdose.shipped import shipped_model

_KEY = "napari-lowdose"  # of the header, in a model file
_BASE = "napari-lowdose base model"
_HIDDEN = ("random_state", "scaler")  # needed to continue a training, not to read


def header_of(path: Path) -> Mapping[str, Any]:
    """Read what a model file says of itself, without torch; nothing if it cannot."""
    try:
        # "np" loads no tensors and no torch.
        with safetensors.safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except (safetensors.SafetensorError, OSError, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def holds_base(path: Path) -> bool:
    """Tell whether a file holds a base model, fine-tuned or not."""
    return header_of(path).get("format") == _BASE


def card_of(path: Path) -> str:
    """Describe a model in Markdown."""
    base = shipped_model(path)
    if base is not None and base.path.with_suffix(".md").is_file():
        return base.card
    title = f"# {base.name if base else path.stem}\n\n{path}\n\n"
    return title + ("\n".join(_lines(header_of(path))) or "This is no model file.")


def _lines(content: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    for name, value in content.items():
        if name in _HIDDEN or value in (None, {}, []):
            continue
        words = f"{'  ' * depth}- {name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield words
            yield from _lines(value, depth + 1)
        else:
            yield f"{words}: {value}"


def show_card(path: Path, parent: QWidget) -> QDialog:
    """Show what a model is beside the viewer, until it is closed."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(f"About {path.stem}")
    text = QTextBrowser()
    text.setOpenExternalLinks(True)
    text.setMarkdown(card_of(path))
    layout = QVBoxLayout(dialog)
    layout.addWidget(text)
    dialog.resize(560, 600)
    dialog.show()
    return dialog
