"""``fitgym``: each command on tiny budgets, and its errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fitgym.cli.main import main
from fitgym_agents import registry
from fitgym_agents.agent import LearningError
from fitgym_agents.cli.train import _folder_name
from fitgym_agents.evaluation import evaluate, paired_difference
from fitgym_agents.files import load_agent
from fitgym_agents.references.simple import CoachRule, FixedPlan
from fitgym_agents.registry import BUILT_IN, find_agent
from fitgym_agents.scores import share_of_ceiling
from fitgym_agents.training import Training, read_curve, read_record
from fitgym_agents.watching import write_video

ENV = "fitgym/Acquisition-v0"
REPLAY = "fitgym/AcquisitionReplay-v0"
SHORT = ["--env", "days=6"]
SMALL = {"environments": 4, "steps": 6, "minibatch": 24, "hidden_sizes": [8]}
SMALL_PPO = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_list_shows_every_agent_and_configuration(monkeypatch, capsys) -> None:
    monkeypatch.setattr("fitgym_agents.cli.list.plugins", lambda: {"mine": "my_package:Mine"})
    assert main(["list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    first = [line[0] for line in lines if line]
    assert set(BUILT_IN) <= set(first)
    assert ["mine", "my_package:Mine"] in lines
    assert ["ppo", ENV, "300,000", "defaults"] in lines
    learners = first[first.index("agents") : first.index("coach")]
    assert {"ppo", "dqn", "a2c", "recurrent-ppo"} <= set(learners)


def test_list_imports_no_learner() -> None:
    code = (
        "import sys; from fitgym.cli.main import main; main(['list'])\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)


def test_plugins_leave_built_in_names_alone(monkeypatch) -> None:
    entries = [
        EntryPoint(name=name, value="my_package:Mine", group="fitgym.agents")
        for name in ("mine", "ppo")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    assert registry.plugins() == {"mine": "my_package:Mine"}


def test_train_saves_evaluates_and_learns_on(capsys) -> None:
    command = ["train", "ppo", ENV, *SHORT, *SMALL_PPO, "--out", "mine", "--episodes", "3"]
    assert main([*command, "--steps", "48"]) == 0
    output = capsys.readouterr().out
    assert f"PPO in {ENV}, 48 steps, saved in mine" in output
    record = read_record("mine")
    assert record["training"]["env_kwargs"] == {"days": 6}
    assert record["training"]["configuration"]["hidden_sizes"] == [8]
    assert record["sessions"][0]["command"].startswith("fitgym train ppo fitgym/Acq")
    agent = load_agent("mine")
    assert agent.settings.hidden_sizes == (8,)
    mean = evaluate(agent, ENV, episodes=3, env_kwargs={"days": 6}).mean
    assert record["evaluation"]["mean_return"]["mean"] == mean
    assert f"mean return {mean:,.1f} (95% interval" in output
    assert read_curve("mine") == tuple(agent.learning_curve)

    assert main([*command, "--steps", "96"]) == 0
    record = read_record("mine")
    assert [session["from_timesteps"] for session in record["sessions"]] == [0, 48]
    assert load_agent("mine").timesteps == record["timesteps"] == 96


def test_train_takes_steps_and_settings_from_a_file_and_words_before_them(capsys) -> None:
    Path("mine.yaml").write_text(
        f"{ENV}:\n  total_timesteps: 24\n"
        "  configuration: {environments: 4, steps: 6, minibatch: 24, discount: 0.9, epochs: 2}\n"
    )
    words = ["--config", "mine.yaml", "--set", "epochs=1", "--episodes", "2"]
    assert main(["train", "ppo", ENV, *SHORT, *words]) == 0
    (folder,) = Path("results/agents").iterdir()
    assert folder.name == "ppo-Acquisition-v0-seed0"
    settings = load_agent(folder).settings
    assert (settings.discount, settings.epochs) == (0.9, 1)
    assert read_record(folder)["timesteps"] == 24


def test_a_file_of_an_individual_is_written_into_the_agent(tmp_path, replay, capsys) -> None:
    person = {**replay["individual"], "name": "somebody"}
    Path("somebody.json").write_text(json.dumps(person))
    words = ["--individual", "somebody.json", "--steps", "10", "--episodes", "2", *SHORT]
    assert main(["train", "counting_learner:Counting", REPLAY, *words]) == 0
    folder = Path("results/agents/Counting-AcquisitionReplay-v0-somebody-seed0")
    training = read_record(folder)["training"]
    assert training["env_kwargs"]["individual"]["name"] == "somebody"
    # Trained on the first part of the log, evaluated on the rest.
    assert training["env_kwargs"]["log_part"] == "train"
    assert read_record(folder)["evaluation"]["env_kwargs"]["log_part"] == "test"


def test_ctrl_c_saves_and_tells_how_to_go_on(capsys) -> None:
    command = ["train", "counting_learner:Counting", ENV, *SHORT, "--steps", "40"]
    command += ["--set", "stop_at=20", "--out", "mine", "--episodes", "2"]
    assert main(command) == 130
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-2:] == [
        "saved in mine after 20 steps; the same command goes on from there",
        "stopped",
    ]
    assert load_agent("mine").timesteps == 20
    assert main(command) == 0
    assert load_agent("mine").timesteps == 40


@pytest.mark.parametrize("moment", ["create", "save", "learn"])
def test_ctrl_c_before_anything_is_learnt_does_not_say_saved(monkeypatch, capsys, moment) -> None:
    def stop(*arguments, **keywords):
        raise KeyboardInterrupt

    command = ["train", "counting_learner:Counting", ENV, *SHORT, "--steps", "40", "--out", "mine"]
    with monkeypatch.context() as patch:
        patch.setattr(find_agent("counting_learner:Counting"), moment, stop)
        assert main(command) == 130
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-2:] == [
        "nothing was learnt yet; the same command starts anew",
        "stopped",
    ]
    assert main([*command, "--episodes", "2"]) == 0


def test_fewer_steps_than_a_folder_holds_are_an_error(capsys) -> None:
    command = ["train", "counting_learner:Counting", ENV, *SHORT, "--out", "mine"]
    assert main([*command, "--episodes", "2", "--steps", "4096"]) == 0
    assert main([*command, "--episodes", "2", "--steps", "100"]) == 2
    assert capsys.readouterr().err == (
        "fitgym train: error: mine holds an agent trained for 4,100 steps, more than the 100 asked "
        "for: give another folder (--out) or at least 4100 steps (--steps)\n"
    )


def test_a_training_on_a_split_of_the_population_has_a_folder_of_its_own(capsys) -> None:
    words = ["train", "counting_learner:Counting", "fitgym/Acquisition-v1", "--steps", "10"]
    words += ["--individual", "population:train", "--env", "days=5", "--episodes", "2"]
    assert main(words) == 0
    (folder,) = Path("results/agents").iterdir()
    assert folder.name == "Counting-Acquisition-v1-population-train-seed0"
    record = json.loads((folder / "training.json").read_text())
    assert record["training"]["env_kwargs"]["individual"] == "population:train"


def test_a_name_does_not_lead_out_of_the_results(replay, capsys) -> None:
    training = Training(
        agent="ppo", env_id=ENV, env_kwargs={"individual": {"name": "x/../../evil"}}
    )
    with pytest.raises(ValueError, match=r"name .*got 'ppo-Acquisition-v0-x/\.\./\.\./evil-seed0'"):
        _folder_name(training)
    person = json.dumps({**replay["individual"], "name": "x/../../evil"})
    Path("evil.json").write_text(person)
    words = ["train", "counting_learner:Counting", ENV, *SHORT, "--steps", "10"]
    assert main([*words, "--individual", "evil.json"]) == 2
    assert "name must be 1 to 64 letters" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["evil.json"]


def test_tensorboard_scalars_are_written_when_asked_for(capsys) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    command = ["train", "counting_learner:Counting", ENV, *SHORT, "--steps", "30"]
    assert main([*command, "--out", "mine", "--episodes", "2", "--tensorboard"]) == 0
    events = accumulator.EventAccumulator("mine/tensorboard").Reload()
    points = [(event.step, event.value) for event in events.Scalars("mean_return")]
    assert points == [(10, 10.0), (20, 20.0), (30, 30.0)]
    assert len(events.Scalars("steps_per_second")) == 3


def test_without_tensorboard_the_flag_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    command = ["train", "counting_learner:Counting", ENV, "--steps", "30", "--tensorboard"]
    assert main(command) == 2
    assert "pip install 'fitgym[tensorboard]'" in capsys.readouterr().err
    assert not Path("results").exists()


def test_evaluate_prints_the_protocol_and_paired_differences(capsys) -> None:
    CoachRule(hard_plan=9).save("saved")
    words = ["evaluate", "saved", ENV, *SHORT, "--episodes", "5", "--seed", "77"]
    words += ["--against", "fixed,plan=3"]
    settings = {"episodes": 5, "seed": 77, "env_kwargs": {"days": 6}}
    coach = evaluate(CoachRule(hard_plan=9), ENV, **settings)
    fixed = evaluate(FixedPlan(3), ENV, **settings)
    difference = paired_difference(coach, fixed)

    assert main([*words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [agent["agent"] for agent in content["agents"]] == ["coach", "fixed plan 3"]
    assert content["agents"][0]["mean_return"]["mean"] == coach.mean
    assert content["agents"][0]["completion_rate"] == coach.completion_rate
    assert content["agents"][1]["weekly_load"] == fixed.weekly_load.mean()
    assert content["differences"][0]["mean"] == difference.mean

    assert main(words) == 0
    output = capsys.readouterr().out
    assert f"{coach.mean:,.1f}" in output
    assert f"coach less fixed plan 3: {difference.mean:+,.1f} (" in output


def test_two_agents_of_one_name_are_told_apart_by_what_was_typed(capsys) -> None:
    words = ["evaluate", "coach", ENV, *SHORT, "--episodes", "2", "--against", "coach,hard_plan=8"]
    assert main(words) == 0
    assert "coach less coach,hard_plan=8: " in capsys.readouterr().out


def test_a_new_learner_is_evaluated_with_a_note(capsys) -> None:
    words = ["evaluate", "counting_learner:Counting", ENV, *SHORT, "--episodes", "2"]
    assert main(words) == 0
    assert "has learnt nothing" in capsys.readouterr().err


def test_watch_prints_the_season_that_evaluate_has(capsys) -> None:
    assert main(["watch", "coach", ENV, *SHORT, "--seed", "7"]) == 0
    *season, last = capsys.readouterr().out.splitlines()
    evaluation = evaluate(CoachRule(), ENV, episodes=1, seed=7, env_kwargs={"days": 6})
    assert len(season) == 2 + 6
    assert [int(line.split()[1]) for line in season[2:]] == evaluation.actions[0].tolist()
    assert last == f"coach in {ENV}, seed 7: return {evaluation.mean:,.1f}"
    assert main(["watch", "coach", ENV, *SHORT, "--seed", "7", "--out", "season.txt"]) == 0
    assert Path("season.txt").read_text().splitlines() == season


def test_watch_draws_the_whole_season(capsys) -> None:
    assert main(["watch", "coach", ENV, *SHORT, "--as", "png"]) == 0
    with Image.open("results/episode.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (960, 720))
        pixels = np.asarray(picture)
    assert main(["watch", "coach", ENV, *SHORT, "--as", "video", "--out", "mine.gif"]) == 0
    with Image.open("mine.gif") as video:
        # The start and six days, of which the last is the picture.
        assert video.n_frames == 7
        video.seek(6)
        last = np.asarray(video.convert("RGB"))
    # A GIF has 256 colours.
    assert np.abs(last.astype(int) - pixels).mean() < 2
    assert "wrote mine.gif" in capsys.readouterr().out


def test_a_video_that_cannot_be_written_is_told_before_the_episode(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr("fitgym_agents.cli.watch.play", None)
    assert main(["watch", "coach", ENV, *SHORT, "--as", "video", "--out", "mine.mp4"]) == 2
    assert "pip install 'fitgym[video]'" in capsys.readouterr().err


def test_a_video_holds_its_frames_in_order(tmp_path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    import imageio.v3

    levels = [0, 80, 160, 240]
    frames = [np.full((32, 48, 3), level, dtype=np.uint8) for level in levels]
    write_video(frames, tmp_path / "a.mp4")
    seen = imageio.v3.imread(tmp_path / "a.mp4", plugin="FFMPEG")
    assert seen.shape == (4 + 17, 32, 48, 3)
    np.testing.assert_allclose(seen[:4].mean(axis=(1, 2, 3)), levels, atol=4)
    np.testing.assert_allclose(seen[4:].mean(axis=(1, 2, 3)), levels[-1], atol=4)


def test_without_ffmpeg_an_mp4_says_what_to_install(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ValueError, match=r"pip install 'fitgym\[video\]'"):
        write_video([np.zeros((32, 32, 3), np.uint8)], tmp_path / "a.mp4")


HUGE = "1" + 30 * "0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "ppo", ENV, "--set", "speed=1"], "--set: PPOConfiguration has unknown keys"),
        (["train", "ppo", ENV, "--set", "speed"], "--set must be NAME=VALUE, got 'speed'"),
        (["train", "ppo", ENV, "--set", "steps=5", "--set", "steps=6"], "--set gives steps twice"),
        (["train", "ppo", ENV, "--config", "none.yaml"], "none.yaml"),
        (["train", "ppo", ENV, "--steps", "0"], "--steps must be an integer of at least 1 and at"),
        (["train", "ppo", ENV, "--steps", HUGE], "--steps must be an integer of at least 1 and at"),
        (["train", "ppo", ENV, "--seed", HUGE], "--seed must be an integer of at least 0 and at"),
        (["evaluate", "coach", ENV, "--seed", HUGE], "--seed must be an integer"),
        (["evaluate", "coach", ENV, "--episodes", HUGE], "--episodes must be an integer"),
        (["watch", "coach", ENV, "--seed", HUGE], "--seed must be an integer"),
        (["record", ENV, "--episodes", HUGE], "--episodes must be an integer"),
        (["record", ENV, "--seed", HUGE], "--seed must be an integer"),
        (["evaluate", "", ENV], "agent must be one of"),
        (["train", "ppo", ENV, "--seed", "-1"], "--seed must be an integer"),
        (["train", "coach", ENV, "--steps", "9"], "agent 'coach' does not learn"),
        (["train", "random", ENV], "agent 'random' does not learn"),
        (["train", "counting_learner:Counting", ENV], "give --steps"),
        (["train", "nobody", ENV], "agent must be one of"),
        (["train", "ppo", "fitgym/AcquisitionContinuous-v0", "--steps", "9"], "continuous"),
        (["evaluate", "coach", "fitgym/AcquisitionContinuous-v0"], "continuous"),
        (["evaluate", "coach", "fitgym/Nowhere-v0"], "ENV_ID must be a registered environment"),
        (["evaluate", "coach", "nowhere:Env-v0"], "ENV_ID must be a registered environment"),
        (["evaluate", "coach", "CartPole-v1"], "must name an environment of fitgym"),
        (["evaluate", "coach", ENV, "--individual", "nobody"], "individual must be one of"),
        (["evaluate", "coach", ENV, "--individual", "no.json"], "no.json"),
        (["evaluate", "coach", ENV, "--env", "colour=red"], "colour"),
        (["evaluate", "coach,speed=1", ENV], "speed"),
        (["evaluate", "coach", ENV, "--episodes", "0"], "episodes must be"),
        (["evaluate", ".", ENV], "holds no saved agent"),
        (["watch", "coach", ENV, "--seed", "-1"], "seed must be"),
        (["watch", "coach", ENV, "--as", "png", "--out", "a.gif"], "--out must end in .png"),
        (["watch", "coach", ENV, "--as", "video", "--out", "a.avi"], ".gif or .mp4"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(words, message, capsys) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"fitgym {words[0]}: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not list(Path().iterdir())


def test_learning_that_breaks_off_is_one_line_and_exit_1(monkeypatch, capsys) -> None:
    def learn(self, total_timesteps, *, progress=None):
        raise LearningError("a worker was killed")

    monkeypatch.setattr(find_agent("counting_learner:Counting"), "learn", learn)
    assert main(["train", "counting_learner:Counting", ENV, "--steps", "9"]) == 1
    assert capsys.readouterr().err.endswith("fitgym train: error: a worker was killed\n")


def test_an_unknown_key_in_a_file_names_file_and_key(capsys) -> None:
    Path("mine.yaml").write_text(f"{ENV}: {{total_timesteps: 9, configuration: {{speed: 1}}}}\n")
    assert main(["train", "ppo", ENV, "--config", "mine.yaml"]) == 2
    assert f"mine.yaml: {ENV}: configuration: PPOConfiguration has unknown keys ['speed']" in (
        capsys.readouterr().err
    )


def test_the_module_runs() -> None:
    words = [sys.executable, "-m", "fitgym", "evaluate", "nobody", ENV]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "agent must be one of" in done.stderr


def test_the_share_is_known_for_default_arguments_alone(monkeypatch) -> None:
    class Scores:
        @staticmethod
        def share(mean_return):
            return mean_return / 100

    asked = []

    def load(env_id, individual):
        asked.append((env_id, individual))
        if individual == "nobody":
            raise ValueError("there are none")
        return Scores

    monkeypatch.setattr("fitgym_agents.scores.load_reference_scores", load)
    assert share_of_ceiling(ENV, {}, 50.0) == 0.5
    assert share_of_ceiling(ENV, {"individual": "sedentary-beginner"}, 80.0) == 0.8
    assert share_of_ceiling(ENV, {"individual": "nobody"}, 50.0) is None
    assert asked == [(ENV, None), (ENV, "sedentary-beginner"), (ENV, "nobody")]
    for other in ({"days": 30}, {"individual": "marathon-runner", "days": 30}, {"individual": {}}):
        assert share_of_ceiling(ENV, other, 50.0) is None
    assert len(asked) == 3
    # What is observed changes neither end.
    assert share_of_ceiling(ENV, {"observation": "person", "cost": True}, 50.0) == 0.5


def test_an_empty_name_is_not_the_agent_of_the_working_directory(tmp_path, monkeypatch, capsys):
    FixedPlan(1).save(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", ".", ENV, "--episodes", "1"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "", ENV, "--episodes", "1"]) == 2
    assert "agent must be one of" in capsys.readouterr().err


def test_a_folder_called_like_a_built_in_agent_is_told_of(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["evaluate", "coach", ENV, "--episodes", "1"]
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    FixedPlan(1).save(tmp_path / "coach")
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.err == "note: coach is the agent saved in the folder coach here\n"
    assert "fixed plan 1" in captured.out


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("train", "ppo", ENV, "--out"), ""),
        (("train", "ppo", ENV, "--out"), "file"),
        (("train", "ppo", ENV, "--config"), ""),
        (("record", ENV, "--out"), "folder"),
        (("record", ENV, "--out"), "file/below"),
        (("watch", "coach", ENV, "--out"), ""),
        (("watch", "coach", ENV, "--as", "png", "--out"), "folder.png"),
    ],
)
def test_paths_are_checked_before_any_work(words, value, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for name in ("folder", "folder.png"):
        (tmp_path / name).mkdir()
    with pytest.raises(SystemExit) as caught:
        main([*words, value])
    assert caught.value.code == 2
    assert f"argument {words[-1]}: must be a" in capsys.readouterr().err
