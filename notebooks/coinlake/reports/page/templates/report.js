/* The page's only script: draws the figures when they come into view, in the theme and range of the reader. */
(() => {
"use strict";
const root = document.documentElement;
const allPlots = () => [...document.querySelectorAll(".plot")];
const plots = allPlots();
const palette = Object.entries(JSON.parse(document.getElementById("palette").textContent));
const darkScreen = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();
/* What other ranges show, by days and section, and what the page shows of the whole period, before it is drawn. */
const rangesData = document.getElementById("ranges");
const ranges = rangesData ? JSON.parse(rangesData.textContent) : {};
const whole = {};
for (const key of new Set(Object.values(ranges).flatMap(Object.keys)))
  whole[key] = (key === "opening" ? document.querySelector("header") : document.getElementById(key)).outerHTML;
let printing = false;

const isDark = () => !printing && (root.dataset.theme ? root.dataset.theme === "dark" : darkScreen.matches);

/* The positions, at least `gap` apart, in their order: as charts.spread in Python. */
function spread(positions, gap) {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b] || a - b);
  const groups = order.map(i => [positions[i], 1]);
  for (let i = 1; i < groups.length;) {
    const [[below, m], [above, n]] = [groups[i - 1], groups[i]];
    if (above - below < gap * (m + n) / 2 - 1e-9) {
      groups.splice(i - 1, 2, [(below * m + above * n) / (m + n), m + n]);
      i = Math.max(i - 1, 1);
    } else i++;
  }
  const places = groups.flatMap(([middle, n]) => Array.from({length: n}, (_, k) => middle + gap * (k - (n - 1) / 2)));
  const shifts = [];
  order.forEach((i, k) => { shifts[i] = places[k] - positions[i]; });
  return shifts;
}

/* Puts the end labels beside the lines' ends, apart from one another in this plot's real height. */
function placeLabels(figure, meta, height) {
  const labels = (figure.layout.annotations || []).filter(a => (a.name || "").startsWith("end "));
  for (const yref of new Set(labels.map(label => label.yref))) {
    const mine = labels.filter(label => label.yref === yref);
    const axis = figure.layout["yaxis" + yref.slice(1)];
    const domain = axis.domain || [0, 1];
    const scale = height * (domain[1] - domain[0]) / (axis.range[1] - axis.range[0] || 1);
    for (const label of mine) {
      const trace = figure.data[Number(label.name.slice(4))];
      let i = trace.y.length - 1;
      while (i > 0 && trace.y[i] === null) i--;
      const y = meta.log ? Math.log10(trace.y[i]) : trace.y[i];
      label.y = Math.min(Math.max(y, axis.range[0]), axis.range[1]);
    }
    const shifts = spread(mine.map(label => label.y * scale), 15);
    mine.forEach((label, i) => { label.yshift = shifts[i]; });
  }
}

/* JSON of the page in the colours of the reader's theme. */
function inTheme(id) {
  let text = document.getElementById(id).textContent;
  if (isDark()) for (const [light, dark] of palette) text = text.replaceAll(`"${light}"`, `"${dark}"`);
  return JSON.parse(text);
}

/* Days in equal steps, of which the page holds the first, the step and their number. */
function daysFrom({from, step, count}) {
  const first = Date.parse(from);
  return Array.from({length: count}, (_, i) => new Date(first + i * step * 864e5).toISOString().slice(0, 10));
}

function compose(plot) {
  const figure = inTheme("data-" + plot.id.slice(5));
  const shared = inTheme("layout");
  merge(shared, figure.layout);
  figure.layout = shared;
  for (const trace of figure.data) if (trace.x && trace.x.from) trace.x = daysFrom(trace.x);
  const layout = figure.layout;
  const meta = layout.meta || {};
  const small = plot.clientWidth < 440;
  delete layout.height;
  layout.autosize = true;
  if (small) {
    layout.font.size = 11.5;
    for (const a of layout.annotations || []) if (a.font) a.font.size = Math.min(a.font.size || 12, 11);
    for (const key of Object.keys(layout).filter(key => key.startsWith("xaxis")))
      if (!layout[key].dtick) layout[key].nticks = Math.min(layout[key].nticks || 5, 5);
    if (meta.small) merge(layout, meta.small);
  }
  if (meta.ends) placeLabels(figure, meta, plot.clientHeight - layout.margin.t - layout.margin.b);
  return figure;
}

function merge(base, changes) {
  for (const [key, value] of Object.entries(changes))
    if (value && typeof value === "object" && !Array.isArray(value) && base[key]) merge(base[key], value);
    else base[key] = value;
}

const sized = "ResizeObserver" in window && new ResizeObserver(entries => {
  for (const {target} of entries)
    if (drawn.has(target) && Math.abs(target.clientWidth - target.dataset.width) > 1) draw(target);
});

function draw(plot) {
  const figure = compose(plot);
  drawn.add(plot);
  if (sized) sized.observe(plot);
  plot.dataset.width = plot.clientWidth;
  return Plotly.react(plot, figure.data, figure.layout, {displayModeBar: false, responsive: false, doubleClick: false});
}
const redraw = () => drawn.forEach(draw);

