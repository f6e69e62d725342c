// The margin: whatever has data-turn, data-start and data-end stands beside its line, and its passage is marked in a
// layer under the text box. Places count UTF-16 units and follow what is typed; F8 goes on to the next, Ctrl+. mends it.
import { change, follow as followed, places } from "./passages.mjs";
import * as panes from "./panes.mjs";

const WIDE = window.matchMedia("(min-width: 80.01rem)");
const GAP = 12;
const COPIED = ["font", "letter-spacing", "word-spacing", "padding", "border-width", "direction", "text-align", "tab-size"];
const texts = new WeakMap();
let said = "";

// Places are rules of a sheet of this script's own: an inline style would be copied by a morph, and the policy refuses it.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
const rules = new Map();
let numbers = 0;
let placed = "";

function place(element, css) {
  element.dataset.place ??= String(++numbers);
  rules.set(element.dataset.place, `[data-place="${element.dataset.place}"] { ${css} }`);
}

/** Forget the places of what is gone, and let the others hold. */
function settle() {
  const here = new Set([...document.querySelectorAll("[data-place]")].map((one) => one.dataset.place));
  for (const number of rules.keys()) if (!here.has(number)) rules.delete(number);
  const css = [...rules.values()].join("\n");
  if (css !== placed) sheet.replaceSync(css); // which styles the whole page anew
  placed = css;
}

const boxOf = (name) => document.getElementById(/^\d+$/.test(name) ? `turn-${name}` : name);
const items = () => [...document.querySelectorAll("[data-turn][data-start]")].filter((item) => boxOf(item.dataset.turn));
const inOrder = (a, b) => position(a) - position(b) || places(a)[0] - places(b)[0];
const boxes = () => [...document.querySelectorAll("#desk-form textarea")];
const position = (item) => boxes().indexOf(boxOf(item.dataset.turn));

/** Draw the layers anew and put each remark beside its line. */
function layout() {
  const all = items();
  const seen = new Set(all.filter((item) => !item.hidden).map((item) => boxOf(item.dataset.turn)));
  for (const layer of document.querySelectorAll(".layer")) if (!seen.has(boxAfter(layer))) layer.remove();
  for (const gutter of document.querySelectorAll(".gutter")) if (!seen.has(gutter.previousElementSibling)) gutter.remove();
  for (const box of seen) {
    if (!texts.has(box)) texts.set(box, box.value);
    const own = all.filter((item) => !item.hidden && boxOf(item.dataset.turn) === box).sort(inOrder);
    draw(box, own.filter((item) => !isCut(item)));
    drawCut(box, own.find(isCut));
  }
  for (const button of document.querySelectorAll("[data-fix][hidden]")) button.hidden = false;
  settle();
  stand(all.filter((item) => !item.hidden && item.closest(".margin")));
  for (const box of seen) number(box, all.filter((item) => !item.hidden && boxOf(item.dataset.turn) === box).sort(inOrder));
  settle();
}

const isCut = (item) => "cut" in item.dataset;
const boxAfter = (layer) => layer.nextElementSibling?.matches(".layer") ? layer.nextElementSibling.nextElementSibling : layer.nextElementSibling;

function draw(box, own) {
  const layer = box.previousElementSibling?.classList.contains("layer") ? box.previousElementSibling : made(box);
  lay(layer, box);
  layer.hidden = !own.length;
  fill(layer, [...marked(box.value, own), { text: "\n" }]);
  layer.scrollTop = box.scrollTop;
}

/** Make the layer say these parts. What stays is left alone: a browser lays out a long text anew only where it changes. */
function fill(layer, parts) {
  const isAsBefore = parts.length === layer.childNodes.length && parts.every(({ name = "#text" }, index) => layer.childNodes[index].nodeName.toLowerCase() === name);
  if (!isAsBefore) layer.replaceChildren(...parts.map(({ name }) => name ? document.createElement(name) : new Text()));
  for (const [index, { name, look = "", text, item }] of parts.entries()) {
    const node = layer.childNodes[index];
    if (name && node.className !== look) node.className = look;
    if (item) item.mark = node;
    retype(name ? node.firstChild ?? node.appendChild(new Text()) : node, text);
  }
}

