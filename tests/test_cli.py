import json

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from PIL import Image

from napari_lowdose.cli import COMMANDS, build_parser, main
from napari_lowdose.config import PRESETS, Training
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.objectives import OBJECTIVES
from napari_lowdose.stack import Stack

FAST = "--epochs 2 --steps-per-epoch 2 --patch-px 16 --depth 2 --width 4".split()


def run(line: str, *more: str) -> int:
    return main([*line.split(), *more])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a model list of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def simulated(here):
    line = "simulate catalyst --frames 16 --size 32 --dose 1 --seed 0 -o noisy.tif"
    assert run(line, "--truth", "truth.tif") == 0
    return here


def test_simulate_train_denoise_compare_and_score(simulated, capsys):
    assert run("train noisy.tif --truth truth.tif -o model.lowdose", *FAST) == 0
    line = "denoise noisy.tif --model model.lowdose --planes xy,xt,yt -o out.tif"
    assert run(line) == 0
    assert run("compare noisy.tif --truth truth.tif --model model.lowdose -o res") == 0
    capsys.readouterr()
    assert run("score out.tif --truth truth.tif --json") == 0
    scores = json.loads(capsys.readouterr().out)
    noisy, truth, out = (
        read_stack(simulated / f"{name}.tif") for name in ("noisy", "truth", "out")
    )
    assert out.shape == noisy.shape == (16, 32, 32)
    assert out.scale == noisy.scale == (0.1, pytest.approx(0.1), pytest.approx(0.1))
    # both read the same float32 files
    assert scores["mse"]["value"] == pytest.approx(
        np.mean((out.data - truth.data) ** 2)
    )
    assert [step["step"] for step in out.recipe] == ["simulate", "add noise", "denoise"]
    names = {path.name for path in (simulated / "res").iterdir()}
    assert {"report.html", "table.csv", "side-by-side.png"} <= names
    assert {"model.tif", "model-xy.tif", "gaussian.tif"} <= names


def test_the_noisy_stack_is_the_one_of_its_seed(simulated):
    noisy, truth = (tifffile.imread(f"{name}.tif") for name in ("noisy", "truth"))
    assert truth.mean() == pytest.approx(1, rel=1e-5)
    assert np.array_equal(noisy, np.rint(noisy))
    assert run("simulate catalyst --frames 16 --size 32 -o again.tif") == 0
    np.testing.assert_array_equal(tifffile.imread("again.tif"), noisy)


def test_noise_on_a_clean_file(simulated):
    line = "noise add truth.tif --stages gaussian --gaussian-std 2 --dose 0"
    assert run(line, "-o", "gauss.tif") == 0
    error = tifffile.imread("gauss.tif") - tifffile.imread("truth.tif")
    # a deviation from 16384 pixels is known to 0.6 %
    assert error.std() == pytest.approx(2, rel=0.03)


def test_a_setting_of_a_stage_adds_the_stage_where_it_happens(simulated):
    line = "noise add truth.tif --bits 8 --gain 3 --offset 20 --dose 5 -o eight.tif"
    assert run(line, "--truth", "expected.tif", "--save-recipe", "eight.json") == 0
    noisy, expected = tifffile.imread("eight.tif"), tifffile.imread("expected.tif")
    assert noisy.dtype == np.uint8
    # a dose of 5 through a gain of 3 on an offset of 20
    assert expected.mean() == pytest.approx(35, rel=1e-4)
    recipe = json.loads((simulated / "eight.json").read_text())
    names = [stage["stage"] for stage in recipe["stages"]]
    assert names == ["poisson", "readout", "quantize"]


