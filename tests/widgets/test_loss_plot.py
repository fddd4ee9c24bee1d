from __future__ import annotations

from napari_lowdose.widgets.loss_plot import LossPlot


def test_losses_of_any_size_are_drawn(qtbot):
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.resize(300, 140)
    plot.show()
    empty = plot.grab().toImage()
    plot.append(train=1.0, validation=1.0)
    one = plot.grab().toImage()
    assert one != empty
    for loss in (1e3, 0.0, 1e-5):
        plot.append(train=loss, validation=loss / 2)
    assert plot.grab().toImage() != one
    assert plot.curves["train"][:2] == [1.0, 1e3]
    plot.clear()
    assert plot.grab().toImage() == empty
