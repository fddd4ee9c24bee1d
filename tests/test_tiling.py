import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_lowdose.tiling import tiles

steps = st.sampled_from([1, 2, 8])


counts, edges, halos = st.integers(1, 12), st.integers(1, 40), st.integers(0, 20)


@given(steps, counts, counts, edges, halos)
def test_kept_parts_cover_every_pixel_once(step, rows, columns, tile, halo):
    shape = (rows * step, columns * step)
    seen = np.zeros(shape, int)
    for t in tiles(shape, tile=tile, halo=halo, step=step):
        assert seen[t.write].shape == np.empty(shape)[t.read][t.keep].shape
        seen[t.write] += 1
    assert (seen == 1).all()


@given(steps, counts, edges, halos)
def test_windows_start_where_pooling_does_and_hold_their_halo(step, rows, tile, halo):
    length = rows * step
    for t in tiles((length, length), tile=tile, halo=halo, step=step):
        read, write = t.read[0], t.write[0]
        assert read.start % step == 0
        assert read.start <= max(write.start - halo, 0)
        assert read.stop >= min(write.stop + halo, length)
