"""Batched prediction with a network of the second edition."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitgym.common.validation import require_integer
from fitgym.predictor.attributes import NAMES, Attributes, reference_values
from fitgym.predictor.channels import (
    PREVIOUS_CHANNELS,
    denormalise_heart_rate,
    normalise_heart_rate,
    previous_channels,
    session_channels,
)
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.exertion import lagged_uptake
from fitgym.predictor.fitrec.network import align_context
from fitgym.predictor.fitrec2.data import category_rows
from fitgym.predictor.fitrec2.network import Fitrec2Network
from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS, load_weights
from fitgym.predictor.sessions import PreviousWorkout, Session

Array = NDArray[np.float64]

# Sequences per call of the network; more gains nothing on a core.
CHUNK = 128
# Histories held encoded at a time: 512 of an hour take 25 MB.
BLOCK = 512


def load_body_predictor(path: str | os.PathLike[str] = SHIPPED_WEIGHTS) -> BodyPredictor:
    """Return the predictor with the weights at ``path`` (those shipped, by default).

    Raises:
        OSError: If the weights or their card are missing.
        ValueError: If they are corrupted or do not belong together.
    """
    model, components, _ = load_weights(path)
    return BodyPredictor(model, components)


class BodyPredictor:
    """Predicts heart rate beforehand from a session, a body and the previous workout.

    Args:
        model: A trained network.
        components: Spread of its errors over people, sports and sessions.
    """

    def __init__(self, model: Fitrec2Network, components: VarianceComponents) -> None:
        """Keep the network in evaluation mode."""
        self.model = model.eval()
        self.components = components

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        bodies: Sequence[Attributes],
        triples: Sequence[tuple[int, int, int]] | None = None,
    ) -> list[Array]:
        """Predict the heart rate of sessions after histories, by bodies.

        Each history is encoded once for each body; everything runs in batches.

        Args:
            sessions: The sessions.
            histories: What went before; None stands for no earlier session.
            bodies: What is known of the person's body on that day.
            triples: Which (session, history, body) indices to predict; None means all of them,
                bodies fastest, sessions slowest.

        Returns:
            For each triple the heart rate in bpm, (T,) with T the length of its session.

        Raises:
            ValueError: If an index is out of range.
        """
        wanted = _triples(len(sessions), len(histories), len(bodies), triples)
        results: list[Array] = [np.empty(0)] * len(wanted)
        # A context is a history read with a body; blocks of contexts bound the memory.
        contexts = sorted({(history, body) for _, history, body in wanted}, key=_length(histories))
        places = {context: place for place, context in enumerate(contexts)}
        blocks: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for position, (session, history, body) in enumerate(wanted):
            block, row = divmod(places[history, body], BLOCK)
            blocks[block][session].append((position, row))
        inputs = [_SessionInput(session) for session in sessions]
        rows = np.stack([body.row() for body in bodies]) if bodies else np.empty((0, len(NAMES)))
        with torch.inference_mode():
            for block, by_session in blocks.items():
                chosen = contexts[block * BLOCK : (block + 1) * BLOCK]
                attributes = rows[[body for _, body in chosen]]
                encoded = _Contexts(self.model, [histories[h] for h, _ in chosen], attributes)
                for session, pairs in by_session.items():
                    for begin in range(0, len(pairs), CHUNK):
                        chunk = pairs[begin : begin + CHUNK]
                        outputs = encoded.predict(inputs[session], [row for _, row in chunk])
                        for (position, _), output in zip(chunk, outputs, strict=True):
                            results[position] = output
        return results


class StrangerPredictor:
    """The network told nothing of the body, for comparisons.

    Args:
        predictor: Whose network.
    """

    def __init__(self, predictor: BodyPredictor) -> None:
        """Keep the predictor."""
        self._predictor = predictor

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        bodies: Sequence[Attributes],
    ) -> list[Array]:
        """Predict as ``BodyPredictor.predict`` does, the same for every body."""
        alone = self._predictor.predict(sessions, histories, [Attributes()])
        return [answer for answer in alone for _ in bodies]


class _SessionInput:
    """A session's inputs: channels (1, T, N), uptake (1, T) and categories (1, 2)."""

    def __init__(self, session: Session) -> None:
        channels = session_channels(session.speed_m_s, session.altitude_m, session.has_altitude)
        self.channels = torch.from_numpy(channels)[None]
        self.uptake = torch.from_numpy(_uptake(session))[None]
        self.categories = torch.tensor([category_rows(session.sport, session.gender)])


