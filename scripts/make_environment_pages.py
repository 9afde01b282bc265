"""Make the documentation's pages of environments from what the package itself says.

Run from the root of the repository: ``python scripts/make_environment_pages.py``. The text is the
docstring of ``FitnessFatigueEnv``, spaces come from the living environments, arguments from the
registry and scores from ``fitgym/data/reference_scores.json``; a test holds the files to it.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium import spaces

import fitgym  # noqa: F401
from fitgym.common.files import write_text
from fitgym.common.tables import MISSING, markdown_table
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.scores import load_reference_scores, plans_env_id, scored_pairs

TARGET = Path(__file__).parent.parent / "docs" / "environments"
_MADE = "<!-- made by scripts/make_environment_pages.py: change the docstring, not this file -->"

# Environments by the name of their page: what the ids of all versions have in common, and a line.
_PAGES = {
    "acquisition": ("Acquisition", "Ten plans or none a day, while the stocks add up."),
    "retention": ("Retention", "Ten plans or none a day, while the stocks compound."),
    "acquisition-continuous": (
        "AcquisitionContinuous",
        "Acquisition with any number of points as the plan.",
    ),
    "retention-continuous": (
        "RetentionContinuous",
        "Retention with any number of points as the plan.",
    ),
    "acquisition-replay": (
        "AcquisitionReplay",
        "The paper's protocol of acquisition: a runner's log is replayed.",
    ),
    "retention-replay": (
        "RetentionReplay",
        "The paper's protocol of retention: a runner's log is replayed.",
    ),
}
# Sections that each page has; those for everybody stand on the first page alone.
_SHARED = ("Arguments", "Info", "Copies")


def sections() -> dict[str, str]:
    """Return the sections of the environment's docstring by title, as Markdown for a page."""
    text = inspect.getdoc(FitnessFatigueEnv)
    assert text is not None
    _, *parts = re.split(r"^## (.+)\n", text, flags=re.M)
    # Sections of Google's style, as "Args:", end the part that is Markdown.
    bodies = [re.split(r"^\w+:$", body, flags=re.M)[0].strip() for body in parts[1::2]]
    linked = [
        re.sub(r"`docs/([\w-]+)\.md`", r"[docs/\1.md](../\1.md)", _with_space(body))
        for body in bodies
    ]
    return dict(zip(parts[::2], linked, strict=True))


def pages() -> dict[str, str]:
    """Return the Markdown of every page by file name."""
    texts = sections()
    made = {"index.md": _index(texts)}
    for name, (kind, line) in _PAGES.items():
        made[f"{name}.md"] = _page(name, kind, line, texts)
    return made


def env_ids(kind: str) -> list[str]:
    """Return the registered ids of a kind, the newest version first."""
    found = [id_ for id_ in gym.registry if re.fullmatch(rf"fitgym/{kind}-v\d+", id_)]
    return sorted(found, reverse=True)


def _with_space(text: str) -> str:
    """Return Markdown with an empty line before every list and table, as all renderers want it."""
    return re.sub(r"^([^\n| -][^\n]*)\n(- |\| )", r"\1\n\n\2", text, flags=re.M)


def _index(texts: dict[str, str]) -> str:
    rows = []
    for name, (kind, line) in _PAGES.items():
        ids = ", ".join(f"`{env_id}`" for env_id in env_ids(kind))
        rows.append([f"[{kind}]({name}.md)", ids, line])
    shared = [f"## {title}\n\n{texts[title]}" for title in _SHARED]
    return _joined(
        "# Environments",
        _MADE,
        "One class makes all of them, `fitgym.envs.scalar.FitnessFatigueEnv` for `gym.make` and "
        "`fitgym.envs.vector.FitnessFatigueVectorEnv` for `gym.make_vec`. Who is new takes the "
        "newest version; the results of an id never change.",
        markdown_table(["environment", "ids", "what it is"], rows, left=3),
        "Arguments, infos and copies are the same everywhere and stand here; "
        "what is observed, done and rewarded stands on each page.",
        *shared,
    )


