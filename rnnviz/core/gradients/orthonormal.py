"""Orthonormal bases: a product taken apart into one and a triangle, and how much of the product is rounding."""

import numpy as np

from rnnviz.core.arrays import Array

EPSILON = float(np.finfo(np.float64).eps)


def triangle(product: Array) -> tuple[Array, Array]:
    """Q and an upper triangle with a diagonal ≥ 0 whose product is `product`."""
    q, upper = np.linalg.qr(product)
    signs = np.where(np.diagonal(upper) < 0, -1.0, 1.0)
    return q * signs, upper * signs[:, None]


def rounding(matrix: Array, basis: Array) -> Array:
    """(r,) how large rounding alone may make each column of matrix (R, S) times basis (S, r).

    It is that of |matrix| |basis|: a small column of a graded or diagonal matrix is not rounding.
    """
    terms = np.abs(matrix) @ np.abs(basis)
    return np.asarray(EPSILON * np.sqrt(len(basis)) * np.sqrt(np.vecdot(terms.T, terms.T)))
