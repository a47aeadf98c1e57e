// The page: what the person does goes to the server as a message, and what comes back is shown. It computes no payoff.

const $ = (id) => document.getElementById(id);
const START = JSON.parse($("start").textContent);
const KINDS = ["private", "integrated", "cooperative"];
const fixed = (x, digits = 2) => (x === null || x === undefined ? "–" : x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const some = (x) => fixed(x, Math.abs(x) >= 1000 ? 0 : Math.abs(x) >= 100 ? 1 : 2);

let open = null; // {session, facts}; what the server holds
let view = null; // what is drawn: rows, moves, marks
let last = null; // the state that came last
let wanted = []; // what the sliders ask for, by agent
let playing = false;
let turn = Promise.resolve(); // messages go one after another

function el(kind, attributes = {}, ...inside) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}

async function post(name, message) {
  const answer = await fetch(`/api/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status });
  return said;
}

// One message after another; what goes wrong is said, and the chain goes on.
function ask(name, message, then) {
  turn = turn.then(() => post(name, name === "new" ? message : { session: open.session, ...message })).then(then).catch((error) => {
    wrong(error);
    if (error.status === 404) setTimeout(() => openGame(optionsNow()), 2000); // it gave way to newer sessions
  });
  return turn;
}

function wrong(error) {
  pause();
  $("said").classList.add("wrong");
  $("said").textContent = error instanceof TypeError ? "The server does not answer. Is coopgym explore still running?" : error.message;
}

function say(text) {
  $("said").classList.remove("wrong");
  $("said").textContent = text;
}

const modeNow = () => ({ kind: document.querySelector("input[name=kind]:checked").value, mutuality: Number($("mutuality").value) });
const seedNow = () => Math.min(4294967295, Math.max(0, Math.round(Number($("seed").value)) || 0));
const most = () => (innerWidth < 640 ? 2 : 6); // rows that a sentence names
const each = (values) => view.rows.slice(0, most()).map((row) => `${row.label} ${some(mean(values, row.members))}`).join(", ") + (view.rows.length > most() ? ", …" : "");

// --- the game

function openGame(options) {
  pause();
  const game = $("game").value;
  say(`Opening ${game} …`);
  return ask("new", { game, options, seed: seedNow(), mode: modeNow() }, (said) => {
    open = said;
    const { facts, state } = said;
    wanted = facts.agents.map((agent) => agent.baseline);
    view = { rows: facts.rows, agents: facts.agents, horizon: facts.horizon, moves: [], marks: null, start: null };
    showGame(facts);
    showOptions(facts);
    showSeats(facts);
    showLegend();
    take(state);
    say(`${facts.id} is open: ${facts.agents.length} agents, ${facts.horizon} steps. The sliders stand at the baseline.`);
    askMarks();
  });
}

function showGame(facts) {
  const more = Object.entries(facts.facts).filter(([name]) => name !== "phase").map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  $("game-title").textContent = facts.summary;
  $("game-says").textContent = [`TR-${facts.report}, ${facts.title}`, facts.mechanism, `${facts.agents.length} agents`, `${facts.horizon} steps`,
    ...more, facts.draws ? "the seed decides what is drawn" : "nothing is drawn: the seed matters to Random alone"].join(" · ");
  document.title = `${facts.id} · coopgym explore`;
  showFacts(facts);
}

function showOptions(facts) {
  const entry = START.games.find((each) => each.id === facts.id);
  $("options").replaceChildren(...Object.entries(entry.options).map(([name, values]) => {
    const pick = el("select", { id: `option-${name}`, "data-option": name, onchange: () => openGame(optionsNow()) }, ...values.map((value) => el("option", { value, text: value })));
    pick.value = String(facts.options[name]);
    return el("span", { class: "field" }, el("label", { for: pick.id, text: `${name[0].toUpperCase()}${name.slice(1)}` }), " ", pick);
  }));
}

const optionsNow = () => Object.fromEntries([...$("options").querySelectorAll("select")].map((pick) => [pick.dataset.option, pick.value]));

// --- seats and sliders

function showSeats(facts) {
  $("seats").replaceChildren(...facts.rows.map((row, k) => seatOf(facts, row, k)));
}

function seatOf(facts, row, k) {
  const most = facts.agents[row.members[0]].endowment;
  const slider = el("input", { type: "range", min: 0, max: most, step: most / 100, "aria-label": `${row.label} gives`, id: `slide-${k}` });
  const exact = el("input", { type: "number", min: 0, max: most, step: "any", "aria-label": `${row.label} gives, exactly` });
  const who = el("select", { "aria-label": `Who plays ${row.label}` }, ...facts.policies.map((each) => el("option", { value: each.name, text: each.label })));
  slider.addEventListener("input", () => setRow(k, Number(slider.value)));
  exact.addEventListener("change", () => setRow(k, Math.min(most, Math.max(0, Number(exact.value) || 0))));
  who.addEventListener("change", () => sit(k, who.value));
  const name = el("span", { class: "name" }, swatch(k), row.label);
  const slide = el("div", { class: "slide" }, slider, markOf("M5 1 9.5 9h-9z", "equilibrium"), markOf("M5 0 10 5 5 10 0 5z", "optimum"));
  return el("div", { class: "seat", "data-row": k }, el("div", { class: "head" }, name, who), el("div", { class: "pull" }, slide, exact), el("p", { class: "note" }));
}

function markOf(path, what) {
  const svg = svgOf("svg", { viewBox: "0 0 10 10", class: "mark", "data-mark": what, "aria-hidden": "true" });
  svg.append(svgOf("path", { d: path }));
  return svg;
}

function setRow(k, value) {
  for (const i of view.rows[k].members) wanted[i] = value;
  showSliders();
}

function showSliders() {
  view.rows.forEach((row, k) => {
    const seat = $("seats").children[k], i = row.members[0], agent = view.agents[i];
    const own = last === null || last.seats[i] === "you";
    const moved = own || !view.moves.length ? wanted[i] : view.moves.at(-1).actions[i];
    const slider = seat.querySelector("input[type=range]"), exact = seat.querySelector("input[type=number]");
    slider.value = moved;
    exact.value = Number(moved.toFixed(3));
    slider.disabled = exact.disabled = !own;
    slider.setAttribute("aria-valuetext", `${fixed(moved, 1)} of ${agent.endowment}, ${Math.round(100 * moved / agent.endowment)} percent`);
    seat.querySelector("select").value = last === null ? "you" : last.seats[i];
    seat.querySelector(".note").textContent = `${Math.round(100 * moved / agent.endowment)} % of ${agent.endowment}` + marksNote(row);
  });
}

function marksNote(row) {
  if (!view.marks) return "";
  return ["equilibrium", "optimum"].map((what) => ` · ${what} ${fixed(mean(view.marks[what].actions, row.members), 1)}`).join("");
}

function sit(k, name) {
  const seats = [...last.seats];
  for (const i of view.rows[k].members) seats[i] = name;
  say(`${view.rows[k].label}: ${name} takes the seat …`);
  ask("seats", { seats }, (state) => {
    take(state);
    say(`${view.rows[k].label} is played by ${name} from step ${state.step + 1} on.`);
  }).then(showSliders);
}

// --- the episode

function take(state) {
  if (state.since === 0) view.moves = [];
  view.moves.push(...state.moves);
  if (!view.moves.length) view.start = { trust: state.mean_trust, damage: state.mean_damage };
  last = state;
  view.mode = state.mode;
  showSliders();
  showScore();
  showWeights();
  $("progress").max = state.horizon;
  $("progress").value = state.step;
  for (const id of ["step", "run", "end"]) $(id).disabled = state.over;
  $("chart-mode").textContent = state.mode;
  drawAll(view);
  describeCharts();
}

function stepsDone(state) {
  take(state);
  sayStep(state);
  if (state.over) pause();
}

function sayStep(state) {
  const move = view.moves.at(-1), ends = { time_limit: "The time is over.", trust_lost: "Trust is lost: the episode ends.", target_reached: "The target is reached: the episode ends." };
  say(`Step ${state.step} of ${state.horizon}. Payoffs: ${each(move.payoffs)}. Rewards, ${state.mode}: ${each(move.rewards)}. `
    + `Trust ${fixed(move.trust, 3)}, damage ${fixed(move.damage, 3)}.${state.over ? ` ${ends[state.ended_by]}` : ""}`);
}

const step = (count) => ask("step", { actions: wanted, count }, stepsDone);

async function play() {
  playing = true;
  $("run").textContent = "Pause";
  $("said").setAttribute("aria-live", "off"); // many steps a second: they are read out when it pauses
  while (playing && last && !last.over) {
    const began = performance.now();
    await step(1);
    await new Promise((go) => setTimeout(go, Math.max(0, 1000 / Number($("speed").value) - (performance.now() - began))));
  }
}

function pause() {
  playing = false;
  $("run").textContent = "Play";
  $("said").setAttribute("aria-live", "polite");
}

// --- the reward mode

function switchMode() {
  const mode = modeNow(), before = view ? view.moves.map((move) => move.payoffs.join()) : [];
  $("mutuality").disabled = mode.kind === "private";
  $("mutuality-value").textContent = mode.kind === "private" ? "–" : fixed(mode.mutuality);
  if (!open) return;
  view.marks = null;
  ask("mode", { mode }, (state) => {
    take(state);
    const same = before.every((payoffs, k) => payoffs === view.moves[k].payoffs.join());
    $("mode-says").textContent = before.length
      ? `The rewards of ${before.length} steps were mixed again as ${state.mode}. ${same ? "All payoffs are the same numbers as before" : "Payoffs changed, which must not happen"}: ${some(state.totals.welfare)} in all.`
      : `Rewards will be mixed as ${state.mode}. Payoffs will not differ for it.`;
    if (before.length) sayStep(state);
    askMarks();
  });
}

function showWeights() {
  const matrix = last.weights, names = view.agents.map((agent) => agent.name);
  const shown = (matrix || []).slice(0, 3).map((row, i) => {
    const terms = row.map((w, j) => [w, j]).filter(([w]) => w > 0).sort((a, b) => (b[1] === i) - (a[1] === i));
    return `reward of ${names[i]} = ${terms.slice(0, 4).map(([w, j]) => `${fixed(w)} × ${j === i ? "its own payoff" : names[j]}`).join(" + ")}${terms.length > 4 ? " + …" : ""}`;
  });
  if (!matrix) shown.push(open.facts.id.endsWith("-v0") ? "A released game: the mixture is multiplied and fined by rules of its own." : "reward of each = a mixture of its own payoff and those of all others");
  else if (open.facts.trust_weighted && last.kind === "integrated") shown.push("The weights of others move with trust.");
  $("weights").replaceChildren(...shown.map((text) => el("li", { text })));
}

// --- marks

function askMarks() {
  const asked = open.session, mode = last.mode;
  showMarks("Solving one step …");
  post("marks", { session: asked }).then((found) => {
    if (open.session !== asked || last.mode !== mode) return;
    view.marks = found;
    const lost = found.lost === null ? "" : found.lost < 5e-6 ? ", the best sum of payoffs" : `, which misses ${fixed(100 * found.lost, found.lost < 0.001 ? 3 : 1)}\u00a0% of the best sum of payoffs`;
    const { status, others } = found.equilibrium;
    const sure = `${{ certified: "", unrefuted: " A search found nothing better; that is no proof." }[status] ?? " It is approximate."}${others === "proved" ? "" : " It may not be the only one."}`;
    showMarks(`In one step under ${found.mode} rewards, equilibrium pays ${some(found.equilibrium.welfare)} in all${lost}.${sure}`);
    showSliders();
    drawAll(view);
    describeCharts();
  }).catch((error) => showMarks(`No marks: ${error.message}`));
}

function showMarks(text) {
  $("marks-say").textContent = text;
  for (const button of document.querySelectorAll("[data-set]")) button.disabled = !view.marks && button.dataset.set !== "baseline";
  view.rows.forEach((row, k) => {
    for (const mark of $("seats").children[k].querySelectorAll(".mark")) {
      mark.style.visibility = view.marks ? "visible" : "hidden";
      if (view.marks) mark.style.setProperty("--at", mean(view.marks[mark.dataset.mark].actions, row.members) / view.agents[row.members[0]].endowment);
    }
  });
}

function setAll(what) {
  wanted = what === "baseline" ? view.agents.map((agent) => agent.baseline) : [...view.marks[what].actions];
  showSliders();
  say(`The sliders stand at the ${what}.`);
}

// --- tables and words

function row(head, cells, name = "") {
  return el("tr", { class: name }, el("th", { scope: "row", text: head }), ...cells.map((text) => el("td", { text })));
}

function showScore() {
  const move = view.moves.at(-1), { totals } = last, at = (values, each, digits) => (values ? fixed(mean(values, each.members), digits) : "–");
  const sum = (values) => (values ? some(values.reduce((a, b) => a + b, 0)) : "–");
  const lines = view.rows.map((each) => row(each.label, [at(move?.actions, each, 1), at(move?.payoffs, each), some(mean(totals.payoffs, each.members)), at(move?.rewards, each), some(mean(totals.rewards, each.members))]));
  showTrust();
  $("score").replaceChildren(...lines, row("all together", [sum(move?.actions), sum(move?.payoffs), sum(totals.payoffs), sum(move?.rewards), sum(totals.rewards)], "all"));
}

// Who trusts whom; nothing where the agents are too many for a table.
function showTrust() {
  const names = view.agents.map((agent) => agent.name);
  $("pairs").hidden = last.trust === null;
  if (last.trust === null) return;
  const cell = (i, j) => (i === j ? "" : `${fixed(last.trust[i][j])} · ${fixed(last.damage[i][j])}`);
  $("pairs-table").replaceChildren(table(["trust of · damage seen in", ...names], names.map((name, i) => row(name, names.map((_, j) => cell(i, j))))));
}

function showLegend() {
  const items = view.rows.map((each, k) => el("li", {}, swatch(k), each.label));
  items.push(el("li", {}, levelSwatch("6 3"), "equilibrium of a step"), el("li", {}, levelSwatch("2 2"), "optimum of a step"));
  $("legend").replaceChildren(...items);
}

function describeCharts() {
  const move = view.moves.at(-1), steps = view.moves.length;
  const tell = (id, what, values) => $(id).setAttribute("aria-label", steps ? `${what} over ${steps} steps; last: ${values}` : `${what}; no step has been played`);
  tell("chart-actions", "Contributions", move && each(move.actions));
  tell("chart-payoffs", "Payoffs", move && each(move.payoffs));
  tell("chart-rewards", `Rewards, ${last.mode}`, move && each(move.rewards));
  tell("chart-trust", "Mean trust and damage", move && `trust ${fixed(move.trust, 3)}, damage ${fixed(move.damage, 3)}`);
}

function table(heads, lines) {
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col", text })));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table: ${heads.filter(Boolean).join(", ")}` }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...lines)));
}

