"""Results of earlier comparisons, kept on disk by what they depend on."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real
from numpy import ndarray
from platformdirs import user_cache_path
from pydantic_core import to_jsonable_python

from napari_lowdose.io.atomic import replacing
from napari_lowdose.io.folder import made_folder

_LIMIT_BYTES = 4 * 2**30
_LIST = "entries.json"
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Entry:
    """One result as it is kept.

    Parameters
    ----------
    content
        Plain values.
    array
        The estimate; None where it can be had without the cache.
    """

    content: Mapping[str, Any]
    array: Real[ndarray, "t y x"] | None


@dataclass(frozen=True)
class Cache:
    """A folder of results that forgets first what was not asked for longest.

    Each key has a folder: arrays, and a list of them that is written last. What is
    damaged in any way counts as not there.

    Parameters
    ----------
    folder
        Made when needed.
    limit_bytes
        Most that is kept.
    """

    folder: Path
    limit_bytes: int = _LIMIT_BYTES

    @classmethod
    def of_user(cls) -> Cache:
        """Find the user's own cache."""
        return cls(user_cache_path("napari-lowdose", appauthor=False) / "compare")

    def find(self, key: str) -> list[Entry] | None:
        """Read what was kept under a key; None if nothing was, or it is damaged."""
        place = self.folder / key
        try:
            listed = json.loads((place / _LIST).read_text(encoding="utf-8"))
            entries = [_read(place, one) for one in listed["entries"]]
            (place / _LIST).touch()
        except _DAMAGE:
            return None
        return entries

    def keep(self, key: str, entries: Sequence[Entry]) -> None:
        """Write entries under a key, and make room.

        Raises
        ------
        UnwritableFile
            If the folder cannot be written to.
        """
        size = sum(entry.array.nbytes for entry in entries if entry.array is not None)
        if size > self.limit_bytes:
            return
        place = made_folder(self.folder / key)
        listed = [_write(place, number, entry) for number, entry in enumerate(entries)]
        with replacing(place / _LIST) as temporary:
            temporary.write_text(json.dumps({"entries": listed}), encoding="utf-8")
        self._make_room()

    def _make_room(self) -> None:
        """Remove what was asked for least lately until the rest fits."""
        places = sorted(self.folder.iterdir(), key=_last_use, reverse=True)
        total = 0
        for place in places:
            total += _size(place)
            if total > self.limit_bytes:
                # On some systems a file that another program has open stays.
                shutil.rmtree(place, ignore_errors=True)


def _read(place: Path, listed: Mapping[str, Any]) -> Entry:
    if listed["array"] is None:
        return Entry(listed["content"], None)
    array = np.load(place / listed["array"])
    if _checksum(array) != listed["checksum"]:
        raise ValueError(f"{listed['array']} has changed")
    return Entry(listed["content"], array)


def _write(place: Path, number: int, entry: Entry) -> dict[str, Any]:
    content = to_jsonable_python(entry.content, fallback=np.ndarray.tolist)
    if entry.array is None:
        return {"content": content, "array": None}
    name = f"{number}.npy"
    with replacing(place / name) as temporary:
        np.save(temporary, entry.array)
    return {"content": content, "array": name, "checksum": _checksum(entry.array)}


def _checksum(array: ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)


def _last_use(place: Path) -> float:
    """When an entry was asked for; long ago if it was never finished."""
    try:
        return (place / _LIST).stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    try:
        return sum(file.stat().st_size for file in place.iterdir())
    except OSError:  # another program has removed it meanwhile
        return 0
