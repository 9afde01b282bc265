"use strict";
// Everything about people, bodies and plans is computed by the compiled step of the environments
// (WebAssembly); this script carries arrays to it and draws what comes back.

const CONTENT = JSON.parse(document.getElementById("content").textContent);
const DAYS = CONTENT.days;

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The bytes of an array, with what was done to its bits undone.
function unpack(blob, place) {
  const bytes = blob.slice(place.at, place.at + place.bytes);
  if (!place.shuffled) return bytes;
  const size = bytes.length / 4, width = place.shape.at(-1), words = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    const folded = bytes[i] | (bytes[size + i] << 8) | (bytes[2 * size + i] << 16) | (bytes[3 * size + i] << 24);
    const change = (folded >>> 1) ^ -(folded & 1);
    words[i] = (change + (i % width ? words[i - 1] : 0)) >>> 0;
  }
  return new Uint8Array(words.buffer);
}

// Memory and functions of the compiled step.
class Engine {
  static async load(blob) {
    const engine = new Engine();
    engine.blob = blob;
    engine.memory = new WebAssembly.Memory({ initial: 320 });
    const stack = 1 << 18;
    engine.top = stack;
    const env = {
      __linear_memory: engine.memory,
      __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, stack),
      __indirect_function_table: new WebAssembly.Table({ initial: 8, element: "anyfunc" }),
      exp: Math.exp, log: Math.log, log1p: Math.log1p, expm1: Math.expm1,
    };
    const { instance } = await WebAssembly.instantiate(unpack(blob, CONTENT.kernel), { env });
    engine.functions = instance.exports;
    engine.status = engine.allocate(64);
    return engine;
  }
  allocate(bytes) {
    const at = (this.top + 63) & ~63;
    this.top = at + bytes;
    if (this.top > this.memory.buffer.byteLength) this.memory.grow(Math.ceil((this.top - this.memory.buffer.byteLength) / 65536) + 16);
    return at;
  }
  // An array of zeros in memory, as the compiled functions take one.
  zeros(shape, item) {
    const count = shape.reduce((a, b) => a * b, 1);
    return { at: this.allocate(Math.max(count * item, 8)), shape, item, count };
  }
  array(place) {
    const found = this.zeros(place.shape, place.item);
    new Uint8Array(this.memory.buffer).set(unpack(this.blob, place), found.at);
    return found;
  }
  call(name, ...values) {
    const flat = [this.status, this.status + 16];
    for (const value of values) {
      if (typeof value === "number") { flat.push(BigInt(value)); continue; }
      const strides = value.shape.map((_, axis) => value.item * value.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
      flat.push(0, 0, BigInt(value.count), BigInt(value.item), value.at, ...value.shape.map(BigInt), ...strides.map(BigInt));
    }
    const status = this.functions[name](...flat);
    if (status) throw new Error(`${name} ended with status ${status}`);
  }
  doubles(array) { return new Float64Array(this.memory.buffer, array.at, array.count * array.item / 8); }
  floats(array) { return new Float32Array(this.memory.buffer, array.at, array.count); }
}

// One person's season: the same noise for whoever serves.
class Season {
  constructor(engine, person, stage, number) {
    const sizes = CONTENT.sizes, lasting = Season.lasting(engine, person, stage);
    Object.assign(this, { engine, person, stage, number, day: 0 }, lasting);
    const scratch = (engine.scratch ??= []).pop() ?? {
      states: engine.zeros([1], sizes.state), outcomes: engine.zeros([1], sizes.outcome),
      key: engine.zeros([1], 8), plan: engine.zeros([1], 8), ratio: engine.zeros([1], 8),
      weeks: engine.zeros([1, CONTENT.weekColumns], 8), chosen: engine.zeros([1], 1),
      ended: engine.zeros([1], 1), observation: engine.zeros([1, CONTENT.networks.acquisition.mean.length], 4),
    };
    Object.assign(this, scratch, { scratch });
    const bytes = new Uint8Array(engine.memory.buffer);
    for (const one of Object.values(scratch)) bytes.fill(0, one.at, one.at + one.count * one.item);
    bytes[this.chosen.at] = 1;
    bytes.set(engine.keys.subarray(8 * number, 8 * number + 8), this.key.at);
    engine.call("begin", this.states, this.outcomes, this.record, this.chosen, this.start, this.key);
  }
  static lasting(engine, person, stage) {
    person.loaded ??= Object.fromEntries(Object.entries(person.tables).map(([name, place]) => [name, engine.array(place)]));
    person.known ??= engine.array(person.context);
    const of = person.stages[stage];
    of.loaded ??= { record: engine.array(of.person), start: engine.array(of.start) };
    return { tables: Object.values(person.loaded), context: person.known, ...of.loaded };
  }
  // Give the memory back for the next season.
  close() { this.engine.scratch.push(this.scratch); }
  outcome() {
    const values = this.engine.doubles(this.outcomes);
    return Object.fromEntries(CONTENT.outcome.map((name, i) => [name, values[i]]));
  }
  step(plan) {
    const engine = this.engine;
    engine.doubles(this.plan)[0] = this.person.targets[plan];
    engine.call("step", this.states, this.outcomes, this.record, this.chosen, this.plan, this.person.adherence, ...this.tables, this.ended);
    engine.call("charge", this.weeks, this.states, this.chosen, this.ratio);
    this.day += 1;
    return { ...this.outcome(), plan, ratio: engine.doubles(this.ratio)[0] };
  }
  observe() {
    this.engine.call("observe", this.states, this.outcomes, this.context, DAYS, this.observation);
    return this.engine.floats(this.observation);
  }
}