def test_a_recipe_file_makes_the_same_noise_again(simulated):
    line = "noise add truth.tif --detector scmos --dose 7 --seed 3 -o one.tif"
    assert run(line, "--save-recipe", "camera.json") == 0
    assert run("noise add truth.tif --recipe camera.json -o again.tif") == 0
    assert run("noise add truth.tif --recipe camera.json --seed 4 -o other.tif") == 0
    one, again, other = (
        tifffile.imread(f"{name}.tif") for name in ("one", "again", "other")
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_tables_tell_what_is_in_a_movie(here):
    line = "simulate catalyst --frames 8 --size 48 --n-particles 5 -o noisy.tif"
    more = "--particles particles.csv --events events.csv --blink-rate 0.2".split()
    assert run(line, *more) == 0
    particles, events = pd.read_csv("particles.csv"), pd.read_csv("events.csv")
    assert set(particles.frame) == set(range(8))
    assert "blink" in set(events.kind)


def test_a_data_set_is_written_and_gone_on_with(here, capsys):
    line = "simulate --dataset n2a --n-items 2 --frames 3 --size 32 -o n2a.zarr"
    assert run(line, "--workers", "1") == 0
    assert "2 items of 3 x 32 x 32" in capsys.readouterr().err
    assert zarr.open_group("n2a.zarr", mode="r")["truth"].shape == (2, 3, 32, 32)
    assert run(line, "--workers", "1") == 0
    assert run(line, "--workers", "1", "--seed", "1") == 2
    assert "another set" in capsys.readouterr().err


def test_noise_is_measured_said_and_kept(here, capsys):
    """What is measured of a simulated camera is the camera."""
    line = "simulate catalyst --frames 32 --size 128 --dose 10 --gain 2 --offset 50"
    assert run(line, "--readout-std", "3", "-o", "camera.tif") == 0
    kept = "--curve curve.csv --plot curve.png --save-recipe camera.json".split()
    line = "noise measure camera.tif --counts-in-the-dark 50"
    assert run(line, *kept) == 0
    said = capsys.readouterr().out
    assert "Thinning" in said
    curve = pd.read_csv("curve.csv")
    # an unweighted line through bins, the brightest of which have few pixels
    assert np.polyfit(curve["mean"], curve["variance"], 1)[0] == pytest.approx(
        2, rel=0.1
    )
    with Image.open("curve.png") as picture:
        assert picture.size == (640, 480)
    recipe = json.loads((here / "camera.json").read_text())
    assert recipe["stages"][1]["gain"] == pytest.approx(2, rel=0.05)
    assert run(line, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    low, high = told["gain"]["low"], told["gain"]["high"]
    assert low < 2 < high
    assert set(told["advice"]) == set(OBJECTIVES)


def test_info_says_what_the_data_are(simulated, capsys):
    assert run("info noisy.tif") == 0
    said = capsys.readouterr().out
    assert "Thinning suits" in said
    tifffile.imwrite("flat.tif", np.ones((5, 32, 32), np.uint8))
    assert run("info flat.tif") == 0
    assert "cannot be read" in capsys.readouterr().out


def test_last_model_and_a_name_beside_are_the_defaults(simulated, capsys):
    assert run("train noisy.tif", *FAST) == 0
    assert run("denoise noisy.tif --each-plane --json") == 0
    told = json.loads(capsys.readouterr().out.partition("}\n{")[2].join(["{", ""]))
    assert told["output"] == "noisy-denoised.tif"
    assert (simulated / "noisy-denoised.tif").exists()
    assert (simulated / "noisy-denoised-xt.tif").exists()


def test_resume_continues(simulated, capsys):
    assert run("train noisy.tif -o m.lowdose", *FAST) == 0
    longer = "train noisy.tif -o m.lowdose --resume --json"
    assert run(longer, *FAST, "--epochs", "3") == 0
    out = capsys.readouterr().out
    told = json.loads(out[out.index("{\n") :])
    assert [epoch["index"] for epoch in told["history"]] == [2]


def test_output_in_the_inputs_numbers(here):
    rng = np.random.default_rng(0)
    counts = rng.poisson(30, (16, 32, 32)).astype(np.uint16)
    write_stack(Stack(counts), "sixteen.tif", dtype=np.uint16)
    assert run("train sixteen.tif -o m.lowdose", *FAST) == 0
    line = "denoise sixteen.tif --model m.lowdose --dtype input -o out.tif"
    assert run(line) == 0
    assert tifffile.imread("out.tif").dtype == np.uint16


def test_a_real_movie_is_trained_on_and_denoised(here, colloids):
    crop = "--t-stop 16 --y-stop 64 --x-stop 64".split()
    assert run("train", str(colloids), "-o", "m.lowdose", *FAST, *crop) == 0
    assert run("denoise", str(colloids), "-o", "out.tif", *crop) == 0
    out = read_stack("out.tif")
    assert out.shape == (16, 64, 64)
    # 2.85 px per micrometre and 24 frames per second, as its authors say
    assert out.pixel_size[0] == pytest.approx(1 / 2.85, rel=1e-3)
    assert out.frame_interval_s == pytest.approx(1 / 24, rel=1e-3)


@pytest.mark.parametrize(
    "command", [c.__name__.rpartition(".")[2].replace("_", "-") for c in COMMANDS]
)
def test_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    usage, _, story = capsys.readouterr().out.partition("\n\n")
    assert usage.startswith(f"usage: lowdose {command}")
    assert f"  lowdose {command}" in story


def test_every_training_setting_is_a_flag():
    options = build_parser().parse_args(
        ["train", "a.tif", "--no-augment", "--planes", "xy,yt", "--depth", "2"]
    )
    from napari_lowdose.cli.flags import config_from

    training = config_from(options, Training, PRESETS["paper"])
    assert not training.augment
    assert training.planes == ("xy", "yt")
    assert training.network.depth == 2
    assert training.network.width == PRESETS["paper"].network.width


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("denoise missing.tif --model m.lowdose", "there is no file missing.tif"),
        ("denoise noisy.tif --model none.lowdose", "there is no model file"),
        (
            "denoise noisy.tif --model fast --planes xy,xt --fusion learned",
            "all of its",
        ),
        ("train-base slow", "a base model among accurate, fast"),
        ("fine-tune short.tif", "frames to fine-tune"),
        ("denoise noisy.tif --model truth.tif", "damaged or not a model"),
        ("train noisy.tif --epochs 0", "epochs: input should be greater"),
        ("train noisy.tif --truth truth.tif truth.tif", "one truth for each of the 1"),
        ("train noisy.tif --truth short.tif", "truth of the noisy stack's shape"),
        ("train noisy.tif -o nowhere/m.lowdose", "nowhere"),
        ("simulate catalyst --dose -1 -o a.tif", "dose: input should be greater"),
        ("simulate catalyst --size 32 -o nowhere/a.tif", "nowhere"),
        ("score noisy.tif --truth short.tif", "shape"),
        ("compare noisy.tif --baselines magic -o res", "magic"),
        ("info text.tif", "text.tif"),
        ("train constant.tif", "every value"),
        ("train nan.tif", "NaN"),
        ("denoise noisy.tif --t-start 99 --model m.lowdose", "99"),
        ("noise add truth.tif --gain 0 -o a.tif", "gain: input should be greater"),
        ("noise add truth.tif --stages magic -o a.tif", "magic"),
        ("noise add nan.tif -o a.tif", "NaN"),
        ("noise add truth.tif --bits 8 --dose 999 -o a.tif", "bits"),
        ("noise add truth.tif --recipe text.tif -o a.tif", "is not JSON"),
        ("noise measure constant.tif", "every value"),
        ("noise measure noisy.tif --t-stop 1 --y-stop 8", "larger crop"),
        ("simulate", "expected a kind of specimen, or --dataset"),
        ("simulate --dataset n2a --n-items 1 -o nowhere/a.zarr", "make it first"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(simulated, capsys, line, said):
    noisy = tifffile.imread("noisy.tif")
    tifffile.imwrite("short.tif", noisy[:8])
    (simulated / "text.tif").write_text("no TIFF at all")
    tifffile.imwrite("constant.tif", np.ones_like(noisy))
    tifffile.imwrite("nan.tif", np.where(noisy > 3, np.nan, noisy))
    before = sorted(simulated.iterdir())
    capsys.readouterr()
    assert run(line) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("lowdose: ")
    assert error.count("\n") == 1
    left = sorted(path for path in simulated.iterdir() if path.name != "data")
    assert left == [path for path in before if path.name != "data"]


@pytest.mark.parametrize(
    "line",
    ["frobnicate", "train", "simulate catalyst --dose much -o a.tif", "score a --x"],
)
def test_misspelt_commands_point_to_help(line, capsys):
    with pytest.raises(SystemExit) as ended:
        run(line)
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_negative_counts_are_denoised_but_take_no_noise(here, capsys):
    rng = np.random.default_rng(0)
    counts = rng.normal(0, 1, (16, 32, 32)).astype(np.float32)
    tifffile.imwrite("negative.tif", counts)
    assert run("train negative.tif -o m.lowdose", *FAST) == 0
    assert run("denoise negative.tif --model m.lowdose -o out.tif") == 0
    assert run("noise add negative.tif -o more.tif") == 2
    assert "expected counts of zero or more" in capsys.readouterr().err


def test_info_describes_files_and_machine(simulated, capsys):
    assert run("info noisy.tif --json") == 0
    assert json.loads(capsys.readouterr().out)["shape"] == [16, 32, 32]
    assert run("info --json") == 0
    assert "precision" in json.loads(capsys.readouterr().out)


def test_phantoms_null_test_and_scores_without_truth(here, capsys):
    line = "simulate catalyst --frames 16 --size 48 --dose 2 -o noisy.tif"
    assert run(line, "--particles", "truth.csv") == 0
    assert run("denoise noisy.tif --model fast -o out.tif") == 0
    line = "phantoms out.tif --noisy noisy.tif --particles truth.csv -o found.csv"
    capsys.readouterr()
    assert run(line, "--maps", "maps", "--json") == 0
    summed = json.loads(capsys.readouterr().out)
    table = pd.read_csv("found.csv")
    assert summed["spots_per_frame"] * 16 == pytest.approx(
        (table["verdict"] != "missed").sum()
    )
    assert 0 <= summed["true_precision"] <= 1
    assert {path.name for path in (here / "maps").iterdir()} == {
        "residual.tif",
        "evidence.tif",
        "likelihood.tif",
    }
    assert run("null-test noisy.tif --model fast --movies null --json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 16
    assert len(list((here / "null").iterdir())) == 2
    assert run("score out.tif --noisy noisy.tif --model fast --json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert {"thinned_psnr", "noise2self", "residual_chi2"} <= set(scores)
    assert scores["residual_chi2"]["std_error"] > 0
    for path, reason in (
        ("noisy.tif", "is not a table"),
        ("found.csv", "no column id or radius or visible"),
        ("nowhere.csv", "cannot be read"),
    ):
        assert run(f"phantoms out.tif --noisy noisy.tif --particles {path}") == 2
        assert reason in capsys.readouterr().err
    # what cannot be written is said before the work, without a model that is missing
    for line in ("phantoms --noisy noisy.tif --maps", "null-test noisy.tif --movies"):
        assert run(f"{line} found.csv/maps --model missing.lowdose") == 2
        assert "cannot make the folder found.csv" in capsys.readouterr().err
    # a model is to denoise parts of the noisy stack, which is not given
    assert run("score out.tif --model fast") == 2
    assert "--noisy beside --model" in capsys.readouterr().err
