"""A small network that learns like any other and notes how it is trained.

A check hands it to a student's training function and reads `notes` and `ending` afterwards, by
value. What is noted is what happened, not a guess from the weights; what follows from it is
said on the other side (`coursekit.training`).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

MAX_NOTED = 8 * 2**20
"""Bytes of notes: half of what can be told at a time. A few epochs need less, unless their data
are dozens of copies, or a line search looks at each batch as often."""


class Witness(nn.Module):
    """Inputs (N, *shape) → outputs (N, outputs), or (N,) where outputs is 0.

    With `latent` it is an autoencoder: (x_hat, z), z (N, latent), x_hat of x's shape; encoder(x) is
    z and decoder(z) is x_hat. `dropout` in the hidden layer draws from the global generator.
    First weights from the seed, whatever the global state; the last biases are far off, so that
    whatever learns at all brings the loss down.
    """

    encoder: nn.Sequential
    decoder: nn.Sequential

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int = 0,
        latent: int = 0,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.shape, self.outputs, self.latent = tuple(shape), outputs, latent
        inputs, hidden = math.prod(shape), 16
        ends = latent or hidden
        encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, hidden), nn.Tanh(), nn.Dropout(dropout)
        )
        if latent:
            encoder.append(nn.Linear(hidden, latent))
        self.encoder = encoder
        self.decoder = nn.Sequential(nn.Linear(ends, inputs if latent else max(outputs, 1)))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                width = parameter.shape[-1] if parameter.ndim > 1 else 100.0
                parameter.normal_(0.0, width**-0.5, generator=generator)
            self._last.bias[::2] += 2.0
        self._passes: list[dict[str, Any]] = []
        self._entered: tuple[dict[str, Any], torch.Tensor] | None = None
        self._noted = 0
        self._began = self._copies()
        self._weights = self._present()
        self._before = torch.zeros_like(self._last.weight).double()  # at the last gradient
        self._clear = True
        # Methods of this very object: a deep copy has its own notes, and tells no tales here.
        self.encoder.register_forward_pre_hook(self._enters)
        self.decoder.register_forward_hook(self._leaves)
        last = self._last.weight
        last.register_hook(self._arrives)
        last.register_post_accumulate_grad_hook(self._accumulates)

    def forward(self, x: torch.Tensor) -> Any:
        z = self.encoder(x)
        y = self.decoder(z)
        if self.latent:
            return y.reshape(x.shape), z
        return y if self.outputs else y[:, 0]

    @property
    def notes(self) -> list[dict[str, Any]]:
        """One dict for each pass through both halves, or for the first `MAX_NOTED` bytes of them
        and the last:

        x, output: what went in and came out. training: the mode. moved: how far the parameters are
        from where the pass before, or the beginning, found them. gradient: the one that came back
        to the output, the sum if there were several; None if none came. cleared: False where it was
        added to one that an earlier step had used already; None where it was added to nothing.
        """
        return self._passes

    @property
    def ending(self) -> dict[str, Any]:
        """How far the parameters have moved since the last pass, whether some weights or biases are
        as they began, whether two calls agree, and whether not all passes are noted."""
        moved = float((self._present() - self._weights).norm())
        x = torch.ones(8, *self.shape, dtype=self._last.weight.dtype)
        passes, self._passes = self._passes, []
        with torch.no_grad():
            one, other = (self.decoder(self.encoder(x)) for _ in range(2))
        self._passes = passes
        return {
            "moved": moved,
            "still": any(map(torch.equal, self._began, self._copies())),
            "agree": bool(torch.equal(one, other)),
            "cut": self._noted > MAX_NOTED,
        }

    @property
    def _last(self) -> nn.Linear:
        layer = self.decoder[0]
        assert isinstance(layer, nn.Linear)
        return layer

    def _copies(self) -> list[torch.Tensor]:
        return [p.detach().to(torch.double, copy=True) for p in self.parameters()]

    def _present(self) -> torch.Tensor:
        return torch.cat([weights.flatten() for weights in self._copies()])

    def _enters(self, module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        (x,) = args
        if tuple(x.shape[1:]) != self.shape:
            raise RuntimeError(f"rows of shape {self.shape} expected, got {tuple(x.shape[1:])}")
        weights = self._present()
        note = {
            "x": x.detach().clone(),
            "training": self.training,
            "moved": float((weights - self._weights).norm()),
            "gradient": None,
            "cleared": None,
        }
        self._entered = note, weights

    def _leaves(self, module: nn.Module, args: Any, output: torch.Tensor) -> None:
        entered, self._entered = self._entered, None
        if entered is None or len(entered[0]["x"]) != len(output):
            return  # one half alone, as who looks at the latent plane calls it, is no pass
        if self._noted > MAX_NOTED:
            del self._passes[-1:]
        note, self._weights = entered
        self._passes.append(note)
        note["output"] = output.detach().clone()
        self._noted += note["x"].nbytes + 2 * output.nbytes + 300  # the gradient, and names

        def arrives(gradient: torch.Tensor) -> None:
            before = note["gradient"]
            note["gradient"] = gradient.detach().clone() + (0 if before is None else before)

        if output.requires_grad:
            output.register_hook(arrives)

    def _arrives(self, gradient: torch.Tensor) -> None:
        """Before a gradient of the last weights is added to what stands in their `grad`: something
        may be there already where no step was made since, because a step may take several."""
        weight = self._last.weight
        empty = weight.grad is None or not weight.grad.any()
        present = weight.detach().double()
        self._clear = empty or torch.equal(present, self._before)
        self._before = present.clone()

    def _accumulates(self, parameter: torch.Tensor) -> None:
        if self._passes:
            self._passes[-1]["cleared"] = self._passes[-1]["cleared"] is not False and self._clear
