"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_lowdose.errors import UnwritableFile

PathLike = str | os.PathLike[str]

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space first",
    errno.EFBIG: "the file grows larger than this place allows; choose another folder",
    errno.EISDIR: "that is a folder; give the name of a file in it",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EIO: "the disk or network drive failed; choose another folder",
}


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Write to a temporary file that takes the place of `path` when all is well.

    Whoever reads `path` sees the old content or the new, never a half: the temporary
    file lies in the same folder, has the same suffix, and is renamed at the end. Should
    the block fail, it is removed and an older file at `path` stays as it was.

    Parameters
    ----------
    path
        Where the file shall be; a link is followed. The folder must exist.

    Yields
    ------
    Path
        Where to write now.

    Raises
    ------
    UnwritableFile
        If anything in the block raises an `OSError`, or the file cannot be renamed.
        Everything else that the block raises passes through.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".lowdose-{secrets.token_hex(6)}{target.suffix}")
    try:
        _refuse_unwritable(target)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        raise UnwritableFile(
            f"cannot write {path}: {_reason(error, target)}"
        ) from error
    finally:
        _remove(temporary)


def _refuse_unwritable(target: Path) -> None:
    """Protect what renaming would replace without asking."""
    if not target.parent.exists():
        raise FileNotFoundError(errno.ENOENT, "no folder", str(target.parent))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder", str(target))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "that is a device, not a file", str(target))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "write-protected", str(target))


def _flush_to_disk(temporary: Path) -> None:
    """Make delayed failures surface: network drives tell of a full disk only here."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        # The folder has gone away or lost its permission; the first error says so.
        return


def _reason(error: OSError, target: Path) -> str:
    """Say what stood in the way, and what to do."""
    if not target.parent.exists():
        return f"there is no folder {target.parent}; make it first"
    if not target.parent.is_dir():
        return f"{target.parent} is a file, not a folder; choose another folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = "the file" if target.exists() else f"the folder {target.parent}"
        return f"{what} is write-protected or in use; choose another name or folder"
    if error.errno is None:
        # numpy counts the values that it could not write, but does not say why.
        return "the disk is full, or the file too large for it; free some space first"
    return _REASONS.get(error.errno, error.strerror or str(error))
