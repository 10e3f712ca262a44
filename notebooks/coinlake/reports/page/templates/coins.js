/* The page of all coins: sorts, searches and saves its table, and draws any coin, or two to five side by side.
   The address names them: #bitcoin, #bitcoin,ethereum. All comes from the page's own data. */
(() => {
"use strict";
const holder = document.getElementById("data-all_coins");
if (!holder) return;
const data = JSON.parse(holder.textContent);
const section = document.getElementById("all_coins");
const table = section.querySelector("table.coins");
const body = table.tBodies[0];
const rows = [...body.rows];
const place = new Map(data.id.map((id, i) => [id, i]));
const DAY = 864e5, first = Date.parse(data.first);
const COLOURS = ["orange", "blue", "green", "pink", "gold"];
const MOST = COLOURS.length;

/* Words and numbers as the other pages write them. */
const known = value => value !== null && value !== undefined;
const UNITS = {usd: "$", eur: "€", gbp: "£", jpy: "¥", btc: "BTC\u00a0", chf: "CHF\u00a0"};
const unit = UNITS[data.unit] || data.unit.toUpperCase() + "\u00a0";
const grouped = (value, decimals) =>
  value.toLocaleString("en-US", {minimumFractionDigits: decimals, maximumFractionDigits: decimals});
const signed = (value, text) => (value < 0 && /[1-9]/.test(text) ? "−" : "") + text;
function money(value) {
  if (!known(value)) return "n/a";
  const size = Math.abs(value);
  if (size >= 999.995) return signed(value, unit + grouped(size, 0));
  if (size === 0 || size >= 0.9995) return signed(value, unit + grouped(size, 2));
  return signed(value, unit + size.toFixed(Math.min(2 - Math.floor(Math.log10(size)), 20)));
}
function bigMoney(value) {
  if (!known(value)) return "n/a";
  for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]])
    if (Number(Math.abs(value).toPrecision(3)) >= size) {
      const scaled = Number((Math.abs(value) / size).toPrecision(3));
      return signed(value, `${unit}${grouped(scaled, Math.max(0, 2 - Math.floor(Math.log10(scaled))))}\u00a0${letter}`);
    }
  return money(value);
}
function percent(value, decimals = 1) {
  if (!known(value)) return "n/a";
  const digits = grouped(Math.abs(value) * 100, decimals) + "%";
  return /[1-9]/.test(digits) ? (value > 0 ? "+" : "−") + digits : digits;
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
function date(day, year = true) {
  const when = new Date(first + day * DAY);
  return `${when.getUTCDate()} ${MONTHS[when.getUTCMonth()]}${year ? " " + when.getUTCFullYear() : ""}`;
}
const hour = (number, year = true) => `${date(number / 24, false)}${year ? ` ${String(number % 24).padStart(2, "0")}:00` : ""}`;
const escaped = text => String(text).replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
const change = value => !known(value) ? "n/a" : /[1-9]/.test(percent(value))
  ? `<span class="${value > 0 ? "up" : "down"}"><span class="mark" aria-hidden="true">${value > 0 ? "▲" : "▼"}</span>${percent(value)}</span>`
  : percent(value);

/* A file for the reader, made from what the page holds. */
function save(name, lines) {
  const quoted = value => !known(value) ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map(line => line.map(quoted).join(",") + "\n").join("")], {type: "text/csv"}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/* The watch list stays in this browser. */
const store = {
  get: () => { try { return JSON.parse(localStorage.getItem("coinlake-watched")) || []; } catch { return []; } },
  set: ids => { try { localStorage.setItem("coinlake-watched", JSON.stringify(ids)); } catch { /* a file:// page may have none */ } },
};
const watched = new Set(store.get());
function star(id) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "star";
  const show = () => {
    button.textContent = watched.has(id) ? "★" : "☆";
    button.setAttribute("aria-pressed", String(watched.has(id)));
    button.setAttribute("aria-label", `Watch ${data.name[place.get(id)]}`);
  };
  button.addEventListener("click", () => {
    if (!watched.delete(id)) watched.add(id);
    store.set([...watched]);
    show();
    filter();
  });
  show();
  return button;
}
rows.forEach((row, i) => row.cells[0].prepend(star(data.id[i])));