def _page(name: str, kind: str, line: str, texts: dict[str, str]) -> str:
    ids = env_ids(kind)
    newest: Any = gym.make(ids[0], disable_env_checker=True).unwrapped
    title = ids[0].removeprefix("fitgym/").rpartition("-")[0]
    alt = (
        f"A season in {ids[0]}, day by day: sessions planned and done, performance, fitness, "
        "fatigue and base level"
    )
    picture = (
        "<picture>\n"
        f'<source srcset="../figures/{name}.png" media="(prefers-reduced-motion: reduce)">\n'
        f'<img src="../figures/{name}.webp" width="800" height="600" loading="lazy" alt="{alt}">\n'
        "</picture>"
    )
    body = [f"# {title}", _MADE, line, picture]
    body.append(
        f'```python\nimport gymnasium as gym\nimport fitgym\n\nenv = gym.make("{ids[0]}")\n```'
    )
    body += ["## Spaces and arguments", _facts(ids, newest)]
    body += ["### Observations", _observed(newest, texts["Observation Space"])]
    body += ["### Actions", _done(newest)]
    body += ["### Registered arguments", _registered(ids)]
    body += ["## Reference scores", _scores(ids)]
    for title, text in texts.items():
        if title not in _SHARED:
            body += [f"## {title}", text]
    body.append("[Arguments, infos and copies](index.md) are the same in every environment.")
    return _joined(*body)


def _facts(ids: list[str], newest: Any) -> str:
    rows = [
        ["ids", ", ".join(f"`{env_id}`" for env_id in ids)],
        ["action space", f"`{_short(newest.action_space)}`"],
        ["observation space", f"`{_short(newest.observation_space)}`"],
        ["length of an episode", f"{newest.task.days} days"],
        ["person, unless told", f"`{newest.individual.name}`"],
    ]
    return markdown_table([f"of `{ids[0]}`", ""], rows, left=2)


def _short(space: Any) -> str:
    """Return a space in a line; bounds of boxes of several numbers stand in a table."""
    if isinstance(space, spaces.Box) and space.shape != (1,):
        return f"Box({space.shape}, {space.dtype})"
    return str(space)


def _observed(environment: Any, text: str) -> str:
    """Return a row per number observed, with its bounds in the living environment."""
    told = re.findall(
        r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", text, re.M
    )
    low, high = environment.observation_space.low, environment.observation_space.high
    names = told[: len(low)]
    assert [int(index) for index, *_ in names] == list(range(len(low)))
    rows = [
        [index, name, symbol, unit, f"{low[int(index)]:g}", f"{high[int(index)]:g}"]
        for index, name, symbol, unit in names
    ]
    return markdown_table(["index", "observation", "symbol", "unit", "low", "high"], rows, left=4)


def _done(environment: Any) -> str:
    """Return what the actions mean for the person of the environment."""
    points = environment.individual.plans_trimp
    if not isinstance(environment.action_space, spaces.Discrete):
        return (
            f"-1 to 1 is 0 to {points[-1]:g} points; below {points[0] / 2:g} points there is no "
            "plan."
        )
    rows = [["0", "no plan"], *([str(n), f"{one:g}"] for n, one in enumerate(points, start=1))]
    return markdown_table(["action", "points of the plan"], rows, left=1)


def _registered(ids: list[str]) -> str:
    """Return the arguments of each version, a column per id."""
    given = [gym.spec(env_id).kwargs for env_id in ids]
    names = list(dict.fromkeys(name for arguments in given for name in arguments))
    rows = [
        [f"`{name}`", *(f"`{one[name]!r}`" if name in one else MISSING for one in given)]
        for name in names
    ]
    return markdown_table(["argument", *(f"`{env_id}`" for env_id in ids)], rows, left=1 + len(ids))


def _scores(ids: list[str]) -> str:
    """Return the means of the references, a table per id."""
    parts = []
    for env_id in ids:
        people = [person for one, person in scored_pairs() if one == plans_env_id(env_id)]
        scores = {person: load_reference_scores(env_id, person) for person in people}
        names = list(next(iter(scores.values())).references)
        rows = []
        for person, one in scores.items():
            cells = [
                f"{score.mean:.1f} ± {score.half_width:.1f}" for score in one.references.values()
            ]
            rows.append([person, *cells])
        parts.append(f"`{env_id}`:\n\n" + markdown_table(["individual", *names], rows))
    first = next(iter(scores.values()))
    continuous = plans_env_id(ids[0]) != ids[0]
    note = (
        f"Mean returns with 95 % intervals of {first.episodes:,} seasons from seed {first.seed:,}, "
        "made by `fitgym scores`; [The dynamic-programming reference](../dynamic-programming.md) "
        "says what each of them is."
    )
    if continuous:
        note += " They choose among the ten plans; any number of points may earn more."
    return "\n\n".join([note, *parts])


def _joined(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        write_text(TARGET / name, text)
        print(f"wrote {TARGET / name}")


if __name__ == "__main__":
    main()
