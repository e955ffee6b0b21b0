"use strict";
// Points are arrays, not objects: 100,000 of them are read in a tenth of a second.
const data = JSON.parse(document.getElementById("data").textContent);
const { xs, ys, groups, folders, folderOf, names, dates, clusters, typical } = data;
const thumbnails = new Map(data.thumbnails);
const count = xs.length;
const canvas = document.getElementById("map"), pen = canvas.getContext("2d");
const hoverBox = document.getElementById("hover"), card = document.getElementById("card");
const typicalBox = document.getElementById("typical"), filterBox = document.getElementById("filter");
const buttons = [...document.querySelectorAll("#groups button")];
const FULL = 10000; // coordinates run from 0 to here
const MOST_PICTURES = 150;
const FEW = 1500; // from here on dots are set pixel by pixel: ten times as fast as a path of so many circles

let width = 0, height = 0, ratio = 1;
let view = { scale: 1, x: 0, y: 0 }; // screen = place * scale + (x, y)
let hovered = -1, chosen = -1, group = -1, matching = null, dirty = false;
let colours = {}, bitmap, pixels;

// -- where things are ------------------------------------------------------------------------------------------------

const CELL = 250, COLUMNS = FULL / CELL + 1;
const cells = new Map(); // a grid over the map: only the cells on the screen are looked at
for (let i = 0; i < count; i++) {
  const cell = Math.floor(ys[i] / CELL) * COLUMNS + Math.floor(xs[i] / CELL);
  const members = cells.get(cell);
  if (members) members.push(i); else cells.set(cell, [i]);
}

const members = clusters.map(() => 0);
for (const each of groups) members[each]++;
const heights = clusters.map(() => 0); // twice the mean distance from the middle, up and down
for (let i = 0; i < count; i++) heights[groups[i]] += 2 * Math.abs(ys[i] - clusters[groups[i]].y) / members[groups[i]];

const screenX = i => xs[i] * view.scale + view.x;
const screenY = i => ys[i] * view.scale + view.y;
const isShown = i => (group < 0 || groups[i] === group) && (!matching || matching[i]);

function visit(left, top, right, bottom, look) {
  const cell = (at, move) => Math.max(0, Math.min(COLUMNS - 1, Math.floor((at - move) / view.scale / CELL)));
  const [fromX, toX] = [cell(left, view.x), cell(right, view.x)];
  const [fromY, toY] = [cell(top, view.y), cell(bottom, view.y)];
  for (let row = fromY; row <= toY; row++)
    for (let column = fromX; column <= toX; column++)
      for (const i of cells.get(row * COLUMNS + column) || []) look(i);
}

function nearest(x, y, reach) {
  let best = -1, least = reach * reach;
  visit(x - reach, y - reach, x + reach, y + reach, i => {
    const away = (screenX(i) - x) ** 2 + (screenY(i) - y) ** 2;
    if (away < least && isShown(i)) { best = i; least = away; }
  });
  return best;
}

// -- drawing ---------------------------------------------------------------------------------------------------------

function radius() {
  const least = count > 20000 ? 1 : count > 3000 ? 1.6 : 3;
  return Math.max(least, Math.min(7, 0.6 * least * Math.sqrt(view.scale / whole().scale)));
}

function draw() {
  dirty = false;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pixels.fill(0);
  const r = radius(), visible = [], faint = [];
  visit(-r, -r, width + r, height + r, i => (isShown(i) ? visible : faint).push(i));
  const byGroup = clusters.map(() => []);
  for (const i of visible) byGroup[groups[i]].push(i);
  const put = visible.length + faint.length > FEW ? stamps : dots;
  put(faint, r, colours.line);
  byGroup.forEach((members, number) => put(members, r, clusters[number].colour));
  if (put === stamps) pen.putImageData(bitmap, 0, 0);
  const pictured = visible.filter(i => thumbnails.has(i) && onScreen(i));
  const isNear = visible.length <= MOST_PICTURES && view.scale > 1.8 * whole().scale;
  const framed = isNear ? pictures(pictured) : new Set();
  for (const i of [hovered, chosen]) if (i >= 0 && !framed.has(i)) ring(i, r + 4);
  if (!framed.size || group < 0) labels();
}

const onScreen = i => screenX(i) > 0 && screenX(i) < width && screenY(i) > 0 && screenY(i) < height;

function dots(members, r, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (const i of members) {
    const x = screenX(i), y = screenY(i);
    pen.moveTo(x + r, y);
    pen.arc(x, y, r, 0, 7);
  }
  pen.fill();
}

function stamps(members, r, colour) {
  const [, red, green, blue] = colour.match(/#(..)(..)(..)/).map(part => parseInt(part, 16));
  const ink = (255 << 24) | (blue << 16) | (green << 8) | red, reach = Math.ceil(r * ratio), offsets = [];
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++) if (x * x + y * y <= r * r * ratio * ratio) offsets.push([x, y]);
  for (const i of members) {
    const left = Math.round(screenX(i) * ratio), top = Math.round(screenY(i) * ratio);
    for (const [x, y] of offsets) {
      const column = left + x, row = top + y;
      if (column >= 0 && column < bitmap.width && row >= 0 && row < bitmap.height) pixels[row * bitmap.width + column] = ink;
    }
  }
}