function showFacts(facts) {
  const forms = facts.parts.map((part) => el("div", {}, el("h3", { text: part.name }), ...part.says.map((text) => el("p", { text })),
    el("p", { class: "numbers", text: part.numbers.map(([name, value]) => `${name} ${value}`).join(" · ") })));
  const agents = facts.rows.map((each) => {
    const agent = facts.agents[each.members[0]];
    return row(each.label, [fixed(agent.endowment, 0), fixed(agent.baseline, 1), fixed(agent.share, 3)]);
  });
  const names = facts.agents.map((agent) => agent.name), matrix = facts.interdependence;
  const needs = matrix ? table(["depends on", ...names], matrix.map((values, i) => row(names[i], values.map((x, j) => (i === j ? "" : fixed(x))))))
    : el("p", { text: `Interdependence, mean over pairs: ${fixed(facts.interdependence_mean)}` });
  $("facts").replaceChildren(el("div", { class: "pair" }, table(["agent", "endowment", "baseline", "share"], agents), el("div", {}, needs)), el("div", { class: "pair" }, ...forms));
}

// --- theme and start

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  $("theme").textContent = name === "dark" ? "Light theme" : "Dark theme";
  if (!view) return;
  showLegend();
  [...$("seats").children].forEach((seat, k) => seat.querySelector(".swatch").replaceWith(swatch(k)));
  drawAll(view);
}

