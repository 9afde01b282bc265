"""Whatever is done to a file that was written, it is read as something sound or refused clearly.

Every kind of file that one command leaves for another is made once. Then bytes are changed, cut out
and put in, and values of JSON are exchanged for others of any type: the reader must return what can
be used, or raise an error of the kind that commands show as one line.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitgym.cli.main import main
from fitgym.coach.diary import Diary, read_diary
from fitgym.coach.summary import done_rows
from fitgym.people.individual import load_individual
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.fitrec2.inference import load_body_predictor
from fitgym.predictor.fitrec2.recipe import SHIPPED_RECIPE, read_recipe
from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS
from fitgym.predictor.sessions import Session
from fitgym.profile import read_profile
from fitgym.profile.page import profile_page
from fitgym.profile.plans import read_plans
from fitgym.profile.summary import profile_text
from fitgym_agents.configuration_files import read_configurations
from fitgym_agents.deep.gail.demonstrations import Demonstrations
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import shipped_folder
from fitgym_agents.training import read_curve, read_record
from fitgym_benchmarks.results import execute, read_result
from fitgym_benchmarks.runs import Run

LOG = Path(__file__).parent / "logs" / "cases" / "a01_runs_only.csv"
ENV = "fitgym/Acquisition-v1"
# What ``fitgym.cli.main`` shows as one line.
CLEAR = (ValueError, TypeError, OSError)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 3, 1e308, -1e308, 10**30, float("nan"), float("inf"), 0.5),
    *("", "x", "1", "2026-02-30", "../../x", "\0", "ä" * 300, [], [[]], {}, [1, "a"], {"x": 1}),
)


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        folder: Holds a sound one with what belongs to it.
        name: The file that is damaged.
        use: Reads it in a folder and checks that it can be used.
    """

    folder: Path
    name: str
    use: Callable[[Path], None]


def _use_agent(folder: Path) -> None:
    agent = load_agent(folder)
    actions, _ = agent.predict(np.ones((2, 6), dtype=np.float32))
    assert np.isin(actions, np.arange(11)).all()


def _use_individual(path: Path) -> None:
    person = load_individual(path)
    # It can be written and read again.
    assert load_individual(type(person).from_dict(person.to_dict())) == person


def _use_predictor(path: Path) -> None:
    (beats,) = load_body_predictor(path).predict(
        [Session(np.full(20, 3.0), np.zeros(20))], [None], [Attributes()]
    )
    assert np.isfinite(beats).all()


def _use_demonstrations(path: Path) -> None:
    shown = Demonstrations.load(path)
    assert np.isfinite(shown.observations).all()


