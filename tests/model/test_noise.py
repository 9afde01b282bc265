"""The noise tape against published outputs of SplitMix64 and the distributions it promises."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fitgym.model import noise

keys = st.integers(0, 2**64 - 1)


def test_split_mix_gives_the_published_sequence():
    # Widely printed first outputs of SplitMix64 for seed 1234567.
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [int(noise.split_mix(np.uint64(1234567), i)) for i in range(5)] == published


@given(keys, st.integers(0, 3650))
def test_split_mix_equals_arithmetic_modulo_two_to_the_64(key, index):
    mask = 2**64 - 1
    z = (key + (index + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    assert int(noise.split_mix(np.uint64(key), index)) == z ^ (z >> 31)


def test_numbers_follow_their_distributions_and_channels_are_independent():
    days, episodes = 90, 300
    generator = np.random.default_rng(0)
    numbers = np.array(
        [
            [
                (
                    noise.normal(key, day, noise.TOLERANCE),
                    noise.normal(key, day, noise.MOTIVATION),
                    noise.uniform(key, day, noise.HABIT_STRIKES),
                )
                for day in range(days)
            ]
            for key in generator.integers(0, 2**64, size=episodes, dtype=np.uint64)
        ]
    )
    tolerance, motivation, strikes = numbers.reshape(-1, 3).T
    assert stats.kstest(tolerance, "norm").pvalue > 1e-3
    assert stats.kstest(motivation, "norm").pvalue > 1e-3
    assert stats.kstest(strikes, "uniform").pvalue > 1e-3
    correlations = np.corrcoef(numbers.reshape(-1, 3).T)[np.triu_indices(3, 1)]
    lagged = np.corrcoef(numbers[:, :-1, 0].ravel(), numbers[:, 1:, 0].ravel())[0, 1]
    assert np.abs([*correlations, lagged]).max() < 4.0 / np.sqrt(days * episodes)


@given(keys, st.integers(0, 3650))
def test_uniform_numbers_are_strictly_inside_the_unit_interval(key, day):
    for channel in range(noise.CHANNELS):
        assert 0.0 < noise.uniform(np.uint64(key), day, channel) < 1.0


def test_normal_numbers_follow_the_normal_distribution_into_the_tails():
    keys = np.random.default_rng(1).integers(0, 2**64, size=4000, dtype=np.uint64)
    numbers = np.array([noise.normal(key, day, 0) for key in keys for day in range(50)])
    assert stats.kstest(numbers, "norm").pvalue > 1e-3
    # Beyond the edge of the lowest layer, 3.65, another rule draws them.
    for low, high in ((0.0, 0.3), (1.0, 1.1), (3.0, 3.6541), (3.6541, 9.0)):
        expected = 2.0 * (stats.norm.sf(low) - stats.norm.sf(high)) * numbers.size
        found = np.count_nonzero((np.abs(numbers) >= low) & (np.abs(numbers) < high))
        assert abs(found - expected) < 4.5 * np.sqrt(expected)
    assert abs(np.count_nonzero(numbers > 0) - numbers.size / 2) < 2.0 * np.sqrt(numbers.size)


def test_a_normal_number_is_its_bits_share_of_a_layer_with_the_sign_of_bit_eight():
    """The noise tape is part of what an environment is: episodes of a seed must stay the same."""
    edge, area, edges = 3.6541528853610088, 0.00492867323399, []
    while edge > 0.0:
        edges.append(edge)
        height = np.exp(-0.5 * edge**2) + area / edge
        edge = float(np.sqrt(-2.0 * np.log(height))) if height < 1.0 else 0.0
    edges.append(0.0)
    checked = 0
    for key in range(1000):
        bits = int(noise.split_mix(np.uint64(key), noise.MOTIVATION))
        layer, share = bits % 256, ((bits >> 12) + 0.5) / 2.0**52
        # Layer 0 is a box with the tail beside it; the others are sure up to the next edge.
        if layer > 0 and share * edges[layer - 1] < edges[layer]:
            sign = 1.0 if (bits >> 8) % 2 else -1.0
            number = noise.normal(np.uint64(key), 0, noise.MOTIVATION)
            assert abs(number - sign * share * edges[layer - 1]) < 1e-6
            checked += 1
    assert checked > 950


def test_the_largest_normal_number_is_the_tail_of_the_smallest_uniform_one():
    edge = 3.6541528853610088
    assert edge + np.log(2.0**53) / edge == noise.LARGEST_NORMAL
