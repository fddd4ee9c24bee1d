"""Choose a model: one that is shipped, one used lately, or any other file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_lowdose.model_history import (
    SUFFIX,
    models_folder,
    recent_models,
    remember_model,
)
from napari_lowdose.shipped import BASE_MODELS, DEFAULT, shipped_model
from napari_lowdose.widgets.choice import Choice
from napari_lowdose.widgets.model_card import holds_base, show_card

FILES = f"Models (*{SUFFIX});;All files (*)"


class _News(QObject):
    """Tells open panels that a model was made or found."""

    came = Signal(object)
    latest: Path | None = None  # what was chosen or made last in this session


_NEWS = _News()


def when_announced(take: Callable[[Path], None]) -> None:
    """Call a method of a widget, while that lives, with each model that is announced.

    It is called at once with what was chosen or made last in this session.
    """
    _NEWS.came.connect(take)
    if _NEWS.latest is not None:
        take(_NEWS.latest)


def announce_model(path: Path) -> None:
    """Remember a model and offer it in every panel."""
    remember_model(path)
    _NEWS.latest = path.resolve()
    _NEWS.came.emit(path.resolve())


class ModelChoice(QWidget):
    """A combo box of models, a button for others, and one for what a model is.

    The base models come first, then those used lately. A new panel begins with what
    was chosen or made last in this session, else with the most accurate base model.

    Parameters
    ----------
    none
        Words for choosing no model; empty: one must be chosen.
    tunable
        Whether only base models are offered, fine-tuned ones among them; new ones are
        offered then, but not chosen.

    Signals
    -------
    chosen
        Emitted when another model is chosen.
    """

    chosen = Signal()

    def __init__(self, none: str = "", *, tunable: bool = False) -> None:
        super().__init__()
        self._none = none
        self._tunable = tunable
        self.combo = Choice()
        self.browse = _small_button("…", "Choose a model file")
        self.about = _small_button("?", "About this model")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.combo)
        layout.addWidget(self.browse)
        layout.addWidget(self.about)
        self.combo.chosen.connect(self._tell)
        self.combo.activated.connect(self._remember)
        self.browse.clicked.connect(self._ask)
        self.about.clicked.connect(self._show_card)
        _NEWS.came.connect(self._take)
        self._list()
        self._tell()

    @property
    def path(self) -> Path | None:
        """The chosen model's file, if any."""
        return self.combo.value

    def _list(self) -> None:
        models: list[Path | None] = [model.path for model in BASE_MODELS.values()]
        own = [path for path in recent_models() if path not in models]
        models += [path for path in own if not self._tunable or holds_base(path)]
        if self._none:
            models.append(None)
        names = [self._none if path is None else _name(path) for path in models]
        first = None if self._tunable else _NEWS.latest
        self.combo.offer(models, names, prefer=first or BASE_MODELS[DEFAULT].path)
        for row, model in enumerate(models):
            self.combo.setItemData(row, _hint(model), Qt.ItemDataRole.ToolTipRole)

    def _take(self, path: Path) -> None:
        self._list()
        if not self._tunable:
            self.combo.value = path

    def _tell(self) -> None:
        self.about.setEnabled(self.path is not None)
        self.combo.setToolTip(_hint(self.path))
        self.chosen.emit()

    def _remember(self, _row: int) -> None:
        if not self._tunable:
            _NEWS.latest = self.path

    def _show_card(self, _checked: bool = False) -> None:
        if self.path is not None:
            show_card(self.path, self)

    def _ask(self, _checked: bool = False) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose a model", str(models_folder()), FILES
        )
        if name:
            path = Path(name).resolve()
            announce_model(path)
            if path in self.combo.values:
                self.combo.value = path


def _small_button(text: str, tooltip: str) -> QPushButton:
    small = QPushButton(text)
    small.setFixedWidth(24)
    small.setToolTip(tooltip)
    return small


def _name(path: Path) -> str:
    base = shipped_model(path)
    return f"{base.name} (base model)" if base else path.stem


def _hint(path: Path | None) -> str:
    base = shipped_model(path) if path else None
    return f"{base.summary}" if base else str(path or "")
