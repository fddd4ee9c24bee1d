"""The history of comparisons, and what can be done with one of them."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QObject, Qt, QTimer, QUrl, Slot
from qtpy.QtGui import QDesktopServices, QGuiApplication
from qtpy.QtWidgets import QApplication, QLineEdit, QMessageBox

from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.result_shelf import ResultShelf

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def shelf(make_napari_viewer, qtbot, movie, truth, compared_by_hand):
    """Keep two comparisons of one movie, the second of one method."""
    viewer = make_napari_viewer()
    panel = Panel(viewer)
    shelf = ResultShelf(panel, viewer)
    panel.section("Results").rows.addRow(shelf)
    viewer.window.add_dock_widget(panel, name="Results")
    layers = [
        viewer.add_image(data[:4, :24, :24], name=name)
        for data, name in ((truth, "truth"), (movie, "movie"))
    ]
    for widths in ({"narrow": 0.5, "gaussian": 1.0}, {"wide": 3.0}):
        shelf.keep(compared_by_hand(viewer, layers[1], layers[0], widths=widths))
    return viewer, panel, shelf


def click(qtbot, shelf, row, *, double=False):
    center = shelf.list.visualItemRect(shelf.list.item(row)).center()
    (qtbot.mouseDClick if double else qtbot.mouseClick)(
        shelf.list.viewport(), LEFT, pos=center
    )


def answer(qtbot, kind):
    """Click a button of the question that is about to come."""

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        qtbot.mouseClick(box.button(kind), LEFT)

    QTimer.singleShot(200, press)


def names(viewer, *, visible=False):
    return {one.name for one in viewer.layers if one.visible or not visible}


def test_a_comparison_is_chosen_shown_alone_and_renamed(shelf, qtbot):
    viewer, _, shelf = shelf
    second, first = shelf.kept
    assert shelf.compared is second
    assert [shelf.list.item(row).text() for row in range(2)] == ["first 2", "first"]
    with qtbot.waitSignal(shelf.chosen) as told:
        click(qtbot, shelf, 1)
    assert told.args == [first]
    shown = {"truth", "movie", "movie narrow", "movie gaussian"}
    assert names(viewer, visible=True) == shown
    click(qtbot, shelf, 0)
    assert names(viewer, visible=True) == {"truth", "movie", "movie wide"}

    # another double click, and it has another name
    click(qtbot, shelf, 0, double=True)
    editor = shelf.list.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "weak dose")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shelf.kept[0].title == "weak dose")
    assert shelf.list.item(0).text() == "weak dose"


def test_all_others_go_with_their_layers_but_not_the_movie(shelf, qtbot):
    viewer, _, shelf = shelf
    answer(qtbot, QMessageBox.StandardButton.No)
    qtbot.mouseClick(shelf.delete_others, LEFT)
    assert len(shelf.kept) == 2
    answer(qtbot, QMessageBox.StandardButton.Yes)
    with qtbot.assertNotEmitted(shelf.chosen):
        qtbot.mouseClick(shelf.delete_others, LEFT)
    assert names(viewer) == {"truth", "movie", "movie wide"}
    assert [one.title for one in shelf.kept] == ["first 2"]
    assert not shelf.delete_others.isEnabled()
    answer(qtbot, QMessageBox.StandardButton.Yes)
    with qtbot.waitSignal(shelf.chosen) as told:
        qtbot.mouseClick(shelf.delete, LEFT)
    assert told.args == [None]
    assert names(viewer) == {"truth", "movie"}
    assert not shelf.save.isEnabled()


class _Browser(QObject):
    """Takes what the desktop would open."""

    def __init__(self):
        super().__init__()
        self.urls = []

    @Slot(QUrl)
    def take(self, url):
        self.urls.append(url)


@pytest.fixture
def browser():
    browser = _Browser()
    QDesktopServices.setUrlHandler("file", browser.take)
    yield browser
    QDesktopServices.unsetUrlHandler("file")


def test_a_report_is_written_and_opened_and_a_fault_told(
    shelf, qtbot, tmp_path, browser
):
    _, panel, shelf = shelf
    path = tmp_path / "mine.html"
    shelf.report_to(path)
    qtbot.waitUntil(lambda: bool(browser.urls), timeout=20_000)
    assert browser.urls[0].toLocalFile() == str(path)
    page = path.read_text()
    assert "it needs more frames" in page
    assert "lowdose compare movie.tif --truth=truth.tif" in page
    assert str(path) in panel.status.text()

    # where nothing can be written, that is told
    (tmp_path / "taken").write_text("a file")
    shelf.save_to(tmp_path / "taken")
    qtbot.waitUntil(lambda: "cannot make" in panel.status.text(), timeout=20_000)


def test_the_command_of_the_selected_result_or_of_all_is_copied(shelf, qtbot):
    viewer, panel, shelf = shelf
    copied = QGuiApplication.clipboard().text
    viewer.layers.selection.active = viewer.layers["movie"]
    qtbot.mouseClick(shelf.command, LEFT)
    everything = (
        "lowdose compare movie.tif --truth=truth.tif --model=none "
        "--baselines=gaussian -o results"
    )
    assert copied() == everything
    viewer.layers.selection.active = viewer.layers["movie wide"]
    qtbot.mouseClick(shelf.command, LEFT)
    # the recipe of this one knows of no truth
    assert copied() == everything.replace(" --truth=truth.tif", "")
    assert copied() in panel.status.text()
    np.testing.assert_array_equal(viewer.layers["movie"].data.shape, (4, 24, 24))