class _Contexts:
    """Histories encoded with bodies: K contexts, padded to the longest."""

    def __init__(
        self, model: Fitrec2Network, histories: Sequence[PreviousWorkout | None], attributes: Array
    ) -> None:
        self._model = model
        self._attributes = torch.from_numpy(attributes.astype(np.float32))
        self._references = torch.from_numpy(reference_values(attributes).astype(np.float32))
        self._lengths = torch.tensor([0 if h is None else len(h.session) for h in histories])
        longest = max(1, int(self._lengths.max()))
        channels = np.zeros((len(histories), longest, len(PREVIOUS_CHANNELS)), dtype=np.float32)
        uptake = np.zeros((len(histories), longest), dtype=np.float32)
        target = np.zeros((len(histories), longest), dtype=np.float32)
        made: dict[int, tuple[NDArray[np.float32], ...]] = {}
        for row, history in enumerate(histories):
            if history is None:
                continue
            if id(history) not in made:
                made[id(history)] = _history_inputs(history)
            steps = len(history.session)
            channels[row, :steps], uptake[row, :steps], target[row, :steps] = made[id(history)]
        self._encoded = torch.zeros(len(histories), longest, model.config.hidden)
        for begin in range(0, len(histories), CHUNK):
            part = slice(begin, begin + CHUNK)
            steps = max(1, int(self._lengths[part].max()))
            self._encoded[part, :steps] = model.encode_history(
                torch.from_numpy(channels[part, :steps]),
                torch.from_numpy(uptake[part, :steps]),
                torch.from_numpy(target[part, :steps]),
                self._lengths[part],
                self._references[part],
            )

    def predict(self, session: _SessionInput, rows: Sequence[int]) -> Array:
        """Return the heart rate (B, T) in bpm of a session in contexts ``rows``."""
        index = torch.tensor(rows)
        size, steps = len(rows), session.uptake.shape[1]
        attributes = self._attributes[index]
        output: Tensor = self._model.trunk(
            session.channels.expand(size, -1, -1),
            session.uptake.expand(size, -1),
            align_context(self._encoded[index], self._lengths[index], steps),
            self._model.embed(session.categories.expand(size, -1), attributes),
            self._references[index],
            attributes,
        )
        return denormalise_heart_rate(output.numpy())


def _history_inputs(history: PreviousWorkout) -> tuple[NDArray[np.float32], ...]:
    """Return channels (T', N'), uptake (T',) and heart rate (T',) of a previous workout."""
    session = history.session
    heart_rate = normalise_heart_rate(history.heart_rate_bpm)
    channels = session_channels(session.speed_m_s, session.altitude_m, session.has_altitude)
    return (
        previous_channels(channels, heart_rate, history.days_since),
        _uptake(session),
        heart_rate,
    )


def _uptake(session: Session) -> NDArray[np.float32]:
    uptake = lagged_uptake(session.sport, session.speed_m_s, session.altitude_m)
    return uptake.astype(np.float32)


def _length(histories: Sequence[PreviousWorkout | None]):  # type: ignore[no-untyped-def]
    def key(context: tuple[int, int]) -> tuple[int, int, int]:
        history = histories[context[0]]
        return (0 if history is None else len(history.session), *context)

    return key


def _triples(
    sessions: int, histories: int, bodies: int, triples: Sequence[tuple[int, int, int]] | None
) -> list[tuple[int, int, int]]:
    if triples is None:
        return [(s, h, b) for s in range(sessions) for h in range(histories) for b in range(bodies)]
    return [
        (
            require_integer("session index of a triple", session, 0, sessions - 1),
            require_integer("history index of a triple", history, 0, histories - 1),
            require_integer("body index of a triple", body, 0, bodies - 1),
        )
        for session, history, body in triples
    ]
