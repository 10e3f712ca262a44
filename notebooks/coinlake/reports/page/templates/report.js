/* The page's only script: draws the figures when they come into view, in the theme and range of the reader. */
(() => {
"use strict";
const root = document.documentElement;
const plots = [...document.querySelectorAll(".plot")];
const figures = new Map(plots.map(plot => [plot, document.getElementById("data-" + plot.id.slice(5)).textContent]));
const palette = Object.entries(JSON.parse(document.getElementById("palette").textContent));
const darkScreen = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();
let days = 0;
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

/* Round numbers for a log axis: as in charts.py. */
function logTicks(low, high, ladders) {
  let ticks = [];
  for (const ladder of ladders) {
    ticks = [];
    for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d++)
      for (const step of ladder) {
        const tick = Number((step * 10 ** d).toPrecision(6));
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    if (ticks.length <= 8) break;
  }
  return ticks;
}

/* Shows the last `days` days: fits y to them, and lets an index start at 100 again. */
function narrow(figure, meta) {
  const layout = figure.layout;
  const last = figure.data.flatMap(t => t.x).reduce((a, b) => a > b ? a : b);
  const start = new Date(Date.parse(last) - days * 864e5).toISOString().slice(0, 10);
  const inside = trace => trace.x.map((x, i) => x >= start ? i : -1).filter(i => i >= 0);
  for (const name of Object.keys(layout).filter(key => key.startsWith("xaxis")))
    if (layout[name].range && layout[name].range[0] < start) layout[name].range = [start, last];
  if (meta.rebase)
    for (const trace of figure.data) {
      const base = trace.y[inside(trace).find(i => trace.y[i] !== null)];
      trace.y = trace.y.map(y => y === null || !base ? null : y / base * 100);
    }
  layout.annotations = (layout.annotations || []).filter(a => a.name !== "note" || a.x >= start);
  if (meta.fixed) return;
  for (const name of Object.keys(layout).filter(key => key.startsWith("yaxis") && layout[key].range)) {
    const axis = layout[name];
    if ((meta.keep || []).includes(name)) continue;
    const seen = figure.data.filter(t => (t.yaxis || "y") === name.replace("axis", ""))
      .flatMap(t => inside(t).flatMap(i => t.type === "candlestick" ? [t.low[i], t.high[i]] : [t.y[i]]))
      .filter(y => y !== null && y !== undefined).map(y => meta.log ? Math.log10(y) : y);
    if (!seen.length) continue;
    let low = Math.min(...seen), high = Math.max(...seen);
    if (meta.from_zero) { low = Math.min(low, 0); high = Math.max(high, 0); }
    const room = 0.06 * (high - low) || 0.1;
    axis.range = [meta.from_zero && low === 0 ? 0 : low - room, meta.from_zero && high === 0 ? 0 : high + room];
    if (meta.limits) {
      const [least, most] = meta.limits.map(limit => meta.log ? Math.log10(limit) : limit);
      axis.range = [Math.max(axis.range[0], least), Math.min(axis.range[1], most)];
    }
    if (meta.log) {
      axis.tickvals = logTicks(10 ** axis.range[0], 10 ** axis.range[1], meta.ladders);
      axis.ticktext = axis.tickvals.map(v => v.toLocaleString("en-US"));
    }
  }
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

function compose(plot) {
  let text = figures.get(plot);
  if (isDark()) for (const [light, dark] of palette) text = text.replaceAll(`"${light}"`, `"${dark}"`);
  const figure = JSON.parse(text);
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
  if (meta.time && days) narrow(figure, meta);
  if (meta.ends) placeLabels(figure, meta, plot.clientHeight - layout.margin.t - layout.margin.b);
  return figure;
}

function merge(base, changes) {
  for (const [key, value] of Object.entries(changes))
    if (value && typeof value === "object" && !Array.isArray(value) && base[key]) merge(base[key], value);
    else base[key] = value;
}

function draw(plot) {
  const figure = compose(plot);
  drawn.add(plot);
  plot.dataset.width = plot.clientWidth;
  return Plotly.react(plot, figure.data, figure.layout, {displayModeBar: false, responsive: false, doubleClick: false});
}
const redraw = () => drawn.forEach(draw);

if (plots.length) {
  /* What can be seen is drawn at once; the rest one by one, so that the page can be scrolled meanwhile. */
  const canBeSeen = plot => plot.getBoundingClientRect().top < innerHeight;
  plots.filter(canBeSeen).forEach(draw);
  const drawNext = () => {
    const next = plots.find(plot => !drawn.has(plot));
    if (next) draw(next).then(() => setTimeout(drawNext));
  };
  setTimeout(drawNext);
  if ("ResizeObserver" in window) {
    const sized = new ResizeObserver(entries => {
      for (const {target} of entries)
        if (drawn.has(target) && Math.abs(target.clientWidth - target.dataset.width) > 1) draw(target);
    });
    plots.forEach(plot => sized.observe(plot));
  }
  addEventListener("beforeprint", () => { printing = true; plots.forEach(draw); });
  addEventListener("afterprint", () => { printing = false; redraw(); });
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

/* Time range of all charts over time. */
const ranges = document.querySelector(".ranges");
const timed = plots.some(plot => (JSON.parse(figures.get(plot)).layout.meta || {}).time);
if (ranges && timed) {
  ranges.hidden = false;
  ranges.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    days = Number(button.dataset.days);
    for (const other of ranges.children) other.setAttribute("aria-pressed", String(other === button));
    document.querySelector(".window").hidden = !days;
    redraw();
  });
}

/* A page that is opened later says how old it has become. */
const banner = document.querySelector(".banner[data-closes]");
if (banner) {
  const hours = (Date.now() - Date.parse(banner.dataset.closes)) / 36e5;
  const sla = Number(banner.dataset.sla);
  const state = hours <= sla ? "fresh" : hours <= 2 * sla ? "late" : "stale";
  const age = hours < 48 ? `${Math.max(hours, 0).toFixed(0)} h` : `${Math.floor(hours / 24)} days`;
  banner.className = `banner ${state}`;
  banner.querySelector("strong").textContent =
    `${state[0].toUpperCase()}${state.slice(1)}: the last day closed ${age} ago, promised are ${sla} h.`;
}
})();
