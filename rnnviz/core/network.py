"""Network: the recurrent modules of a model in the order of their calls, with the layers of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import LayerId, Structure

ENCODER = "encoder"  # what the first of several stages is called


@dataclass(frozen=True)
class Stage:
    """One recurrent module's call; the first has no name, as its layers have torch's own suffixes."""

    name: str
    structure: Structure

    @property
    def words(self) -> str:
        """What it is called among several."""
        return self.name or ENCODER

    @property
    def layer_ids(self) -> tuple[LayerId, ...]:
        """Its layers in torch's order."""
        ids = self.structure.layer_ids
        return tuple(replace(layer, call=self.name) for layer in ids) if self.name else ids


@dataclass(frozen=True)
class Stretch:
    """The part of the time axis in which a stage has values: the time steps `start` + 1 … `stop`."""

    start: int
    stop: int
    stage: str = ""  # "encoder", "decoder"

    def outside(self, time_step: int) -> str:
        """Why there is no value at a time step, counted from 1; "" where there is one."""
        if time_step > self.stop:
            return f"The {self.stage} has ended: its last time step is {self.stop}."
        return "" if time_step > self.start else f"The {self.stage} begins at time step {self.start + 1}."


@dataclass(frozen=True)
class Network:
    """A stack of layers is one stage, an encoder–decoder two on one time axis."""

    stages: tuple[Stage, ...]

    @staticmethod
    def of(stages: "Iterable[tuple[str, Structure]]") -> "Network":
        """Of names and structures, the first one's name is empty."""
        return Network(tuple(Stage(name, structure) for name, structure in stages))

    @staticmethod
    def one(structure: Structure) -> "Network":
        """Of one recurrent module."""
        return Network.of([("", structure)])

    @property
    def several(self) -> bool:
        return len(self.stages) > 1

    @cached_property
    def layer_ids(self) -> tuple[LayerId, ...]:
        """Of all stages, each in torch's order."""
        return tuple(layer for stage in self.stages for layer in stage.layer_ids)

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        """ "l0", "l0_reverse", "decoder.l0", …"""
        return tuple(layer.text for layer in self.layer_ids)

    def words(self, layer: str) -> str:
        """ "layer 1, reverse", among several stages "encoder, layer 1, reverse", "decoder, layer 0"."""
        one = LayerId.read(layer)
        return replace(one, call=one.call or ENCODER).words if self.several else one.words

    def stage(self, layer: str) -> Stage:
        """The stage of a layer; RnnvizError where there is no such layer."""
        for one in self.stages:
            if any(own.text == layer for own in one.layer_ids):
                return one
        raise RnnvizError(f"layer: wanted one of {', '.join(self.layer_names)}, got {layer!r}")
