"""Batched prediction with a trained FitRec network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitgym.predictor.channels import (
    CHANNELS,
    PREVIOUS_CHANNELS,
    denormalise_heart_rate,
    normalise_heart_rate,
    previous_channels,
    session_channels,
)
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.fitrec.network import FitRecNetwork, align_context
from fitgym.predictor.fitrec.weights import SHIPPED_WEIGHTS, load_model
from fitgym.predictor.sessions import PreviousWorkout, Session, all_pairs

# Sequences per call of the network: 64 to 256 reach half of a core's peak, more does not help.
CHUNK = 128
# Histories held encoded at a time: 512 of an hour take 50 MB.
BLOCK = 512


def load_predictor(path: str | os.PathLike[str] = SHIPPED_WEIGHTS) -> FitRecPredictor:
    """Return the predictor with the weights at ``path`` (those shipped, by default).

    Raises:
        OSError: If the weights or their card are missing.
        ValueError: If they are corrupted or do not belong together.
    """
    model, vocabulary, _ = load_model(path)
    return FitRecPredictor(model, vocabulary)


class FitRecPredictor:
    """Predicts heart rate beforehand; follows ``fitgym.predictor.sessions.Predictor``.

    Args:
        model: A trained network.
        vocabulary: Rows of its user embedding.

    Raises:
        ValueError: If the network reads other channels than those of ``channels``.
    """

    def __init__(self, model: FitRecNetwork, vocabulary: Vocabulary) -> None:
        found = (model.config.channels, model.config.previous_channels)
        if found != (len(CHANNELS), len(PREVIOUS_CHANNELS)):
            raise ValueError(
                f"the network must read {len(CHANNELS)} channels of a session and "
                f"{len(PREVIOUS_CHANNELS)} of the previous one, got one that reads {found}"
            )
        self.model = model.eval()
        self.vocabulary = vocabulary

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        pairs: Sequence[tuple[int, int]] | None = None,
    ) -> list[NDArray[np.float64]]:
        """Predict the heart rate of sessions after previous workouts; each history is encoded once.

        Args:
            sessions: The sessions.
            histories: The previous workouts; None stands for no earlier session.
            pairs: Which (session index, history index) to predict; None means every session after
                every history, all histories of the first session first.

        Returns:
            For each pair the heart rate in bpm, (T,) with T the length of its session.
        """
        wanted = all_pairs(len(sessions), len(histories), pairs)
        inputs = [_SessionInput(self, session) for session in sessions]
        results: list[NDArray[np.float64]] = [np.empty(0)] * len(wanted)
        # Blocks of histories bound the memory; inside one, pairs of like length go together.
        blocks: dict[int, list[int]] = {}
        for position, (_, history) in enumerate(wanted):
            blocks.setdefault(history // BLOCK, []).append(position)
        with torch.inference_mode():
            for block, positions in blocks.items():
                first = block * BLOCK
                encoded = self.encode_history(histories[first : first + BLOCK])
                positions.sort(key=lambda position: (len(sessions[wanted[position][0]]), position))
                for begin in range(0, len(positions), CHUNK):
                    chunk = positions[begin : begin + CHUNK]
                    outputs = self._predict_chunk(
                        [inputs[wanted[position][0]] for position in chunk],
                        [encoded[wanted[position][1] - first] for position in chunk],
                    )
                    for position, output in zip(chunk, outputs, strict=True):
                        steps = len(sessions[wanted[position][0]])
                        results[position] = denormalise_heart_rate(output[:steps])
        return results

    def encode_history(self, histories: Sequence[PreviousWorkout | None]) -> list[Tensor | None]:
        """Return e_t of each history, (T', 64), None for none; the two context LSTMs run once."""
        encoded: list[Tensor | None] = [None] * len(histories)
        present = [(index, history) for index, history in enumerate(histories) if history]
        present.sort(key=lambda item: len(item[1].session))
        with torch.inference_mode():
            for begin in range(0, len(present), CHUNK):
                chunk = present[begin : begin + CHUNK]
                longest = len(chunk[-1][1].session)
                channels = np.zeros((len(chunk), longest, len(PREVIOUS_CHANNELS)), dtype=np.float32)
                target = np.zeros((len(chunk), longest, 1), dtype=np.float32)
                for row, (_, history) in enumerate(chunk):
                    steps = len(history.session)
                    heart_rate = normalise_heart_rate(history.heart_rate_bpm)
                    own = _channels_of(history.session)
                    channels[row, :steps] = previous_channels(own, heart_rate, history.days_since)
                    target[row, :steps, 0] = heart_rate
                contexts = self.model.encode_history(
                    torch.from_numpy(channels), torch.from_numpy(target)
                )
                for row, (index, history) in enumerate(chunk):
                    encoded[index] = contexts[row, : len(history.session)]
        return encoded

    def _predict_chunk(
        self, sessions: Sequence[_SessionInput], contexts: Sequence[Tensor | None]
    ) -> NDArray[np.float32]:
        """Return the network's output (B, T) for B sessions, padded to the longest."""
        longest = max(len(session.channels) for session in sessions)
        channels = torch.zeros(len(sessions), longest, len(CHANNELS))
        aligned = torch.zeros(len(sessions), longest, self.model.config.hidden)
        for row, (session, context) in enumerate(zip(sessions, contexts, strict=True)):
            steps = len(session.channels)
            channels[row, :steps] = session.channels
            if context is not None:
                length = torch.tensor([len(context)])
                aligned[row, :steps] = align_context(context.unsqueeze(0), length, steps)[0]
        static = torch.cat([session.static for session in sessions])
        output: NDArray[np.float32] = self.model.trunk(channels, aligned, static).numpy()
        return output


class _SessionInput:
    """A session's channels (T, N) and embeddings (1, 15), made when first needed."""

    def __init__(self, predictor: FitRecPredictor, session: Session) -> None:
        self._predictor = predictor
        self._session = session

    @cached_property
    def channels(self) -> Tensor:
        return torch.from_numpy(_channels_of(self._session))

    @cached_property
    def static(self) -> Tensor:
        session = self._session
        rows = self._predictor.vocabulary.rows(session.user, session.sport, session.gender)
        return self._predictor.model.embed(torch.tensor([rows]))


def _channels_of(session: Session) -> NDArray[np.float32]:
    return session_channels(session.speed_m_s, session.altitude_m, session.has_altitude)
