"""The season's page lives the same seasons as Python, asks for nothing, and works on a phone."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.people.runners import RUNNERS
from fitgym_agents.evaluation import evaluate
from fitgym_agents.pretrained import load_pretrained
from fitgym_agents.registry import find_agent
from fitgym_agents.season.content import season_content
from fitgym_agents.season.kernel import kernel_sources_hash, read_kernel
from fitgym_agents.season.page import season_page
from fitgym_agents.season.plans import DAYS, PLANNED, SEASONS, STAGES, plans_key, read_plans

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

EACH = 125  # seasons of each person and stage: a thousand in all
_CATCH = (
    "<script>window.errors = []; addEventListener('error', (e) => errors.push(String(e.message)), "
    "true); addEventListener('unhandledrejection', (e) => errors.push(String(e.reason)));</script>"
)
# Lives through seasons and writes what came out of each day.
_LIVE = """<script>
season.started.then((engine) => {
  const found = [];
  for (const [person, stage, number, plans] of CASES)
    for (const day of season.live(engine, person, stage, number, plans))
      for (const name of CONTENT.outcome) found.push(day[name]);
  const bytes = new Uint8Array(Float64Array.from(found).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 3 << 12)
    text += btoa(String.fromCharCode(...bytes.subarray(i, i + (3 << 12))));
  const pre = document.createElement("pre");
  pre.id = "told";
  pre.textContent = text;
  document.body.append(pre);
});
</script>"""
_PLANS = """<script>
season.started.then((engine) => {
  const pre = document.createElement("pre");
  pre.id = "told";
  pre.textContent = JSON.stringify(CASES.map((one) => season.plansOf(engine, ...one)));
  document.body.append(pre);
});
</script>"""
_USE = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.createElement("iframe");
frame.style.cssText = "border:0;width:390px;height:844px";
frame.srcdoc = PAGE;
frame.addEventListener("load", async () => {
  const view = frame.contentWindow, page = frame.contentDocument;
  await view.season.started;
  const find = (id) => page.getElementById(id);
  const told = { tiles: {}, bars: {} };
  const lanes = [...page.querySelectorAll(".lane")];
  const choose = (lane, name) => {
    const select = lanes[lane].querySelector("select");
    select.value = name;
    select.dispatchEvent(new view.Event("change"));
  };
  const go = (day) => {
    find("day").value = day;
    find("day").dispatchEvent(new view.Event("input"));
  };
  choose(0, "none");
  for (const option of [...lanes[1].querySelector("select").options].map((one) => one.value)) {
    if (option === "own") continue;
    choose(1, option);
    go(90);
    told.tiles[option] = lanes[1].querySelector(".tiles").textContent;
    told.bars[option] = lanes[1].querySelectorAll("rect.asked").length;
  }
  choose(1, "own");
  go(5);
  told.waits = Number(find("day").value);
  const buttons = lanes[1].querySelectorAll(".plans button");
  const today = (lane) => lanes[lane].querySelector(".today").textContent;
  buttons[4].click();
  buttons[2].click();
  go(1);
  buttons[6].click();
  choose(0, "coach");
  told.kept = today(1);
  choose(0, "own");
  for (const plan of [3, 5, 6, 7]) lanes[0].querySelectorAll(".plans button")[plan].click();
  told.waiting = today(0);
  choose(1, "own");
  choose(0, "none");
  go(0);
  for (let day = 0; day < 90; day++) buttons[day % 11].click();
  told.own = lanes[1].querySelector(".tiles").textContent;
  told.last = Number(find("day").value);
  told.disabled = buttons[0].getAttribute("aria-disabled") === "true";
  told.errors = view.errors;
  told.requests = view.performance.getEntriesByType("resource").map((one) => one.name);
  told.width = page.documentElement.scrollWidth;
  const inputs = [...page.querySelectorAll("button, select, input")];
  told.focusable = inputs.every((one) => one.tabIndex >= 0);
  const pre = document.createElement("pre");
  pre.id = "told";
  pre.textContent = JSON.stringify(told);
  document.body.append(pre);
});
document.body.append(frame);
</script>"""


_ADDRESS = """<script>
window.season.started.then(() => {
  const pre = document.createElement("pre");
  pre.id = "told";
  pre.textContent = location.hash;
  document.body.append(pre);
});
</script>"""


@pytest.fixture(scope="module")
def page() -> str:
    return season_page()


def told(content: str, folder: Path, fragment: str = "") -> str:
    """Return what a page, opened with a choice behind its #, writes about itself in Chromium."""
    file = folder / "page.html"
    file.write_text(content, encoding="utf-8")
    shown = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=60000",
            "--timeout=60000",
            "--dump-dom",
            file.as_uri() + fragment,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    found = re.search(r'<pre id="told">(.*?)</pre>', shown, re.DOTALL)
    assert found is not None, shown[-2000:]
    return found[1]


def test_the_kernel_was_made_from_the_present_sources() -> None:
    # Where it was not: python scripts/make_season_kernel.py
    assert read_kernel().endswith(kernel_sources_hash().encode())


def test_the_page_is_small_and_asks_for_nothing(page) -> None:
    assert len(page.encode()) < 2e6
    assert not re.search(r"<(?:link|img|iframe)|src=|@import|url\(|fetch\(|XMLHttp", page)
    assert set(re.findall(r"https?://[^\"'\s<]+", page)) == {"http://www.w3.org/2000/svg"}