const images = new Map();
function image(i) {
  if (!thumbnails.has(i)) return null;
  if (!images.has(i)) {
    const made = new Image();
    made.onload = soon;
    made.src = source(i);
    images.set(i, made);
  }
  return images.get(i);
}

const source = i => "data:image/webp;base64," + thumbnails.get(i);

function pictures(members) {
  const side = Math.max(32, Math.min(150, 0.55 * Math.sqrt(width * height / Math.max(members.length, 6))));
  const drawn = new Set(), last = [hovered, chosen].filter(i => members.includes(i)); // above the others
  for (const i of [...members, ...last]) {
    const picture = image(i);
    if (!picture.complete || !picture.naturalWidth) continue;
    const edge = last.includes(i) ? 4 : 2;
    const fit = side / Math.max(picture.naturalWidth, picture.naturalHeight);
    const w = picture.naturalWidth * fit, h = picture.naturalHeight * fit;
    const x = screenX(i) - w / 2, y = screenY(i) - h / 2;
    pen.fillStyle = last.includes(i) ? colours.text : clusters[groups[i]].colour;
    pen.fillRect(x - edge, y - edge, w + 2 * edge, h + 2 * edge);
    pen.drawImage(picture, x, y, w, h);
    drawn.add(i);
  }
  return drawn;
}

function ring(i, r) {
  pen.strokeStyle = colours.text;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(screenX(i), screenY(i), r, 0, 7);
  pen.stroke();
}

function labels() {
  const taken = [];
  pen.font = "600 13px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  clusters.forEach((each, number) => {
    if (group >= 0 && group !== number) return;
    const text = `${each.letter}  ${each.name}`, x = each.x * view.scale + view.x;
    const above = heights[number] * view.scale < 30 ? 22 : 0; // a group that the text would hide
    const y = each.y * view.scale + view.y - above;
    const half = pen.measureText(text).width / 2 + 4;
    if (taken.some(([left, right, at]) => x + half > left && x - half < right && Math.abs(at - y) < 18)) return;
    taken.push([x - half, x + half, y]);
    pen.strokeStyle = colours.back;
    pen.strokeText(text, x, y);
    pen.fillStyle = colours.text;
    pen.fillText(text, x, y);
  });
}

function soon() {
  if (!dirty) { dirty = true; requestAnimationFrame(draw); }
}

// -- moving ----------------------------------------------------------------------------------------------------------

function fitted([left, top, right, bottom], margin) {
  const scale = Math.min((width - 2 * margin) / Math.max(right - left, 1), (height - 2 * margin) / Math.max(bottom - top, 1));
  const most = Math.min(Math.max(scale, 1e-4), 4);
  return { scale: most, x: width / 2 - most * (left + right) / 2, y: height / 2 - most * (top + bottom) / 2 };
}

function extent(wanted) {
  let left = FULL, top = FULL, right = 0, bottom = 0;
  for (let i = 0; i < count; i++) {
    if (!wanted(i)) continue;
    left = Math.min(left, xs[i]); right = Math.max(right, xs[i]);
    top = Math.min(top, ys[i]); bottom = Math.max(bottom, ys[i]);
  }
  return [left, top, right, bottom];
}

const everything = extent(() => true);
const whole = () => fitted(everything, 36);

function zoom(factor, x = width / 2, y = height / 2) {
  const scale = Math.min(Math.max(view.scale * factor, whole().scale / 2), 10);
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  soon();
}

function move(x, y) {
  view.x += x;
  view.y += y;
  soon();
}

function show(i) {
  const x = screenX(i), y = screenY(i), margin = 60;
  if (x < margin || x > width - margin || y < margin || y > height - margin) move(width / 2 - x, height / 2 - y);
}

// -- what is said of a photo or a group ------------------------------------------------------------------------------

const address = i => folders[folderOf[i]] + encodeURIComponent(names[i]);

