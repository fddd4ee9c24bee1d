"""Looking at a comparison: grid, curtain, blink, differences, time, lines."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_lowdose.compare import Kind, Result
from napari_lowdose.compare.profile import Line, profile
from napari_lowdose.widgets.compared import Compared
from napari_lowdose.widgets.latest import panel_of
from napari_lowdose.widgets.layers import RECIPE, add_stack, stack_from
from napari_lowdose.widgets.panel import Panel
from napari_lowdose.widgets.side_pictures import Steps
from napari_lowdose.widgets.view_controls import Mode
from napari_lowdose.widgets.view_tools import ViewTools

LEFT = Qt.MouseButton.LeftButton
SHAPE = (8, 40, 48)
PLACE = {
    "scale": (0.1, 2.0, 2.0),
    "translate": (0.0, 30.0, -10.0),
    "units": ("second", "nanometer", "nanometer"),
    "axis_labels": ("t", "y", "x"),
}
METHODS = {"flat": Kind.BASELINE, "net": Kind.MODEL}


@pytest.fixture
def tools_of(make_napari_viewer):
    """Dock the tools in a panel of a viewer with one unrelated layer."""

    def made(*, show=False):
        viewer = make_napari_viewer(show=show)
        viewer.window.resize(1100, 800)
        viewer.add_image(np.zeros(SHAPE), name="other", **PLACE)
        panel = Panel(viewer)
        tools = ViewTools(viewer)
        panel.section("View").rows.addRow(tools)
        viewer.window.add_dock_widget(panel, name="Compare")
        return viewer, tools

    return made


@pytest.fixture
def comparison():
    """Make up a comparison of a noisy layer with the results of three methods."""

    def made(viewer, *, seed=0, methods=METHODS):
        rng = np.random.default_rng(seed)
        noisy = viewer.add_image(
            rng.poisson(5, SHAPE).astype(np.uint16), name=f"movie {seed}", **PLACE
        )
        compared = Compared(viewer, str(seed), (noisy, stack_from(noisy)))
        for name, kind in methods.items():
            add_result(compared, name, kind, rng)
        return compared

    return made


def add_result(compared, name, kind, rng):
    """Let a result come, as from the engine."""
    values = rng.normal(5, 1, SHAPE).astype(np.float32)
    stack = compared.noisy.with_data(values, name, {"step": "denoise"})
    layer = add_stack(compared.viewer, stack, like=compared.layers["noisy"])
    compared.add(Result(name, stack, {}, 1.0, {}, kind=kind), layer)


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def canvas_of(viewer):
    """Find the widget that is drawn on; napari gives no public way."""
    return viewer.window._qt_viewer.canvas.native


def on_canvas(viewer, layer, row, column):
    """Tell where on the canvas a place of a layer is drawn, outside of a grid."""
    y, x = layer.data_to_world((0, row, column))[-2:]
    camera = viewer.scene.camera
    middle = canvas_of(viewer).rect().center()
    right, down = (
        (to - at) * camera.zoom
        for to, at in zip((x, y), (camera.center[-1], camera.center[-2]), strict=True)
    )
    return QPoint(round(middle.x() + right), round(middle.y() + down))


def drag(qtbot, viewer, start, end, modifier=Qt.KeyboardModifier.NoModifier):
    canvas = canvas_of(viewer)
    qtbot.mousePress(canvas, LEFT, modifier, start)
    for place in ((start + end) / 2, end):
        qtbot.wait(15)  # the canvas drops moves that come faster
        qtbot.mouseMove(canvas, place)
    qtbot.mouseRelease(canvas, LEFT, modifier, end)


def click(qtbot, one):
    qtbot.mouseClick(one, LEFT)


# -- side by side -----------------------------------------------------------------


def test_in_the_grid_results_share_one_contrast_and_other_layers_step_aside(
    tools_of, comparison, qtbot
):
    viewer, tools = tools_of()
    compared = comparison(viewer, methods={"flat": Kind.BASELINE})
    tools.follow(compared)
    assert tools.modes.mode is Mode.GRID
    assert viewer.canvas.grid.enabled
    assert visible(viewer) == ["movie 0", "movie 0 flat"]
    assert (tools.modes.a.value, tools.modes.b.value) == ("noisy", "flat")

    # one more result gets a box of its own, and is what is looked at
    add_result(compared, "net", Kind.MODEL, np.random.default_rng(1))
    qtbot.waitUntil(lambda: tools.modes.b.value == "net")
    assert visible(viewer) == ["movie 0", "movie 0 flat", "movie 0 net"]
    assert all(layer.name_overlay.visible for layer in compared.layers.values())
    flat, net = compared.layers["flat"], compared.layers["net"]
    net.contrast_limits = (1, 3)
    net.gamma = 0.5
    net.colormap = "viridis"
    for layer in compared.layers.values():
        assert layer.contrast_limits == [1, 3]
        assert layer.gamma == 0.5
        assert layer.colormap.name == "viridis"

    # what is hidden by hand stays so, also when another result comes
    flat.visible = False
    assert list(tools.modes.shown) == ["noisy", "net"]
    add_result(compared, "late", Kind.BASELINE, np.random.default_rng(2))
    qtbot.waitUntil(lambda: "late" in tools.modes.shown)
    assert not flat.visible
    # a contrast set by hand is not set back
    assert compared.layers["late"].contrast_limits == [1, 3]

    # a layer that goes takes no other's link with it
    viewer.layers.remove(flat)
    net.contrast_limits = (0, 4)
    assert compared.layers["noisy"].contrast_limits == [0, 4]

    # another comparison: its predecessor steps aside, and nothing links the two
    again = comparison(viewer, seed=3)
    again.layers["net"].visible = False
    before = [*visible(viewer), "other", "movie 0 late"]
    tools.follow(again)
    assert visible(viewer) == ["movie 3", "movie 3 flat", "movie 3 net"]
    again.layers["net"].contrast_limits = (2, 9)
    assert net.contrast_limits == [0, 4]

    # one alone
    button = tools.modes.buttons[Mode.SINGLE]
    click(qtbot, button)
    assert visible(viewer) == ["movie 3"]
    assert not viewer.canvas.grid.enabled
    assert viewer.layers.selection.active is again.layers["noisy"]
    click(qtbot, tools.modes.controls.swap)
    assert visible(viewer) == ["movie 3 net"]
    # clicked again, the button gives all layers back as they were
    click(qtbot, button)
    assert set(visible(viewer)) == set(before)
    assert not any(one.isChecked() for one in tools.modes.buttons.values())
    assert not any(layer.name_overlay.visible for layer in viewer.layers)


# -- two in one place -------------------------------------------------------------


def test_a_curtain_follows_the_mouse_and_blinking_a_key(tools_of, comparison, qtbot):
    viewer, tools = tools_of(show=True)
    compared = comparison(viewer)
    tools.follow(compared)
    click(qtbot, tools.modes.buttons[Mode.CURTAIN])
    layer = viewer.layers["noisy | net"]
    assert visible(viewer) == ["noisy | net", "curtain"]
    np.testing.assert_array_equal(layer.scale, PLACE["scale"])
    np.testing.assert_array_equal(layer.translate, PLACE["translate"])
    noisy, net = (compared.layers[name].data for name in ("noisy", "net"))

    def joined(edge):
        return np.concatenate([noisy[..., :edge], net[..., edge:]], -1)

    np.testing.assert_array_equal(layer.data, joined(24))
    tools.modes.edge.setValue(0)
    np.testing.assert_array_equal(layer.data, net)
    tools.modes.edge.setValue(500)
    # it is one of the layers with one contrast
    compared.layers["flat"].contrast_limits = (2, 6)
    assert layer.contrast_limits == [2, 6]

    for zoom, frame, start, end in ((5.0, 2, 24, 30), (8.0, 5, 30, 19)):
        viewer.dims.set_current_step(0, frame)
        viewer.scene.camera.zoom = zoom
        qtbot.wait(50)
        centre = viewer.scene.camera.center
        # between two pixels, not in the centre of one
        places = (
            on_canvas(viewer, layer, 20, start - 0.5),
            on_canvas(viewer, layer, 12, end - 0.5),
        )
        drag(qtbot, viewer, *places)
        np.testing.assert_array_equal(layer.data[frame], joined(end)[frame])
        assert tools.modes.edge.value() == round(end / SHAPE[2] * 1000)
        assert viewer.scene.camera.center == centre
    # beside the line, the mouse moves the camera and not the curtain
    far = on_canvas(viewer, layer, 20, 30)
    drag(qtbot, viewer, far, far + QPoint(40, 0))
    assert tools.modes.edge.value() == round(19 / SHAPE[2] * 1000)
    assert viewer.scene.camera.center != centre

    # another pair takes the place of this one, the line stays
    tools.modes.a.value = "flat"
    assert layer.name == "flat | net"
    flat = compared.layers["flat"].data
    np.testing.assert_array_equal(layer.data[0, :, :19], flat[0, :, :19])

    # in turn instead
    pressed = []
    viewer.bind_key("B", pressed.append)
    tools.modes.a.value = "noisy"
    tools.modes.rate.setValue(4)
    click(qtbot, tools.modes.buttons[Mode.BLINK])
    assert visible(viewer) == ["movie 0"]
    qtbot.waitUntil(lambda: visible(viewer) == ["movie 0 net"], timeout=2000)
    qtbot.waitUntil(lambda: visible(viewer) == ["movie 0"], timeout=2000)

    blink = tools.modes.blink
    for name in ("movie 0 net", "movie 0"):
        before = visible(viewer)
        blink.stop()  # not to press between two ticks
        qtbot.keyClick(canvas_of(viewer), Qt.Key.Key_B)
        assert visible(viewer) == [name] != before
        # the hand has taken over
        assert not blink.isActive()
        assert tools.modes.rate.value() == 0
    assert pressed == []

    tools.modes.rate.setValue(4)
    assert blink.isActive()
    click(qtbot, tools.modes.buttons[Mode.GRID])
    assert not blink.isActive()
    qtbot.keyClick(canvas_of(viewer), Qt.Key.Key_B)
    assert pressed == [viewer]
    assert len(visible(viewer)) == 3


# -- differences ------------------------------------------------------------------


def test_a_difference_is_a_layer_with_a_box_and_a_recipe(tools_of, comparison, qtbot):
    viewer, tools = tools_of()
    compared = comparison(viewer)
    tools.follow(compared)
    tools.modes.a.value = "flat"
    click(qtbot, tools.difference)
    layer = viewer.layers["flat − net"]
    noisy, flat, net = (compared.layers[n].data for n in ("noisy", "flat", "net"))
    np.testing.assert_array_equal(np.asarray(layer.data), flat - net)
    low, high = layer.contrast_limits
    assert low == -high
    np.testing.assert_allclose(
        layer.colormap.map(np.array([0.5]))[0], np.ones(4), atol=0.02
    )
    step = layer.metadata[RECIPE][-1]
    assert (step["step"], step["of"], step["less"]) == ("difference", "flat", "net")
    np.testing.assert_array_equal(layer.translate, PLACE["translate"])
    assert visible(viewer)[-1] == "flat − net"
    # its contrast is its own
    net_layer = compared.layers["net"]
    net_layer.contrast_limits = (1, 2)
    assert [*layer.contrast_limits] == [low, high]

    click(qtbot, tools.residual)
    residual = np.asarray(viewer.layers["noisy − flat"].data)
    np.testing.assert_allclose(residual, noisy.astype(np.float32) - flat)
    assert viewer.canvas.grid.enabled
    # of the noisy stack itself there is none: that of B is meant
    tools.modes.a.value = "noisy"
    click(qtbot, tools.residual)
    assert viewer.layers[-1].name.startswith("noisy − net")
    tools.modes.b.value = "noisy"
    assert not tools.difference.isEnabled()
    assert not tools.residual.isEnabled()


# -- along time -------------------------------------------------------------------


def test_slices_through_time_follow_clicks_frames_and_contrast(
    tools_of, comparison, qtbot, screenshot
):
    viewer, tools = tools_of(show=True)
    compared = comparison(viewer)
    tools.follow(compared)
    click(qtbot, tools.modes.buttons[Mode.SINGLE])
    click(qtbot, tools.along_time)
    sides = tools.sides
    qtbot.waitUntil(lambda: sides.settled and bool(sides.pictures.slices))
    pictures = sides.pictures
    assert list(pictures.slices) == ["noisy", "flat", "net"]

    def check(row, column):
        for name, layer in compared.layers.items():
            slices = pictures.slices[name]
            np.testing.assert_array_equal(slices.xt, layer.data[:, row])
            np.testing.assert_array_equal(slices.yt, layer.data[:, :, column])

    check(20, 24)
    steps = Steps(t=0.1, y=2.0, x=2.0, time_unit="s", pixel_unit="nm")
    assert pictures.steps == steps
    noisy = compared.layers["noisy"]
    qtbot.wait(200)  # the canvas has its new size
    qtbot.mouseClick(canvas_of(viewer), LEFT, pos=on_canvas(viewer, noisy, 7, 33))
    qtbot.waitUntil(lambda: sides.settled)
    assert (pictures.spot.row, pictures.spot.column) == (7, 33)
    check(7, 33)
    viewer.dims.set_current_step(0, 6)
    assert pictures.spot.frame == 6

    # with Shift held, the cross follows the mouse
    canvas, at = canvas_of(viewer), on_canvas(viewer, noisy, 25, 10)
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(canvas.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ShiftModifier,
    )
    qtbot.wait(15)
    QApplication.sendEvent(canvas, move)
    assert (pictures.spot.row, pictures.spot.column) == (25, 10)
    sides.put((7, 33))

    # a click in a picture goes there in space and time
    area = pictures.area("flat", 1)
    frame, row = 2, 11
    at = QPoint(
        area.left() + round((row + 0.5) / SHAPE[1] * area.width()),
        area.top() + round((frame + 0.5) / SHAPE[0] * area.height()),
    )
    qtbot.mouseClick(pictures, LEFT, pos=at)
    assert viewer.dims.current_step[0] == frame
    assert (pictures.spot.row, pictures.spot.column) == (row, 33)
    qtbot.waitUntil(lambda: sides.settled)
    check(row, 33)

    # black and white as in the layers
    noisy.contrast_limits = (100, 101)
    dark = pictures._images["net"][0]
    assert dark.pixelColor(3, 3).value() == 0
    noisy.contrast_limits = (-2, -1)
    assert pictures._images["net"][0].pixelColor(3, 3).value() == 255
    noisy.contrast_limits = (0, 10)
    assert screenshot(viewer, "compare-along-time").exists()
    viewer.layers.remove("movie 0 flat")
    qtbot.waitUntil(lambda: "flat" not in pictures.slices)
    click(qtbot, tools.along_time)
    assert tools.sides is None


# -- along a line -----------------------------------------------------------------


def test_a_line_is_dragged_and_its_profile_follows(tools_of, comparison, qtbot):
    viewer, tools = tools_of(show=True)
    compared = comparison(viewer)
    tools.follow(compared)
    compared.layers["flat"].visible = False
    click(qtbot, tools.along_line)
    # in a grid, nobody could draw on a result
    assert tools.modes.mode is Mode.SINGLE
    line = tools.profile
    assert list(line.plot.curves) == ["noisy", "net"]

    def check(frame, width=1):
        line.refresh()
        for name, curve in line.plot.curves.items():
            expected = profile(
                compared.layers[name].data, frame, line.line, width=width
            )
            np.testing.assert_array_equal(curve.values, expected)

    qtbot.wait(100)
    noisy = compared.layers["noisy"]
    row, column = line.line.end
    ends = (
        on_canvas(viewer, noisy, row, column),
        on_canvas(viewer, noisy, 5, 40),
    )
    start = line.line.start
    drag(qtbot, viewer, *ends)
    zoom = viewer.scene.camera.zoom * PLACE["scale"][1]
    assert line.line.start == start
    # the mouse is told in whole pixels of the canvas
    np.testing.assert_allclose(line.line.end, (5, 40), atol=1.5 / zoom)
    check(viewer.dims.current_step[0])
    assert line.plot.length == pytest.approx(line.line.length((2, 2)))
    viewer.dims.set_current_step(0, 7)
    check(7)
    line.width_px.setValue(5)
    check(7, width=5)

    # by its middle it moves as a whole; with Shift, a new one is drawn
    before = line.line
    middle = np.mean([before.start, before.end], axis=0)
    drag(
        qtbot,
        viewer,
        on_canvas(viewer, noisy, *middle),
        on_canvas(viewer, noisy, *np.add(middle, (4, -3))),
    )
    moved = before.moved(4, -3)
    np.testing.assert_allclose(line.line.start, moved.start, atol=2.5 / zoom)
    np.testing.assert_allclose(line.line.end, moved.end, atol=2.5 / zoom)
    places = (on_canvas(viewer, noisy, 33, 3), on_canvas(viewer, noisy, 36, 44))
    drag(qtbot, viewer, *places, Qt.KeyboardModifier.ShiftModifier)
    np.testing.assert_allclose(line.line.start, (33, 3), atol=1.5 / zoom)
    np.testing.assert_allclose(line.line.end, (36, 44), atol=1.5 / zoom)
    line.put(Line((0.0, 0.0), (0.0, 0.0)))  # no length at all
    check(7, width=5)
    # the user removes the line
    viewer.layers.remove("profile line")
    assert tools.profile is None
    assert not tools.along_line.isChecked()


# -- what may go away -------------------------------------------------------------


def callbacks(viewer):
    return [*viewer.mouse_drag_callbacks, *viewer.mouse_move_callbacks]


def test_layers_may_go_at_any_time(tools_of, comparison, qtbot):
    viewer, tools = tools_of()
    compared = comparison(viewer)
    tools.follow(compared)
    click(qtbot, tools.along_line)
    click(qtbot, tools.modes.buttons[Mode.CURTAIN])
    viewer.layers.remove("noisy | net")
    qtbot.waitUntil(lambda: tools.modes.mode is None)
    assert "curtain" not in viewer.layers
    assert "other" in visible(viewer)
    click(qtbot, tools.modes.buttons[Mode.CURTAIN])
    viewer.layers.remove(compared.layers["net"])
    # the next best takes its place
    qtbot.waitUntil(lambda: "noisy | flat" in viewer.layers)
    click(qtbot, tools.modes.buttons[Mode.BLINK])
    blink = tools.modes.blink
    viewer.layers.remove(compared.layers["noisy"])
    blink.toggle()
    assert tools.profile is None
    qtbot.waitUntil(lambda: not tools.modes.buttons[Mode.GRID].isEnabled())
    assert tools.modes.blink is None
    assert [layer.name for layer in viewer.layers] == ["other", "movie 0 flat"]


def test_closing_the_panel_leaves_nothing_behind_in_either_viewer(
    tools_of, comparison, qtbot
):
    there, here = tools_of(), tools_of()
    before = [callbacks(viewer) for viewer, _ in (there, here)]
    viewer, tools = there
    tools.follow(comparison(viewer, methods={"net": Kind.MODEL}))
    for one in (tools.along_time, tools.along_line):
        click(qtbot, one)
    click(qtbot, tools.modes.buttons[Mode.CURTAIN])
    here[1].follow(comparison(here[0], methods={"flat": Kind.BASELINE}))
    click(qtbot, here[1].modes.buttons[Mode.BLINK])
    shown = visible(here[0])
    panel = panel_of(tools)
    viewer.window.remove_dock_widget(panel)
    names = ["other", "movie 0", "movie 0 net"]
    assert [layer.name for layer in viewer.layers] == names
    assert visible(viewer) == names
    assert callbacks(viewer) == before[0]
    panel.deleteLater()
    assert visible(here[0]) == shown
    here[1].follow(None)
    assert callbacks(here[0]) == before[1]
    assert "B" not in map(str, here[0].keymap)
    assert visible(here[0]) == ["other", "movie 0", "movie 0 flat"]