/* Above the table: search, watch list, comparison, file. */
const tools = document.createElement("div");
tools.className = "tools";
tools.innerHTML = `<input type="search" aria-label="Find in the table" placeholder="Name or symbol">
<button type="button" data-does="watched" aria-pressed="false">★ Watch list</button>
<button type="button" data-does="save">CSV</button> <span role="status"></span>`;
section.querySelector(".scroll").before(tools);
const search = tools.querySelector("input"), told = tools.querySelector("span");
const onlyWatched = tools.querySelector("[data-does=watched]");
const texts = data.id.map((id, i) => `${id} ${data.symbol[i] || ""} ${data.name[i]}`.toLowerCase());
function filter() {
  const words = search.value.trim().toLowerCase();
  const only = onlyWatched.getAttribute("aria-pressed") === "true";
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = !texts[i].includes(words) || (only && !watched.has(data.id[i]));
    shown += !row.hidden;
  });
  told.textContent = shown === rows.length ? "" : shown ? `${shown} of ${rows.length} coins` : only && !watched.size
    ? "No coin is watched yet: press ☆ beside its name" : "No such coin";
}
search.addEventListener("input", filter);
search.addEventListener("keydown", event => {
  if (event.key !== "Enter") return;
  const words = search.value.trim().toLowerCase();
  const hits = rows.filter(row => !row.hidden).map(row => data.id[rows.indexOf(row)]);
  const exact = hits.find(id => [id, data.symbol[place.get(id)], data.name[place.get(id)]].some(one => (one || "").toLowerCase() === words));
  if (exact || hits.length) location.hash = encodeURIComponent(exact || hits[0]);
});
onlyWatched.addEventListener("click", () => {
  onlyWatched.setAttribute("aria-pressed", String(onlyWatched.getAttribute("aria-pressed") !== "true"));
  filter();
});
const columns = ["name", "price", "return_1h", "return_24h", "return_7d", "return_30d", "volume_24h", "volume_ratio", "market_cap", "market_cap_rank", "distance_from_high", "kind"];
tools.querySelector("[data-does=save]").addEventListener("click", () => {
  const saved = ["id", "symbol", ...columns, "high", "rank_change_24h", "snapshot_at"];
  const lines = [...body.rows].filter(row => !row.hidden).map(row => saved.map(name => data[name][rows.indexOf(row)]));
  save(`coins_${data.unit}.csv`, [saved.map(name => name === "id" ? "coin_id" : name), ...lines]);
});

/* A press on a heading sorts, a second one the other way round; what is not known stands last. */
[...table.tHead.rows[0].cells].forEach((cell, i) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = cell.textContent;
  cell.replaceChildren(button);
  button.addEventListener("click", () => {
    const values = data[columns[i]];
    const words = typeof values.find(known) === "string";
    const down = cell.getAttribute("aria-sort") ? cell.getAttribute("aria-sort") === "ascending" : !(words || columns[i] === "market_cap_rank");
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = rows.map((_, k) => k).sort((a, b) => {
      if (!known(values[a]) || !known(values[b])) return known(values[b]) - known(values[a]) || a - b;
      const by = words ? values[a].localeCompare(values[b]) : values[a] - values[b];
      return (down ? -by : by) || a - b;
    });
    body.append(...order.map(k => rows[k]));
  });
});