function begin() {
  const groups = new Map();
  for (const game of START.games) {
    const label = `TR-${game.report} ${game.title}${game.version === "v0" ? ", as released" : ""}`;
    if (!groups.has(label)) groups.set(label, el("optgroup", { label }));
    groups.get(label).append(el("option", { value: game.id, text: game.id }));
  }
  $("game").append(...groups.values());
  $("game").value = START.game;
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  $("theme").addEventListener("click", () => setTheme(dark() ? "light" : "dark"));
  $("game").addEventListener("change", () => openGame({}));
  $("step").addEventListener("click", () => { pause(); step(1); });
  $("run").addEventListener("click", () => (playing ? pause() : play()));
  $("end").addEventListener("click", () => { pause(); step(1000); });
  $("reset").addEventListener("click", () => {
    pause();
    ask("reset", { seed: seedNow() }, (state) => { take(state); say(`A new episode with seed ${state.seed}.`); });
  });
  $("seed").addEventListener("change", () => { $("seed").value = seedNow(); });
  for (const input of document.querySelectorAll("input[name=kind]")) input.addEventListener("change", switchMode);
  $("mutuality").addEventListener("input", () => { $("mutuality-value").textContent = fixed(Number($("mutuality").value)); });
  $("mutuality").addEventListener("change", switchMode);
  for (const button of document.querySelectorAll("[data-set]")) button.addEventListener("click", () => setAll(button.dataset.set));
  $("library").addEventListener("load", () => drawAll(view));
  $("library").addEventListener("error", () => wrong(new Error("The charts could not be loaded; the sliders and the table work without them.")));
  switchMode();
  openGame({});
}

begin();