function readable(i) {
  try { return decodeURIComponent(folders[folderOf[i]].replace(/^file:\/\//, "")); } catch { return folders[folderOf[i]]; }
}

function element(kind, text, parent) {
  const made = document.createElement(kind);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

function facts(i, box) {
  box.replaceChildren();
  if (thumbnails.has(i)) {
    const picture = element("img", "", box);
    picture.src = source(i);
    picture.alt = names[i];
  }
  element("b", names[i], box);
  const each = clusters[groups[i]];
  element("span", [dates[i], `${each.letter} ${each.name}`].filter(Boolean).join(" · "), box);
  box.hidden = false;
}

function hover(i, x, y) {
  if (i !== hovered) { hovered = i; soon(); }
  canvas.classList.toggle("pointing", i >= 0);
  if (i < 0) { hoverBox.hidden = true; return; }
  facts(i, hoverBox);
  const w = hoverBox.offsetWidth, h = hoverBox.offsetHeight;
  hoverBox.style.transform = `translate(${Math.max(4, x + 16 + w > width ? x - w - 12 : x + 16)}px, ${Math.max(4, Math.min(y + 12, height - h - 4))}px)`;
}

function choose(i) {
  chosen = i;
  if (i < 0) card.hidden = true;
  else {
    facts(i, card);
    element("span", readable(i), card);
    const link = element("a", "Open the photo", card);
    link.className = "open";
    link.href = address(i);
  }
  soon();
}

function pick(number) {
  group = number === group ? -1 : number;
  buttons.forEach((button, at) => button.setAttribute("aria-pressed", at === group));
  typicalBox.replaceChildren();
  typicalBox.hidden = group < 0;
  if (chosen >= 0 && group >= 0 && groups[chosen] !== group) choose(-1);
  for (const i of group < 0 ? [] : typical[group]) {
    const button = element("button", thumbnails.has(i) ? "" : names[i], typicalBox);
    button.title = names[i];
    button.setAttribute("aria-label", names[i]);
    if (thumbnails.has(i)) { const picture = element("img", "", button); picture.src = source(i); picture.alt = ""; }
    button.onclick = () => { choose(i); show(i); };
  }
  view = group < 0 ? whole() : fitted(extent(i => groups[i] === group), Math.min(90, width / 6));
  soon();
}

const folded = text => text.normalize().toLowerCase(); // é is one letter, or e and an accent

function filter() {
  const words = folded(filterBox.value).split(/\s+/).filter(Boolean);
  matching = words.length ? names.map((name, i) => {
    const text = folded(`${name} ${dates[i]} ${readable(i)}`);
    return words.every(word => text.includes(word));
  }) : null;
  const found = matching ? matching.filter(Boolean).length : count;
  document.getElementById("count").textContent = matching ? `${found.toLocaleString("en")} of ` : "";
  soon();
}

// -- pointer, touch and keys -----------------------------------------------------------------------------------------

const pointers = new Map();
let dragged = 0;

const at = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

canvas.addEventListener("pointerdown", event => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  dragged = pointers.size > 1 ? 1e3 : 0;
});

canvas.addEventListener("pointermove", event => {
  const [x, y] = at(event), before = pointers.get(event.pointerId);
  if (!before) { if (event.pointerType !== "touch") hover(nearest(x, y, 14), x, y); return; }
  pointers.set(event.pointerId, [x, y]);
  dragged += Math.hypot(x - before[0], y - before[1]);
  if (pointers.size === 2) {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const was = Math.hypot(before[0] - other[0], before[1] - other[1]), is = Math.hypot(x - other[0], y - other[1]);
    move((x - before[0]) / 2, (y - before[1]) / 2);
    if (was > 0) zoom(is / was, (x + other[0]) / 2, (y + other[1]) / 2);
  } else if (dragged > 4) {
    canvas.classList.add("dragging");
    hover(-1);
    move(x - before[0], y - before[1]);
  }
});

function lift(event) {
  const [x, y] = at(event);
  if (event.type === "pointerup" && dragged <= 4 && pointers.has(event.pointerId)) choose(nearest(x, y, event.pointerType === "touch" ? 24 : 14));
  pointers.delete(event.pointerId);
  canvas.classList.remove("dragging");
}
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("wheel", event => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
}, { passive: false });
canvas.addEventListener("dblclick", event => zoom(2, ...at(event)));

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function step([right, down]) {
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    if (i === chosen || !isShown(i)) continue;
    const x = xs[i] - xs[chosen], y = ys[i] - ys[chosen], along = x * right + y * down, aside = Math.abs(x * down) + Math.abs(y * right);
    if (along > 0 && aside <= along && along + aside < least) { best = i; least = along + aside; }
  }
  if (best >= 0) { choose(best); show(best); }
}

canvas.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && chosen >= 0) step(arrow);
  else if (arrow) move(-80 * arrow[0], -80 * arrow[1]);
  else if (event.key === "Enter" && chosen >= 0) location.href = address(chosen);
  else if (event.key === "Enter" || event.key === " ") choose(nearest(width / 2, height / 2, Math.hypot(width, height)));
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", event => {
  if (event.target === filterBox) { if (event.key === "Escape") { filterBox.value = ""; filter(); canvas.focus(); } return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { if (chosen >= 0) choose(-1); else if (group >= 0) pick(group); }
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") { view = whole(); soon(); }
  else if (event.key === "/") { event.preventDefault(); filterBox.focus(); }
});

document.getElementById("in").onclick = () => zoom(1.6);
document.getElementById("out").onclick = () => zoom(1 / 1.6);
document.getElementById("all").onclick = () => { if (group >= 0) pick(group); view = whole(); soon(); };
buttons.forEach((button, number) => {
  button.firstElementChild.style.background = clusters[number].colour;
  button.onclick = () => pick(number);
});
filterBox.oninput = filter;

function measure() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["back", "text", "line"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  const before = width;
  width = canvas.clientWidth;
  height = canvas.clientHeight;
  ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  bitmap = pen.createImageData(canvas.width, canvas.height);
  pixels = new Uint32Array(bitmap.data.buffer);
  if (!before) view = whole();
  soon();
}
new ResizeObserver(measure).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", measure);
measure();
