"""The counter-based hash behind every draw, compiled: SplitMix64 (Steele, Lea & Flood 2014), its state the identity.

One value for each (identity, attempt, purpose); plain integers, so compiled and interpreted give the same bits.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_64, _1 = np.uint64(64), np.uint64(1)


@numba.njit(nogil=True, cache=True)
def fill(out: Any, h: Any, attempts: Any, purpose: Any) -> None:
    """Uniforms in (0, 1) for identities `h`; `attempts` has one entry, or one for each identity."""
    one = len(attempts) == 1
    for i in range(len(h)):
        attempt = attempts[0] if one else attempts[i]
        x = h[i] + (np.uint64(attempt) * _64 + purpose + _1) * _GOLDEN
        x = (x ^ (x >> _S30)) * _A
        x = (x ^ (x >> _S27)) * _B
        x = x ^ (x >> _S31)
        out[i] = (np.float64(x >> _S12) + 0.5) * 2.0**-52


def uniforms(h: NDArray[np.uint64], purpose: int, attempt: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Uniforms shaped like `h`."""
    out = np.empty(h.size)
    attempts = np.atleast_1d(np.asarray(attempt, np.int64)).ravel()
    fill(out, np.ascontiguousarray(h).ravel(), attempts, np.uint64(purpose))
    return out.reshape(h.shape)