/* A chart: lines, bars and candles over days, as SVG in the width that there is. */
function chart(title, {lines = [], bars = null, candles = null, format, zero = false, log = false, height = 240, label = date}) {
  const values = [...lines.flatMap(line => line.values.map(point => point[1])), ...(bars || []).map(bar => bar[1]),
    ...(candles || []).flatMap(candle => [candle.low, candle.high])].filter(value => known(value) && (!log || value > 0));
  const days = [...lines.flatMap(line => line.values.map(point => point[0])), ...(bars || []).map(bar => bar[0]), ...(candles || []).map(candle => candle.at)];
  if (!values.length || new Set(days).size < 2) return null;
  const figure = document.createElement("figure");
  figure.innerHTML = `<h3>${title}</h3><p class="readout" aria-live="polite"></p>`;
  const box = document.createElement("div");
  figure.append(box);
  let low = Math.min(...values, ...(zero ? [0] : [])), high = Math.max(...values, ...(zero ? [0] : []));
  const scale = log ? Math.log : value => value;
  if (low === high) [low, high] = [low - Math.abs(low) * 0.05 - 1e-9, high + Math.abs(high) * 0.05 + 1e-9];
  const start = days.reduce((a, b) => Math.min(a, b)), end = days.reduce((a, b) => Math.max(a, b)) + (candles ? 7 : 0);
  let chosen = null;
  const draw = () => {
    const width = Math.max(box.clientWidth, 240), left = 8, right = 78, top = 8, bottom = 22;
    const x = day => left + (width - left - right) * (day - start) / (end - start);
    const y = value => top + (height - top - bottom) * (1 - (scale(value) - scale(low)) / (scale(high) - scale(low)));
    const parts = [];
    for (const tick of ticks(low, high, log))
      parts.push(`<path class="grid" d="M${left} ${y(tick).toFixed(1)}H${width - right}"/><text class="soft" x="${width - right + 6}" y="${(y(tick) + 4).toFixed(1)}">${format(tick)}</text>`);
    const dates = Math.min(width < 560 ? 3 : 5, end - start + 1);
    for (let k = 0; k < dates; k++) {
      const day = Math.round(start + (end - start) * k / (dates - 1));
      parts.push(`<text class="soft" text-anchor="${k ? k === dates - 1 ? "end" : "middle" : "start"}" x="${x(day).toFixed(1)}" y="${height - 4}">${label(day, !k || k === dates - 1)}</text>`);
    }
    if (bars) {
      const wide = Math.max(x(start + 1) - x(start) - 0.5, 0.6);
      for (const [day, value] of bars) if (known(value))
        parts.push(`<rect class="bars" x="${(x(day) - wide / 2).toFixed(1)}" width="${wide.toFixed(1)}" y="${y(value).toFixed(1)}" height="${Math.max(y(low) - y(value), 0).toFixed(1)}"/>`);
    }
    for (const candle of candles || []) {
      const middle = x(candle.at + 3.5), wide = Math.max((x(start + 7) - x(start)) * 0.6, 1);
      const [upper, lower] = [Math.max(candle.open, candle.close), Math.min(candle.open, candle.close)].map(y);
      parts.push(`<g style="stroke:var(--${candle.close >= candle.open ? "blue" : "orange"});fill:var(--${candle.close >= candle.open ? "blue" : "orange"})"><path d="M${middle.toFixed(1)} ${y(candle.high).toFixed(1)}V${y(candle.low).toFixed(1)}"/><rect x="${(middle - wide / 2).toFixed(1)}" y="${upper.toFixed(1)}" width="${wide.toFixed(1)}" height="${Math.max(lower - upper, 1).toFixed(1)}"/></g>`);
    }
    for (const line of lines) {
      let pen = "M", path = "";
      for (const [day, value] of line.values) {
        if (!known(value) || (log && value <= 0)) { pen = "M"; continue; }
        path += `${pen}${x(day).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      }
      parts.push(`<path class="line${line.dash ? " dash" : ""}" style="stroke:var(--${line.colour})" d="${path}"/>`);
    }
    if (chosen !== null) parts.push(`<path class="chosen" d="M${x(chosen).toFixed(1)} ${top}V${height - bottom}"/>`);
    box.innerHTML = `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" tabindex="0" aria-label="${escaped(summary())}">${parts.join("")}</svg>`;
  };
  const at = (pairs, day) => { const found = pairs.find(pair => pair[0] === day); return found ? found[1] : null; };
  const summary = day => {
    const when = day === undefined ? days.reduce((a, b) => Math.max(a, b)) : day;
    const words = lines.map(line => `${line.name} ${format(at(line.values, when))}`);
    if (bars) words.push(format(at(bars, when)));
    const candle = (candles || []).find(one => one.at <= when && when < one.at + 7);
    if (candle) words.push(`open ${format(candle.open)}, high ${format(candle.high)}, low ${format(candle.low)}, close ${format(candle.close)}`);
    return `${candles ? "Week of " + date(candle ? candle.at : when) : label(when)}: ${words.join(", ")}`;
  };
  const readout = figure.querySelector(".readout");
  const choose = day => {
    chosen = day === null ? null : Math.min(Math.max(day, start), candles ? end - 7 : end);
    readout.innerHTML = escaped(summary(chosen === null ? undefined : chosen))
      + lines.filter(line => lines.length > 1).map(line => ` <span class="key"><i style="background:var(--${line.colour})"></i>${escaped(line.name)}</span>`).join("");
    draw();
  };
  box.addEventListener("pointermove", event => {
    const edge = box.getBoundingClientRect(), width = Math.max(box.clientWidth, 240);
    choose(Math.round(start + (event.clientX - edge.left - 8) / (width - 86) * (end - start)));
  });
  box.addEventListener("pointerleave", () => choose(null));
  box.addEventListener("keydown", event => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    choose((chosen === null ? end : chosen) + step * (candles ? 7 : 1));
    box.querySelector("svg").focus();
  });
  drawings.push(() => choose(null));
  return figure;
}
function ticks(low, high, log) {
  if (log && high / low > 3) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      for (const step of high / low > 60 ? [1] : [1, 2, 5]) found.push(step * 10 ** power);
    return found.filter(tick => tick >= low && tick <= high);
  }
  const rough = (high - low) / 4, decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * decade).find(one => one >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(k * step);
  return found;
}

