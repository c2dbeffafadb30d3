"""BLAS: limited to one thread while a trace is rebuilt.

Its products are small, and threads that wait for each other take a busy machine forty times as long. How many threads a
caller has set is put back.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def one_blas_thread(work: Callable[P, R]) -> Callable[P, R]:
    """`work`, with one thread while it runs."""

    @wraps(work)
    def alone(*given: P.args, **named: P.kwargs) -> R:
        several = [(library, count) for library in _libraries() if (count := library.get_num_threads()) > 1]
        for library, _ in several:
            library.set_num_threads(1)
        try:
            return work(*given, **named)
        finally:
            for library, count in several:
                library.set_num_threads(count)

    return alone


@cache
def _libraries() -> tuple[Any, ...]:
    """The BLAS that numpy has loaded; looked for once, since that takes milliseconds, as does the import."""
    from threadpoolctl import ThreadpoolController

    find: Callable[[], Any] = ThreadpoolController

    return tuple(one for one in find().lib_controllers if one.user_api == "blas")
