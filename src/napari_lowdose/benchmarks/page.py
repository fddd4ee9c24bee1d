"""The rows of a benchmark as a page to keep, or a table for other programs."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from math import isfinite
from pathlib import Path
from string import Template
from typing import Any

from napari_lowdose.compare.fingerprint import versions
from napari_lowdose.io.atomic import replacing

SUFFIXES = (".html", ".csv")

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 24px; max-width: 1200px;
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
table { border-collapse: collapse; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 4px 9px; text-align: right; border-bottom: 1px solid #8885; }
th:first-child, td:first-child, td.text { text-align: left; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$story</p>
<p><code>$command</code>, $date, $machine</p>
<div style="overflow-x: auto"><table><thead><tr>$heads</tr></thead>
<tbody>
$rows
</tbody></table></div>
</body>
</html>
""")


def write_rows(
    rows: Sequence[Mapping[str, Any]], path: Path, *, name: str, story: str
) -> Path:
    """Write the rows of a benchmark, whole or not at all.

    Parameters
    ----------
    rows
        As a benchmark yields them.
    path
        Ends in .html for a page, in .csv for a table.
    name, story
        Of the benchmark.

    Raises
    ------
    ValueError
        If the file's name ends in something else.
    UnwritableFile
        If the file cannot be written.
    """
    refuse_unknown(path)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if path.suffix == ".csv":
        from pandas import DataFrame

        text = DataFrame(list(rows), columns=columns).to_csv(index=False)
    else:
        text = _page(rows, columns, name, story)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def refuse_unknown(path: Path) -> None:
    """Refuse a file that is neither a page nor a table.

    Raises
    ------
    ValueError
        If its name ends in neither .html nor .csv.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"expected a file that ends in {' or '.join(SUFFIXES)}, got {path.name!r}"
        )


def _page(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], name: str, story: str
) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in versions().items())
    return _PAGE.substitute(
        title=escape(f"Benchmark {name}"),
        story=escape(f"Measures {story}."),
        command=escape(f"lowdose benchmark {name}"),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        machine=escape(f"{platform.machine()}, {platform.system()}, {libraries}"),
        heads="".join(f"<th>{escape(column)}</th>" for column in columns),
        rows="\n".join(
            f"<tr>{''.join(_cell(row.get(column, '')) for column in columns)}</tr>"
            for row in rows
        ),
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        shown = f"{value:.4g}" if isfinite(value) else "–"
        return f"<td>{shown}</td>"
    return f'<td class="text">{escape(str(value))}</td>'
