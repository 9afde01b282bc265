"""Natural gradient descent with Kronecker-factored curvature (K-FAC), recurrent layers included.

The Fisher information of a network is taken to be block-diagonal, one block for each linear map
``s = W a``, and a block to be the Kronecker product ``A (x) G`` of the second moments of the map's
inputs, ``A = E[a a']``, and of the gradients with respect to its outputs, ``G = E[g g']``, when
targets are drawn from the network's own predictions (Martens & Grosse 2015). Direction and length
of a step are those of ACKTR (Wu et al. 2017).

An LSTM is one such map, from input, hidden state and 1 to the four gates, used at every step. Its
weights' gradient is a sum over steps, whose terms are taken to be uncorrelated between steps; then
``A`` and ``G`` are moments over environments and steps alike (the simplest of the approximations
of Martens, Ba & Johnson 2018). Input-to-gates and hidden-to-gates are not two blocks, since they
have ``g`` in common: one block needs one ``G`` instead of two, and keeps the covariance of input
and hidden state.

The curvature so found is too small, since what blocks have in common and what steps have in common
is left out. So each step is measured once it is taken, and shortened to the trust region where it
led out of it.

We know of no public reference for ACKTR with a recurrent network. The tests stand in for one: they
compare with dense Fisher matrices, and with loops over single environments and steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitgym_agents.deep.acktr.unrolled import LinearMap
from fitgym_agents.deep.networks import draw_actions

# Eigenvalues, (n,), and eigenvectors as columns, (n, n).
Eigenbasis = tuple[Tensor, Tensor]


def softmax_draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Return gradients of ``-log p(action)``, the actions drawn from p = softmax(logits).

    Their second moment is the Fisher information of the softmax, diag(p) - p p'.

    Args:
        logits: (..., actions).
        generator: Of the draws.
    """
    probabilities = logits.softmax(-1)
    drawn = draw_actions(logits, generator)[..., None]
    return probabilities.scatter_add(-1, drawn, -torch.ones_like(probabilities))