function retype(node, text) {
  const { head, until, by } = change(node.data, text);
  if (until > head || by) node.replaceData(head, until - head, text.slice(head, until + by));
}

/** The first line of a passage; to ask for all lines of a long one takes as long as to lay it out. */
function firstLine(mark) {
  const range = document.createRange();
  range.setStart(mark.firstChild, 0);
  range.setEnd(mark.firstChild, Math.min(1, mark.firstChild.length));
  return range.getClientRects()[0] ?? mark.getClientRects()[0];
}

function lay(layer, box) {
  const looks = getComputedStyle(box);
  const copied = COPIED.map((name) => `${name}: ${looks.getPropertyValue(name)}`).join("; ");
  place(layer, `${copied}; top: ${box.offsetTop}px; left: ${box.offsetLeft}px; width: ${box.offsetWidth}px; height: ${box.offsetHeight}px`);
}

/** Where training stops reading: a line in the text, and a wash behind all that it does not read. */
function drawCut(box, item) {
  const marks = box.previousElementSibling;
  let layer = marks.previousElementSibling?.matches(".cut-layer") ? marks.previousElementSibling : null;
  if (!item) return layer?.remove();
  if (!layer) {
    layer = Object.assign(document.createElement("div"), { className: "layer cut-layer" });
    layer.setAttribute("aria-hidden", "true");
    marks.before(layer);
  }
  lay(layer, box);
  const at = places(item)[0];
  fill(layer, [{ text: box.value.slice(0, at) }, { name: "span", look: "unread", text: box.value.slice(at) || "\u200b", item }, { text: "\n" }, { name: "span", look: "cut-line", text: "" }]);
  layer.scrollTop = box.scrollTop;
  settle();
  const first = firstLine(item.mark);
  const outer = layer.getBoundingClientRect();
  // In the middle of a line the rest of that line is washed, and the line is drawn below it.
  const whole = first && first.left <= outer.left + parseFloat(getComputedStyle(layer).paddingLeft) + 2;
  const height = parseFloat(getComputedStyle(layer).lineHeight) || 0;
  const middle = first ? (first.top + first.bottom) / 2 + (whole ? -height / 2 : height / 2) : outer.bottom;
  place(layer.lastChild, `top: ${middle - outer.top + layer.scrollTop}px`);
}

/** Where notes stand below their text and not beside it, a number at the line leads to each. */
function number(box, own) {
  const below = own.filter((item) => !item.closest(".margin.beside-lines"));
  for (const item of own) if (!below.includes(item)) delete item.dataset.number;
  let gutter = box.nextElementSibling?.matches(".gutter") ? box.nextElementSibling : null;
  if (!below.length) return gutter?.remove();
  if (!gutter) {
    gutter = Object.assign(document.createElement("div"), { className: "gutter" });
    gutter.setAttribute("aria-hidden", "true");
    box.after(gutter);
  }
  place(gutter, `top: ${box.offsetTop}px; left: ${box.offsetLeft}px; height: ${box.offsetHeight}px`);
  let free = -Infinity;
  fill(gutter, below.map((_, index) => ({ name: "span", text: String(index + 1) })));
  for (const [index, item] of below.entries()) {
    item.dataset.number = index + 1;
    const top = Math.max(lineOf(item) - box.getBoundingClientRect().top, free);
    place(gutter.children[index], `top: ${top}px`);
    free = top + 18;
  }
}

function made(box) {
  const layer = document.createElement("div");
  layer.className = "layer";
  layer.setAttribute("aria-hidden", "true");
  box.before(layer);
  box.addEventListener("scroll", () => { for (const one of [layer, layer.previousElementSibling]) if (one?.matches(".layer")) one.scrollTop = box.scrollTop; stand(items().filter((item) => !item.hidden && item.closest(".margin"))); });
  return layer;
}

