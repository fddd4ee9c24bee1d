"""What every specimen keeps to, those to come included."""

import numpy as np
import pytest

from napari_lowdose.specimens import SPECIMENS, Happening

COLUMNS = {
    "frame": "int64",
    "id": "int64",
    "y": "float64",
    "x": "float64",
    "radius": "float64",
    "amplitude": "float64",
    "visible": "bool",
}
SEEDS = range(4)

every_kind = pytest.mark.parametrize("kind", SPECIMENS)


def varied(kind, seed, **movie):
    specimen = SPECIMENS[kind]
    start = specimen.settings(**{"frames": 8, "size": 40, **movie})
    return specimen.vary(start, np.random.default_rng(seed))


@pytest.fixture(scope="module", params=SPECIMENS)
def scenes(request):
    """Movies of a kind as they vary, and one of its own settings."""
    kind = SPECIMENS[request.param]
    many = [varied(request.param, seed, frames=24) for seed in SEEDS]
    return [kind.render(one) for one in [kind.settings(frames=24, size=48), *many]]


@every_kind
@pytest.mark.parametrize(
    "movie",
    [
        {"frames": 3, "size": 8},
        {"frames": 1, "size": 33},
        {"frames": 2, "size": 17, "width": 50},
        {"frames": 2, "size": 50, "width": 9},
    ],
    ids=["tiny", "one frame", "wide", "narrow"],
)
@pytest.mark.parametrize("vary", [False, True], ids=["own", "varied"])
def test_brightness_of_any_size_is_finite_and_not_negative(kind, movie, vary):
    specimen = SPECIMENS[kind]
    settings = varied(kind, 0, **movie) if vary else specimen.settings(**movie)
    frames = specimen.render(settings).stack.read()
    rows = movie["size"]
    assert frames.shape == (movie["frames"], rows, movie.get("width", rows))
    assert frames.dtype == np.float32
    assert np.isfinite(frames).all()
    assert frames.min() >= 0


@every_kind
def test_same_seed_same_movie_and_tables(kind):
    specimen = SPECIMENS[kind]
    settings = varied(kind, 0)
    first, again = specimen.render(settings), specimen.render(settings)
    np.testing.assert_array_equal(first.stack.read(), again.stack.read())
    assert first.particles.equals(again.particles)
    assert first.events.equals(again.events)
    other = specimen.render(settings.model_copy(update={"seed": settings.seed ^ 1}))
    assert not np.array_equal(first.stack.read(), other.stack.read())


@every_kind
def test_scale_is_the_one_asked_for(kind):
    movie = {"frames": 2, "size": 32, "pixel_size_nm": 0.3, "frame_interval_s": 0.5}
    stack = SPECIMENS[kind].render(SPECIMENS[kind].settings(**movie)).stack
    assert stack.scale == (0.5, 0.3, 0.3)
    assert stack.units == ("second", "nanometer", "nanometer")
    assert stack.recipe[0]["kind"] == kind


@every_kind
def test_variations_are_valid_seeded_and_of_the_same_frame(kind):
    specimen = SPECIMENS[kind]
    start = specimen.settings(
        frames=7, size=30, width=90, pixel_size_nm=0.2, frame_interval_s=3
    )
    kept = {"frames", "size", "width", "pixel_size_nm", "frame_interval_s"}
    drawn = [specimen.vary(start, np.random.default_rng(seed)) for seed in range(20)]
    for settings in drawn:
        # as a recipe is read again, with all checks
        assert specimen.settings.model_validate(settings.model_dump()) == settings
        assert settings.model_dump(include=kept) == start.model_dump(include=kept)
    assert drawn[5] == specimen.vary(start, np.random.default_rng(5))
    assert len({settings.seed for settings in drawn}) == len(drawn)
    first, second = (s.model_dump(exclude={"seed"}) for s in drawn[:2])
    assert first != second


def test_tables_have_their_columns(scenes):
    for scene in scenes:
        particles, events = scene.particles, scene.events
        assert {name: str(kind) for name, kind in particles.dtypes.items()} == COLUMNS
        assert [*events] == ["frame", "kind", "id", "other"]
        assert {str(events[name].dtype) for name in ("frame", "id", "other")} == {
            "int64"
        }
        assert set(events.kind) <= {kind.value for kind in Happening}


def test_a_particle_is_in_a_frame_once_and_inside_it(scenes):
    for scene in scenes:
        particles = scene.particles
        assert not particles.duplicated(["frame", "id"]).any()
        n_frames, rows, columns = scene.stack.shape
        assert particles.frame.between(0, n_frames - 1).all()
        assert particles.y.between(-0.5, rows - 0.5).all()
        assert particles.x.between(-0.5, columns - 0.5).all()
        assert (particles.radius > 0).all()
        assert np.isfinite(particles.amplitude).all()


def test_particles_are_born_and_end_when_the_events_tell(scenes):
    for scene in scenes:
        stay = scene.particles.groupby("id").frame.agg(["min", "max"])
        events = scene.events
        born = events[events.kind == "birth"].set_index("id").frame
        ended = events[events.kind.isin(["death", "merge"])].set_index("id").frame
        assert born.index.is_unique
        assert ended.index.is_unique
        assert (stay.loc[born.index, "min"] == born).all()
        assert (stay.loc[ended.index, "max"] == ended - 1).all()


def test_particles_merge_into_one_that_goes_on(scenes):
    for scene in scenes:
        here = set(zip(scene.particles.frame, scene.particles.id, strict=True))
        for event in scene.events.itertuples():
            if event.kind == "merge":
                assert (event.frame, event.other) in here
                assert (event.frame - 1, event.other) in here
            else:
                assert event.other == -1


def test_particles_go_dark_and_return_as_the_events_tell(scenes):
    for scene in scenes:
        table = scene.particles.sort_values(["id", "frame"])
        by_id = table.groupby("id")
        change = table.visible.astype(int).groupby(table.id).diff()
        # who is out of the frame in between is not watched
        change = change.where(by_id.frame.diff() == 1, 0)
        for kind, step in (("blink", -1), ("return", 1)):
            events = scene.events[scene.events.kind == kind]
            told = set(zip(events.frame, events.id, strict=True))
            changed = table[change == step]
            assert told == set(zip(changed.frame, changed.id, strict=True))