// The learnt policy: an LSTM and fully connected layers, likeliest plan.
class Policy {
  constructor(engine, stage) {
    const of = CONTENT.networks[stage];
    const floats = (place) => new Float32Array(unpack(engine.blob, place).buffer);
    this.of = of;
    of.read ??= { memory: of.memory.map(floats), layers: of.layers.map((pair) => pair.map(floats)) };
    this.hidden = new Float64Array(of.units);
    this.cell = new Float64Array(of.units);
  }
  static linear(weight, bias, input) {
    const output = new Float64Array(bias.length), width = input.length;
    for (let row = 0; row < output.length; row++) {
      let sum = bias[row];
      for (let i = 0; i < width; i++) sum += weight[row * width + i] * input[i];
      output[row] = sum;
    }
    return output;
  }
  act(observation) {
    const { units, mean, deviation, clip, activation, read } = this.of;
    const input = Float32Array.from(observation, (x, i) => Math.min(clip, Math.max(-clip, (x - mean[i]) / deviation[i])));
    const [weight, recurrent, bias, recurrentBias] = read.memory;
    const now = Policy.linear(weight, bias, input), before = Policy.linear(recurrent, recurrentBias, this.hidden);
    const gate = (number, unit) => now[number * units + unit] + before[number * units + unit];
    const sigmoid = (x) => 1 / (1 + Math.exp(-x));
    for (let unit = 0; unit < units; unit++) {
      this.cell[unit] = sigmoid(gate(1, unit)) * this.cell[unit] + sigmoid(gate(0, unit)) * Math.tanh(gate(2, unit));
      this.hidden[unit] = sigmoid(gate(3, unit)) * Math.tanh(this.cell[unit]);
    }
    const bend = { relu: (x) => Math.max(x, 0), tanh: Math.tanh, sigmoid }[activation];
    let features = this.hidden;
    read.layers.forEach(([w, b], number) => {
      features = Policy.linear(w, b, features);
      if (number < read.layers.length - 1) features = features.map(bend);
    });
    return features.indexOf(Math.max(...features));
  }
}

// Who serves. Each makes a function from the season so far to the plan of the day.
const POLICIES = {
  none: { title: "No service", make: () => () => 0 },
  coach: { title: "Coach's rule: easy, then hard days, then a taper", make: () => (season) => CONTENT.coach[season.day] },
  learnt: {
    title: "A3C, trained on everyone",
    make: (engine, stage) => { const policy = new Policy(engine, stage); return (season) => policy.act(season.observe()); },
  },
  belief: { title: "Belief: knows the person, infers the motivation", make: (...of) => planned("belief", ...of) },
  ceiling: { title: "Dynamic program: sees the motivation", make: (...of) => planned("ceiling", ...of) },
  own: { title: "Your own plans, day by day", make: () => null },
};
for (let plan = 1; plan <= 10; plan++) {
  POLICIES[`fixed${plan}`] = { title: `Plan ${plan} every day`, make: () => () => plan };
}
function planned(name, engine, stage, person, number) {
  const plans = unpack(engine.blob, person.stages[stage].plans[name]);
  return (season) => plans[number * DAYS + season.day];
}

// --- The page -----------------------------------------------------------------------------------