/** The text with a mark around each passage; where two overlap, the first one has it. */
function marked(text, own) {
  const parts = [];
  let last = 0;
  for (const item of own) {
    const [start, end] = places(item);
    item.mark = null;
    if (start < last) continue;
    const look = [item.dataset.mark ?? "", item.classList.contains("suspects") && "suspects", item.classList.contains("at") && "at"].filter(Boolean).join(" ");
    parts.push({ text: text.slice(last, start) }, { name: end > start ? "mark" : "span", look, text: text.slice(start, end), item });
    last = end;
  }
  return [...parts, { text: text.slice(last) }];
}

/** Beside the line; one that would lie on another is pushed down. */
function stand(own) {
  for (const margin of document.querySelectorAll(".margin")) margin.classList.toggle("beside-lines", WIDE.matches);
  let free = -Infinity;
  const lines = own.map((item) => [item, lineOf(item)]).sort((a, b) => a[1] - b[1]);
  for (const [item, line] of lines) {
    const from = item.parentElement.getBoundingClientRect().top;
    const top = Math.max(line, free);
    place(item, WIDE.matches ? `top: ${top - from}px` : "");
    free = top + item.offsetHeight + GAP;
  }
  for (const rest of document.querySelectorAll(".margin > .left-remarks")) {
    const from = rest.parentElement.getBoundingClientRect().top;
    place(rest, WIDE.matches && lines.length ? `top: ${free - from}px` : "");
  }
  settle();
}

function lineOf(item) {
  const box = boxOf(item.dataset.turn);
  const mark = item.mark ?? twin(item)?.mark;
  return ((mark && firstLine(mark)) ?? box.getBoundingClientRect()).top;
}

/** Whoever has the passage that this one speaks of as well. */
const twin = (item) => items().find((other) => other.mark && other.dataset.turn === item.dataset.turn && places(other)[1] > places(item)[0] && places(other)[0] <= places(item)[0]);

const itemsOf = (box) => items().filter((one) => boxOf(one.dataset.turn) === box);

/** What is typed moves the places of what stands behind it. */
function follow(box) {
  followed(itemsOf(box), texts.get(box) ?? box.value, box.value);
  texts.set(box, box.value);
}

/** Put the replacement in as if it were typed, so that it can be undone and is kept. */
function mend(button) {
  const item = button.closest("[data-turn]");
  const box = boxOf(item.dataset.turn);
  const [start, end] = [Number(button.dataset.fixStart), Number(button.dataset.fixEnd)];
  write(box);
  box.focus();
  box.setSelectionRange(start, end);
  const text = button.dataset.fix;
  item.hidden = true;
  const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (!done) {
    box.setRangeText(text, start, end, "end");
    box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  }
  say("Mended.");
}

/** The text box must be there to be written in. */
function write(box) {
  if (box) panes.showBox(box);
  const choice = document.getElementById("as-write");
  if (choice && !choice.checked && !window.matchMedia("(min-width: 112rem)").matches) choice.click();
}

function step(by) {
  const all = items().filter((item) => !item.hidden).sort(inOrder);
  if (!all.length) return say("There is no remark.");
  write();
  const now = all.findIndex((item) => item.classList.contains("at"));
  const next = now >= 0 ? all[(now + by + all.length) % all.length] : by > 0 ? all.find(behindCaret) ?? all[0] : all.at(-1);
  point(next);
}

function behindCaret(item) {
  const box = document.activeElement;
  const at = boxes().indexOf(box);
  if (at < 0) return true;
  return position(item) > at || (position(item) === at && places(item)[0] >= box.selectionEnd);
}

function point(item) {
  for (const one of items()) one.classList.toggle("at", one === item);
  const box = boxOf(item.dataset.turn);
  write(box);
  if (box.closest("details:not([open])")) box.closest("details").open = true;
  layout();
  box.focus({ preventScroll: true });
  box.setSelectionRange(...places(item));
  (item.mark ?? box).scrollIntoView({ block: "center", inline: "nearest" });
  layout();
  const fix = item.querySelector("[data-fix]");
  say(`${words(item)}${fix ? ` Ctrl . : ${fix.textContent}` : ""}`);
}

