"use strict";
(() => {
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const make = (tag, about = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), about);
    node.append(...children);
    return node;
  };
  const root = document.documentElement;

  // theme: the system's, or the reader's choice, which is remembered where the browser lets a file do that
  const remembered = {
    get: () => { try { return localStorage.getItem("coopgym-theme"); } catch { return null; } },
    set: theme => { try { localStorage.setItem("coopgym-theme", theme); } catch { /* the choice lasts for this visit */ } },
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const themeButton = document.getElementById("theme");
  const named = () => { themeButton.textContent = dark() ? "Light theme" : "Dark theme"; };
  if (["dark", "light"].includes(remembered.get())) root.dataset.theme = remembered.get();
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    remembered.set(root.dataset.theme);
    named();
    repaint();
  });
  system.addEventListener("change", () => { named(); repaint(); });
  named();

  // charts: Plotly is started when the first one comes near
  let started = null;
  const execute = code => {
    document.head.append(make("script", { textContent: code }));
    return window.Plotly;
  };
  const unpacked = async text => {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const start = () => {
    const plain = document.getElementById("plotly-plain"), packed = document.getElementById("plotly-packed");
    started ??= plain ? Promise.resolve(execute(plain.textContent)) : unpacked(packed.textContent).then(execute);
    return started;
  };
  const style = (forPrint = false) => {
    const css = getComputedStyle(root);
    const value = (name, printed) => forPrint ? printed : css.getPropertyValue(name).trim();
    const ink = value("--ink", "#1d232a"), grid = value("--grid", "#e6e9ed"), ground = value("--ground", "#ffffff");
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true, title: { standoff: 8 } };
    return { layout: {
      font: { family: css.getPropertyValue("--text"), size: 12, color: ink }, paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", xaxis: axis, yaxis: axis, hoverlabel: { bgcolor: ground, font: { color: ink } },
      margin: { l: 8, r: 14, t: 8, b: 8 },
      colorway: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8A8A8A"], polar: { bgcolor: ground },
    } };
  };
  const figureOf = chart => JSON.parse(chart.parentElement.querySelector('script[type="application/json"]').textContent);
  const drawn = new Set();
  const draw = (chart, Plotly) => {
    if (drawn.has(chart)) return;
    drawn.add(chart);
    legend(chart);
    const { data, layout } = figureOf(chart);
    layout.template = style();
    layout.autosize = true;
    layout.showlegend = false;
    chart.replaceChildren();
    Plotly.newPlot(chart, data, layout, { displayModeBar: false, responsive: true, showTips: false });
    chart.dataset.drawn = "yes";
  };
  const charts = all(".chart");

  // legends: buttons that hide and show what they name
  const SHAPES = { circle: "\u25cf", square: "\u25a0", diamond: "\u25c6", x: "\u2716", star: "\u2605", "triangle-up": "\u25b2" };
  const legend = chart => {
    const { data } = figureOf(chart), entries = new Map();
    for (const trace of data) if (trace.name && trace.showlegend !== false && !entries.has(trace.name)) entries.set(trace.name, trace);
    if (entries.size < 2) return;
    const list = make("div", { className: "legend" });
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Shown in the picture");
    for (const [name, trace] of entries) {
      const shape = [trace.marker?.symbol ?? ""].flat()[0].replace("-open", "");
      const sign = make("span", { textContent: trace.mode === "lines" ? "\u2501" : SHAPES[shape] ?? "\u25cf" });
      sign.style.color = trace.line?.color ?? [trace.marker?.color].flat()[0] ?? "";
      sign.setAttribute("aria-hidden", "true");
      const button = make("button", { type: "button" }, sign, make("bdi", { textContent: name }));
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", async () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        const Plotly = await start();
        draw(chart, Plotly);
        const own = data.flatMap((each, i) => (each.legendgroup ?? each.name) === (trace.legendgroup ?? name) ? [i] : []);
        Plotly.restyle(chart, { visible: on }, own);
      });
      list.append(button);
    }
    chart.before(list);
  };
  const repaint = (forPrint = false) => {
    for (const chart of drawn) window.Plotly.relayout(chart, { template: style(forPrint) });
  };
  const near = new IntersectionObserver(seen => {
    for (const entry of seen.filter(each => each.isIntersecting)) {
      near.unobserve(entry.target);
      start().then(Plotly => draw(entry.target, Plotly));
    }
  }, { rootMargin: "500px" });
  charts.forEach(chart => near.observe(chart));
  const shown = () => charts.filter(chart => !chart.closest("figure").hidden);
  addEventListener("beforeprint", () => {
    if (!charts.length) return;
    if (document.getElementById("plotly-plain")) start();
    if (!window.Plotly) return;
    for (const chart of shown()) {
      draw(chart, window.Plotly);
      const wide = chart.closest(".single") ? 640 : 310;
      window.Plotly.relayout(chart, { template: style(true), width: wide });
    }
  });
  addEventListener("afterprint", () => {
    for (const chart of drawn) window.Plotly.relayout(chart, { template: style(), width: null, autosize: true });
  });
  if (charts.length && document.getElementById("plotly-packed")) addEventListener("load", () => setTimeout(start, 1500));

  // below each chart: its numbers as a table, and the picture as a file
  const save = (name, type, content) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const AXES = ["x", "y", "z", "r", "theta", "values", "labels"];
  const numbers = chart => {
    const table = make("table"), body = make("tbody"), { data } = figureOf(chart);
    const used = AXES.filter(axis => data.some(trace => Array.isArray(trace[axis])));
    const line = (tag, cells) => make("tr", {}, ...cells.map(cell => make(tag, { textContent: cell ?? "\u2013" })));
    table.append(make("thead", {}, line("th", ["series", ...used])), body);
    for (const trace of data) {
      if (trace.hoverinfo === "skip" && trace.showlegend === false && trace.line?.width === 0) continue;
      const size = Math.max(0, ...used.map(axis => (trace[axis] || []).length));
      for (let i = 0; i < size; i++) {
        const cell = axis => Array.isArray(trace[axis]?.[i]) ? trace[axis][i].map(x => x ?? "\u2013").join(" ") : trace[axis]?.[i];
        body.append(line("td", [trace.name ?? "", ...used.map(cell)]));
      }
    }
    return make("div", { className: "scroll", tabIndex: 0 }, table);
  };
  for (const chart of charts) {
    const title = chart.parentElement.querySelector("h3")?.textContent || chart.closest("section").querySelector("h2").textContent;
    const details = make("details", {}, make("summary", { textContent: "Numbers" }));
    details.firstChild.setAttribute("aria-label", `Numbers of the picture: ${title}`);
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(numbers(chart));
    });
    const picture = make("button", { type: "button", textContent: "SVG" });
    picture.setAttribute("aria-label", `Save the picture as SVG: ${title}`);
    picture.addEventListener("click", async () => {
      const Plotly = await start();
      draw(chart, Plotly);
      const url = await Plotly.toImage(chart, { format: "svg", width: chart.clientWidth, height: chart.clientHeight });
      save(`${chart.id}.svg`, "image/svg+xml", decodeURIComponent(url.slice(url.indexOf(",") + 1)));
    });
    chart.parentElement.append(make("div", { className: "below" }, details, picture));
  }

  // of a panel with several groups of charts, one group at a time
  for (const box of all(".charts")) {
    const figures = all("figure", box), groups = [...new Set(figures.map(figure => figure.dataset.group))];
    if (groups.length < 2) continue;
    const choice = make("select", {}, ...groups.map(group => make("option", { value: group, textContent: group || "all games" })));
    const show = () => figures.forEach(figure => { figure.hidden = figure.dataset.group !== choice.value; });
    choice.addEventListener("change", show);
    box.before(make("form", { className: "tools", onsubmit: () => false }, make("label", {}, "Show", choice)));
    show();
  }

  // tables: sort by any column, and what is shown as CSV
  const text = cell => cell.textContent.trim();
  const raw = cell => cell.dataset.v ?? text(cell);
  const asNumber = cell => {
    const found = /^[-+]?[\d.,]+(?:e[-+]?\d+)?/i.exec(raw(cell));
    return found ? Number(found[0].replaceAll(",", "")) : NaN;
  };
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const sort = (table, column, down) => {
    const rows = [...table.tBodies[0].rows], cells = rows.map(row => row.cells[column]);
    const empty = cell => ["", "\u2013"].includes(text(cell));
    const filled = cells.filter(cell => !empty(cell));
    const numeric = filled.length > 0 && filled.every(cell => !Number.isNaN(asNumber(cell)));
    const order = rows.map((row, i) => ({ row, i, none: empty(cells[i]), key: numeric ? asNumber(cells[i]) : raw(cells[i]) }));
    order.sort((a, b) => a.none - b.none || (down ? -1 : 1) * (numeric ? a.key - b.key : compare(a.key, b.key)) || a.i - b.i);
    table.tBodies[0].append(...order.map(each => each.row));
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };
  const quoted = value => {
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(value) ? `'${value}` : value;  // a spreadsheet would compute it
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const digits = String.raw`([-+]?[\d.,]+(?:e[-+]?\d+)?%?)`;
  const interval = new RegExp(`^${digits} \\[${digits}, ${digits}\\]$`, "i");  // a mean with its interval: three columns
  const csv = table => {
    const heads = [...table.tHead.rows[0].cells].filter(head => !head.classList.contains("link"));
    const shown = [...table.tBodies[0].rows].filter(row => !row.hidden);
    const value = (row, i) => (raw(row.cells[i]) === "\u2013" ? "" : raw(row.cells[i]));
    const wide = heads.map((_, i) => shown.some(row => interval.test(value(row, i))));
    const parts = (row, i) => {
      if (!wide[i]) return [value(row, i)];
      const found = interval.exec(value(row, i));
      const known = found ? found.slice(1) : [value(row, i), "", ""];
      return known.map(x => (/^[-+]?[\d.,]+%?$/.test(x) ? x.replaceAll(",", "") : x));
    };
    const names = heads.flatMap((head, i) => (wide[i] ? ["", " low", " high"] : [""]).map(end => text(head) + end));
    const lines = [names, ...shown.map(row => heads.flatMap((_, i) => parts(row, i)))];
    return `${lines.map(line => line.map(quoted).join(",")).join("\r\n")}\r\n`;
  };
  for (const box of all(".table")) {
    const table = box.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.classList.contains("link")) return;
      const button = make("button", { type: "button", textContent: text(head) });
      button.addEventListener("click", () => sort(table, column, head.getAttribute("aria-sort") === "ascending"));
      head.replaceChildren(button);
    });
    const button = make("button", { type: "button", textContent: "CSV" });
    const caption = table.caption?.textContent || box.closest("section").querySelector("h2").textContent;
    button.setAttribute("aria-label", `Save what is shown as CSV: ${caption}`);
    button.addEventListener("click", () => save(`${box.id}.csv`, "text/csv", csv(table)));
    box.append(make("div", { className: "below" }, button));
  }

  // the table of runs: filters, which links elsewhere on the page set
  const runs = document.querySelector("#runs table");
  if (runs) {
    const heads = [...runs.tHead.rows[0].cells].map(text), rows = [...runs.tBodies[0].rows];
    const values = heads.map((_, i) => new Set(rows.map(row => text(row.cells[i]))));
    const MOST = 80, chosen = new Map();
    const tools = make("form", { className: "tools", onsubmit: () => false });
    const selects = new Map();
    heads.forEach((name, i) => {
      const words = values[i].size > 1 && values[i].size <= MOST && (name === "seed" || !rows.every(row => row.cells[i].classList.contains("n")));
      if (!words) return;
      const options = [...values[i]].sort(compare).map(value => make("option", { value, textContent: value }));
      const select = make("select", { name }, make("option", { value: "\u0000all", textContent: "all" }), ...options);
      select.addEventListener("change", () => choose(name, select.value));
      selects.set(name, select);
      tools.append(make("label", {}, name, select));
    });
    const search = make("input", { type: "search", name: "search", autocomplete: "off" });
    search.addEventListener("input", () => apply());
    const clear = make("button", { type: "button", textContent: "Show all" });
    clear.addEventListener("click", () => { chosen.clear(); search.value = ""; remember(); apply(); });
    const status = make("p", {});
    status.setAttribute("role", "status");
    tools.append(make("label", {}, "any text", search), clear, status);
    runs.closest(".table").before(tools);
    const choose = (name, value) => {
      if (value === "\u0000all") chosen.delete(name); else chosen.set(name, value);
      remember();
      apply();
    };
    const remember = () => {
      const query = new URLSearchParams([...chosen]).toString();
      try { history.replaceState(null, "", query ? `#runs?${query}` : "#runs"); } catch { /* not of a file, in some browsers */ }
    };
    const apply = () => {
      const tests = [...chosen].map(([name, value]) => [heads.indexOf(name), value]);
      const wanted = search.value.toLowerCase();
      let count = 0;
      for (const row of rows) {
        const fits = tests.every(([i, value]) => i < 0 || text(row.cells[i]) === value || row.cells[i].dataset.v === value)
          && (!wanted || row.textContent.toLowerCase().includes(wanted));
        row.hidden = !fits;
        count += fits;
      }
      for (const [name, select] of selects) select.value = chosen.get(name) ?? "\u0000all";
      const others = [...chosen].filter(([name]) => !selects.has(name)).map(([name, value]) => `${name} ${value}`);
      status.textContent = [`${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} lines`, ...others].join(", ");
    };
    const filter = wanted => {
      chosen.clear();
      search.value = "";
      for (const [name, value] of Object.entries(wanted)) chosen.set(name, value);
      apply();
    };
    document.addEventListener("click", event => {
      const link = event.target.closest?.("a[data-filter]");
      if (!link) return;
      event.preventDefault();
      filter(JSON.parse(link.dataset.filter));
      remember();
      const title = document.getElementById("runs-title");
      title.scrollIntoView();
      title.focus();
    });
    const fromAddress = () => {
      const found = /^#runs\?(.*)$/.exec(location.hash);
      if (!found) return apply();
      filter(Object.fromEntries(new URLSearchParams(found[1])));
      document.getElementById("runs").scrollIntoView();
    };
    addEventListener("hashchange", fromAddress);
    fromAddress();
  }

  // where the reader is
  const links = new Map(all("nav a").map(link => [link.getAttribute("href").slice(1), link]));
  const sections = all("main section"), inside = new Set();
  const here = new IntersectionObserver(seen => {
    for (const { target, isIntersecting } of seen) isIntersecting ? inside.add(target) : inside.delete(target);
    const current = sections.filter(section => inside.has(section)).at(-1);
    if (!current) return;
    links.forEach(link => link.removeAttribute("aria-current"));
    links.get(current.id)?.setAttribute("aria-current", "true");
  }, { rootMargin: "0px 0px -70% 0px" });
  sections.forEach(section => here.observe(section));
})();