const find = (id) => document.getElementById(id);
const state = { shown: 0, playing: false, timer: null, lanes: [] };

class Lane {
  constructor(place, number) {
    this.place = place;
    this.select = place.querySelector("select");
    for (const [name, one] of Object.entries(POLICIES)) this.select.add(new Option(one.title, name));
    this.select.value = number ? "learnt" : "coach";
    this.select.addEventListener("change", () => { pause(); this.begin(state.engine, ...chosen()); keep(); show(state.shown); });
    const buttons = place.querySelector(".plans");
    for (let plan = 0; plan <= 10; plan++) {
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => { this.take(plan); draw(); });
      buttons.append(button);
    }
  }
  begin(engine, person, stage, number) {
    this.season?.close();
    this.season = new Season(engine, person, stage, number);
    this.decide = POLICIES[this.select.value].make(engine, stage, person, number);
    this.first = this.season.outcome();
    this.days = [];
    this.place.querySelectorAll(".plans button").forEach((button, plan) => {
      button.textContent = plan ? `${plan}` : "rest";
      button.title = plan ? `plan ${plan}, ${person.targets[plan].toFixed(0)} points` : "rest: no plan";
      button.setAttribute("aria-label", button.title);
    });
  }
  get own() { return this.decide === null; }
  // Whether the plan of the day after the one shown can be chosen.
  get open() { return this.own && this.days.length === state.shown && state.shown < DAYS; }
  // Whether a day can be shown: lived already, or lived now by whoever serves.
  reach(day) {
    while (this.days.length < day && !this.own) this.days.push(this.season.step(this.decide(this.season)));
    return this.days.length >= day;
  }
  take(plan) {
    if (!this.open) return;
    this.days.push(this.season.step(plan));
    // The other one keeps up.
    if (state.lanes.every((lane) => lane.reach(this.days.length))) state.shown = this.days.length;
  }
  // What the visitor who plans can do now.
  prompt() {
    const last = Math.min(...state.lanes.filter((lane) => lane.own).map((lane) => lane.days.length));
    if (!this.own || last >= DAYS) return "";
    if (state.shown < last) return `Move to day ${last} to choose the next plan.`;
    return this.open ? `Choose the plan of day ${last + 1}.` : `Day ${last + 1} is planned; the other service waits for its plan.`;
  }
}

const raceMinutes = (vdot) => {
  const race = CONTENT.race, after = Math.max(1, race.findIndex(([v]) => v >= vdot));
  const [[v0, t0], [v1, t1]] = [race[after - 1], race[after]];
  return t0 + (t1 - t0) * (vdot - v0) / (v1 - v0);
};
const clock = (minutes) => {
  const seconds = Math.round(60 * minutes);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const WIDTH = 420, LEFT = 34, RIGHT = 6;
const across = (day) => LEFT + (day * (WIDTH - LEFT - RIGHT)) / DAYS;

function chart(title, height, low, high, ticks, unit) {
  const up = (value) => height - 16 - ((value - low) * (height - 36)) / (high - low);
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title });
  for (const tick of ticks) {
    drawing.append(
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: up(tick), y2: up(tick), class: "grid" }),
      svg("text", { x: LEFT - 5, y: up(tick) + 4, "text-anchor": "end" }, `${tick}`),
    );
  }
  for (const day of [0, 30, 60, 90]) drawing.append(svg("text", { x: across(day), y: height - 4, "text-anchor": day ? (day === DAYS ? "end" : "middle") : "start" }, day ? `${day}` : "day 0"));
  drawing.append(svg("text", { x: LEFT, y: 11 }, unit));
  return { drawing, up };
}

const steps = (low, high, step) => {
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) found.push(Math.round(tick * 100) / 100);
  return found;
};

function drawSessions(days, high) {
  const { drawing, up } = chart("Points asked for and done on each day", 128, 0, high, steps(0, high, high > 100 ? 40 : 20), "points a day: outline asked, filled done");
  const width = (WIDTH - LEFT - RIGHT) / DAYS - 1;
  days.forEach((day, number) => {
    const x = across(number) + 0.5;
    const kind = day.plan === 0 ? "alone" : day.met ? "met" : "missed";
    const bar = (points, name) => svg("rect", { x, width, y: up(points), height: Math.max(up(0) - up(points), 0), class: name });
    if (day.done_trimp > 0) drawing.append(bar(day.done_trimp, kind));
    if (day.plan > 0) drawing.append(bar(day.plan_trimp, "asked"));
  });
  return drawing;
}