const words = (item) => [...item.querySelectorAll("b, .where, .said")].map((part) => part.textContent.trim()).join(". ") || item.textContent.trim();

function mendCurrent() {
  const all = items().filter((item) => !item.hidden);
  const here = all.find((item) => item.classList.contains("at")) ?? all.find(underCaret);
  if (!here) return step(1);
  const fix = here.querySelector("[data-fix]");
  if (fix) return mend(fix);
  return say("Nothing is certain to mend this; it is yours to write.");
}

function underCaret(item) {
  const box = document.activeElement;
  const [start, end] = places(item);
  return boxOf(item.dataset.turn) === box && start <= box.selectionStart && box.selectionStart <= end;
}

/** For those who hear the page. */
function say(text) {
  let place = document.getElementById("remark-said");
  if (!place) {
    place = Object.assign(document.createElement("p"), { id: "remark-said", className: "hidden" });
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  said = said === text ? `${text}\u00a0` : text;
  place.textContent = said;
}

let due = 0;
const soon = () => { cancelAnimationFrame(due); due = requestAnimationFrame(layout); };

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("#desk-form textarea")) return;
  for (const item of document.querySelectorAll(".remark.at")) item.classList.remove("at");
  follow(event.target);
  soon();
});
document.addEventListener("click", (event) => {
  const fix = event.target.closest?.("[data-fix]");
  if (fix) return mend(fix);
  const item = event.target.closest?.(".remark[data-turn]");
  if (item && boxOf(item.dataset.turn) && !event.target.closest("a, button, input, textarea, summary")) point(item);
});
document.addEventListener("keydown", (event) => {
  if (!document.getElementById("desk-form") || event.isComposing || event.altKey) return;
  const control = event.ctrlKey || event.metaKey;
  if (event.key === "F8" && !control) press(event, () => step(event.shiftKey ? -1 : 1));
  if (event.key === "." && control && !event.shiftKey) press(event, mendCurrent);
  if (event.key === "/" && control) press(event, () => document.getElementById("guide-panel")?.togglePopover());
});

function press(event, act) {
  event.preventDefault();
  act();
}

document.addEventListener("change", soon);
document.addEventListener("htmx:config:request", ({ detail }) => {
  detail.ctx.sentBoxes = new Map(boxes().map((box) => [box, box.value]));
});
document.addEventListener("htmx:after:swap", ({ detail }) => {
  const source = detail.ctx?.sourceElement;
  const asked = ["remarks", "comments"].find((name) => source?.closest?.(`#${name}, #prompt-${name}, #${name}-margin`));
  const fresh = asked ? new Set(document.querySelectorAll(`:is(#${asked}, #prompt-${asked}, #${asked}-margin) [data-turn][data-start]`)) : new Set();
  for (const box of boxes()) {
    // Notes speak of what was sent; whatever was typed since moves them. The others have moved already.
    const own = itemsOf(box);
    const sent = detail.ctx?.sentBoxes?.get(box) ?? box.value;
    followed(own.filter((item) => fresh.has(item)), sent, box.value);
    followed(own.filter((item) => !fresh.has(item)), texts.get(box) ?? box.value, box.value);
    texts.set(box, box.value);
  }
  // What is typed while an answer is on its way is heard by an element that the answer takes away: its successor asks.
  const heard = source?.id && detail.ctx.sentBoxes && boxes().some((box) => detail.ctx.sentBoxes.get(box) !== undefined && detail.ctx.sentBoxes.get(box) !== box.value);
  if (heard && ["remarks", "preview", "counts"].includes(source.id)) document.getElementById(source.id)?.dispatchEvent(new Event("ask"));
  // A desk that was put in the place of another asks anew.
  if (!asked) document.querySelector("#remarks[data-unasked]")?.dispatchEvent(new Event("ask"));
  soon();
});
document.addEventListener("toggle", soon, true);
window.addEventListener("resize", soon);
document.fonts?.ready.then(soon);
soon();