def gaussian_draw(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return gradients of ``-log p(target)``, the targets drawn from p = Normal(values, 1).

    The Fisher information they sample is the Gauss-Newton matrix of half the squared error.

    Args:
        values: Of any shape.
        generator: Of the draws.
    """
    return torch.empty_like(values).normal_(generator=generator)


def softmax_divergence(before: Tensor, after: Tensor) -> float:
    """Return the mean Kullback-Leibler divergence of softmax(after) from softmax(before), nats.

    Args:
        before: Logits (..., actions).
        after: Logits (..., actions).
    """
    with torch.no_grad():
        old, new = before.log_softmax(-1), after.log_softmax(-1)
        return float((old.exp() * (old - new)).sum(-1).mean())


def gaussian_divergence(before: Tensor, after: Tensor) -> float:
    """Return the mean divergence of Normal(after, 1) from Normal(before, 1), nats.

    Args:
        before: Of any shape.
        after: Of the same shape.
    """
    with torch.no_grad():
        return 0.5 * float((after - before).square().mean())


def second_moment(samples: Tensor) -> Tensor:
    """Return ``E[x x']``, (n, n), of samples (M, n)."""
    return samples.T @ samples / len(samples)


def damped_solution(
    inputs: Eigenbasis, outputs: Eigenbasis, gradient: Tensor, damping: float
) -> Tensor:
    """Return ``(A (x) G + damping I)^-1`` times the gradient, both (O, I).

    The damping is added to the Kronecker product itself (Tikhonov), which the eigenbases make
    exact, rather than to each of its factors.

    Args:
        inputs: Of A, (I, I).
        outputs: Of G, (O, O).
        gradient: (O, I).
        damping: ``lambda``.
    """
    (a, u), (g, w) = inputs, outputs
    return w @ ((w.T @ gradient @ u) / (torch.outer(g, a) + damping)) @ u.T


def quadratic_form(inputs: Tensor, outputs: Tensor, step: Tensor) -> Tensor:
    """Return ``x' (A (x) G) x`` for a step x, (O, I); the factors are (I, I) and (O, O)."""
    return ((outputs @ step) * (step @ inputs)).sum()


def step_size(curvature: float, trust_region: float, longest: float) -> float:
    """Return ``eta = min(eta_max, sqrt(2 delta / (v' F v)))`` (Wu et al. 2017, section 3.2).

    A step ``eta v`` then changes what the network predicts by a Kullback-Leibler divergence of
    ``delta`` at most, to second order.

    Args:
        curvature: ``v' F v``.
        trust_region: ``delta``, nats.
        longest: ``eta_max``.
    """
    if curvature <= 0.0:
        return longest
    return min(longest, math.sqrt(2.0 * trust_region / curvature))


class KFAC:
    """The optimiser of one network: running factors, their eigenbases and the averaged step.

    Attributes:
        updates: Batches observed so far, one in each step.
    """

    def __init__(
        self, *, trust_region: float, damping: float, factor_decay: float, momentum: float
    ) -> None:
        """Start without any curvature.

        Args:
            trust_region: ``delta``, nats.
            damping: ``lambda``, added to each block of the Fisher information.
            factor_decay: Share of the old in the running average of factors. The first few
                count alike, by 1 - 1/k in the k-th update (Martens & Grosse 2015, section 5).
            momentum: Share of the old in the running average of steps.
        """
        self.updates = 0
        self._trust_region = trust_region
        self._damping = damping
        self._factor_decay = factor_decay
        self._momentum = momentum
        # A and G of each map, and its averaged step.
        self._factors: list[tuple[Tensor, Tensor]] = []
        self._steps: list[Tensor] = []
        self._bases: list[tuple[Eigenbasis, Eigenbasis]] = []

    def step(
        self,
        outputs: Tensor,
        maps: Sequence[LinearMap],
        drawn: Tensor,
        loss: Tensor,
        divergence: Callable[[], float],
        *,
        longest: float,
        renew_bases: bool,
    ) -> None:
        """Change the weights of a network after an unrolled pass, so that a loss falls.

        The averaged step is applied, and shortened where the divergence it makes is more than the
        trust region.

        Args:
            outputs: Of the unrolled pass.
            maps: Of the unrolled pass.
            drawn: Gradients of ``-log p(target)`` with respect to the outputs, the targets drawn
                from the network's own predictions, shaped like the outputs.
            loss: A mean over environments and steps, as the Fisher information is.
            divergence: Returns how far the network's present predictions are from those of the
                pass, nats, on average over environments and steps.
            longest: ``eta_max``.
            renew_bases: Whether to decompose the factors anew; needed in the first step.

        Raises:
            FloatingPointError: If the divergence is no finite number.
        """
        through = [linear.outputs for linear in maps]
        self.observe(maps, torch.autograd.grad(outputs, through, drawn, retain_graph=True))
        if renew_bases:
            self._bases = [(_eigenbasis(a), _eigenbasis(g)) for a, g in self._factors]
        gradients = [
            linear.gradient(gradient)
            for linear, gradient in zip(maps, torch.autograd.grad(loss, through), strict=True)
        ]
        directions = [
            damped_solution(*bases, gradient, self._damping)
            for bases, gradient in zip(self._bases, gradients, strict=True)
        ]
        curvature = sum(
            float(quadratic_form(*factors, direction))
            for factors, direction in zip(self._factors, directions, strict=True)
        )
        size = step_size(curvature, self._trust_region, longest)
        for linear, step, direction in zip(maps, self._steps, directions, strict=True):
            step.mul_(self._momentum).add_(direction, alpha=-size * (1.0 - self._momentum))
            linear.add(step)
        self._shorten(maps, divergence())

    def _shorten(self, maps: Sequence[LinearMap], diverged: float) -> None:
        """Take back what of the step just taken leads out of the trust region.

        The running average is shortened with it, or steps that turned out too long would go on to
        outweigh the following ones.
        """
        if not math.isfinite(diverged):
            raise FloatingPointError(f"predictions diverged by {diverged} in update {self.updates}")
        if diverged > self._trust_region:
            kept = math.sqrt(self._trust_region / diverged)
            for linear, step in zip(maps, self._steps, strict=True):
                linear.add(step * (kept - 1.0))
                step.mul_(kept)

    def observe(self, maps: Sequence[LinearMap], output_gradients: Sequence[Tensor]) -> None:
        """Take a batch into the running averages of the factors.

        Args:
            maps: Of the unrolled pass.
            output_gradients: With respect to each map's outputs, of ``-log p(target)`` summed
                over environments and steps, the targets drawn from the network's own predictions.
        """
        self.updates += 1
        kept = min(1.0 - 1.0 / self.updates, self._factor_decay)
        for index, (linear, gradient) in enumerate(zip(maps, output_gradients, strict=True)):
            flat = gradient.reshape(len(linear.inputs), -1)
            fresh = second_moment(linear.inputs), second_moment(flat)
            if index == len(self._factors):
                self._factors.append(fresh)
                self._steps.append(torch.zeros(flat.shape[1], linear.inputs.shape[1]))
            else:
                for factor, moment in zip(self._factors[index], fresh, strict=True):
                    factor.lerp_(moment, 1.0 - kept)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return all that the next step depends on, by name, for a file."""
        arrays = {"updates": np.array(self.updates)}
        for index, ((a, g), step) in enumerate(zip(self._factors, self._steps, strict=True)):
            arrays |= {f"{index}.inputs": a.numpy(), f"{index}.outputs": g.numpy()}
            arrays[f"{index}.step"] = step.numpy()
        return arrays

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what ``tensors`` returned.

        Raises:
            KeyError: If the factors or the step of a map are missing.
            ValueError: If the factors of a map do not have the sizes of its step.
        """
        self.updates = int(tensors["updates"])
        arrays = {name: torch.tensor(array) for name, array in tensors.items()}
        count = len({name.partition(".")[0] for name in tensors if "." in name})
        self._factors = [(arrays[f"{i}.inputs"], arrays[f"{i}.outputs"]) for i in range(count)]
        self._steps = [arrays[f"{i}.step"] for i in range(count)]
        for (a, g), step in zip(self._factors, self._steps, strict=True):
            rows, columns = step.shape
            if a.shape != (columns, columns) or g.shape != (rows, rows):
                raise ValueError(
                    f"factors of a step of shape {tuple(step.shape)} have the shapes "
                    f"{tuple(a.shape)} and {tuple(g.shape)}"
                )


def _eigenbasis(factor: Tensor) -> Eigenbasis:
    values, vectors = torch.linalg.eigh(factor)
    # Rounding leaves some of the zeros a little below.
    return values.clamp(min=0.0), vectors