/* What follows from a coin's closes: over calendar days, and nothing where days are missing. */
const pairs = (own, name) => own ? own[name].map((value, k) => [own.at + k, value]) : [];
function average(own, length) {
  let sum = 0, number = 0;
  return pairs(own, "close").map(([day, value], k, all) => {
    if (known(value)) { sum += value; number++; }
    const gone = k >= length ? all[k - length][1] : null;
    if (known(gone)) { sum -= gone; number--; }
    return [day, number === length ? sum / length : null];
  });
}
function drawdown(own) {
  let high = 0;
  return pairs(own, "close").map(([day, value]) => {
    if (known(value)) high = Math.max(high, value);
    return [day, known(value) && high > 0 ? value / high - 1 : null];
  });
}
function months(own) {
  const closes = new Map();
  for (const [day, value] of pairs(own, "close")) if (known(value)) closes.set(new Date(first + day * DAY).toISOString().slice(0, 7), value);
  const found = [...closes];
  return found.slice(1).map(([month, close], k) => [month, close / found[k][1] - 1]).slice(-12).reverse();
}

/* One coin, or several: what stands in the address. */
const view = document.createElement("section");
view.className = "wide coin";
view.id = "coin_view";
view.hidden = true;
view.tabIndex = -1;
section.before(view);
let drawings = [];
const asked = () => {
  let ids;
  try { ids = decodeURIComponent(location.hash.slice(1)).split(","); } catch { return []; }
  ids = [...new Set(ids)].slice(0, MOST);
  return ids.every(id => place.has(id)) ? ids : [];
};
const named = id => escaped(data.name[place.get(id)]);
const address = ids => ids.map(encodeURIComponent).join(",");
const facts = id => {
  const i = place.get(id), rank = data.rank_change_24h[i];
  return [
    ["Price", money(data.price[i])],
    ...["1h", "24h", "7d", "30d"].map(span => [span.replace("h", " h").replace("d", " d"), change(data["return_" + span][i])]),
    ["Volume, 24 h", bigMoney(data.volume_24h[i])],
    ["× its usual", known(data.volume_ratio[i]) ? data.volume_ratio[i].toFixed(1) : "n/a"],
    ["Market cap", bigMoney(data.market_cap[i])],
    ["Rank", known(data.market_cap_rank[i]) ? data.market_cap_rank[i] + (rank ? ` (${rank > 0 ? "▲" : "▼"}${Math.abs(rank)} in 24 h)` : "") : "n/a"],
    ["Record high", `${money(data.high[i])}${known(data.high[i]) ? ", " + data.high_at[i] : ""}`],
    ["From record", percent(data.distance_from_high[i], 0)],
    ["Kind", escaped(data.kind[i])],
  ];
};
function notes(id) {
  const own = data.days[id];
  if (!own) return "No complete day of this coin is in the lake yet.";
  const number = own.close.filter(known).length, gaps = own.close.length - number;
  const days = n => `${n} day${n === 1 ? "" : "s"}`;
  return `${days(number)} with a close since ${date(own.at)}, ${gaps ? days(gaps) + " missing" : "none missing"}. `
    + `Newest snapshot ${data.snapshot_at[place.get(id)]}. Averages begin where all their days are known; drawdown counts from the highest close shown.`;
}
const heatCell = value => `<td class="${known(value) ? `heat ${value >= 0 ? "up" : "down"}` : "none"}" style="--k:${known(value) ? Math.min(Math.abs(value) / 0.6, 1).toFixed(2) : 0}">${percent(value, 0)}</td>`;
function monthTable(ids) {
  const found = ids.map(id => new Map(months(data.days[id])));
  const all = [...new Set(found.flatMap(one => [...one.keys()]))].sort().reverse().slice(0, 12);
  if (!all.length) return "";
  const heads = all.map(month => `<th scope="col">${MONTHS[month.slice(5) - 1]} ’${month.slice(2, 4)}</th>`).join("");
  const lines = ids.map((id, k) => `<tr><th scope="row">${named(id)}</th>${all.map(month => heatCell(found[k].get(month))).join("")}</tr>`).join("");
  return `<h3>Months</h3><div class="scroll" tabindex="0" role="region" aria-label="Change per month"><table class="heat"><caption>Change per month; the newest one so far</caption><thead><tr><th scope="col">Coin</th>${heads}</tr></thead><tbody>${lines}</tbody></table></div>`;
}
function show() {
  const ids = asked();
  view.hidden = !ids.length;
  document.documentElement.classList.toggle("one-coin", ids.length > 0);
  drawings = [];
  view.replaceChildren();
  if (!ids.length) {
    const target = document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView();
    return;
  }
  const one = ids.length === 1;
  view.innerHTML = `<p class="crumbs"><a href="#all_coins">All coins</a></p><h2>${ids.map(named).join(", ").replace(/, ([^,]*)$/, " and $1")}</h2>`;
  const bar = document.createElement("div");
  bar.className = "tools";
  for (const [k, id] of ids.entries()) {
    const chip = document.createElement("span");
    chip.className = "chip";
    chip.innerHTML = `<i style="background:var(--${COLOURS[k]})"></i>${named(id)}`;
    chip.prepend(star(id));
    if (!one) chip.insertAdjacentHTML("beforeend", ` <a href="#${address(ids.filter(other => other !== id))}" aria-label="Without ${named(id)}">×</a>`);
    bar.append(chip);
  }
  if (ids.length < MOST) {
    const add = document.createElement("select");
    add.setAttribute("aria-label", "Compare with");
    add.innerHTML = `<option value="">Compare with …</option>` + data.id.filter(id => !ids.includes(id)).map(id => `<option value="${escaped(id)}">${named(id)}</option>`).join("");
    add.addEventListener("change", () => { location.hash = address([...ids, add.value]); });
    bar.append(add);
  }
  const file = document.createElement("button");
  file.type = "button";
  file.textContent = "CSV";
  file.addEventListener("click", () => save(`${ids.join("_")}_${data.unit}.csv`, [["coin_id", "date", "close", "total_volume"],
    ...ids.flatMap(id => pairs(data.days[id], "close").map(([day, close], k) => [id, new Date(first + day * DAY).toISOString().slice(0, 10), close, data.days[id].volume[k]]))]));
  bar.append(file);
  view.append(bar);
  const all = ids.map(facts);
  const told = document.createElement("div");
  told.innerHTML = one
    ? `<dl class="facts">${all[0].map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>`
    : `<div class="scroll" tabindex="0" role="region" aria-label="Side by side"><table><caption>As of the newest snapshots</caption><thead><tr><th scope="col">Coin</th>${ids.map(id => `<th scope="col">${named(id)}</th>`).join("")}</tr></thead><tbody>${all[0].map(([name], k) => `<tr><th scope="row">${name}</th>${all.map(its => `<td>${its[k][1]}</td>`).join("")}</tr>`).join("")}</tbody></table></div>`;
  view.append(told);
  const charts = document.createElement("div");
  charts.className = "charts";
  view.append(charts);
  const add = (...drawn) => charts.append(...drawn.filter(Boolean));
  if (one) {
    const own = data.days[ids[0]];
    add(
      chart("Price with averages of 30 and 200 days", {format: money, height: 300, lines: [
        {name: "close", values: pairs(own, "close"), colour: "ink"},
        {name: "30 days", values: average(own, 30), colour: "blue"},
        {name: "200 days", values: average(own, 200), colour: "orange"}]}),
      chart("By the hour, UTC; the last one so far", {format: money, label: hour, lines: [{name: "price", values: pairs(data.hours[ids[0]], "close"), colour: "ink"}]}),
      chart("Below the highest close shown", {format: value => percent(value, 0), zero: true, lines: [{name: "drawdown", values: drawdown(own), colour: "orange"}]}),
      chart("Volume of a day", {format: bigMoney, zero: true, bars: pairs(own, "volume")}),
    );
    const weeks = data.weeks[ids[0]];
    if (weeks) add(chart("Weeks: open, high, low, close", {format: money, candles: weeks.at.map((at, k) =>
      ({at, open: weeks.open[k], high: weeks.high[k], low: weeks.low[k], close: weeks.close[k]}))}));
  } else {
    const start = Math.max(...ids.map(id => data.days[id] ? data.days[id].at : 0));
    const shared = id => pairs(data.days[id], "close").filter(([day]) => day >= start);
    add(
      chart(`${date(start)} = 100, log scale`, {format: value => known(value) ? grouped(value, value < 10 ? 1 : 0) : "n/a", log: true, height: 320, lines: ids.map((id, k) => {
        const own = shared(id), base = (own.find(point => point[1] > 0) || [])[1];
        return {name: data.symbol[place.get(id)] || id, colour: COLOURS[k], values: own.map(([day, value]) => [day, known(value) && base ? 100 * value / base : null])};
      })}),
      chart("Below the highest close shown", {format: value => percent(value, 0), zero: true, lines: ids.map((id, k) =>
        ({name: data.symbol[place.get(id)] || id, colour: COLOURS[k], values: drawdown(data.days[id])}))}),
    );
  }
  const rest = document.createElement("div");
  const happened = ids.flatMap(id => data.events[id] || []).sort((a, b) => (a[0] < b[0]) - (a[0] > b[0]));
  rest.innerHTML = monthTable(ids)
    + (happened.length ? `<h3>Events</h3><ul>${happened.map(([when, what]) => `<li><span class="soft">${date((Date.parse(when) - first) / DAY)} ${when.slice(11, 16)} UTC</span> ${escaped(what)}</li>`).join("")}</ul>` : "")
    + `<h3>About the data</h3>${ids.map(id => `<p class="sub">${one ? "" : `<strong>${named(id)}</strong> `}${notes(id)}</p>`).join("")}`;
  view.append(rest);
  drawings.forEach(draw => draw());
  view.focus({preventScroll: true});
  view.scrollIntoView();
}
addEventListener("hashchange", show);
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawings.forEach(draw => draw()); } });
show();

/* The search of another page leads here. */
const sought = new URLSearchParams(location.search).get("find");
if (sought) {
  search.value = sought;
  filter();
  const words = sought.trim().toLowerCase();
  const exact = data.id.find((id, i) => [id, data.symbol[i], data.name[i]].some(one => (one || "").toLowerCase() === words));
  if (exact && !location.hash) location.hash = encodeURIComponent(exact);
  else section.scrollIntoView();
}
})();
