"""K-FAC against dense Fisher matrices, slow references and cases that it solves exactly."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from fitgym_agents.deep.acktr.kfac import (
    KFAC,
    damped_solution,
    gaussian_divergence,
    gaussian_draw,
    quadratic_form,
    second_moment,
    softmax_divergence,
    softmax_draw,
    step_size,
)
from fitgym_agents.deep.acktr.unrolled import unrolled_pass
from fitgym_agents.deep.networks import HybridNetwork

NO_LIMIT = 1e9


def optimiser(**changes: float) -> KFAC:
    defaults = {"trust_region": NO_LIMIT, "damping": 1e-7, "factor_decay": 0.9, "momentum": 0.0}
    return KFAC(**{**defaults, **changes})


def linear_network(inputs: int, outputs: int) -> HybridNetwork:
    """Return a network that is one linear map."""
    return HybridNetwork(inputs, outputs, network="mlp", hidden_sizes=())


def weights(network: HybridNetwork) -> Tensor:
    """Return weights and bias of a network that is one linear map, (O, I + 1)."""
    weight, bias = (value.detach().clone() for value in network.layers[-1].parameters())
    return torch.cat([weight, bias[:, None]], 1)


def vector(matrix: Tensor) -> Tensor:
    """Return the columns of a matrix one below the other."""
    return matrix.T.flatten()


def random_factor(size: int) -> Tensor:
    return second_moment(torch.randn(size + 3, size, dtype=torch.float64))


def random_network(network: str = "hybrid", outputs: int = 3) -> HybridNetwork:
    """Return a network whose weights are all away from zero, biases too."""
    net = HybridNetwork(4, outputs, network=network, memory_size=5, hidden_sizes=(6, 7))
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return net


# What an unrolled pass gives and catches.


@settings(max_examples=examples(25), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    network=st.sampled_from(["hybrid", "mlp", "lstm"]),
    carried=st.booleans(),
)
def test_the_unrolled_pass_equals_the_network(seed: int, network: str, carried: bool) -> None:
    """Outputs, memory and all weights' gradients are those of torch's own LSTM."""
    torch.manual_seed(seed)
    net = random_network(network)
    inputs, starting = torch.randn(9, 7, 4), torch.rand(9, 7) < 0.15
    memory = (torch.randn(7, 5), torch.randn(7, 5)) if carried and network != "mlp" else None
    expected, last = net(inputs, memory, starting)
    outputs, maps, after = unrolled_pass(net, inputs, memory, starting)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)
    if last is not None:
        torch.testing.assert_close(after, last)

    pull = torch.randn_like(expected)
    expected.backward(pull)
    caught = torch.autograd.grad(outputs, [linear.outputs for linear in maps], pull)
    seen = 0
    for linear, gradient in zip(maps, caught, strict=True):
        columns = [weight.grad.reshape(len(weight), -1) for weight in linear.weights]
        torch.testing.assert_close(
            linear.gradient(gradient), torch.cat(columns, 1), rtol=1e-4, atol=1e-4
        )
        seen += sum(weight.numel() for weight in linear.weights)
    # All weights belong to a map but the LSTM's second bias, 4 gates of 5 units.
    unused = 0 if network == "mlp" else 20
    assert seen == sum(weight.numel() for weight in net.parameters()) - unused


def test_adding_to_a_map_changes_its_weights_column_by_column() -> None:
    torch.manual_seed(0)
    net = random_network("lstm")
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    _, (gates, _), _ = unrolled_pass(net, torch.zeros(1, 1, 4))
    step = torch.randn(20, 4 + 5 + 1)
    gates.add(step)
    added = {name: value.detach() - before[name] for name, value in net.named_parameters()}
    torch.testing.assert_close(added["memory.weight_ih_l0"], step[:, :4])
    torch.testing.assert_close(added["memory.weight_hh_l0"], step[:, 4:9])
    torch.testing.assert_close(added["memory.bias_ih_l0"], step[:, 9])
    assert not added["memory.bias_hh_l0"].any()
    assert not added["layers.0.weight"].any()


def test_factors_of_the_gates_equal_a_reference_of_single_people_and_days() -> None:
    """The definition: outer products of what enters one day's gates and of its gradient."""
    torch.manual_seed(1)
    net = random_network()
    lstm = net.memory
    assert lstm is not None
    days, people = 6, 3
    inputs, starting = torch.randn(days, people, 4), torch.rand(days, people) < 0.25
    memory = (torch.randn(people, 5), torch.randn(people, 5))
    drawn = torch.randn(days, people, 3)

    outputs, maps, _ = unrolled_pass(net, inputs, memory, starting)
    kfac = optimiser()
    caught = torch.autograd.grad(outputs, [linear.outputs for linear in maps], drawn)
    kfac.observe(maps, caught)

    a_sum, g_sum = torch.zeros(10, 10), torch.zeros(20, 20)
    for person in range(people):
        hidden, cell = memory[0][person], memory[1][person]
        entered, moved, predicted = [], [], []
        for day in range(days):
            if starting[day, person]:
                hidden, cell = torch.zeros(5), torch.zeros(5)
            entered.append(torch.cat([inputs[day, person], hidden.detach(), torch.ones(1)]))
            moved.append(torch.zeros(20, requires_grad=True))
            gates = lstm.weight_ih_l0 @ inputs[day, person] + lstm.weight_hh_l0 @ hidden
            gates = gates + lstm.bias_ih_l0 + lstm.bias_hh_l0 + moved[-1]
            cell = gates[5:10].sigmoid() * cell + gates[:5].sigmoid() * gates[10:15].tanh()
            hidden = gates[15:].sigmoid() * cell.tanh()
            predicted.append(net.layers(hidden))
        gradients = torch.autograd.grad(torch.stack(predicted), moved, drawn[:, person])
        for a, g in zip(entered, gradients, strict=True):
            a_sum += torch.outer(a, a)
            g_sum += torch.outer(g, g)
    factors = kfac.tensors()
    np.testing.assert_allclose(factors["0.inputs"], a_sum / 18, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(factors["0.outputs"], g_sum / 18, rtol=1e-4, atol=1e-5)


# What is drawn from predictions.


def test_softmax_draws_have_the_softmax_fisher_information() -> None:
    logits = torch.tensor([0.1, 0.2, 0.7]).log().expand(200_000, 3)
    p = logits[0].softmax(-1)
    drawn = softmax_draw(logits, torch.Generator().manual_seed(0))
    # Five standard errors of a mean of products below 1 are below 0.006.
    torch.testing.assert_close(
        second_moment(drawn), torch.diag(p) - torch.outer(p, p), atol=0.006, rtol=0
    )
    torch.testing.assert_close(drawn.mean(0), torch.zeros(3), atol=0.006, rtol=0)


def test_gaussian_draws_have_unit_fisher_information() -> None:
    drawn = gaussian_draw(torch.full((200_000, 1), 3.0), torch.Generator().manual_seed(0))
    torch.testing.assert_close(second_moment(drawn), torch.ones(1, 1), atol=0.02, rtol=0)


def test_divergences_against_torch() -> None:
    before, after = torch.randn(2, 8, 5)
    normal = torch.distributions.Normal
    categorical = torch.distributions.Categorical
    kl = torch.distributions.kl_divergence
    assert softmax_divergence(before, after) == pytest.approx(
        float(kl(categorical(logits=before), categorical(logits=after)).mean()), rel=1e-5
    )
    assert gaussian_divergence(before, after) == pytest.approx(
        float(kl(normal(before, 1.0), normal(after, 1.0)).mean()), rel=1e-5
    )


# The algebra of a block.


@settings(max_examples=examples(25), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    inputs=st.integers(1, 5),
    outputs=st.integers(1, 5),
    damping=st.floats(1e-3, 10.0),
)
def test_damped_solution_equals_the_dense_one(
    seed: int, inputs: int, outputs: int, damping: float
) -> None:
    torch.manual_seed(seed)
    a, g = random_factor(inputs), random_factor(outputs)
    gradient = torch.randn(outputs, inputs, dtype=torch.float64)
    dense = torch.kron(a, g) + damping * torch.eye(inputs * outputs, dtype=torch.float64)
    solution = damped_solution(
        tuple(torch.linalg.eigh(a)), tuple(torch.linalg.eigh(g)), gradient, damping
    )
    torch.testing.assert_close(vector(solution), torch.linalg.solve(dense, vector(gradient)))
    torch.testing.assert_close(
        quadratic_form(a, g, gradient), vector(gradient) @ torch.kron(a, g) @ vector(gradient)
    )


def test_step_size_by_hand() -> None:
    assert step_size(8.0, 0.01, 1.0) == pytest.approx(0.05)
    assert step_size(8.0, 0.01, 0.02) == 0.02
    assert step_size(0.0, 0.01, 0.3) == 0.3


# Cases in which the Kronecker factors are the Fisher information.


def test_linear_gaussian_map_steps_along_the_exact_natural_gradient() -> None:
    """One such step of length 1 is the least-squares solution, wherever it starts."""
    torch.manual_seed(2)
    net = linear_network(3, 2)
    # Each input comes four times, with draws whose second moment is exactly the identity.
    inputs = torch.randn(10, 1, 3).repeat(4, 1, 1)
    signs = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    drawn = math.sqrt(2.0) * signs.repeat_interleave(10, 0)[:, None]
    targets = torch.randn(40, 1, 2)
    outputs, maps, _ = unrolled_pass(net, inputs)
    loss = 0.5 * (outputs - targets).square().sum(-1).mean()

    before = weights(net)
    layer = net.layers[-1]
    assert isinstance(layer, torch.nn.Linear)
    gradient = torch.cat(
        [
            g.reshape(2, -1)
            for g in torch.autograd.grad(loss, layer.parameters(), retain_graph=True)
        ],
        1,
    )
    samples = torch.cat([inputs.flatten(0, 1), torch.ones(40, 1)], 1)
    jacobians = [torch.kron(row[None], torch.eye(2)) for row in samples]
    fisher = torch.stack([j.T @ j for j in jacobians]).mean(0)
    natural = torch.linalg.solve(fisher, vector(gradient))

    optimiser().step(outputs, maps, drawn, loss, lambda: 0.0, longest=1.0, renew_bases=True)
    torch.testing.assert_close(vector(before - weights(net)), natural, rtol=1e-3, atol=1e-4)
    solution = np.linalg.lstsq(samples.numpy(), targets[:, 0].numpy(), rcond=None)[0]
    np.testing.assert_allclose(weights(net).T, solution, rtol=1e-3, atol=1e-4)


def softmax_layer() -> tuple[HybridNetwork, Tensor, Tensor]:
    """Return a layer, ten times one input, and actions drawn as often as they are probable."""
    net = linear_network(4, 3)
    p = torch.tensor([0.1, 0.2, 0.7])
    with torch.no_grad():
        net.layers[-1].weight.zero_()
        net.layers[-1].bias.copy_(p.log())
    actions = torch.tensor([0] + [1] * 2 + [2] * 7)
    drawn = p - functional.one_hot(actions, 3).float()
    return net, torch.tensor([0.3, -1.0, 0.5, 2.0]).expand(10, 1, 4), drawn[:, None]


def test_block_of_a_softmax_layer_with_one_input_is_exact() -> None:
    net, inputs, drawn = softmax_layer()
    outputs, maps, _ = unrolled_pass(net, inputs)
    kfac = optimiser()
    kfac.observe(maps, torch.autograd.grad(outputs, [maps[0].outputs], drawn))
    factors = {name: torch.from_numpy(array) for name, array in kfac.tensors().items()}
    jacobian = torch.kron(torch.cat([inputs[0, 0], torch.ones(1)])[None], torch.eye(3))
    p = torch.tensor([0.1, 0.2, 0.7])
    torch.testing.assert_close(
        torch.kron(factors["0.inputs"], factors["0.outputs"]),
        jacobian.T @ (torch.diag(p) - torch.outer(p, p)) @ jacobian,
    )


@pytest.mark.parametrize("delta", [1e-5, 1e-4, 1e-3])
def test_step_of_an_exact_block_diverges_by_the_trust_region(delta: float) -> None:
    net, inputs, drawn = softmax_layer()
    outputs, maps, _ = unrolled_pass(net, inputs)
    before = outputs.detach()
    loss = -outputs.log_softmax(-1)[..., 0].mean()
    kfac = optimiser(trust_region=delta, damping=1e-3)
    kfac.step(outputs, maps, drawn, loss, lambda: 0.0, longest=NO_LIMIT, renew_bases=True)
    with torch.no_grad():
        after, _ = net(inputs)
    # The third-order term is smaller by the square root of delta.
    assert softmax_divergence(before, after) == pytest.approx(delta, rel=3 * delta**0.5)


@pytest.mark.parametrize("excess", [3.0, 10.0])
def test_a_step_that_is_too_long_is_shortened_to_the_trust_region(excess: float) -> None:
    """The divergence of a linear map goes with the square of its step, so that it ends up exact."""
    torch.manual_seed(3)
    net, delta = linear_network(3, 2), 1e-4
    inputs, targets = torch.randn(40, 1, 3), torch.randn(40, 1, 2)
    outputs, maps, _ = unrolled_pass(net, inputs)
    before, old_weights = outputs.detach(), weights(net)
    # Draws too small by a factor make the curvature too small by its square, and the step too
    # long by the factor.
    drawn = torch.randn(40, 1, 2) / excess
    measured: list[float] = []

    def divergence() -> float:
        with torch.no_grad():
            measured.append(gaussian_divergence(before, net(inputs)[0]))
        return measured[-1]

    kfac = optimiser(trust_region=delta)
    loss = 0.5 * (outputs - targets).square().sum(-1).mean()
    kfac.step(outputs, maps, drawn, loss, divergence, longest=NO_LIMIT, renew_bases=True)
    assert measured[0] > 0.3 * excess**2 * delta
    assert divergence() == pytest.approx(delta, rel=1e-3)
    # The averaged step, which the next one goes on with, is the one that was kept.
    kept = torch.from_numpy(kfac.tensors()["0.step"])
    torch.testing.assert_close(weights(net) - old_weights, kept, rtol=1e-3, atol=1e-6)


# Whole networks.


@pytest.mark.parametrize("network", ["hybrid", "mlp", "lstm"])
def test_no_step_leaves_the_trust_region(network: str) -> None:
    """Blocks know nothing of each other, nor days; what is measured is what counts."""
    torch.manual_seed(5)
    net = random_network(network)
    generator = torch.Generator().manual_seed(0)
    kfac = optimiser(trust_region=1e-3, damping=1e-2, momentum=0.5)
    inputs, wanted = torch.randn(12, 20, 4), torch.randint(0, 3, (12, 20, 1))
    losses = []
    for update in range(30):
        outputs, maps, _ = unrolled_pass(net, inputs)
        before = outputs.detach()
        loss = -outputs.log_softmax(-1).gather(-1, wanted).mean()
        kfac.step(
            outputs,
            maps,
            softmax_draw(before, generator),
            loss,
            lambda before=before: softmax_divergence(before, net(inputs)[0]),
            longest=1.0,
            renew_bases=update % 5 == 0,
        )
        # Shortened as if the divergence went with the square of the step, which it nearly does.
        assert 0.0 < softmax_divergence(before, net(inputs)[0]) < 1.2e-3
        losses.append(loss.item())
    assert all(later < earlier for earlier, later in pairwise(losses[::10]))


def test_recurrent_steps_solve_recall_where_others_cannot() -> None:
    """The sign seen on the first of eight days must be told on the last."""

    def share_right(network: str) -> float:
        torch.manual_seed(6)
        net = HybridNetwork(2, 2, network=network, memory_size=8, hidden_sizes=(8,))
        generator = torch.Generator().manual_seed(1)
        kfac = optimiser(trust_region=0.02, damping=1e-2, momentum=0.5)
        right = 0.0
        for update in range(80):
            inputs = torch.randn(8, 64, 2, generator=generator)
            # The first number is the sign on the first day, and 0 on all others.
            signs = torch.randint(0, 2, (64,), generator=generator)
            inputs[..., 0] = 0.0
            inputs[0, :, 0] = 2.0 * signs - 1.0
            outputs, maps, _ = unrolled_pass(net, inputs)
            before = outputs.detach()
            drawn = softmax_draw(before, generator)
            drawn[:-1] = 0.0
            right = float((outputs[-1].argmax(-1) == signs).float().mean())
            kfac.step(
                outputs,
                maps,
                drawn,
                functional.cross_entropy(outputs[-1], signs),
                lambda before=before, seen=inputs: softmax_divergence(before[-1], net(seen)[0][-1]),
                longest=1.0,
                renew_bases=update % 5 == 0,
            )
        return right

    assert share_right("hybrid") == 1.0
    assert share_right("mlp") < 0.75


# What is remembered.


def one_map(samples: Tensor, drawn: Tensor, kfac: KFAC) -> dict[str, np.ndarray]:
    outputs, maps, _ = unrolled_pass(linear_network(1, 1), samples[:, None, None])
    kfac.observe(maps, torch.autograd.grad(outputs, [maps[0].outputs], drawn[:, None, None]))
    return {name: array.copy() for name, array in kfac.tensors().items()}


def test_running_averages_by_hand() -> None:
    kfac = optimiser(factor_decay=0.6)
    first = one_map(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0]), kfac)
    # Means of 1 and 9, of 1 and 3, and of 1 and 4.
    np.testing.assert_allclose(first["0.inputs"], [[5.0, 2.0], [2.0, 1.0]])
    np.testing.assert_allclose(first["0.outputs"], [[2.5]])
    second = one_map(torch.tensor([0.0]), torch.tensor([0.0]), kfac)
    # The first two count alike.
    np.testing.assert_allclose(second["0.inputs"], [[2.5, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(second["0.outputs"], [[1.25]])
    third = one_map(torch.tensor([10.0]), torch.tensor([5.0]), kfac)
    # 1 - 1/3 is more than 0.6.
    np.testing.assert_allclose(third["0.inputs"], [[41.5, 4.6], [4.6, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(third["0.outputs"], [[10.75]], rtol=1e-6)
    assert third["updates"] == 3


def test_momentum_averages_steps() -> None:
    def moves(momentum: float) -> list[float]:
        torch.manual_seed(7)
        net = linear_network(1, 1)
        kfac = optimiser(momentum=momentum, factor_decay=0.0)
        changes = []
        for target in (1.0, -2.0, 4.0):
            before = weights(net)
            outputs, maps, _ = unrolled_pass(net, torch.ones(2, 1, 1))
            # With this loss, the step does not depend on the weights.
            kfac.step(
                outputs,
                maps,
                torch.ones(2, 1, 1),
                target * outputs.mean(),
                lambda: 0.0,
                longest=0.1,
                renew_bases=True,
            )
            changes.append(float((weights(net) - before)[0, 0]))
        return changes

    one, two, three = moves(0.0)
    np.testing.assert_allclose(
        moves(0.75),
        [one / 4, two / 4 + 3 * one / 16, three / 4 + 3 * two / 16 + 9 * one / 64],
        rtol=1e-4,
    )


def test_predictions_that_are_no_numbers_are_an_error() -> None:
    net = linear_network(1, 1)
    outputs, maps, _ = unrolled_pass(net, torch.ones(2, 1, 1))
    with pytest.raises(FloatingPointError, match="update 1"):
        optimiser().step(
            outputs,
            maps,
            torch.ones(2, 1, 1),
            outputs.mean(),
            lambda: float("nan"),
            longest=0.1,
            renew_bases=True,
        )


def test_what_is_saved_goes_on_alike() -> None:
    def go_on(kfac: KFAC, net: HybridNetwork) -> Tensor:
        generator = torch.Generator().manual_seed(9)
        outputs, maps, _ = unrolled_pass(net, torch.randn(5, 4, 4, generator=generator))
        drawn = softmax_draw(outputs.detach(), generator)
        kfac.step(
            outputs,
            maps,
            drawn,
            outputs.square().mean(),
            lambda: 0.0,
            longest=0.1,
            renew_bases=True,
        )
        return net.layers[-1].weight.detach().clone()

    torch.manual_seed(8)
    net = random_network()
    kfac = optimiser(damping=0.1, momentum=0.9)
    go_on(kfac, net)
    copied = random_network()
    copied.load_state_dict(net.state_dict())
    again = optimiser(damping=0.1, momentum=0.9)
    again.restore({name: array.copy() for name, array in kfac.tensors().items()})
    torch.testing.assert_close(go_on(again, copied), go_on(kfac, net), rtol=0, atol=0)
