"""Numbers by which a result can be told from any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from pydantic_core import to_jsonable_python

# What does the arithmetic, by the names of its distributions.
_LIBRARIES = ("numpy", "scipy", "opencv-python-headless", "scikit-image", "torch")
_PACKAGE = Path(__file__).parents[1]
_DOORS = ("widgets", "cli")  # which nothing that computes imports
_CHUNK = 2**24


def sha256_of(array: Shaped[ndarray, "..."]) -> str:
    """Hash an array's shape, type and values."""
    digest = sha256(f"{array.shape} {array.dtype.str}".encode())
    # Frame by frame: a copy of a view that is not contiguous stays small.
    for part in array if array.ndim > 1 else [array]:
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hash a file's bytes."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_settings(settings: Mapping[str, Any]) -> str:
    """Hash plain values, whatever order they came in."""
    plain = to_jsonable_python(settings, fallback=str)
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@cache
def versions() -> Mapping[str, str]:
    """Tell the versions of the libraries that compute, as far as they are known."""
    known = {}
    for name in _LIBRARIES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:  # installed under another name
            continue
    return known


@cache
def program() -> str:
    """Hash when and how large this package's own files are, but for its front doors.

    The version alone does not tell: a working copy changes without it.
    """
    files = sorted(
        path
        for path in _PACKAGE.rglob("*.py")
        if path.relative_to(_PACKAGE).parts[0] not in _DOORS
    )
    stats = ((str(path), path.stat()) for path in files)
    return sha256_of_settings(
        {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats}
    )
