/* The live page's only script: puts what the stream says in place, as text, and counts how old it is. */
(() => {
"use strict";
const at = id => document.getElementById(id);
const rows = at("rows"), feed = at("feed"), search = at("search");
const every = Number(document.body.dataset.every);
/* One turn may be slow; when the next one does not come either, the numbers are stale. */
const staleAfter = 2 * every + 30;
const address = path => path + location.search;
const lines = new Map();
let shown = {}, drawnTurn = 0;

/* A browser that keeps nothing, as in a private window, pins for as long as the page is open. */
const pinned = new Set(JSON.parse(stored("coinlake-pinned") || "[]"));
function stored(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
function store() {
  try { localStorage.setItem("coinlake-pinned", JSON.stringify([...pinned])); } catch { /* as above */ }
}

function put(element, text, kind) {
  if (element.textContent !== text) element.textContent = text;
  if (kind !== undefined && element.className !== kind) element.className = kind;
}

function element(name, kind, parent) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return parent ? parent.appendChild(made) : made;
}

/* The row of a coin, made once, and its parts that change. */
function lineOf(id) {
  if (lines.has(id)) return lines.get(id);
  const row = element("tr");
  const head = element("th", "", row);
  head.scope = "row";
  const pin = element("button", "", head);
  pin.type = "button";
  pin.addEventListener("click", () => {
    pinned.has(id) ? pinned.delete(id) : pinned.add(id);
    store();
    draw();
    pin.focus();
  });
  const name = element("span", "name", head);
  head.append(" ");
  const symbol = element("span", "symbol", head);
  const price = element("td", "price", row);
  const changes = [0, 1, 2].map(() => element("td", "", row));
  const place = element("td", "spark-cell", row);
  const space = "http://www.w3.org/2000/svg";
  const picture = place.appendChild(document.createElementNS(space, "svg"));
  for (const [key, value] of [["viewBox", "0 0 110 24"], ["width", "110"], ["height", "24"], ["aria-hidden", "true"]])
    picture.setAttribute(key, value);
  const path = picture.appendChild(document.createElementNS(space, "path"));
  const [volume, rank, ranks] = [0, 1, 2].map(() => element("td", "", row));
  row.addEventListener("animationend", () => row.classList.remove("changed"));
  const line = {row, pin, name, symbol, price, changes, picture, path, volume, rank, ranks, words: ""};
  lines.set(id, line);
  return line;
}

function fill(coin) {
  const line = lineOf(coin.id);
  const isPinned = pinned.has(coin.id);
  put(line.pin, isPinned ? "★" : "☆");
  line.pin.setAttribute("aria-pressed", isPinned);
  line.pin.setAttribute("aria-label", `Pin ${coin.name}`);
  put(line.name, coin.name);
  put(line.symbol, coin.symbol);
  if (line.price.textContent && line.price.textContent !== coin.price) line.row.classList.add("changed");
  put(line.price, coin.price);
  coin.changes.forEach(([text, kind], i) => put(line.changes[i], text, kind));
  line.path.setAttribute("d", coin.line ? coin.line[0] : "");
  line.picture.setAttribute("class", "spark " + (coin.line ? coin.line[1] : "neutral"));
  put(line.volume, ...coin.volume);
  put(line.rank, coin.rank);
  put(line.ranks, ...coin.ranks);
  line.words = `${coin.name} ${coin.symbol} ${coin.id}`.toLowerCase();
  return line.row;
}

/* Pinned coins first; rows are moved only where the order has changed, so that a focus stays. */
function draw() {
  const coins = shown.coins || [];
  const order = [...coins.filter(coin => pinned.has(coin.id)), ...coins.filter(coin => !pinned.has(coin.id))];
  const wanted = order.map(fill);
  wanted.forEach((row, i) => { if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] || null); });
  const ids = new Set(coins.map(coin => coin.id));
  for (const [id, line] of lines) if (!ids.has(id)) { line.row.remove(); lines.delete(id); }
  filter();
}

function filter() {
  const asked = search.value.trim().toLowerCase();
  let found = 0;
  for (const line of lines.values()) {
    line.row.hidden = !line.words.includes(asked);
    found += !line.row.hidden;
  }
  put(at("found"), asked ? `${found} of ${lines.size} coins` : "");
}

/* New events come in at the top; what is there stays as it is, so that it is not read out again. */
function tell(events) {
  const keys = new Set(events.map(event => event.key));
  const there = new Set();
  for (const item of [...feed.children])
    if (keys.has(item.dataset.key)) there.add(item.dataset.key);
    else item.remove();
  let next = feed.firstElementChild;
  for (const event of events) {
    if (there.has(event.key)) { next = next.nextElementSibling; continue; }
    const item = element("li");
    item.dataset.key = event.key;
    put(element("time", "", item), event.when);
    put(element("strong", "", item), event.who);
    item.append(` ${event.what}.`);
    feed.insertBefore(item, next);
  }
  if (!events.length) put(element("li", "none", feed), "Nothing yet.");
}

function inWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

/* The age counts by itself: it needs no word from a watch that has stopped. */
function age() {
  if (!shown.arrived_at) return;
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(shown.arrived_at)) / 1000));
  const isStale = seconds > staleAfter;
  put(at("word"), isStale ? "Stale:" : "Now:");
  put(at("age"), `${inWords(seconds)} old, prices of ${shown.at}.`);
  at("state").className = `banner ${isStale ? "stale" : "fresh"}`;
  document.title = isStale ? document.title.replace(/^(Stale · )?/, "Stale · ") : document.title.replace(/^Stale · /, "");
}

function latency(found) {
  const parts = [["seconds_to_gold", "gold"], ["seconds_to_screen", "a screen"]]
    .filter(([name]) => found && found[name] && found[name].length)
    .map(([name, place]) => `to ${place} ${found[name][0]} s at the median, ${found[name][1]} s at the 95th percentile`);
  if (parts.length) put(at("latency"), `From the answer ${parts.join("; ")}.`);
}

function show(changes) {
  shown = changes;
  if (shown.headline) put(at("headline"), shown.headline);
  put(at("lead"), shown.lead || "");
  at("problem").hidden = !shown.problem;
  put(at("problem"), shown.problem || "");
  if (shown.coins) draw();
  if (shown.events) tell(shown.events);
  latency(shown.latency);
  age();
  if (shown.turn && shown.turn !== drawnTurn) {
    drawnTurn = shown.turn;
    requestAnimationFrame(() => setTimeout(() =>
      fetch(address("/seen") + `&turn=${drawnTurn}`, {method: "POST"}).catch(() => {})));
  }
}

search.addEventListener("input", filter);
addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== search && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    filter();
  }
});
/* It connects again by itself after an interruption. */
new EventSource(address("/events")).addEventListener("message", event => show(JSON.parse(event.data)));
setInterval(age, 1000);
})();
