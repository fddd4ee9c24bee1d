"""A command that is read off a result asks for the same settings again."""

from __future__ import annotations

import shlex
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lowdose.cli import build_parser
from napari_lowdose.cli.compare import asked_for
from napari_lowdose.cli.flags import config_from
from napari_lowdose.compare import compare
from napari_lowdose.compare.command import command_of, compare_command
from napari_lowdose.config import (
    Comparison,
    Compute,
    Denoising,
    Device,
    Fusion,
    Plane,
    Precision,
    Reading,
)

# A comma would part a name in two; spaces at its ends are taken for those of a list.
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters=",\0", exclude_categories=["Cc"]),
    min_size=1,
    max_size=12,
).filter(lambda name: name == name.strip() and name != "none")
FLOATS = st.floats(-1e6, 1e6, allow_nan=False)
COMPUTE = st.builds(
    Compute,
    device=st.sampled_from(Device),
    precision=st.sampled_from(Precision),
    threads=st.integers(0, 1024),
)
DENOISING = st.builds(
    Denoising,
    planes=st.lists(st.sampled_from(Plane), unique=True).map(tuple),
    fusion=st.sampled_from(Fusion),
    both_ways=st.booleans(),
    put_back=st.booleans(),
    remove_lines=st.booleans(),
    tile_px=st.integers(0, 16384),
    compute=COMPUTE,
)
COMPARISONS = st.builds(
    Comparison,
    baselines=st.lists(st.sampled_from(["gaussian", "wiener"]), unique=True).map(tuple),
    models=st.lists(NAMES, unique=True, max_size=3).map(tuple),
    estimates=st.lists(NAMES, unique=True, max_size=2).map(tuple),
    each_plane=st.booleans(),
    gain=st.floats(1e-6, 1e6),
    offset=FLOATS,
    seed=st.integers(0, 2**32 - 1),
    cache=st.booleans(),
    denoising=DENOISING,
)


# Each example takes milliseconds, but on a busy machine now and then much longer.
FORTY = settings(max_examples=40, deadline=None)


@cache
def parser():
    return build_parser()


def parsed(command):
    program, *words = shlex.split(command)
    assert program == "lowdose"
    return parser().parse_args(words)


@FORTY
@given(COMPARISONS, st.integers(0, 10_000), st.integers(-1, 100))
def test_the_command_of_a_comparison_asks_for_the_same(comparison, start, frame):
    reading = Reading(t_start=start, axes="TYX")
    command = compare_command(
        comparison,
        reading,
        noisy="my movie's.tif",
        output="some where",
        truth="true one.tif",
        frame=frame,
    )
    options = parsed(command)
    assert asked_for(options) == comparison
    assert config_from(options, Reading) == reading
    assert (options.noisy, options.truth) == ("my movie's.tif", "true one.tif")
    assert (options.output, options.frame) == ("some where", frame)


@FORTY
@given(DENOISING, st.floats(1e-6, 1e6), FLOATS, st.integers(0, 2**32 - 1))
def test_the_command_of_a_recipe_asks_for_the_same(denoising, gain, offset, seed):
    comparison = Comparison(
        baselines=(),
        models=("accurate",),
        gain=gain,
        offset=offset,
        seed=seed,
        denoising=denoising,
    )
    step = {"step": "denoise", "comparison": comparison.model_dump(mode="json")}
    options = parsed(command_of({**step, "planes": ["xy"], "estimate": "fused"}))
    assert config_from(options, Denoising) == denoising
    assert options.model == "accurate"
    alone = comparison.model_copy(update={"models": (), "baselines": ("gaussian",)})
    step = {"step": "denoise", "comparison": alone.model_dump(mode="json")}
    options = parsed(command_of(step, noisy="a b.tif"))
    assert asked_for(options) == alone
    assert options.noisy == "a b.tif"
    assert options.truth is None


def test_results_of_a_comparison_can_be_repeated_one_by_one(results):
    noisy, gaussian, _, plane, *_, fused = results
    assert command_of(noisy.stack.recipe[-1]) == ""
    command = command_of(gaussian.stack.recipe[-1])
    assert command == (
        "lowdose compare noisy.tif --truth=truth.tif --model=none "
        "--baselines=gaussian -o results"
    )
    command = "lowdose denoise noisy.tif --model=smooth.lowdose"
    out = "-o denoised.tif"
    assert command_of(fused.stack.recipe[-1]) == f"{command} {out}"
    assert command_of(plane.stack.recipe[-1]) == f"{command} --each-plane {out}"


def test_the_repeated_command_gives_the_same_result(pair, results):
    """Only what is left of the recipe is known: not how it was compared."""
    noisy, truth = pair
    step = results[1].stack.recipe[-1]
    asked = asked_for(parsed(command_of(step)))
    (*_, again) = compare(noisy, truth=truth, comparison=asked)
    assert again.stack.recipe == results[1].stack.recipe
    assert (again.stack.data == results[1].stack.data).all()


@pytest.mark.parametrize("model", ["accurate", "mine"])
def test_what_lowdose_denoise_made_can_be_repeated(model):
    step = {
        "step": "denoise",
        "planes": ["xy", "xt"],
        "fusion": "veto",
        "both_ways": True,
        "put_back": False,
        "remove_lines": False,
        "model": model,
        "estimate": "fused",
    }
    options = parsed(command_of(step, output="x.tif"))
    found = config_from(options, Denoising)
    asked = Denoising(
        planes=(Plane.XY, Plane.XT),
        fusion=Fusion.VETO,
        both_ways=True,
        put_back=False,
        remove_lines=False,
    )
    assert found == asked
    assert options.model == {"accurate": "accurate", "mine": "mine.lowdose"}[model]
    assert options.output == "x.tif"


def test_steps_of_other_kinds_have_no_command():
    assert command_of({"step": "simulate"}) == ""
    assert command_of({}) == ""