def _use_result(folder: Path) -> None:
    assert np.isfinite(read_result(folder).evaluation.mean)


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    """Return every kind of file, made by the command or function that makes it."""
    root = tmp_path_factory.mktemp("sound")

    def folder(name: str) -> Path:
        path = root / name
        path.mkdir()
        return path

    found: dict[str, Kind] = {}

    def kind(name: str, file: str, use: Callable[[Path], None], *, whole: bool = False) -> None:
        """Add a kind that is read by its file's path or, where ``whole``, by its folder's."""
        found[name] = Kind(root / name, file, use if whole else lambda place: use(place / file))

    shutil.copytree(shipped_folder() / "a2c" / "Acquisition-v1", root / "agent")
    kind("agent", "agent.json", _use_agent, whole=True)
    weights = next((root / "agent").glob("*.safetensors")).name
    shutil.copytree(root / "agent", root / "weights")
    kind("weights", weights, _use_agent, whole=True)
    load_individual("club-runner").to_file(folder("individual") / "me.json")
    kind("individual", "me.json", _use_individual)
    person = folder("profile") / "me.json"
    assert main(["profile", str(LOG), "--today", "2023-08-28", "--out", str(person)]) == 0
    kind("profile", "me.json", _use_profile)
    shutil.copytree(root / "profile", root / "diary")
    diary = root / "diary" / "me.coach.json"
    words = ["coach", str(root / "diary" / "me.json"), "--today", "2023-08-29", "--days", "28"]
    assert main([*words, "--diary", str(diary)]) == 0
    kind("diary", diary.name, _use_diary)
    shutil.copy(SHIPPED_RECIPE, folder("recipe") / "recipe.json")
    kind("recipe", "recipe.json", lambda path: str(read_recipe(path)) and None)
    for name, suffix in (("predictor card", ".json"), ("predictor weights", ".safetensors")):
        for part in (".json", ".safetensors"):
            place = root / name
            place.mkdir(exist_ok=True)
            shutil.copy(SHIPPED_WEIGHTS.with_suffix(part), place / f"fitrec2{part}")
        found[name] = Kind(
            root / name,
            f"fitrec2{suffix}",
            lambda place: _use_predictor(place / "fitrec2.safetensors"),
        )
    words = ["record", ENV, "--agent", "coach", "--episodes", "2"]
    assert main([*words, "--out", str(folder("demonstrations") / "shown.safetensors")]) == 0
    kind("demonstrations", "shown.safetensors", _use_demonstrations)
    words = ["train", "a2c", ENV, "--steps", "40000", "--episodes", "2", "--out"]
    assert main([*words, str(root / "training")]) == 0
    kind("training", "training.json", lambda place: str(read_record(place)) and None, whole=True)
    shutil.copytree(root / "training", root / "curve")
    kind("curve", "learning_curve.csv", _use_curve, whole=True)
    run = Run(agent="fixed", environment=ENV, configuration={"plan": 3}, episodes=2)
    execute(run, folder("result"), lambda steps: None)
    kind("result", "result.json", _use_result, whole=True)
    (folder("configuration") / "c.yaml").write_text(
        f"{ENV}:\n  total_timesteps: 1000\n  configuration:\n    steps: 16\n", encoding="utf-8"
    )
    kind("configuration", "c.yaml", lambda path: str(read_configurations(path)) and None)
    plans = {"vdot": 41, "grid_trimp": [5, 12, 20], "plans": {"2026-01-05": 12, "2026-01-06": 0}}
    (folder("plans") / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    kind("plans", "plans.json", lambda path: str(read_plans(path)) and None)
    return found


def _use_profile(path: Path) -> None:
    profile = read_profile(path)
    assert profile.individual.name in profile_text(profile)
    assert profile_page(profile).endswith("</html>\n")


def _use_diary(path: Path) -> None:
    diary = read_diary(path)
    assert diary is not None
    assert Diary.from_dict(diary.to_dict()) == diary
    done_rows(diary, date(2023, 9, 30))


def _use_curve(folder: Path) -> None:
    assert all(np.isfinite(value) for _, value in read_curve(folder))


NAMES = (
    *("agent", "weights", "individual", "profile", "diary", "recipe", "predictor card"),
    *("predictor weights", "demonstrations", "training", "curve", "result", "configuration"),
    "plans",
)
JSON = (
    *("agent", "individual", "profile", "diary", "recipe", "predictor card", "training", "result"),
    "plans",
)


def _try(kind: Kind, content: bytes, place: Path) -> None:
    """Put a damaged file beside what belongs to it, and use it."""
    folder = place / "tried"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kind.folder, folder)
    (folder / kind.name).write_bytes(content)
    try:
        kind.use(folder)
    except CLEAR as error:
        assert len(str(error)) > 10
        assert len(str(error)) < 2000


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_sound(kinds: dict[str, Kind], name: str) -> None:
    kinds[name].use(kinds[name].folder)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_changed_bytes_are_read_or_refused(
    kinds: dict[str, Kind], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    kind = kinds[name]
    content = bytearray((kind.folder / kind.name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        # Most of what can go wrong stands at the beginning.
        limit = data.draw(st.sampled_from((64, 1024, len(content))))
        at = data.draw(st.integers(0, max(min(limit, len(content)) - 1, 0)))
        what = data.draw(st.sampled_from(("flip", "cut", "out", "in")))
        if what == "flip" and content:
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif what == "cut":
            del content[at:]
        elif what == "out":
            del content[at : at + data.draw(st.integers(1, 40))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=12))
    _try(kind, bytes(content), tmp_path)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values of a JSON document, the first few of every list."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:3]):
            found += _places(inner, (*path, number))
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", JSON)
@given(data=st.data())
@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_exchanged_values_are_read_or_refused(
    kinds: dict[str, Kind], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    kind = kinds[name]
    document = copy.deepcopy(json.loads((kind.folder / kind.name).read_bytes()))
    place = data.draw(st.sampled_from(_places(document)[1:]))
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    what = data.draw(st.sampled_from(("exchange", "leave out", "add")))
    if what == "exchange":
        holder[place[-1]] = data.draw(st.sampled_from(VALUES))
    elif what == "leave out":
        del holder[place[-1]]
    elif isinstance(holder, dict):
        holder["unknown"] = data.draw(st.sampled_from(VALUES))
    else:
        holder.append(data.draw(st.sampled_from(VALUES)))
    _try(kind, json.dumps(document).encode(), tmp_path)
