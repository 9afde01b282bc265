"""Plant deliberate faults in science and learning, and tell whether the tests catch them.

    python scripts/plant_faults.py [NAME ...]

Each fault is a change of one place in a copy of the sources, on which the named test files are
run: first without the fault, when they must pass, and then with it, when one must fail. It ends
with status 1 if a fault survives, and with an error if the place to change is not found. Eleven of
them no test noticed in version 0.1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

_PACKAGES = (".", "agents", "benchmarks")
_COPIED = ("fitgym", "agents", "benchmarks", "tests", "scripts", "docs", "examples")


@dataclass(frozen=True)
class Fault:
    """A fault and the tests that ought to notice.

    Attributes:
        name: What is wrong.
        where: File or folder, relative to the root, that holds the place exactly once.
        pattern: Regular expression of the place.
        replacement: What is put there.
        tests: Names of test files, found anywhere below ``tests/``.
        only: Expression that chooses among their tests, as pytest's ``-k``; all of them if empty.
    """

    name: str
    where: str
    pattern: str
    replacement: str
    tests: tuple[str, ...]
    only: str = ""


FAULTS = (
    Fault(
        "bootstrap interval from 5 to 95 %",
        "fitgym/common/statistics.py",
        r"    tail = 0\.5 \* \(1\.0 - confidence\)\n    low, high",
        "    tail = 1.0 - confidence\n    low, high",
        ("test_statistics.py",),
        "ends or bootstrap",
    ),
    Fault(
        "residuals not centred",
        "fitgym/calibration",
        r"    residuals = residuals - residuals\.mean\(\)\n",
        "",
        ("test_uncertainty.py",),
        "residuals",
    ),
    Fault(
        "blocks of one session",
        "fitgym/calibration",
        r"length = min\(BLOCK_SESSIONS, size // 4\)",
        "length = 1",
        ("test_uncertainty.py",),
        "residuals",
    ),
    Fault(
        "women's load constants dropped",
        "fitgym/model",
        r"_WOMEN if female else _MEN",
        "_MEN",
        ("test_internal_load.py", "test_response.py"),
    ),
    Fault(
        "sign of every normal draw flipped",
        "fitgym/model/noise.py",
        r"1\.0 if (bits & np\.uint64\(_LAYERS\)) else -1\.0",
        r"-1.0 if \1 else 1.0",
        ("test_noise.py",),
    ),
    Fault(
        "retention: stock and session swap their weights",
        "fitgym/model/dynamics.py",
        r"kept \* math\.log1p\(stock / unit\) \+ \(1\.0 - kept\)",
        "(1.0 - kept) * math.log1p(stock / unit) + kept",
        ("test_dynamics.py",),
    ),
    Fault(
        "base level does not fall without training",
        "fitgym/model/dynamics.py",
        r"max\(base_decay \* max\(base_level, intensity\)",
        "max(max(base_level, base_decay * intensity)",
        ("test_dynamics.py",),
    ),
    Fault(
        "oxygen cost of running a hundredth too high",
        "fitgym/model/daniels.py",
        r"= -4\.60, 0\.182258",
        "= -4.60, 0.184080",
        ("test_daniels.py",),
    ),
    Fault(
        "acute workload of eight days",
        "fitgym/model/strain.py",
        r"ACUTE_DAYS = 7",
        "ACUTE_DAYS = 8",
        ("test_strain.py",),
    ),
    Fault(
        "more than was asked for is penalised, too",
        "fitgym/envs/kernel.py",
        r"min\(intensity - plan_trimp, 0\.0\)",
        "-abs(intensity - plan_trimp)",
        ("test_scalar.py", "test_vector_reward.py"),
    ),
    Fault(
        "fatigue responds as fitness does",
        "fitgym/envs/kernel.py",
        r"(fatigue_before,\n +stimulus\(intensity, \w+, \w+), person\.fatigue_exponent\)",
        r"\1, person.fitness_exponent)",
        ("test_scalar.py", "test_version1.py"),
    ),
    Fault(
        "fatigue raises what is tolerated",
        "fitgym/adherence/response.py",
        r"- fatigue_effect \* relative_fatigue",
        "+ fatigue_effect * relative_fatigue",
        ("test_response.py",),
    ),
    Fault(
        "people of training are tested",
        "fitgym/people/splits.py",
        r"tuple\(SPLITS\)\.index\(self\.name\), number",
        "0, number",
        ("test_person_observation.py",),
    ),
    Fault(
        "A3C: entropy is pushed down",
        "agents/fitgym_agents/deep/a3c/losses.py",
        r"gradients\[1, step, action\] = -probability",
        "gradients[1, step, action] = probability",
        ("test_a3c.py",),
    ),
    Fault(
        "advantages go on past the end of an episode",
        "agents/fitgym_agents/deep/returns.py",
        r"_discounted_sums\(surprises, decay \* kept,",
        "_discounted_sums(surprises, decay * discount * torch.ones_like(kept),",
        ("test_returns.py",),
    ),
    Fault(
        "masked actions may be chosen",
        "agents/fitgym_agents/deep/networks.py",
        r"logits\.masked_fill\(~mask, _NEVER\)",
        "logits",
        ("test_networks.py", "test_learner.py", "test_a3c.py"),
    ),
    Fault(
        "trials: probabilities of pushes do not weigh",
        "agents/fitgym_agents/trials/estimators.py",
        r"np\.where\(treatment > 0, centre / likely, \(1\.0 - centre\) / \(1\.0 - likely\)\)",
        "np.ones_like(likely)",
        ("test_estimators.py", "test_sampling.py"),
    ),
    Fault(
        "trials: errors are not clustered by person",
        "agents/fitgym_agents/trials/estimators.py",
        r"scores = \(gram @ corrected\)\[\.\.\., 0\]",
        "scores = 0.5 * (gram @ corrected)[..., 0]",
        ("test_estimators.py", "test_trials.py"),
    ),
    Fault(
        "off-policy: values are not corrected",
        "agents/fitgym_agents/trials/off_policy.py",
        r"values\[:, 0\] \+ \(ratios \* surprises\)\.sum\(axis=1\)",
        "values[:, 0] + surprises.sum(axis=1)",
        ("test_off_policy.py",),
    ),
    Fault(
        "coach: a hard day may follow the next day but one",
        "fitgym/coach/constraints.py",
        r"return constraints\.hard_gap - ago",
        "return constraints.hard_gap - ago - 1",
        ("test_constraints.py",),
    ),
    Fault(
        "ACKTR: trust-region cut without the square root",
        "agents/fitgym_agents/deep/acktr",
        r"math\.sqrt\(self\._trust_region / diverged\)",
        "self._trust_region / diverged",
        ("test_kfac.py", "test_acktr.py"),
    ),
    Fault(
        "ACKTR: step size does not fall",
        "agents/fitgym_agents/deep/acktr",
        r"settings\.learning_rate \* \(1\.0 - self\.timesteps / goal\)",
        "settings.learning_rate",
        ("test_acktr.py",),
    ),
    Fault(
        "DRQN: step size does not fall",
        "agents/fitgym_agents/deep/drqn",
        r"settings\.learning_rate \* \(1\.0 - progress\)",
        "settings.learning_rate",
        ("test_drqn.py",),
    ),
    Fault(
        "DRQN: gradient not clipped",
        "agents/fitgym_agents/deep/drqn",
        r"\n *nn\.utils\.clip_grad_norm_\([^\n]*\)",
        "",
        ("test_drqn.py",),
    ),
    Fault(
        "GAIL: advantages not centred",
        "agents/fitgym_agents/deep/gail",
        r"\(advantages - advantages\.mean\(\)\)",
        "advantages",
        ("test_gail.py",),
    ),
    Fault(
        "return scale without the discount",
        "agents/fitgym_agents/deep/normalisation.py",
        r"\+ discount \* following",
        "+ following",
        ("test_experience.py",),
    ),
)


def place_of(fault: Fault, tree: Path) -> tuple[Path, str]:
    """Return the one file with the place of a fault, and its text with the fault.

    Raises:
        LookupError: If the place is not there exactly once.
    """
    start = tree / fault.where
    files = [start] if start.is_file() else sorted(start.rglob("*.py"))
    found = []
    for path in files:
        text, count = re.subn(fault.pattern, fault.replacement, path.read_text(encoding="utf-8"))
        found += [(path, text)] * count
    if len(found) != 1:
        raise LookupError(
            f"{fault.name!r}: the place must be in {fault.where} once, and it is {len(found)} times"
        )
    return found[0]


def tests_pass(tree: Path, fault: Fault) -> bool:
    """Run a fault's tests in a tree, and return whether all of them pass.

    Raises:
        RuntimeError: If there is none of the files, or they cannot be run.
    """
    files = [path for name in fault.tests for path in sorted((tree / "tests").rglob(name))]
    if not files:
        raise RuntimeError(f"there is no test file {' or '.join(fault.tests)}")
    # Compiled code of other sources must not be found.
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(tree / package) for package in _PACKAGES),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": cache,
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        finished = subprocess.run(
            [*command, "-k", fault.only, *map(str, files)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"{fault.tests} cannot be run:\n{finished.stdout}{finished.stderr}")
    return finished.returncode == 0


def main(names: list[str]) -> int:
    """Plant the faults whose names contain one of the words given, or all of them."""
    chosen = [f for f in FAULTS if not names or any(name in f.name for name in names)]
    if not chosen:
        raise SystemExit(f"no fault is called {names}: {[fault.name for fault in FAULTS]}")
    for fault in chosen:
        place_of(fault, ROOT)
    survived = 0
    sound: dict[tuple[tuple[str, ...], str], bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in _COPIED:
            if (ROOT / name).exists():
                shutil.copytree(
                    ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__")
                )
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, tree / name)
        for fault in chosen:
            chosen_tests = (fault.tests, fault.only)
            if chosen_tests not in sound:
                sound[chosen_tests] = tests_pass(tree, fault)
            if not sound[chosen_tests]:
                raise SystemExit(f"{fault.tests} fail without any fault")
            path, text = place_of(fault, tree)
            before = path.read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")
            caught = not tests_pass(tree, fault)
            path.write_text(before, encoding="utf-8")
            survived += not caught
            print(f"{'caught' if caught else 'SURVIVED'}: {fault.name}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} faults were caught")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