if (plots.length) {
  /* What can be seen is drawn at once; the rest one by one, so that the page can be scrolled meanwhile. */
  const canBeSeen = plot => plot.getBoundingClientRect().top < innerHeight;
  plots.filter(canBeSeen).forEach(draw);
  const drawNext = () => {
    const next = allPlots().find(plot => !drawn.has(plot));
    if (next) draw(next).then(() => setTimeout(drawNext));
  };
  setTimeout(drawNext);
  addEventListener("beforeprint", () => { printing = true; root.classList.add("printing"); allPlots().forEach(draw); });
  addEventListener("afterprint", () => { printing = false; root.classList.remove("printing"); redraw(); });
}

/* Theme: the reader's choice, else the screen's. */
const theme = document.querySelector("button.theme");
const store = {
  get: () => { try { return localStorage.getItem("coinlake-theme"); } catch { return null; } },
  set: value => { try { localStorage.setItem("coinlake-theme", value); } catch { /* a file:// page may have none */ } },
};
if (store.get()) root.dataset.theme = store.get();
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", `Change to the ${isDark() ? "light" : "dark"} theme`); };
theme.hidden = false;
nameTheme();
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  store.set(root.dataset.theme);
  nameTheme();
  redraw();
});
darkScreen.addEventListener("change", () => { nameTheme(); redraw(); });

/* Time range: findings and charts over the last days, made by the same code as those of the whole period.
   The choice stands in the address: #drawdown?days=30. */
const chooser = document.querySelector(".ranges");
if (chooser) {
  const pieces = ["kicker", "lead", "cards"].map(name => "header ." + name).concat("header h1");
  const inHtml = html => {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  };
  const swap = (key, html) => {
    if (key === "opening") {
      const header = inHtml(html);
      for (const piece of pieces) document.querySelector(piece).replaceWith(header.querySelector(piece));
      return;
    }
    const old = document.getElementById(key);
    const open = (old.querySelector("details") || {}).open;
    for (const plot of old.querySelectorAll(".plot")) { drawn.delete(plot); if (sized) sized.unobserve(plot); }
    old.replaceWith(inHtml(html));
    const details = document.getElementById(key).querySelector("details");
    if (details) details.open = open;
    document.getElementById(key).querySelectorAll(".plot").forEach(draw);
  };
  const asked = () => /^#([^?]*)(?:\?days=(\d+))?$/.exec(location.hash) || ["", "", ""];
  let days = "";
  const address = () => history.replaceState(null, "", `#${asked()[1]}${days && "?days=" + days}`);
  const choose = chosen => {
    days = chosen in ranges ? chosen : "";
    for (const key of Object.keys(whole)) swap(key, (ranges[days] || {})[key] || whole[key]);
    for (const button of chooser.children) button.setAttribute("aria-pressed", String(button.dataset.days === days));
  };
  chooser.hidden = false;
  chooser.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    choose(button.dataset.days);
    address();
  });
  addEventListener("hashchange", () => days && address());
  if (asked()[2]) {
    choose(asked()[2]);
    const section = document.getElementById(asked()[1]);
    if (section) section.scrollIntoView();
  }
}

/* The rows of a section as a file: those of its figure, or of its table where the page holds no figure. */
const plainText = html => new DOMParser().parseFromString(html, "text/html").body.textContent;
function rowsOf(key) {
  const held = document.getElementById("data-" + key);
  if (!held) {
    const tables = [...document.getElementById(key).querySelectorAll("table")];
    return tables.flatMap(table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.trim())));
  }
  const {data} = JSON.parse(held.textContent), named = data.filter(trace => trace.name);
  const prices = ["open", "high", "low", "close"];
  const candles = named.some(trace => trace.type === "candlestick"), bars = named.some(trace => trace.orientation === "h");
  const rows = named.flatMap(trace => {
    const x = trace.x.from ? daysFrom(trace.x) : trace.x;
    const [at, values] = bars ? [trace.y, trace.customdata || x] : [x, trace.y];
    const name = plainText(trace.meta ? `${trace.meta}, ${trace.name}` : trace.name);
    return at.map((one, i) => [name, plainText(one), ...(candles ? prices.map(price => trace[price][i]) : [values[i]])]);
  });
  return [["series", bars ? "coin" : "date", ...(candles ? prices : ["value"])], ...rows.filter(row => row[2] !== null)];
}
root.classList.add("scripted");
document.addEventListener("click", event => {
  const button = event.target.closest("[data-csv]");
  if (!button) return;
  const quoted = value => /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value;
  const lines = rowsOf(button.dataset.csv).map(row => row.map(quoted).join(",") + "\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, {type: "text/csv"}));
  link.download = `${button.dataset.csv}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

/* A page that is opened later says how old it has become. */
const banner = document.querySelector(".banner[data-closes]");
if (banner) {
  const hours = (Date.now() - Date.parse(banner.dataset.closes)) / 36e5;
  const sla = Number(banner.dataset.sla);
  const state = hours <= sla ? "fresh" : hours <= 2 * sla ? "late" : "stale";
  const age = hours < 48 ? `${Math.max(hours, 0).toFixed(0)} h` : `${Math.floor(hours / 24)} days`;
  const order = ["fresh", "late", "stale"];
  const built = order.findIndex(one => banner.classList.contains(one));
  if (built >= 0 && (order.indexOf(state) > built || banner.dataset.closed === "the last day closed")) {
    banner.className = `banner ${state}`;
    banner.querySelector("strong").textContent =
      `${state[0].toUpperCase()}${state.slice(1)}: ${banner.dataset.closed} ${age} ago, promised are ${sla} h.`;
  }
}
})();
