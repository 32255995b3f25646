"""Linear systems: solves and inverts the symmetric matrices of the regression, singular ones too.

An ordinary matrix is left to LAPACK. Of a singular one, or one whose solution is not finite, the
solution is the shortest, after each column is scaled to its own information.
"""

from __future__ import annotations

import numpy as np

from hailwhale.core.decisions.evidence import Floats

_RANK = 1e-13  # eigenvalues smaller than this share of the largest are taken for 0
_TINY = 1e-300


def solved(matrix: Floats, right: Floats) -> Floats:
    """Return the solution of a system, or of several: [d, d] and [d], or [K, d, d] and [K, d, m].

    >>> solved(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0])).tolist()
    [1.0, 0.5]
    >>> solved(np.full((2, 2), 1e20), np.array([1e20, 1e20])).round(12).tolist()
    [0.5, 0.5]
    """
    try:
        found: Floats = np.linalg.solve(matrix, right).astype(np.float64)
    except np.linalg.LinAlgError:
        return _pseudo_inverse(matrix) @ right
    return found if np.isfinite(found).all() else _pseudo_inverse(matrix) @ right


def inverted(matrices: Floats) -> Floats:
    """Return the inverse of each matrix, [K, d, d], or its pseudo-inverse if it has none.

    >>> inverted(np.array([[[2.0, 0.0], [0.0, 0.0]]])).tolist()
    [[[0.5, 0.0], [0.0, 0.0]]]
    """
    try:
        found: Floats = np.linalg.inv(matrices).astype(np.float64)
    except np.linalg.LinAlgError:
        return _pseudo_inverse(matrices)
    return found if np.isfinite(found).all() else _pseudo_inverse(matrices)


def log_determinants(matrices: Floats) -> Floats:
    """Return the logarithm of the absolute determinant of each matrix; finite for singular ones.

    >>> log_determinants(np.array([[[1.0, 0.0], [0.0, 1.0]]])).tolist()
    [0.0]
    """
    size = np.linalg.slogdet(matrices)[1].astype(np.float64)
    found: Floats = np.maximum(size, matrices.shape[-1] * np.log(_TINY))
    return found


def _pseudo_inverse(matrices: Floats) -> Floats:
    """Return the pseudo-inverse of symmetric matrices, whose columns may differ in size."""
    sizes = np.sqrt(np.abs(np.einsum("...ii->...i", matrices)))
    scale = 1 / np.where(sizes > 0, sizes, 1.0)
    scaled = matrices * scale[..., :, None] * scale[..., None, :]
    found: Floats = np.linalg.pinv(scaled, rcond=_RANK, hermitian=True).astype(np.float64)
    return found * scale[..., :, None] * scale[..., None, :]
