"use strict";
// Copy a command; where there is no clipboard, select it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "Selected";
  }
});

// A link to an activity opens it.
const openTarget = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target || target.tagName !== "DETAILS") return;
  const box = document.getElementById("instant");
  if (box && target.classList.contains("instant")) box.checked = true;
  target.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", openTarget);
openTarget();

// Filters stand in the address, so that they outlive a page that is read again.
const filters = [...document.querySelectorAll("[data-filter]")];
const trend = document.querySelector(".trend");
const written = (seconds) => {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, word, smaller, smallWord] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    const rest = Math.floor((whole % size) / smaller);
    if (whole >= size) return `${Math.floor(whole / size)} ${word}` + (rest ? ` ${rest} ${smallWord}` : "");
  }
  return `${whole} s`;
};
const filter = () => {
  const asked = filters.filter((one) => one.value);
  let count = 0;
  for (const one of document.querySelectorAll("[data-run]")) {
    one.hidden = asked.some((select) => one.dataset[select.dataset.filter] !== select.value);
    if (!one.hidden && one.classList.contains("run")) count += 1;
  }
  document.getElementById("count").textContent = `${count} ${count === 1 ? "run" : "runs"}`;
  const columns = [...trend.children].filter((one) => !one.hidden);
  const newest = columns.slice(-Number(trend.dataset.most));
  for (const one of trend.children) one.style.display = newest.includes(one) ? "flex" : "none";
  const longest = Math.max(0, ...newest.map((one) => Number(one.dataset.seconds))) || 1;
  for (const one of newest) one.querySelector("i").style.height = `${(100 * one.dataset.seconds) / longest}%`;
  document.getElementById("longest").textContent = written(newest.length ? longest : 0);
  const hash = new URLSearchParams(asked.map((one) => [one.dataset.filter, one.value])).toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", `#${hash}`);
};
if (trend) {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const one of filters) {
    const value = kept.get(one.dataset.filter);
    if (value && [...one.options].some((option) => option.value === value)) one.value = value;
    one.addEventListener("change", filter);
  }
  filter();
}
