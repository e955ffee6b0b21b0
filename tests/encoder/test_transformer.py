from math import erf, sqrt

import numpy as np
import pytest

from photomap_cli.encoder.transformer import _BLOCK_SIZE, _activation


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (3, 5), (2, _BLOCK_SIZE // 2), (3, _BLOCK_SIZE // 2 + 1)], ids=str)
def test_gelu_is_right_whatever_number_of_blocks_it_takes(shape):
    x = np.random.default_rng(1).normal(0, 3, shape).astype(np.float32)
    x.reshape(-1)[-1:] = -1e4
    right = [0.5 * value * (1 + erf(value / sqrt(2))) for value in x.reshape(-1).tolist()]
    assert np.abs(_activation("gelu")(x) - np.reshape(right, shape)).max(initial=0) < 1e-6
