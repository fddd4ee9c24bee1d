"""What the documents show, runs."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import napari_lowdose
from napari_lowdose.datasets import DATASETS
from napari_lowdose.noise import DETECTORS, STAGES
from napari_lowdose.specimens import SPECIMENS

ROOT = Path(__file__).parents[1]
PACKAGE = Path(napari_lowdose.__file__).parent
PYTHON = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


def documents() -> list[Path]:
    """List the documents that show Python."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in paths if PYTHON.search(path.read_text())]


def modules_with_examples() -> list[str]:
    """List the modules whose docstrings show examples."""
    paths = (path for path in PACKAGE.rglob("*.py") if EXAMPLE.search(path.read_text()))
    relative = (path.relative_to(PACKAGE.parent).with_suffix("") for path in paths)
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in relative)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_the_python_of_a_document_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = path.read_text()
    names: dict[str, object] = {"__name__": "__main__"}
    for block in PYTHON.finditer(text):
        # Empty lines in front make a traceback show the document's line.
        lines_before = text.count("\n", 0, block.start(1))
        code = compile("\n" * lines_before + block[1], str(path), "exec")
        exec(code, names)


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_show_what_it_does(name):
    failed, attempted = doctest.testmod(import_module(name))
    assert attempted
    assert not failed


@pytest.mark.parametrize("name", [*SPECIMENS, *STAGES, *DETECTORS, *DATASETS])
def test_the_page_of_specimens_and_noise_names_them_all(name):
    page = (ROOT / "docs" / "reference" / "specimens-and-noise.md").read_text()
    assert f"`{name}`" in page
    if name in SPECIMENS:
        assert f"figures/specimen-{name}.png" in page
