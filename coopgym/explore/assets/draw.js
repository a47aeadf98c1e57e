"use strict";
// Charts of an episode. A row is an agent, or agents of one role together: then their mean is drawn.

const LIGHT = ["#332288", "#cc6677", "#117733", "#aa4499", "#8a7a1f", "#882255", "#2f8f80", "#4477aa"];
const DARK = ["#a99cf5", "#ee99aa", "#6ccb8a", "#e08fd0", "#d0c860", "#e58aa8", "#66ccbb", "#8fc4ee"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "cross"];
const STROKES = { solid: "", dash: "6 3", dot: "2 2", dashdot: "6 2 2 2", longdash: "9 3", longdashdot: "9 2 2 2" };
const PLAIN = { displayModeBar: false, responsive: true, doubleClick: false };

const dark = () => document.documentElement.dataset.theme === "dark";
const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (k) => (dark() ? DARK : LIGHT)[k % LIGHT.length];
const mean = (values, members) => members.reduce((sum, i) => sum + values[i], 0) / members.length;

// Later rows are thinner, so that one that lies on another hides none.
function look(k, steps) {
  return {
    mode: steps > 40 ? "lines" : "lines+markers",
    line: { color: colour(k), width: Math.max(1.6, 3 - 0.5 * k), dash: DASHES[k % DASHES.length] },
    marker: { size: Math.max(4, 9 - 2 * k), symbol: SYMBOLS[k % SYMBOLS.length], color: colour(k) },
  };
}

// One horizontal line where all rows have nearly the same value; else one for each row, in its colour.
function level(values, name, dash, upTo) {
  const spread = Math.max(...values.map(Math.abs), 1e-9);
  const same = values.every((x) => Math.abs(x - values[0]) < 0.01 * spread);
  return (same ? values.slice(0, 1) : values).map((y, k) => ({
    x: [0.5, upTo], y: [y, y], mode: "lines", name, hoverinfo: "skip", opacity: same ? 1 : 0.7,
    line: { color: same ? paint("--soft") : colour(k), width: 1.3, dash },
  }));
}

function axes(upTo, more, from = 0.5) {
  const axis = { gridcolor: paint("--grid"), zerolinecolor: paint("--line"), linecolor: paint("--line"), fixedrange: true };
  const font = { color: paint("--soft"), size: 11, family: "system-ui, sans-serif" };
  return {
    xaxis: { ...axis, range: [from, upTo], title: { text: "step", font, standoff: 4 }, tickfont: font },
    yaxis: { ...axis, tickfont: font, automargin: true, ...more },
    margin: { l: 44, r: 8, t: 6, b: 34 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false, dragmode: false, hovermode: "x unified", font,
    hoverlabel: { bgcolor: paint("--card"), bordercolor: paint("--line"), font: { color: paint("--ink"), size: 12 } },
  };
}

function lines(rows, moves, of, format) {
  return rows.map((row, k) => ({
    x: moves.map((move) => move.step), y: moves.map((move) => of(move, row)), name: row.label,
    hovertemplate: `%{y:${format}}`, ...look(k, moves.length),
  }));
}

// Nothing before the library is there: it is large, and the rest of the page does not wait for it.
function drawAll(view) {
  if (!window.Plotly || !view || !view.start) return;
  const { rows, moves, marks, agents } = view;
  const upTo = Math.min(view.horizon, Math.max(10, 2 ** Math.ceil(Math.log2(moves.length + 1)))) + 0.5;
  const rate = (actions) => rows.map((row) => 100 * mean(actions.map((a, i) => a / agents[i].endowment), row.members));
  const byRow = (values) => rows.map((row) => mean(values, row.members));
  const both = (pick) => (marks
    ? [...level(pick(marks.equilibrium), "equilibrium", "dash", upTo), ...level(pick(marks.optimum), "optimum", "dot", upTo)]
    : []);
  const draw = (id, traces, more, from) => Plotly.react(id, traces, axes(upTo, more, from), PLAIN);

  draw("chart-actions", [...both((m) => rate(m.actions)),
    ...lines(rows, moves, (move, row) => mean(move.actions.map((a, i) => 100 * a / agents[i].endowment), row.members), ".1f")],
  { range: [-3, 103], ticksuffix: " %" });
  draw("chart-payoffs", [...both((m) => byRow(m.payoffs)),
    ...lines(rows, moves, (move, row) => mean(move.payoffs, row.members), ",.2f")], {});
  const payoffs = lines(rows, moves, (move, row) => mean(move.payoffs, row.members), ",.2f").map((trace) => ({
    ...trace, mode: "lines", hoverinfo: "skip", hovertemplate: undefined, opacity: 0.35,
    line: { ...trace.line, width: 1.5, dash: "dot" },
  }));
  draw("chart-rewards", [...both((m) => byRow(m.rewards)), ...payoffs,
    ...lines(rows, moves, (move, row) => mean(move.rewards, row.members), ",.2f")], {});
  const ink = paint("--ink"), soft = paint("--soft"), steps = moves.map((move) => move.step);
  draw("chart-trust", [
    { x: [0, ...steps], y: [view.start.trust, ...moves.map((m) => m.trust)], name: "trust", mode: "lines", line: { color: ink, width: 2.2 }, hovertemplate: "%{y:.3f}" },
    { x: [0, ...steps], y: [view.start.damage, ...moves.map((m) => m.damage)], name: "damage", mode: "lines", line: { color: soft, width: 2, dash: "dot" }, hovertemplate: "%{y:.3f}" },
  ], { range: [-0.03, 1.03] }, 0);
}

// The legend's sample of a row: the line and the marker of its charts.
function swatch(k) {
  const svg = svgOf("svg", { viewBox: "0 0 26 12", class: "swatch", "aria-hidden": "true" });
  const dash = STROKES[DASHES[k % DASHES.length]];
  svg.append(svgOf("line", { x1: 0, x2: 26, y1: 6, y2: 6, stroke: colour(k), "stroke-width": 2.4, "stroke-dasharray": dash || "none" }));
  const shapes = [
    ["circle", { cx: 13, cy: 6, r: 4 }], ["path", { d: "M9 2h8v8H9z" }], ["path", { d: "M13 1l5 5-5 5-5-5z" }],
    ["path", { d: "M13 1.5 18 10H8z" }], ["path", { d: "M9 2l8 8M17 2l-8 8", stroke: colour(k), "stroke-width": 2.4 }],
    ["path", { d: "M13 1l1.5 3.4 3.6.4-2.7 2.4.8 3.6L13 9l-3.2 1.8.8-3.6L7.9 4.8l3.6-.4z" }],
    ["path", { d: "M13 1l4.8 3.5-1.8 5.6h-6L8.2 4.5z" }], ["path", { d: "M11.5 2h3v2.5H17v3h-2.5V10h-3V7.5H9v-3h2.5z" }],
  ];
  const [kind, shape] = shapes[k % shapes.length];
  svg.append(svgOf(kind, { fill: colour(k), ...shape }));
  return svg;
}

function levelSwatch(dash) {
  const svg = svgOf("svg", { viewBox: "0 0 26 12", class: "swatch", "aria-hidden": "true" });
  svg.append(svgOf("line", { x1: 0, x2: 26, y1: 6, y2: 6, stroke: paint("--soft"), "stroke-width": 1.8, "stroke-dasharray": dash }));
  return svg;
}

function svgOf(kind, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
