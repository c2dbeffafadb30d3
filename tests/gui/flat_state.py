"""A state from single fields, whichever group they are in: `flat_state(sample=1)`, `flat_state(state, sample=1)`."""

from dataclasses import fields, replace
from typing import Any

from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

_RENAMED = {"run_path": "path", "run_bytes": "bytes"}


def flat_state(state: State | None = None, **changes: Any) -> State:
    """`state`, else that of an empty window, with these fields."""
    state = state or State()
    for name, value in changes.items():
        name = _RENAMED.get(name, name)
        group = _group(state, name)
        state = replace(state, **{group: replace(getattr(state, group), **{name: value})})
    return state


def update(store: Store, **changes: Any) -> None:
    """Changes single fields of a store's state at once, whichever groups they are in."""
    groups: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        name = _RENAMED.get(name, name)
        groups.setdefault(_group(store.state, name), {})[name] = value
    store.change(**{group: setting(**values) for group, values in groups.items()})  # type: ignore[arg-type]


def _group(state: State, name: str) -> str:
    return next(each.name for each in fields(state) if name in [one.name for one in fields(getattr(state, each.name))])
