import numpy as np
from napari.components import ViewerModel

from napari_lowdose.widgets.layer_choice import LayerChoice
from napari_lowdose.widgets.layers import RECIPE


def test_a_recorded_movie_is_offered_before_what_was_made_of_it(qtbot):
    viewer = ViewerModel()
    stack = np.zeros((4, 8, 8), np.float32)
    viewer.add_image(stack, name="recorded")
    made = {RECIPE: ({"step": "add noise"}, {"step": "denoise"})}
    viewer.add_image(stack, name="denoised", metadata=made)
    choice = LayerChoice(viewer)
    qtbot.addWidget(choice)
    assert choice.layer is viewer.layers["recorded"]
    # what was simulated counts as recorded
    viewer.add_image(
        stack, name="simulated", metadata={RECIPE: ({"step": "add noise"},)}
    )
    other = LayerChoice(viewer)
    qtbot.addWidget(other)
    assert other.layer is viewer.layers["simulated"]


def test_where_all_were_made_the_top_one_is_offered(qtbot):
    viewer = ViewerModel()
    for name in ("one", "two"):
        made = {RECIPE: ({"step": "denoise"},)}
        viewer.add_image(np.zeros((4, 8, 8)), name=name, metadata=made)
    choice = LayerChoice(viewer)
    qtbot.addWidget(choice)
    assert choice.layer is viewer.layers["two"]
