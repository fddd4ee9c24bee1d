import subprocess
import sys

import numpy as np
import pytest

from napari_lowdose.errors import LowDoseError
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.physics import Multislice, multislice_pair, ws2_layer
from napari_lowdose.schema import checked

SMALL = Multislice(n_cells_across=2, n_cells_down=1, n_dopants=0, pixel_size_nm=0.01)
INSTALL = r'pip install "napari-lowdose\[physics\]"'


def test_tungsten_is_bright_and_the_vacancy_is_the_dim_sulphur():
    pytest.importorskip("abtem")
    pair = multislice_pair(SMALL)
    layer = ws2_layer(SMALL)
    # one cell is 0.5508 nm, two are 0.636 nm
    assert [stack.shape for stack in pair] == [(1, 55, 63)] * 2
    assert pair[0].scale[1:] == (0.01, 0.01)
    missing = layer.position_nm[~layer.present][0, 1:]
    levels = []
    for stack in pair:
        image = stack.read()[0]
        place = np.rint(layer.position_nm[:, 1:] / 0.01).astype(int)
        value = image[place[:, 0], place[:, 1]]
        here = np.isclose(layer.position_nm[:, 1:], missing).all(axis=1)
        sulphur = layer.element == 16
        level = {
            "tungsten": value[~sulphur].mean(),
            "sulphur": value[sulphur & ~here].mean(),
            "vacancy": value[here].mean(),
            # between six columns, 0.18 nm from each
            "background": image[round(0.5508 / 3 / 0.01), [0, 32]].mean(),
        }
        assert sorted(level, key=level.get) == [
            "background",
            "vacancy",
            "sulphur",
            "tungsten",
        ]
        levels.append(level)
    # algorithm notes, section 25.4: W 0.040-0.043, S2 0.014, background 0.0016, on a
    # grid where equal columns differ by 4 percent from each other
    assert levels[0]["tungsten"] == pytest.approx(0.0415, rel=0.1)
    assert levels[0]["sulphur"] == pytest.approx(0.014, rel=0.1)
    # in so small a rectangle every place is near the vacancy
    assert levels[0]["background"] == pytest.approx(0.0016, rel=0.4)
    # the second detector begins at smaller angles
    assert levels[1]["sulphur"] > 1.5 * levels[0]["sulphur"]
    noisy, truth = add_noise(pair[0], Noise(dose=2))
    assert noisy.read().mean() == pytest.approx(truth.read().mean(), rel=0.1)


def test_the_layer_repeats_and_has_the_defects_asked_for():
    settings = Multislice(n_cells_across=3, n_cells_down=2, n_vacancies=4, n_dopants=2)
    layer = ws2_layer(settings)
    assert len(layer.element) == 6 * 6
    assert np.count_nonzero(~layer.present) == 4
    assert set(layer.element[~layer.present]) == {16}
    assert np.count_nonzero(layer.element == 42) == 2
    assert layer.edges_nm == pytest.approx((0.6, 2 * 0.318 * 3**0.5, 3 * 0.318))
    metal = layer.position_nm[layer.element != 16][:, 1:]
    away = metal[:, None] - metal[None]
    edges = np.array(layer.edges_nm[1:])
    away = np.hypot(*np.moveaxis(away - np.rint(away / edges) * edges, -1, 0))
    # six neighbours each at the lattice constant, across the rims too
    assert (np.isclose(away, 0.318, atol=1e-6).sum(axis=1) == 6).all()
    other = ws2_layer(settings.model_copy(update={"seed": 1}))
    assert not np.array_equal(layer.present, other.present)


def test_without_abtem_one_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "abtem.py").write_text(
        "raise ModuleNotFoundError('No module named abtem', name='abtem')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LowDoseError, match=INSTALL) as caught:
        multislice_pair(SMALL)
    assert "\n" not in str(caught.value)


def test_the_package_itself_never_imports_abtem():
    code = (
        "import sys, napari_lowdose.physics, napari_lowdose.physics.__main__\n"
        "sys.exit(any(name in sys.modules for name in ('abtem', 'ase')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"outer_mrad": 400}, "lower potential_step_nm"),
        ({"inner_mrad": 150}, "exchange them"),
        ({"n_vacancies": 100}, "take more cells"),
    ],
)
def test_impossible_calculations_are_refused_in_a_sentence(content, said):
    with pytest.raises(ValueError, match=said):
        checked(Multislice, content)


def test_electrons_have_the_wavelength_of_their_energy():
    # algorithm notes, section 25.1
    for kv, pm in ((60, 4.866), (80, 4.176), (200, 2.508), (300, 1.969)):
        settings = Multislice(voltage_kv=kv, outer_mrad=62, second_outer_mrad=62)
        assert settings.wavelength_nm * 1e3 == pytest.approx(pm, abs=6e-4)
