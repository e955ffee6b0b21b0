"use strict";
// Without this script the page is a list of links to the photos; with it, tiles open large, and keys work.
const byId = (id) => document.getElementById(id);
const tiles = [...document.querySelectorAll(".tile")];
const [filter, box, large, about] = ["filter", "box", "large", "about"].map(byId);
const folded = (text) => text.normalize().toLowerCase(); // é is one letter, or e and an accent
let shown = tiles, current = 0;

function narrow() {
  const words = folded(filter.value).split(/\s+/);
  shown = tiles.filter((tile) => {
    const text = folded(tile.closest("li").textContent);
    const fits = words.every((word) => text.includes(word));
    tile.closest("li").hidden = !fits;
    return fits;
  });
  byId("none").hidden = shown.length > 0;
  byId("count").textContent = shown.length === tiles.length ? "" : `${shown.length} shown · `;
}

function look(index) {
  if (!shown.length) return;
  current = (index + shown.length) % shown.length;
  const tile = shown[current], small = tile.querySelector("img");
  about.replaceChildren(...tile.nextElementSibling.cloneNode(true).childNodes);
  large.src = small ? small.src : "data:,";
  large.alt = small ? small.alt : tile.textContent;
  const original = new Image();  // there if the page is read where the photos are, and the browser knows their kind
  original.onload = () => { if (shown[current] === tile) large.src = original.src; };
  original.src = tile.href;
  if (!box.open) {
    box.showModal();
    box.focus();  // and not the first of its buttons, which Enter would press
  }
}

function columns() {
  const top = shown[0].offsetTop, below = shown.findIndex((tile) => tile.offsetTop > top);
  return below < 0 ? shown.length : below;
}

function step(key) {
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns(), Home: -Infinity, End: Infinity }[key];
}

function onSheetKey(event) {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
    filter.select();
  } else if (event.key === "Escape" && filter.value) {
    filter.value = "";
    narrow();
  } else if (shown.length && (document.activeElement !== filter || event.key === "ArrowDown" || event.key === "Enter")) {
    const from = shown.indexOf(document.activeElement), by = step(event.key);
    if (event.key === "Enter" && document.activeElement === filter) look(0);
    else if (by !== undefined) {
      event.preventDefault();
      shown[from < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, from + by))].focus();
    }
  }
}

function leave() {
  box.close();
  shown[current].focus();
}

function onLargeKey(event) {
  if (event.key === "Escape") {
    event.preventDefault();
    leave();
  }
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -current, End: shown.length - 1 - current }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  look(current + by);
}

filter.addEventListener("input", narrow);
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) (box.open ? onLargeKey : onSheetKey)(event);
});
document.querySelector(".sheet").addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  look(shown.indexOf(tile));
});
box.addEventListener("click", (event) => { if (event.target === large) leave(); });
byId("previous").addEventListener("click", () => look(current - 1));
byId("next").addEventListener("click", () => look(current + 1));
byId("close").addEventListener("click", leave);
narrow();
