"""Scores of a comparison in a table, and those of a region as it moves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication

from napari_lowdose.compare import SCORES, Result
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.region_choice import Part
from napari_lowdose.widgets.score_board import ScoreBoard
from napari_lowdose.widgets.score_table import ScoreTable

BARE = len(Image(np.zeros((2, 2)))._overlays)
LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def table(qtbot):
    table = ScoreTable(SCORES)
    qtbot.addWidget(table)
    table.resize(500, 200)
    table.show()
    return table


def result(name, *, error="", seconds=1.0, **scores):
    return Result(name, None, scores, seconds, {}, error=error)


def click_heading(qtbot, table, name):
    names = [table.horizontalHeaderItem(i).text() for i in range(table.columnCount())]
    column = next(i for i, text in enumerate(names) if text.split("\n")[0] == name)
    header = table.horizontalHeader()
    x = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    qtbot.mouseClick(header.viewport(), LEFT, pos=QPoint(x, header.height() // 2))


def test_a_heading_sorts_by_number_and_missing_ones_come_last(qtbot, table):
    table.show_results(
        [
            result("nine", psnr=9.0, mse=3.0),
            result("ten", psnr=10.0, mse=2.0),
            result("none", psnr=math.nan, mse=1.0),
            result("minus", psnr=-1.0, mse=5.0),
        ]
    )
    came = [*table.methods]
    click_heading(qtbot, table, "psnr")
    assert table.methods == ["ten", "nine", "minus", "none"]
    click_heading(qtbot, table, "psnr")
    assert table.methods == ["minus", "nine", "ten", "none"]
    # new numbers keep the order that was chosen
    table.show_results([result("b", psnr=2.0), result("a", psnr=1.0)])
    assert table.methods == ["a", "b"]
    table.show_results([result(name) for name in came])
    click_heading(qtbot, table, "method")
    assert table.methods == ["minus", "nine", "none", "ten"]
    click_heading(qtbot, table, "method")
    click_heading(qtbot, table, "method")
    assert table.methods == came


def test_the_best_is_bold_also_where_a_certain_value_is_best(table):
    table.show_results(
        [
            result("below", mse=2.0, slope=0.6),
            result("near", mse=3.0, slope=1.1),
            result("above", mse=math.nan, slope=1.9),
        ]
    )
    bold = {
        (table.methods[row], name)
        for row in range(3)
        for column, name in enumerate(table.columns, 2)  # after method and time
        if table.item(row, column).font().bold()
    }
    assert bold == {("below", "mse"), ("near", "slope")}


def test_a_failed_method_is_grey_and_says_why(qtbot, table):
    table.show_results([result("good", mse=1.0), result("bad", error="no memory")])
    cell = table.item(1, 0)
    assert not cell.flags() & Qt.ItemFlag.ItemIsEnabled
    assert cell.toolTip() == "no memory"
    with qtbot.assertNotEmitted(table.picked):
        center = table.visualItemRect(cell).center()
        qtbot.mouseClick(table.viewport(), LEFT, pos=center)
    with qtbot.waitSignal(table.picked) as told:
        center = table.visualItemRect(table.item(0, 0)).center()
        qtbot.mouseClick(table.viewport(), LEFT, pos=center)
    assert told.args == ["good"]


@pytest.fixture
def board(make_napari_viewer, qtbot, movie, truth, calibrated, compared_by_hand):
    """Show a comparison in a dock of its own."""

    def opened(*, known=True, show=False):
        viewer = make_napari_viewer(show=show)
        viewer.window.resize(1100, 700)
        panel = Panel(viewer)
        board = ScoreBoard(viewer)
        panel.section("Scores").rows.addRow(board)
        viewer.window.add_dock_widget(panel, name="Scores")
        layers = [
            viewer.add_image(data, name=name, **calibrated)
            for data, name in ((truth[:8], "truth"), (movie[:8], "movie"))
        ]
        compared = compared_by_hand(viewer, layers[1], layers[0] if known else None)
        board.follow(compared)
        qtbot.wait(50)
        return viewer, board, compared

    return opened


def choose(board, part, qtbot):
    """Choose a part of the movie as a user does: with the keyboard."""
    combo = board.choice.part
    combo.setFocus()
    combo.setCurrentIndex([*Part].index(part))
    combo.activated.emit(combo.currentIndex())
    settle(board, qtbot)


def settle(board, qtbot):
    qtbot.waitUntil(lambda: not board._soon.isActive() and not board._work)


def shown_mse(board, name):
    (found,) = [one for one in board.table._results if one.name == name]
    return found.scores.get("mse")


def test_the_table_tells_all_of_a_comparison(board, qtbot):
    _, board, _ = board()
    table = board.table
    assert table.methods == ["noisy", "narrow", "gaussian", "wide", "broken"]
    assert board.heading.text() == "whole movie"
    row, columns = table.methods.index("wide"), ["psnr", "gain_db", "ssim"]
    assert table.columns == columns
    texts = [table.item(row, column).text() for column in range(table.columnCount())]
    assert texts == ["wide", "↺ 0.1", "12", "22", "13", "0.7"]
    assert "± 0.25 dB" in table.item(row, 3).toolTip()
    assert "higher is better" in table.horizontalHeaderItem(3).toolTip()
    for action in board.columns.menu().actions():
        if action.data() in ("memory_mb", "psnr"):
            action.trigger()
    assert table.columns == ["gain_db", "ssim"]
    qtbot.keyClick(table, Qt.Key.Key_C, CTRL)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["method", "time (s)", "gain db (dB)", "ssim"]
    assert lines[4].split("\t") == ["wide", "0.1", "13", "0.7"]


def test_the_visible_region_is_scored_as_camera_and_frame_move(
    board, qtbot, screenshot
):
    viewer, board, compared = board(show=True)
    noisy, truth = compared.layers["noisy"], np.asarray(compared.truth.data)
    choose(board, Part.VISIBLE, qtbot)
    viewer.window.resize(1000, 600)  # moves the edges, not the camera
    frame = viewer.dims.current_step[0]
    qtbot.waitUntil(lambda: board.heading.text() == seen_words(noisy, frame))
    # the movie's own scores are not taken for those of a region
    assert board.table.item(4, 3).text() == "–"

    viewer.scene.camera.zoom *= 4
    viewer.dims.set_current_step(0, 5)
    qtbot.waitUntil(lambda: np.ptp(noisy.corner_pixels[:, 1]) < 30)
    qtbot.waitUntil(lambda: board.heading.text() == seen_words(noisy, 5))
    (top, left), (bottom, right) = noisy.corner_pixels[:, 1:]
    rows, columns = slice(top, bottom + 1), slice(left, right + 1)
    result = compared.results[2]
    errors = np.asarray(result.stack.data)[5, rows, columns] - truth[5, rows, columns]
    # float32 counts around 3
    assert shown_mse(board, "gaussian") == pytest.approx(np.mean(errors**2), rel=1e-5)
    screenshot(viewer, "scores_of_a_region")

    # all boxes of a grid show the same
    viewer.canvas.grid.enabled = True
    qtbot.wait(100)
    settle(board, qtbot)
    assert "frame 5" in board.heading.text()

    board.choice.frames.setCurrentIndex(1)
    board.choice.frames.activated.emit(1)
    settle(board, qtbot)
    assert board.heading.text().endswith("px, 8 frames")
    assert "css_plain" in board.table.columns

    choose(board, Part.WHOLE, qtbot)
    assert board.heading.text() == "whole movie"
    assert shown_mse(board, "gaussian") is None


def seen_words(layer, frame):
    """Say what the canvas showed when it was drawn last."""
    height, width = (np.diff(layer.corner_pixels[:, 1:], axis=0) + 1)[0]
    return f"region {height} × {width} px, frame {frame}"


def drag(qtbot, viewer, start, end):
    """Drag the mouse from one place (y, x) of the movie to another, in its pixels."""
    canvas = viewer.window._qt_viewer.canvas.native
    camera, (_, *scale) = viewer.scene.camera, viewer.layers["movie"].scale

    def seen(place):
        down, right = (np.multiply(place, scale) - camera.center[-2:]) * camera.zoom
        middle = canvas.rect().center()
        return QPoint(round(middle.x() + right), round(middle.y() + down))

    qtbot.mousePress(canvas, LEFT, pos=seen(start))
    for place in (np.add(start, end) / 2, end):
        qtbot.wait(15)  # the canvas drops moves that come faster
        qtbot.mouseMove(canvas, seen(place))
    qtbot.mouseRelease(canvas, LEFT, pos=seen(end))


def test_a_rectangle_is_dragged_and_goes_with_the_choice(board, qtbot):
    viewer, board, _ = board(known=False, show=True)
    layers = len(viewer.layers)
    choose(board, Part.RECTANGLE, qtbot)
    assert len(viewer.layers) == layers
    rectangle = board.choice._rectangle
    height, width = np.ptp(rectangle.corners, axis=0)
    size = f"region {height:.0f} × {width:.0f} px, fr"
    assert board.heading.text().startswith(size)
    assert "residual_chi2" in board.table.columns
    assert "psnr" not in board.table.columns

    # from inside it is moved, and stays within the movie
    before = rectangle.corners.copy()
    middle = before.mean(axis=0)
    drag(qtbot, viewer, middle, np.add(middle, [2, 3]))
    np.testing.assert_array_equal(rectangle.corners, np.add(before, [2, 3]))
    drag(qtbot, viewer, middle, np.add(middle, [40, -1]))
    assert rectangle.corners[1, 0] == 47.5
    np.testing.assert_array_equal(np.ptp(rectangle.corners, axis=0), (height, width))

    # at a corner it is resized
    low, high = rectangle.corners.copy()
    drag(qtbot, viewer, low, high - [20, 10])
    np.testing.assert_array_equal(rectangle.corners, [high - [20, 10], high])
    qtbot.wait(50)
    settle(board, qtbot)
    assert board.heading.text().startswith("region 20 × 10 px")
    drag(qtbot, viewer, high - [20, 10], high - [3, 3])
    qtbot.wait(50)
    settle(board, qtbot)
    assert "at least 4 × 4 pixels" in board.heading.text()

    # outside of it the mouse is the camera's
    drag(qtbot, viewer, (3, 20), (9, 22))
    np.testing.assert_array_equal(rectangle.corners, [high - [3, 3], high])
    outlined = [one for one in viewer.layers if len(one._overlays) > BARE]
    assert len(outlined) == layers
    choose(board, Part.WHOLE, qtbot)
    assert not [one for one in viewer.layers if len(one._overlays) > BARE]


def test_what_cannot_be_a_region_is_told(board, qtbot):
    viewer, board, compared = board(known=False)
    choose(board, Part.VISIBLE, qtbot)
    viewer.dims.ndisplay = 3
    qtbot.wait(50)
    settle(board, qtbot)
    assert "in 2-D" in board.heading.text()
    viewer.dims.ndisplay = 2
    viewer.layers.remove(compared.layers["noisy"])
    qtbot.wait(50)
    settle(board, qtbot)
    board.follow(None)
    assert board.table.rowCount() == 0