@needs_chromium
def test_a_thousand_seasons_are_those_of_python(page, tmp_path) -> None:
    generator = np.random.default_rng(0)
    cases: list[tuple[int, str, int, list[int]]] = []
    expected = []
    names = season_content()["outcome"]
    for number, person in enumerate(RUNNERS):
        for stage, environment in STAGES.items():
            seeds = generator.integers(SEASONS, size=EACH)
            actions = generator.integers(11, size=(EACH, DAYS))
            # Some never rest, some hardly train.
            actions[::5] = generator.integers(9, 11, size=(len(actions[::5]), DAYS))
            actions[1::5] *= generator.random(size=(len(actions[1::5]), DAYS)) < 0.1
            cases += [
                (number, stage, int(seed), plans.tolist())
                for seed, plans in zip(seeds, actions, strict=True)
            ]
            environments: Any = gym.make_vec(
                environment, EACH, individual=person, autoreset_mode="Disabled"
            )
            _, infos = environments.reset(seed=seeds.tolist())
            days = [{**infos, "reward": np.zeros(EACH)}]
            for day in range(DAYS):
                _, rewards, *_, infos = environments.step(actions[:, day])
                days.append({**infos, "reward": rewards})
            expected.append(
                np.stack([np.stack([d.get(n, np.full(EACH, np.nan)) for n in names]) for d in days])
            )
    reference = np.concatenate([np.moveaxis(one, 2, 0) for one in expected])
    shown = told(page + _LIVE.replace("CASES", json.dumps(cases), 1), tmp_path)
    found = np.frombuffer(base64.b64decode(shown), np.float64).reshape(reference.shape)
    # Infos do not tell all of an outcome, and the first day has brought nothing.
    known = ~np.isnan(reference)
    assert known[:, 1:].mean() > 0.7
    assert found.shape[0] == 1000
    assert np.abs(found[known] - reference[known]).max() < 1e-9


@needs_chromium
def test_policies_push_what_they_push_in_python(page, tmp_path) -> None:
    each = 25
    cases = []
    expected: list[list[int]] = []
    for number, person in enumerate(RUNNERS):
        for stage, environment in STAGES.items():
            arguments = {"individual": person}
            agent = load_pretrained("a3c-population", environment)
            learnt = evaluate(
                agent,
                environment,
                episodes=each,
                seed=0,
                env_kwargs={**arguments, "observation": "person"},
            )
            coach = evaluate(
                find_agent("coach").create(environment, env_kwargs=arguments),
                environment,
                episodes=2,
                seed=0,
                env_kwargs=arguments,
            )
            for policy, evaluation in (("learnt", learnt), ("coach", coach)):
                count = len(evaluation.actions)
                cases += [(policy, number, stage, seed) for seed in range(count)]
                expected += evaluation.actions.tolist()
    found = json.loads(told(page + _PLANS.replace("CASES", json.dumps(cases), 1), tmp_path))
    assert len([one for one in cases if one[0] == "learnt"]) == 200
    assert found == expected


def test_plans_that_were_found_before_earn_what_their_policies_earn() -> None:
    """Whoever follows the stored plans, on the same noise, has the policy's season."""
    plans = read_plans()
    assert set(plans) == {
        plans_key(policy, stage, person)
        for policy in PLANNED
        for stage in STAGES
        for person in RUNNERS
    }
    environment, person = STAGES["retention"], "club-runner"
    arguments = {"individual": person}
    for policy, name in PLANNED.items():
        agent = find_agent(name).create(environment, env_kwargs=arguments)
        evaluation = evaluate(agent, environment, episodes=5, seed=0, env_kwargs=arguments)
        stored = plans[plans_key(policy, "retention", person)]
        assert stored.shape == (SEASONS, DAYS)
        assert evaluation.actions.tolist() == stored[:5].tolist()


@needs_chromium
@pytest.mark.parametrize(
    ("fragment", "kept"),
    [
        (
            "#competitive-runner,retention,42,belief,own",
            "#competitive-runner,retention,42,belief,own",
        ),
        ("#novice-runner", "#novice-runner,acquisition,0,coach,learnt"),
        ("#constructor,x,-1,constructor,<b>", "#club-runner,acquisition,0,coach,learnt"),
        ("#%E0%A4%A,retention,1e9", "#club-runner,retention,0,coach,learnt"),
        ("#a,b,99999999999999999999,,", "#club-runner,acquisition,99,coach,learnt"),
    ],
)
def test_the_address_keeps_the_choice(page, tmp_path, fragment, kept) -> None:
    assert told(page + _ADDRESS, tmp_path, fragment) == kept


@needs_chromium
def test_every_service_runs_on_a_phone(page, tmp_path) -> None:
    content = page.replace("<head>", f"<head>{_CATCH}", 1)
    literal = json.dumps(content).replace("</", "<\\/")
    found = json.loads(told(_USE.replace("PAGE", literal, 1), tmp_path))
    assert found["errors"] == []
    assert found["requests"] == []
    assert found["width"] <= 390
    assert found["focusable"]
    assert found["bars"]["none"] == 0
    assert found["bars"]["fixed3"] == DAYS
    assert all("of 90 days" in text for text in found["tiles"].values())
    assert len(set(found["tiles"].values())) > 10
    # An earlier day takes no plan, and another service leaves the visitor's plans alone.
    assert found["kept"].startswith("Day 1: plan 4 ")
    assert found["kept"].endswith("Move to day 2 to choose the next plan.")
    # Nobody plans ahead of the other.
    assert found["waiting"].startswith("Day 2: plan 5 ")
    assert found["waiting"].endswith("Day 3 is planned; the other service waits for its plan.")
    # Nobody's day is lived before the visitor says how.
    assert found["waits"] == 0
    assert found["last"] == DAYS
    assert found["disabled"]
    assert "of 90 days" in found["own"]
