"""Choose a model file: one used lately, or any other."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_lowdose.model_history import (
    SUFFIX,
    models_folder,
    recent_models,
    remember_model,
)
from napari_lowdose.widgets.choice import Choice

FILES = f"Models (*{SUFFIX});;All files (*)"


class _News(QObject):
    """Tells open panels that a model was made or found."""

    came = Signal(object)


_NEWS = _News()


def announce_model(path: Path) -> None:
    """Remember a model and offer it in every panel."""
    remember_model(path)
    _NEWS.came.emit(path.resolve())


class ModelChoice(QWidget):
    """A combo box of recent models, newest first, and a button for others.

    Parameters
    ----------
    none
        Words for choosing no model; empty: one must be chosen.

    Signals
    -------
    chosen
        Emitted when another model is chosen.
    """

    chosen = Signal()

    def __init__(self, none: str = "") -> None:
        super().__init__()
        self._none = none
        self.combo = Choice()
        self.browse = QPushButton("…")
        self.browse.setFixedWidth(30)
        self.browse.setToolTip("Choose a model file")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo)
        layout.addWidget(self.browse)
        self.combo.chosen.connect(self._tell)
        self.browse.clicked.connect(self._ask)
        _NEWS.came.connect(self._take)
        self._list()

    @property
    def path(self) -> Path | None:
        """The chosen model's file, if any."""
        return self.combo.value

    def _list(self) -> None:
        models: list[Path | None] = [*recent_models()]
        names = [model.stem for model in models if model]
        if self._none:
            # After the models: the newest one is what most want.
            models, names = [*models, None], [*names, self._none]
        self.combo.offer(models, names)
        for row, model in enumerate(models):
            self.combo.setItemData(row, str(model or ""), Qt.ItemDataRole.ToolTipRole)

    def _take(self, path: Path) -> None:
        self._list()
        self.combo.value = path

    def _tell(self) -> None:
        self.chosen.emit()

    def _ask(self, _checked: bool = False) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose a model", str(models_folder()), FILES
        )
        if name:
            announce_model(Path(name))
