"""The photon-transfer plot: how the variance of the noise follows the mean."""

from __future__ import annotations

from qtpy.QtCore import QSize
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen

from napari_lowdose.compare.scale import Scale
from napari_lowdose.noise import PhotonTransfer
from napari_lowdose.widgets.axes import COLOURS, Axes, Plot

_DOT_PX = 2.5
_FEWEST = 2  # points that make a line


class TransferPlot(Plot):
    """Variances with their standard errors, and the line whose slope is the gain."""

    def __init__(self) -> None:
        super().__init__()
        self._transfer: PhotonTransfer | None = None
        self.setToolTip(
            "Photon transfer: the variance of the noise (counts²) over the mean "
            "(counts); the slope is the gain, the intercept the readout noise"
        )

    def sizeHint(self) -> QSize:
        """Ask for room for the error bars."""
        return QSize(200, 170)

    @property
    def transfer(self) -> PhotonTransfer | None:
        """What is plotted."""
        return self._transfer

    def show_transfer(self, transfer: PhotonTransfer | None) -> None:
        """Plot another curve, or none."""
        self._transfer = transfer
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw frame, ticks, points with error bars, and the line."""
        painter = QPainter(self)
        axes = Axes(painter, self)
        transfer = self._transfer
        if transfer is None or len(transfer.mean) < _FEWEST:
            axes.write_in_the_middle("nothing measured yet")
            return
        low, high = (
            transfer.variance - transfer.variance_std,
            (transfer.variance + transfer.variance_std),
        )
        x = Scale.around(transfer.mean.tolist()).wider(0.04)
        y = Scale.around([0.0, *low.tolist(), *high.tolist()]).wider(0.04)
        axes.draw_y_ticks(y)
        axes.draw_x_ticks(x)
        ends = (x.low, x.high)
        painter.setClipRect(axes.area)
        axes.draw_curve(
            (axes.at(x, y, e, transfer.intercept + transfer.slope * e) for e in ends),
            COLOURS[1],
        )
        painter.setPen(QPen(QColor(COLOURS[0]), 1.2))
        painter.setBrush(QColor(COLOURS[0]))
        for mean, variance, least, most in zip(
            transfer.mean, transfer.variance, low, high, strict=True
        ):
            painter.drawLine(axes.at(x, y, mean, least), axes.at(x, y, mean, most))
            painter.drawEllipse(axes.at(x, y, mean, variance), _DOT_PX, _DOT_PX)
