from napari_lowdose.demo import _SHOWN_SEED, _TRAINING_SEEDS


def test_the_movie_that_is_shown_was_not_trained_on():
    assert _SHOWN_SEED not in _TRAINING_SEEDS