function drawLine(title, unit, values, low, high, ticks, marks) {
  const { drawing, up } = chart(title, 116, low, high, ticks, unit);
  for (const mark of marks) drawing.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: up(mark.at), y2: up(mark.at), class: mark.class }));
  const points = values.map(([day, value]) => `${across(day).toFixed(1)},${up(value).toFixed(1)}`).join(" ");
  drawing.append(svg("polyline", { points, class: "course" }));
  return drawing;
}

function tile(name, main, detail) {
  const box = document.createElement("div");
  for (const [tag, text] of [["dt", name], ["dd", main]]) {
    const element = document.createElement(tag);
    element.textContent = text;
    box.append(element);
  }
  const small = document.createElement("small");
  small.textContent = detail;
  box.lastChild.append(small);
  return box;
}

function drawLane(lane, scales) {
  const days = lane.days.slice(0, state.shown), place = lane.place;
  const performance = [lane.first.performance, ...days.map((day) => day.performance)];
  const now = performance.at(-1), gain = now - performance[0];
  const asked = days.filter((day) => day.plan > 0), met = asked.filter((day) => day.met);
  const sessions = days.filter((day) => day.done_trimp > 0).length;
  const ratios = days.map((day) => day.ratio), steep = ratios.filter((ratio) => ratio > CONTENT.ratios[1]).length;
  place.querySelector(".tiles").replaceChildren(
    tile("Health: running performance", `VDOT ${now.toFixed(1)}`, `${gain >= 0 ? "+" : "\u2212"}${Math.abs(gain).toFixed(1)} since the start; 10 km in about ${clock(raceMinutes(now))}`),
    tile("Engagement: sessions", `${sessions} of ${days.length} days`, asked.length ? `${met.length} of ${asked.length} plans carried out in full` : "no plan was pushed"),
    tile("Strain: load of 7 days over 28", days.length ? ratios.at(-1).toFixed(2) : "\u2013", `${steep} ${steep === 1 ? "day" : "days"} above ${CONTENT.ratios[1]}`),
  );
  const today = days.at(-1);
  // A reader of the screen hears where play stops, and not each day of it.
  place.querySelector(".today").setAttribute("aria-live", state.playing ? "off" : "polite");
  place.querySelector(".today").textContent = today
    ? `Day ${days.length}: ${today.plan ? `plan ${today.plan} asks for ${today.plan_trimp.toFixed(0)} points` : "no plan"}, ${today.done_trimp > 0 ? `${today.done_trimp.toFixed(0)} done${today.plan && !today.met ? ", not in full," : ""} at a mean heart rate of ${today.mean_heart_rate.toFixed(0)}` : "nothing done"}. ${lane.prompt()}`
    : lane.prompt() || "Press Play.";
  place.querySelector(".plans").hidden = !lane.own;
  place.querySelectorAll(".plans button").forEach((button) => { button.setAttribute("aria-disabled", !lane.open); });
  const { low, high, points, ratio } = scales;
  place.querySelector(".charts").replaceChildren(
    drawSessions(days, points),
    drawLine("Performance in VDOT", "performance, VDOT", [...performance.entries()], low, high, steps(low, high, high - low > 4 ? 2 : 1), [{ at: performance[0], class: "start" }]),
    drawLine("Load of the last 7 days over that of the last 28", "load of 7 days over 28", ratios.map((ratio, day) => [day + 1, ratio]), 0, ratio, steps(0, ratio, ratio > 2 ? 1 : 0.5), [{ at: CONTENT.ratios[0], class: "high" }, { at: CONTENT.ratios[1], class: "steep" }]),
  );
}

function draw() {
  // The same scales for both, so that they compare.
  const days = state.lanes.flatMap((lane) => lane.days), highest = (...values) => Math.ceil(Math.max(...values));
  const performance = [...state.lanes.map((lane) => lane.first.performance), ...days.map((day) => day.performance)];
  const scales = {
    low: Math.floor(Math.min(...performance)) - 1, high: highest(...performance) + 1,
    points: 20 * highest(3, ...days.map((day) => day.done_trimp / 20)), ratio: highest(2, ...days.map((day) => day.ratio)),
  };
  for (const lane of state.lanes) drawLane(lane, scales);
  find("day").value = state.shown;
  find("shown").textContent = `day ${state.shown} of ${DAYS}`;
  find("day").setAttribute("aria-valuetext", find("shown").textContent);
  find("play").textContent = state.playing ? "Pause" : state.shown >= DAYS ? "Play again" : "Play";
}

