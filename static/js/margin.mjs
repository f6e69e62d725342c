// The margin: whatever has data-turn, data-start and data-end stands beside its line, and its passage is marked in a
// layer under the text box. Places count UTF-16 units and follow what is typed; F8 goes on to the next, Ctrl+. mends it.
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

function place(element, css) {
  element.dataset.place ??= String(++numbers);
  rules.set(element.dataset.place, `[data-place="${element.dataset.place}"] { ${css} }`);
}

/** Forget the places of what is gone, and let the others hold. */
function settle() {
  const here = new Set([...document.querySelectorAll("[data-place]")].map((one) => one.dataset.place));
  for (const number of rules.keys()) if (!here.has(number)) rules.delete(number);
  sheet.replaceSync([...rules.values()].join("\n"));
}

const boxOf = (name) => document.getElementById(/^\d+$/.test(name) ? `turn-${name}` : name);
const items = () => [...document.querySelectorAll("[data-turn][data-start]")].filter((item) => boxOf(item.dataset.turn));
const places = (item) => [Number(item.dataset.start), Number(item.dataset.end)];
const inOrder = (a, b) => position(a) - position(b) || places(a)[0] - places(b)[0];
const boxes = () => [...document.querySelectorAll("#desk-form textarea")];
const position = (item) => boxes().indexOf(boxOf(item.dataset.turn));

/** Draw the layers anew and put each remark beside its line. */
function layout() {
  const all = items();
  const seen = new Set(all.filter((item) => !item.hidden).map((item) => boxOf(item.dataset.turn)));
  for (const layer of document.querySelectorAll(".layer")) if (!seen.has(layer.nextElementSibling)) layer.remove();
  for (const box of seen) {
    if (!texts.has(box)) texts.set(box, box.value);
    draw(box, all.filter((item) => !item.hidden && boxOf(item.dataset.turn) === box).sort(inOrder));
  }
  for (const button of document.querySelectorAll("[data-fix][hidden]")) button.hidden = false;
  settle();
  stand(all.filter((item) => !item.hidden && item.closest(".margin")));
}

function draw(box, own) {
  const layer = box.previousElementSibling?.classList.contains("layer") ? box.previousElementSibling : made(box);
  const looks = getComputedStyle(box);
  const copied = COPIED.map((name) => `${name}: ${looks.getPropertyValue(name)}`).join("; ");
  place(layer, `${copied}; top: ${box.offsetTop}px; left: ${box.offsetLeft}px; width: ${box.offsetWidth}px; height: ${box.offsetHeight}px`);
  layer.replaceChildren(...marked(box.value, own), "\n");
  layer.scrollTop = box.scrollTop;
}

function made(box) {
  const layer = document.createElement("div");
  layer.className = "layer";
  layer.setAttribute("aria-hidden", "true");
  box.before(layer);
  box.addEventListener("scroll", () => { layer.scrollTop = box.scrollTop; stand(items().filter((item) => !item.hidden && item.closest(".margin"))); });
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
    const mark = document.createElement(end > start ? "mark" : "span");
    mark.className = [item.dataset.mark ?? "", item.classList.contains("suspects") && "suspects", item.classList.contains("at") && "at"].filter(Boolean).join(" ");
    mark.textContent = text.slice(start, end);
    parts.push(text.slice(last, start), mark);
    last = end;
    item.mark = mark;
  }
  return [...parts, text.slice(last)];
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
  return (mark?.getClientRects()[0] ?? box.getBoundingClientRect()).top;
}

/** Whoever has the passage that this one speaks of as well. */
const twin = (item) => items().find((other) => other.mark && other.dataset.turn === item.dataset.turn && places(other)[1] > places(item)[0] && places(other)[0] <= places(item)[0]);

/** What is typed moves the places behind it; a passage that is typed into is spoken of no more until it is read again. */
function follow(box) {
  const before = texts.get(box) ?? box.value;
  const after = box.value;
  texts.set(box, after);
  if (before === after) return;
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const until = before.length - tail;
  const by = after.length - before.length;
  for (const item of items().filter((one) => boxOf(one.dataset.turn) === box)) {
    const [start, end] = places(item);
    if (start >= until && (start > head || end > start)) shift(item.dataset, ["start", "end"], by);
    else if (end > head && start < until) item.hidden = true;
    const fix = item.querySelector("[data-fix]");
    if (!fix) continue;
    if (Number(fix.dataset.fixStart) >= until) shift(fix.dataset, ["fixStart", "fixEnd"], by);
    else if (Number(fix.dataset.fixEnd) > head) fix.remove();
  }
}

function shift(data, names, by) {
  for (const name of names) data[name] = Number(data[name]) + by;
}

/** Put the replacement in as if it were typed, so that it can be undone and is kept. */
function mend(button) {
  const item = button.closest("[data-turn]");
  const box = boxOf(item.dataset.turn);
  const [start, end] = [Number(button.dataset.fixStart), Number(button.dataset.fixEnd)];
  write();
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
function write() {
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
document.addEventListener("htmx:before:request", ({ detail }) => {
  detail.ctx.sentBoxes = new Map(boxes().map((box) => [box, box.value]));
});
document.addEventListener("htmx:after:swap", ({ detail }) => {
  const asked = detail.ctx?.sourceElement?.closest?.("#remarks, #prompt-remarks");
  for (const box of boxes()) {
    // Remarks speak of what was sent; whatever was typed since moves them.
    if (asked && detail.ctx.sentBoxes?.has(box)) texts.set(box, detail.ctx.sentBoxes.get(box));
    follow(box);
  }
  // A desk that was put in the place of another asks anew.
  if (!asked) document.querySelector("#remarks[data-unasked]")?.dispatchEvent(new Event("ask"));
  soon();
});
document.addEventListener("toggle", soon, true);
window.addEventListener("resize", soon);
document.fonts?.ready.then(soon);
soon();