function show(day) {
  if (!state.lanes.map((lane) => lane.reach(day)).every(Boolean)) {
    pause();
    day = Math.min(...state.lanes.map((lane) => lane.days.length));
  }
  state.shown = day;
  if (day >= DAYS) pause();
  draw();
}

function pause() {
  state.playing = false;
  clearInterval(state.timer);
}

function play() {
  if (state.shown >= DAYS) state.shown = 0;
  state.playing = true;
  state.timer = setInterval(() => show(state.shown + 1), 160);
  draw();
}

// Person, stage and season. A browser may bring back a number that was typed and never checked.
function chosen() {
  const number = Math.round(Number(find("season").value));
  find("season").value = Math.min(Math.max(number, 0), CONTENT.seasons - 1);
  return [CONTENT.people[find("person").value], find("stage").value, Number(find("season").value)];
}

// The choice stands behind the # of the address: it outlives a reload and can be shared.
function keep() {
  const words = [CONTENT.people[find("person").value].name, find("stage").value, find("season").value, ...state.lanes.map((lane) => lane.select.value)];
  // A frame without an address of its own can keep nothing.
  try { history.replaceState(null, "", `#${words.join(",")}`); } catch { return; }
}
function restore() {
  const [person, stage, season, ...services] = location.hash.slice(1).split(",");
  const number = CONTENT.people.findIndex((one) => one.name === person);
  if (number >= 0) find("person").value = number;
  if (["acquisition", "retention"].includes(stage)) find("stage").value = stage;
  if (/^\d+$/.test(season)) find("season").value = season;
  state.lanes.forEach((lane, place) => { if (Object.hasOwn(POLICIES, services[place] ?? "")) lane.select.value = services[place]; });
}

function restart() {
  pause();
  state.shown = 0;
  const [person, ...where] = chosen();
  for (const lane of state.lanes) lane.begin(state.engine, person, ...where);
  const [probability, points] = person.habit;
  find("about").textContent = `VDOT ${person.vdot}, trains alone on ${(7 * probability).toFixed(0)} ${7 * probability < 1.5 ? "day" : "days"} a week, about ${points.toFixed(0)} points each.`;
  keep();
  draw();
}

async function start() {
  const blob = await inflate(CONTENT.blob);
  const engine = await Engine.load(blob);
  engine.keys = unpack(blob, CONTENT.keys);
  state.engine = engine;
  CONTENT.people.forEach((person, number) => find("person").add(new Option(person.name.replaceAll("-", " "), number)));
  find("person").value = CONTENT.people.findIndex((person) => person.name === "club-runner");
  find("season").max = CONTENT.seasons - 1;
  find("seasons").textContent = `Season, 0 to ${CONTENT.seasons - 1}`;
  state.lanes = [...document.querySelectorAll(".lane")].map((place, number) => new Lane(place, number));
  for (const id of ["person", "stage", "season"]) find(id).addEventListener("change", restart);
  find("another").addEventListener("click", () => { find("season").value = (Number(find("season").value) + 1) % CONTENT.seasons; restart(); });
  find("day").addEventListener("input", (event) => { pause(); show(Number(event.target.value)); });
  find("play").addEventListener("click", () => { if (state.playing) { pause(); draw(); } else play(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) { pause(); draw(); } });
  addEventListener("hashchange", () => { restore(); restart(); });
  restore();
  restart();
  document.body.dataset.ready = "yes";
  return engine;
}

// For tests: outcomes of a season lived with given plans, and the plans of a policy.
function live(engine, person, stage, number, plans) {
  const season = new Season(engine, CONTENT.people[person], stage, number);
  const days = [season.outcome(), ...plans.map((plan) => season.step(plan))];
  season.close();
  return days;
}
function plansOf(engine, policy, person, stage, number) {
  const season = new Season(engine, CONTENT.people[person], stage, number);
  const decide = POLICIES[policy].make(engine, stage, CONTENT.people[person], number);
  const plans = [];
  while (season.day < DAYS) { plans.push(decide(season)); season.step(plans.at(-1)); }
  season.close();
  return plans;
}

window.season = { started: start().catch((error) => {
  find("failed").hidden = false;
  find("failed").textContent = `This page needs a browser of 2023 or newer (WebAssembly and DecompressionStream): ${error.message}`;
  throw error;
}), live, plansOf };
